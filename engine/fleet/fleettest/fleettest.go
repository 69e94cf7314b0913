// Package fleettest holds fleets to what every fleet promises: the simulated
// one, the exec plugin, and whatever a site writes for itself.
//
// The promises are a list (Promises); Test runs it under go test, and Conform
// for the authors of plugins, who need no Go. A run uses the hosts it is given
// and leaves them as it found them, where the fleet can roll back.
package fleettest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Fixture is what the promises are tried on.
type Fixture struct {
	// Open opens a fleet over the same hosts, each time as a later process
	// would: what earlier ones did must be known to it.
	Open func() (fleet.Fleet, error)
	// Hosts are at least two that may be changed.
	Hosts []inventory.HostID
	// Package is at From on every host, and can be moved to To.
	Package fleet.Package
	// Now is the clock at the start.
	Now time.Time
	// Run is part of every key, so that a fleet which remembers the keys of an
	// earlier run is asked anew. By default it is taken from Now.
	Run string
	// Wait is called while a job is under way and returns the clock afterwards.
	// By default the clock moves on by a minute at once, as for simulated hosts.
	Wait func(ctx context.Context, now time.Time) (time.Time, error)
}

// Promise is one thing every fleet keeps. Ops are those without which it cannot
// be tried.
type Promise struct {
	Name string
	Ops  []string
	keep func(b *bench) error
}

// errSkip says why a promise cannot be tried on this fleet.
type errSkip string

func (e errSkip) Error() string { return string(e) }

