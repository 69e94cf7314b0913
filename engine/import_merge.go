package engine

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// merge adds what was found to the hosts, the older first, so that the order of
// the files makes no difference.
func (t *importTree) merge(found []importFound, report *ImportReport) error {
	slices.SortStableFunc(found, func(a, b importFound) int {
		return cmp.Or(cmp.Compare(a.facts.Host, b.facts.Host), a.facts.At.Compare(b.facts.At), cmp.Compare(a.file, b.file))
	})
	latest := map[inventory.HostID]string{} // host → the file whose facts it has now
	for _, f := range found {
		if err := t.add(f, latest, report); err != nil {
			return fmt.Errorf("%s: host %q: %w", f.file, f.facts.Host, err)
		}
	}
	return nil
}

// tally counts the hosts that were found by what became of their lines.
func (t *importTree) tally(found []importFound, report *ImportReport) {
	seen := map[inventory.HostID]bool{}
	for _, f := range found {
		id := f.facts.Host
		if seen[id] {
			continue
		}
		seen[id] = true
		switch h := t.hosts[id]; {
		case h.was == nil:
			report.Added++
		case bytes.Equal(h.was, h.line):
			report.Same++
		default:
			report.Updated++
		}
	}
}

func (t *importTree) add(f importFound, latest map[inventory.HostID]string, report *ImportReport) error {
	id := f.facts.Host
	r, err := importOf(f.facts)
	if err != nil {
		return err
	}
	record, err := t.record(id)
	if err != nil {
		return err
	}
	if record == nil {
		t.hosts[id] = &importedHost{next: r}
		latest[id] = f.file
		return nil
	}
	say := func(note bool, format string, args ...any) {
		report.Problems = append(report.Problems, inventory.Problem{
			File: f.file, Where: fmt.Sprintf("host %q", id), Message: fmt.Sprintf(format, args...), Note: note})
	}
	known := record.said[f.facts.Source].at
	clash := record.add(f.facts.Source, r.said[f.facts.Source])
	maps.Copy(record.extra, r.extra)
	switch clash {
	case importSame:
		return nil
	case importOlder:
		say(true, "passed over: its facts are of %s, newer ones of %s are there", importAt(f.facts.At), importAt(known))
		return nil
	case importConflict:
		say(false, "two reports of %s differ; one of them was chosen, the same whatever the order", importAt(known))
	case importNewer:
		if latest[id] != "" {
			say(true, "newer than %s, which is about the same host: that one is passed over", latest[id])
		}
	}
	t.hosts[id].next = record
	latest[id] = f.file
	return nil
}

func importAt(at time.Time) string {
	if at.IsZero() {
		return "an unknown time"
	}
	return at.UTC().Format(time.RFC3339)
}

// record is what is known of a host, nil where nothing is.
func (t *importTree) record(id inventory.HostID) (*importRecord, error) {
	h := t.hosts[id]
	switch {
	case h == nil:
		return nil, nil
	case h.next != nil:
		return h.next, nil
	}
	record, err := importParse(h.line, t.sets)
	if err != nil {
		return nil, err
	}
	for _, line := range h.more {
		other, err := importParse(line, t.sets)
		if err != nil {
			return nil, err
		}
		for source, said := range other.said {
			record.add(source, said)
		}
		for name, v := range other.extra {
			if _, there := record.extra[name]; !there {
				record.extra[name] = v
			}
		}
	}
	return record, nil
}
