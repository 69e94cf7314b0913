// Package feed brings snapshots of the declared feeds into inventory/advisories.
//
// Sync copies each source, a path or an http(s) URL, to
// inventory/advisories/<kind>/<n>-<name> in its original bytes, where n counts
// the sources of one kind in the order they are declared. A folder becomes one
// tar.gz of the documents in it that are of the kind, so that Git holds one file
// and not thousands. Sources of the kind "patches" become
// inventory/patches/<n>-<name>.jsonl.
//
// A snapshot is replaced only by one that arrived whole, was read to its end and
// holds what the feed declares; until then nothing is written. What is known of
// each source is kept in inventory/advisories/sources.json, and a source that has
// not changed changes no byte anywhere. One source's fault does not keep the
// others from being brought.
package feed

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory/snapshot"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Options is what Sync works with. Root, Feeds and At are needed; of the rest
// the zero value works.
type Options struct {
	Root     string           // the estate's folder
	Feeds    []inventory.Feed // in the order declared
	At       time.Time        // recorded as the time at which a content changed
	Client   *http.Client     // default http.DefaultClient; its CheckRedirect is not used
	MaxSize  int64            // bytes of one download or file, default 512 MiB
	Limits   snapshot.Limits  // what one source may unpack to
	Timeout  time.Duration    // for one source as a whole, default 10 minutes
	Progress func(Progress)   // told of what happens, for people; calls do not overlap
}

// Progress is one source on its way. Result is nil until it is finished.
type Progress struct {
	Kind, From  string
	Read, Total int64 // bytes so far and in all; Total is -1 where the source does not say
	Result      *Result
}

// Status is what became of a source.
type Status string

// What may become of a source. A failed one keeps the snapshot it had.
const (
	New       Status = "new"
	Changed   Status = "changed"
	Unchanged Status = "unchanged"
	Failed    Status = "failed"
)

// Result is what became of one source.
type Result struct {
	Kind    string
	From    string // as declared, without secrets
	File    string // the snapshot, from the estate's root
	Status  Status
	Records int      // in the snapshot as it now lies there
	Was     int      // records before, 0 where there was none
	Notes   []string // what was left out, and what looks odd
	Err     error    // why it failed
}

// Report is what Sync did. Changed names every file written, Removed those of
// sources that are no longer declared.
type Report struct {
	Results []Result // in the order declared
	Changed []string
	Removed []string
}

// Sync brings every declared source. The error joins what is wrong with each
// source that failed; the report is complete even then.
func Sync(ctx context.Context, o Options) (Report, error) {
	o = o.withDefaults()
	root, err := os.OpenRoot(o.Root)
	if err != nil {
		return Report{}, fmt.Errorf("opening the estate: %w", err)
	}
	defer root.Close()
	sources, err := sourcesOf(o.Feeds)
	if err != nil {
		return Report{}, err
	}
	state, err := readState(root)
	if err != nil {
		return Report{}, err
	}
	s := &run{Options: o, root: root, state: state}
	s.sweep(sources)
	for _, src := range sources {
		s.bring(ctx, src)
	}
	s.remove(sources)
	return s.report, errors.Join(append(s.errs, s.saveState())...)
}

func (o Options) withDefaults() Options {
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	if o.MaxSize == 0 {
		o.MaxSize = 512 << 20
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Minute
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	return o
}

// run is one run of Sync.
type run struct {
	Options
	root   *os.Root
	state  *state
	report Report
	errs   []error
}

// bring brings one source and notes what became of it.
func (s *run) bring(ctx context.Context, src source) {
	s.Progress(Progress{Kind: src.kind, From: src.shown, Total: -1})
	ctx, cancel := context.WithTimeoutCause(ctx, s.Timeout, fmt.Errorf("it took longer than %v", s.Timeout))
	defer cancel()
	result, err := s.try(ctx, src)
	result.Kind, result.From, result.File = src.kind, src.shown, src.file
	if err != nil {
		result.Status = Failed
		result.Err = fmt.Errorf("feed %q: %s: %w", src.kind, src.shown, err)
		s.errs = append(s.errs, result.Err)
	}
	s.report.Results = append(s.report.Results, result)
	s.Progress(Progress{Kind: src.kind, From: src.shown, Total: -1, Result: &result})
}

// try fetches a source, looks at what came, and only then writes it.
func (s *run) try(ctx context.Context, src source) (Result, error) {
	old := s.state.of(src)
	held := old != nil && s.holds(*old)
	result := Result{}
	if old != nil {
		result.Records, result.Was = old.Records, old.Records
	}
	got, err := s.fetch(ctx, src, old, held)
	if err != nil {
		return result, err
	}
	if src.kind == string(snapshot.Patches) {
		if got.data, got.sha256, err = s.lines(got); err != nil {
			return result, err
		}
	}
	if got.unchanged || held && got.same(*old) {
		result.Status = Unchanged
		return result, nil
	}
	found, err := verify(src, got, s.Limits)
	if err != nil {
		return result, err
	}
	result.Notes = append(got.notes, found.notes...)
	if err := shrunk(src, found.records, result.Was); err != nil {
		return result, err
	}
	if found.records < result.Was/2 {
		result.Notes = append(result.Notes, fmt.Sprintf("%d records, where there were %d before", found.records, result.Was))
	}
	entry := got.entry(src, found.records, s.At)
	result.Status = New
	if old != nil {
		result.Status = Changed
	}
	if !s.holds(entry) {
		if err := s.write(src.file, got.data); err != nil {
			return result, fmt.Errorf("writing %s: %w", src.file, err)
		}
		s.report.Changed = append(s.report.Changed, src.file)
	}
	result.Records = found.records
	s.state.put(entry)
	return result, nil
}