// Test fails where the fleet does not keep a promise.
func Test(t *testing.T, f Fixture) {
	t.Helper()
	b, err := newBench(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	for _, p := range Promises {
		t.Run(p.Name, func(t *testing.T) {
			err := b.try(p)
			if skip := errSkip(""); errors.As(err, &skip) {
				t.Skip(skip)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// Conform writes a line a promise, "ok", "skip" or "FAIL" with the reason, and
// returns an error when the fleet breaks one.
func Conform(ctx context.Context, w io.Writer, f Fixture) error {
	b, err := newBench(ctx, f)
	if err != nil {
		return err
	}
	defer b.close()
	broken := 0
	for _, p := range Promises {
		err := b.try(p)
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("trying %q: %w", p.Name, err)
		}
		skip := errSkip("")
		switch {
		case err == nil:
			_, err = fmt.Fprintf(w, "ok    %s\n", p.Name)
		case errors.As(err, &skip):
			_, err = fmt.Fprintf(w, "skip  %s: %s\n", p.Name, skip)
		default:
			broken++
			_, err = fmt.Fprintf(w, "FAIL  %s: %v\n", p.Name, err)
		}
		if err != nil {
			return fmt.Errorf("writing the result of %q: %w", p.Name, err)
		}
	}
	if broken > 0 {
		return fmt.Errorf("%d of %d promises are not kept", broken, len(Promises))
	}
	return nil
}

// bench is a fleet with the clock and keys of one run.
type bench struct {
	ctx   context.Context
	fix   Fixture
	fleet fleet.Fleet
	caps  fleet.Caps
	now   time.Time
	keys  int
	moved map[inventory.HostID]bool // hosts at To, as far as this run knows
}

func newBench(ctx context.Context, f Fixture) (*bench, error) {
	switch {
	case len(f.Hosts) < 2:
		return nil, fmt.Errorf("the promises need 2 hosts or more, got %d", len(f.Hosts))
	case f.Package.Name == "" || f.Package.From == f.Package.To:
		return nil, errors.New("the promises need a package with two different versions")
	case f.Now.IsZero():
		return nil, errors.New("the promises need a clock")
	}
	if f.Run == "" {
		f.Run = f.Now.UTC().Format("20060102T150405")
	}
	if f.Wait == nil {
		f.Wait = func(_ context.Context, now time.Time) (time.Time, error) { return now.Add(time.Minute), nil }
	}
	b := &bench{ctx: ctx, fix: f, now: f.Now, moved: map[inventory.HostID]bool{}}
	return b, b.open()
}

// open opens the fleet and says hello.
func (b *bench) open() error {
	var err error
	if b.fleet, err = b.fix.Open(); err != nil {
		return fmt.Errorf("opening the fleet: %w", err)
	}
	if b.caps, err = b.fleet.Hello(b.ctx, b.now); err != nil {
		b.fleet.Close()
		return fmt.Errorf("saying hello: %w", err)
	}
	return nil
}

// reopen is a later process.
func (b *bench) reopen() error {
	if err := b.fleet.Close(); err != nil {
		return fmt.Errorf("closing the fleet: %w", err)
	}
	return b.open()
}

func (b *bench) close() { b.fleet.Close() }

// try keeps a promise, and puts the hosts back whatever came of it.
func (b *bench) try(p Promise) error {
	for _, op := range p.Ops {
		if !b.offers(op) {
			return errSkip("the fleet does not offer " + op)
		}
	}
	err := p.keep(b)
	b.restore()
	return err
}

func (b *bench) offers(op string) bool { return slices.Contains(b.caps.Ops, op) }

// restore rolls back what a broken promise left behind. It does what it can:
// the promise has been judged.
func (b *bench) restore() {
	if !b.offers("rollback") {
		return
	}
	var found map[inventory.HostID]map[string]string
	if b.offers("installed") {
		found, _ = b.fleet.Installed(b.ctx, b.now, b.fix.Hosts, []string{b.fix.Package.Name})
	}
	for _, h := range b.fix.Hosts {
		at := b.moved[h]
		if v, ok := found[h][b.fix.Package.Name]; ok {
			at = v == b.fix.Package.To
		}
		if at {
			_, _ = b.rollback(h)
		}
	}
}

// key is a new one for each step.
func (b *bench) key(h inventory.HostID) string {
	b.keys++
	return fmt.Sprintf("conform-%s/%s/%s/%d", b.fix.Run, h, b.fix.Package.Patch, b.keys)
}

func (b *bench) step(h inventory.HostID) fleet.Step {
	return fleet.Step{Key: b.key(h), Host: h, Packages: []fleet.Package{b.fix.Package}, NotBefore: b.now,
		NotAfter: b.now.Add(24 * time.Hour), Reboot: "if-needed", Labels: map[string]string{"ring": "conform", "plan": "conform"}}
}

func (b *bench) back(h inventory.HostID) fleet.Step {
	s := b.step(h)
	p := b.fix.Package
	p.From, p.To = p.To, p.From
	s.Packages, s.Reason = []fleet.Package{p}, "conformance"
	return s
}

// done waits until a job is finished.
func (b *bench) done(j fleet.Job) (fleet.Job, error) {
	for range 1000 {
		if j.State != fleet.Accepted && j.State != fleet.Running {
			return j, nil
		}
		now, err := b.fix.Wait(b.ctx, b.now)
		if err != nil {
			return j, err
		}
		b.now = now
		jobs, err := b.fleet.Status(b.ctx, b.now, []string{j.ID})
		if err != nil {
			return j, fmt.Errorf("status of job %q: %w", j.ID, err)
		}
		if len(jobs) != 1 || jobs[0].ID != j.ID {
			return j, fmt.Errorf("status of job %q answered for %+v", j.ID, jobs)
		}
		j = jobs[0]
	}
	return j, fmt.Errorf("job %q is still %s after 1000 looks", j.ID, j.State)
}

// apply moves the package on a host, and waits until it is.
func (b *bench) apply(s fleet.Step) (first, last fleet.Job, err error) {
	if first, err = b.fleet.Apply(b.ctx, b.now, s); err != nil {
		return first, first, fmt.Errorf("apply to host %q: %w", s.Host, err)
	}
	if last, err = b.done(first); err != nil {
		return first, last, err
	}
	if last.State != fleet.Succeeded {
		return first, last, fmt.Errorf("apply to host %q came to state %q (%s), want %q", s.Host, last.State, last.Detail, fleet.Succeeded)
	}
	b.moved[s.Host] = true
	return first, last, nil
}

func (b *bench) rollback(h inventory.HostID) (fleet.Job, error) {
	j, err := b.fleet.Rollback(b.ctx, b.now, b.back(h))
	if err != nil {
		return j, fmt.Errorf("rollback of host %q: %w", h, err)
	}
	if j, err = b.done(j); err == nil && j.State != fleet.Succeeded {
		err = fmt.Errorf("rollback of host %q came to state %q (%s), want %q", h, j.State, j.Detail, fleet.Succeeded)
	}
	if err == nil {
		b.moved[h] = false
	}
	return j, err
}

func (b *bench) version(h inventory.HostID) (string, error) {
	found, err := b.fleet.Installed(b.ctx, b.now, []inventory.HostID{h}, []string{b.fix.Package.Name})
	if err != nil {
		return "", fmt.Errorf("installed on host %q: %w", h, err)
	}
	v, ok := found[h][b.fix.Package.Name]
	if !ok {
		return "", fmt.Errorf("installed says nothing of package %q on host %q", b.fix.Package.Name, h)
	}
	return v, nil
}

// has checks the version on a host, where the fleet can tell.
func (b *bench) has(h inventory.HostID, want string) error {
	if !b.offers("installed") {
		return nil
	}
	got, err := b.version(h)
	if err == nil && got != want {
		err = fmt.Errorf("host %q has %s at %q, want %q", h, b.fix.Package.Name, got, want)
	}
	return err
}

// refused checks that an answer is the error of that code.
func refused(what string, err error, want ...string) error {
	e := (*fleet.Error)(nil)
	switch {
	case err == nil:
		return fmt.Errorf("%s was taken, want it answered %q", what, want)
	case !errors.As(err, &e):
		return fmt.Errorf("%s: %w", what, err)
	case !slices.Contains(want, e.Code):
		return fmt.Errorf("%s was answered %q (%s), want one of %q", what, e.Code, e.Message, want)
	}
	return nil
}
