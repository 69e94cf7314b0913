// Package sim is a fleet of simulated hosts whose faults nobody knows until an
// install or the telemetry after it shows them.
//
// There is no server and no state on disk. What a host is at is a pure function
// of its facts, the hidden truth (a file of the estate, see Truth), the seed,
// and the steps taken so far. A later process knows those steps from the
// ledgers: Past turns their lines into the steps that New takes, so keys, jobs,
// installed versions and telemetry hold from one run of the command to the
// next. A step that a run took and did not live to record never happened; the
// next run finds the old version and takes it again.
//
// Jobs are answered at once. How long they would have taken shows in Started
// and Finished, which may lie ahead of now.
package sim

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Options say what is simulated.
type Options struct {
	Seed  int64
	Truth Truth // the zero value: no faults, healthy noise
	// Host returns a host with its facts, and false for one that does not exist.
	Host func(inventory.HostID) (inventory.Host, bool)
	// Past is what earlier processes did, in the order it was done.
	Past []Done
}

// Done is a step that was taken. A failed one moved nothing, unless the truth
// says that it is of the kind that fails half-way.
type Done struct {
	Key      string
	Host     inventory.HostID
	Packages []fleet.Package
	At       time.Time
	Rollback bool
	Failed   bool
	Detail   string
}

// Fleet is the simulated hosts. Its methods may be called from several
// goroutines.
type Fleet struct {
	seed  uint64
	truth Truth
	host  func(inventory.HostID) (inventory.Host, bool)

	mu     sync.Mutex
	closed bool
	steps  map[inventory.HostID][]Done // in the order they were taken
	keys   map[string]Done             // job id → its step
}

// New returns the hosts as the past left them. Steps of one key that follow
// each other (a ledger has a line a package) are one.
func New(o Options) *Fleet {
	f := &Fleet{seed: uint64(o.Seed), truth: o.Truth, host: o.Host, steps: map[inventory.HostID][]Done{}, keys: map[string]Done{}}
	for _, d := range o.Past {
		f.keep(d)
	}
	return f
}

// keep records a step.
func (f *Fleet) keep(d Done) {
	id := job(d.Rollback, d.Key)
	if was, ok := f.keys[id]; ok && d.Key != "" {
		was.Packages = append(slices.Clone(was.Packages), d.Packages...)
		was.Failed = was.Failed || d.Failed
		list := f.steps[d.Host]
		for i := range list {
			if job(list[i].Rollback, list[i].Key) == id {
				list[i] = was
			}
		}
		f.keys[id] = was
		return
	}
	f.keys[id] = d
	f.steps[d.Host] = append(f.steps[d.Host], d)
}

func job(rollback bool, key string) string {
	if rollback {
		return "sim/rollback/" + key
	}
	return "sim/apply/" + key
}

// Hello says what simulated hosts can do.
func (f *Fleet) Hello(ctx context.Context, _ time.Time) (fleet.Caps, error) {
	if err := f.open(ctx); err != nil {
		return fleet.Caps{}, err
	}
	return fleet.Caps{Plugin: "sim", Ops: []string{"apply", "rollback", "status", "probe", "installed", "cancel"},
		MaxBatch: 100, DryRun: true}, nil
}

// open says why nothing can be asked, if so.
func (f *Fleet) open(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("asking simulated hosts: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return &fleet.Error{Code: "internal", Message: "the fleet is closed"}
	}
	return nil
}

// Apply moves packages on one host, as far as its hidden faults let it.
func (f *Fleet) Apply(ctx context.Context, now time.Time, s fleet.Step) (fleet.Job, error) {
	return f.move(ctx, now, s, false)
}

// Rollback moves packages back. What an install broke is whole again
// afterwards.
func (f *Fleet) Rollback(ctx context.Context, now time.Time, s fleet.Step) (fleet.Job, error) {
	return f.move(ctx, now, s, true)
}

func (f *Fleet) move(ctx context.Context, now time.Time, s fleet.Step, rollback bool) (fleet.Job, error) {
	if err := f.open(ctx); err != nil {
		return fleet.Job{}, err
	}
	if s.Key == "" || len(s.Packages) == 0 {
		return fleet.Job{}, &fleet.Error{Code: "invalid", Message: "a step needs a key, a host and packages"}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	id := job(rollback, s.Key)
	if d, ok := f.keys[id]; ok {
		return f.answer(id, d), nil
	}
	if err := f.may(now, s, rollback); err != nil {
		return fleet.Job{}, err
	}
	d := Done{Key: s.Key, Host: s.Host, Packages: slices.Clone(s.Packages), At: now, Rollback: rollback}
	if fault, ok := f.breaks(s, rollback); ok {
		d.Failed, d.Detail = true, cmp.Or(fault.Detail, "the install failed")
	}
	if s.DryRun {
		return fleet.Job{ID: id, State: fleet.Succeeded, Started: now, Finished: now, Detail: "dry run: nothing was moved"}, nil
	}
	f.keep(d)
	return f.answer(id, d), nil
}

// may says why a step cannot be taken.
func (f *Fleet) may(now time.Time, s fleet.Step, rollback bool) error {
	h, ok := f.host(s.Host)
	switch {
	case !ok || f.down(h, now):
		return &fleet.Error{Code: "unreachable", Message: fmt.Sprintf("host %q does not answer", s.Host), Retryable: true}
	case s.NotBefore.After(now):
		return &fleet.Error{Code: "refused", Message: "not_before has not come", Retryable: true}
	case !s.NotAfter.IsZero() && now.After(s.NotAfter):
		return &fleet.Error{Code: "refused", Message: "it is past not_after"}
	}
	if !rollback {
		for _, p := range s.Packages {
			if fault, ok := f.hit(h, p, Unreachable); ok {
				return &fleet.Error{Code: "unreachable", Message: cmp.Or(fault.Detail, fmt.Sprintf("host %q does not answer", s.Host)), Retryable: true}
			}
		}
	}
	for _, p := range s.Packages {
		if found := f.version(h, p.Name, now); found != p.From {
			return &fleet.Error{Code: "refused", Message: fmt.Sprintf("found %s at %q, not at %q", p.Name, found, p.From)}
		}
	}
	return nil
}

// breaks returns the fault that makes the step fail, if one does.
func (f *Fleet) breaks(s fleet.Step, rollback bool) (Fault, bool) {
	h, _ := f.host(s.Host)
	kinds := []Kind{InstallFails, InstallHalf}
	if rollback {
		kinds = []Kind{RollbackFails}
	}
	for _, p := range s.Packages {
		for _, k := range kinds {
			if fault, ok := f.hit(h, p, k); ok {
				return fault, true
			}
		}
	}
	return Fault{}, false
}

// answer is the job of a step, the same in every process.
func (f *Fleet) answer(id string, d Done) fleet.Job {
	j := fleet.Job{ID: id, State: fleet.Succeeded, Started: d.At, Finished: d.At.Add(f.takes(d)), Detail: d.Detail, Packages: map[string]string{}}
	if d.Failed {
		j.State = fleet.Failed
	}
	h, _ := f.host(d.Host)
	for _, p := range d.Packages {
		j.Packages[p.Name] = f.after(h, d, p)
	}
	return j
}

// takes is how long a job takes: one to five minutes.
func (f *Fleet) takes(d Done) time.Duration {
	return time.Minute + time.Duration(hash(f.seed, "takes", string(d.Host), d.Key)%241)*time.Second
}

// after is the version that a step leaves a package at.
func (f *Fleet) after(h inventory.Host, d Done, p fleet.Package) string {
	if !d.Failed {
		return p.To
	}
	if !d.Rollback {
		if _, half := f.hit(h, p, InstallHalf); half {
			return p.To
		}
	}
	return p.From
}

// version is what a host has of a package at a time: what its facts say, moved
// on by the steps taken since. Facts newer than a step know better than it.
func (f *Fleet) version(h inventory.Host, name string, at time.Time) string {
	version, known := reported(h, name)
	for _, d := range f.steps[h.ID] {
		if d.At.Before(known) || d.At.After(at) {
			continue
		}
		for _, p := range d.Packages {
			if p.Name == name {
				version = f.after(h, d, p)
			}
		}
	}
	return version
}

// reported is a package's version in the host's facts, and when they were taken.
// A name that no package has may be that of a source package, as patches of
// distributions have it.
func reported(h inventory.Host, name string) (version string, at time.Time) {
	if h.Facts == nil {
		return "", time.Time{}
	}
	for p := range h.Packages.All() {
		if p.Name == name {
			return p.Version, h.Facts.At
		}
		if p.Source == name && version == "" {
			version = cmp.Or(p.SourceVersion, p.Version)
		}
	}
	return version, h.Facts.At
}

// Status reports jobs, those of earlier processes too.
func (f *Fleet) Status(ctx context.Context, _ time.Time, jobs []string) ([]fleet.Job, error) {
	if err := f.open(ctx); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]fleet.Job, len(jobs))
	for i, id := range jobs {
		list[i] = fleet.Job{ID: id, State: fleet.Unknown}
		if d, ok := f.keys[id]; ok {
			list[i] = f.answer(id, d)
		}
	}
	return list, nil
}

// Cancel gives nothing up: simulated jobs are finished when they are answered.
func (f *Fleet) Cancel(ctx context.Context, now time.Time, jobs []string) ([]fleet.Job, error) {
	return f.Status(ctx, now, jobs)
}

// Installed says which versions hosts have. Hosts that are down are left out.
func (f *Fleet) Installed(ctx context.Context, now time.Time, hosts []inventory.HostID, packages []string) (map[inventory.HostID]map[string]string, error) {
	if err := f.open(ctx); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	found := map[inventory.HostID]map[string]string{}
	for _, id := range hosts {
		h, ok := f.host(id)
		if !ok || f.down(h, now) {
			continue
		}
		found[id] = map[string]string{}
		for _, name := range packages {
			found[id][name] = f.version(h, name, now)
		}
	}
	return found, nil
}

// Close ends the fleet; hosts and their past are gone with it.
func (f *Fleet) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	return nil
}

// Steps returns every step taken, those of the past first, by host and then in
// the order they were taken: what a later New needs as its Past.
func (f *Fleet) Steps() []Done {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []Done
	for _, id := range slices.Sorted(maps.Keys(f.steps)) {
		list = append(list, f.steps[id]...)
	}
	return list
}
