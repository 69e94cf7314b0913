package fleettest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Promises are what every fleet keeps, in the order they are tried.
var Promises = []Promise{
	{"hello names the ops, and a batch of at least one", nil, hello},
	{"installed shows the version that is there", []string{"installed"}, installed},
	{"installed makes nothing up", []string{"installed"}, inventsNothing},
	{"a wrong from is refused, and nothing moves", []string{"apply"}, wrongFrom},
	{"a host that is not there is not changed", []string{"apply"}, nowhere},
	{"a step that arrives past its not_after is refused, and nothing moves", []string{"apply"}, tooLate},
	{"a dry run moves nothing", []string{"apply", "installed"}, dryRun},
	{"apply moves the package", []string{"apply", "rollback"}, applies},
	{"a key seen before gets its first answer", []string{"apply", "rollback"}, sameKey},
	{"a key seen before gets its first answer in a later process", []string{"apply", "rollback"}, laterKey},
	{"a key seen before gets its first answer past its not_after too", []string{"apply", "rollback"}, keyTooLate},
	{"a key seen before moves nothing after a rollback", []string{"apply", "rollback", "installed"}, keyAfterRollback},
	{"what is applied already is refused under a new key", []string{"apply", "rollback", "installed"}, secondKey},
	{"rollback restores the version before", []string{"apply", "rollback"}, rollsBack},
	{"a rollback's key is idempotent too", []string{"apply", "rollback"}, rollbackKey},
	{"status knows a job, in a later process too", []string{"apply", "rollback", "status"}, statusKnows},
	{"status of a job nobody made is unknown", []string{"status"}, statusUnknown},
	{"cancel leaves what is finished as it is", []string{"apply", "rollback", "status", "cancel"}, cancels},
	{"steps at once do not disturb each other", []string{"apply", "rollback"}, atOnce},
	{"a key sent twice at once is one job", []string{"apply", "rollback"}, twiceAtOnce},
	{"probe answers what was asked, within the interval", []string{"probe"}, probes},
	{"what a later version may ask is passed over or refused", nil, future},
	{"a closed fleet answers with an error", []string{"apply"}, closed},
}

func hello(b *bench) error {
	if !b.offers("apply") {
		return fmt.Errorf("caps.ops is %q, want apply among them", b.caps.Ops)
	}
	if b.caps.MaxBatch < 1 {
		return fmt.Errorf("caps.max_batch is %d, want at least 1", b.caps.MaxBatch)
	}
	return nil
}

func installed(b *bench) error {
	for _, h := range b.fix.Hosts {
		if err := b.has(h, b.fix.Package.From); err != nil {
			return err
		}
	}
	return nil
}

// absent is a name that nothing has.
const absent = "ringmaster-conform-absent"

func inventsNothing(b *bench) error {
	hosts := []inventory.HostID{b.fix.Hosts[0], absent}
	found, err := b.fleet.Installed(b.ctx, b.now, hosts, []string{absent})
	if err != nil {
		return fmt.Errorf("installed, with a host that is not there: %w", err)
	}
	if got, ok := found[absent]; ok {
		return fmt.Errorf("installed says %v of a host that is not there, want it left out", got)
	}
	if v := found[b.fix.Hosts[0]][absent]; v != "" {
		return fmt.Errorf("installed says %q of a package that is not there, want \"\"", v)
	}
	return nil
}

func wrongFrom(b *bench) error {
	h := b.fix.Hosts[0]
	s := b.step(h)
	s.Packages = slices.Clone(s.Packages)
	s.Packages[0].From = "0.0.0-conform"
	_, err := b.fleet.Apply(b.ctx, b.now, s)
	if err := refused("apply from a version that is not there", err, "refused"); err != nil {
		return err
	}
	return b.has(h, b.fix.Package.From)
}

func nowhere(b *bench) error {
	j, err := b.fleet.Apply(b.ctx, b.now, b.step(absent))
	if err == nil {
		if j, err = b.done(j); err == nil && j.State == fleet.Failed {
			return nil
		}
	}
	return refused("apply to a host that is not there", err, "unreachable", "refused", "invalid")
}

// tooLate sends a step that was on its way until its window had closed: a
// plugin is the last to know that it has.
func tooLate(b *bench) error {
	h := b.fix.Hosts[0]
	s := b.step(h)
	s.NotBefore, s.NotAfter = b.now.Add(-2*time.Hour), b.now.Add(-time.Hour)
	if err := b.late(s); err != nil {
		return err
	}
	return b.has(h, b.fix.Package.From)
}

// late asks for a step past its not_after, which is answered refused or busy,
// not to be tried again, or fails with a reason.
func (b *bench) late(s fleet.Step) error {
	const what = "a step an hour past its not_after"
	j, err := b.fleet.Apply(b.ctx, b.now, s)
	if err == nil {
		if j, err = b.done(j); err != nil {
			return err
		}
		switch {
		case j.State == fleet.Succeeded:
			b.moved[s.Host] = true
			return fmt.Errorf("%s was carried out, want it refused", what)
		case j.State != fleet.Failed || j.Detail == "":
			return fmt.Errorf("%s came to state %q (%s), want it refused, or %q with a reason", what, j.State, j.Detail, fleet.Failed)
		}
		return nil
	}
	if err := refused(what, err, "refused", "busy"); err != nil {
		return err
	}
	if e := (*fleet.Error)(nil); errors.As(err, &e) && e.Retryable {
		return fmt.Errorf("%s was answered %q and retryable, want it not retryable: the time does not come back", what, e.Code)
	}
	return nil
}

// keyTooLate asks again for what was done in time, as a run does whose
// predecessor died before it had the answer.
func keyTooLate(b *bench) error {
	s := b.step(b.fix.Hosts[0])
	s.NotAfter = b.now.Add(time.Minute)
	first, _, err := b.apply(s)
	if err != nil {
		return err
	}
	past := s.NotAfter.Add(time.Minute)
	if b.now.After(past) {
		past = b.now
	}
	again, err := b.fleet.Apply(b.ctx, past, s)
	if err != nil {
		return fmt.Errorf("apply with a key seen before, past its not_after: %w", err)
	}
	if err := same(first, again); err != nil {
		return err
	}
	return b.has(s.Host, b.fix.Package.To)
}

func dryRun(b *bench) error {
	if !b.caps.DryRun {
		return errSkip("the fleet knows no dry run")
	}
	h := b.fix.Hosts[0]
	s := b.step(h)
	s.DryRun = true
	if _, err := b.fleet.Apply(b.ctx, b.now, s); err != nil {
		return fmt.Errorf("dry run: %w", err)
	}
	return b.has(h, b.fix.Package.From)
}

func applies(b *bench) error {
	h := b.fix.Hosts[0]
	_, last, err := b.apply(b.step(h))
	if err != nil {
		return err
	}
	if v, ok := last.Packages[b.fix.Package.Name]; ok && v != b.fix.Package.To {
		return fmt.Errorf("the job says %s is at %q afterwards, want %q", b.fix.Package.Name, v, b.fix.Package.To)
	}
	if err := b.has(h, b.fix.Package.To); err != nil {
		return err
	}
	return b.has(b.fix.Hosts[1], b.fix.Package.From)
}

// same compares the answers to one key.
func same(first, again fleet.Job) error {
	if first.ID != again.ID || first.State != again.State {
		return fmt.Errorf("the key was first answered job %q, state %q, and now job %q, state %q", first.ID, first.State, again.ID, again.State)
	}
	return nil
}

func sameKey(b *bench) error { return b.again(func() error { return nil }) }

func laterKey(b *bench) error { return b.again(b.reopen) }

// again applies, lets something happen, and applies with the same key.
func (b *bench) again(between func() error) error {
	s := b.step(b.fix.Hosts[0])
	first, _, err := b.apply(s)
	if err != nil {
		return err
	}
	if err := between(); err != nil {
		return err
	}
	again, err := b.fleet.Apply(b.ctx, b.now, s)
	if err != nil {
		return fmt.Errorf("apply with a key seen before: %w", err)
	}
	if err := same(first, again); err != nil {
		return err
	}
	return b.has(s.Host, b.fix.Package.To)
}

func keyAfterRollback(b *bench) error {
	s := b.step(b.fix.Hosts[0])
	first, _, err := b.apply(s)
	if err != nil {
		return err
	}
	if _, err := b.rollback(s.Host); err != nil {
		return err
	}
	again, err := b.fleet.Apply(b.ctx, b.now, s)
	if err != nil {
		return fmt.Errorf("apply with a key seen before: %w", err)
	}
	if err := same(first, again); err != nil {
		return err
	}
	if _, err := b.done(again); err != nil {
		return err
	}
	return b.has(s.Host, b.fix.Package.From)
}

func secondKey(b *bench) error {
	h := b.fix.Hosts[0]
	if _, _, err := b.apply(b.step(h)); err != nil {
		return err
	}
	_, err := b.fleet.Apply(b.ctx, b.now, b.step(h))
	return refused("apply over what is applied already", err, "refused")
}

func rollsBack(b *bench) error {
	h := b.fix.Hosts[0]
	if _, _, err := b.apply(b.step(h)); err != nil {
		return err
	}
	if _, err := b.rollback(h); err != nil {
		return err
	}
	return b.has(h, b.fix.Package.From)
}

func rollbackKey(b *bench) error {
	h := b.fix.Hosts[0]
	if _, _, err := b.apply(b.step(h)); err != nil {
		return err
	}
	s := b.back(h)
	first, err := b.fleet.Rollback(b.ctx, b.now, s)
	if err != nil {
		return fmt.Errorf("rollback: %w", err)
	}
	if _, err := b.done(first); err != nil {
		return err
	}
	b.moved[h] = false
	again, err := b.fleet.Rollback(b.ctx, b.now, s)
	if err != nil {
		return fmt.Errorf("rollback with a key seen before: %w", err)
	}
	if err := same(first, again); err != nil {
		return err
	}
	return b.has(h, b.fix.Package.From)
}

func statusKnows(b *bench) error {
	_, last, err := b.apply(b.step(b.fix.Hosts[0]))
	if err != nil {
		return err
	}
	if last.ID == "" {
		return errSkip("the fleet answers without a job")
	}
	for _, process := range []string{"this", "a later"} {
		jobs, err := b.fleet.Status(b.ctx, b.now, []string{last.ID})
		if err != nil {
			return fmt.Errorf("status in %s process: %w", process, err)
		}
		if len(jobs) != 1 || jobs[0].State != fleet.Succeeded {
			return fmt.Errorf("status of a finished job in %s process is %+v, want it succeeded", process, jobs)
		}
		if process == "this" {
			if err := b.reopen(); err != nil {
				return err
			}
		}
	}
	return nil
}

func statusUnknown(b *bench) error {
	jobs, err := b.fleet.Status(b.ctx, b.now, []string{absent})
	if err != nil {
		return fmt.Errorf("status of a job nobody made: %w", err)
	}
	if len(jobs) != 1 || jobs[0].State != fleet.Unknown {
		return fmt.Errorf("status of a job nobody made is %+v, want it unknown", jobs)
	}
	return nil
}

func cancels(b *bench) error {
	h := b.fix.Hosts[0]
	_, last, err := b.apply(b.step(h))
	if err != nil {
		return err
	}
	jobs, err := b.fleet.Cancel(b.ctx, b.now, []string{last.ID, absent})
	if err != nil {
		return fmt.Errorf("cancel: %w", err)
	}
	if len(jobs) != 2 || jobs[0].State != fleet.Succeeded || jobs[1].State != fleet.Unknown {
		return fmt.Errorf("cancel of a finished job and of none is %+v, want succeeded and unknown", jobs)
	}
	return b.has(h, b.fix.Package.To)
}

// together sends steps at once and returns the answers in their order.
func (b *bench) together(steps []fleet.Step) ([]fleet.Job, error) {
	jobs, errs := make([]fleet.Job, len(steps)), make([]error, len(steps))
	var wg sync.WaitGroup
	for i, s := range steps {
		wg.Go(func() { jobs[i], errs[i] = b.fleet.Apply(b.ctx, b.now, s) })
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("apply to host %q, with %d others at once: %w", steps[i].Host, len(steps)-1, err)
		}
		b.moved[steps[i].Host] = true
	}
	return jobs, nil
}

func atOnce(b *bench) error {
	var steps []fleet.Step
	for _, h := range b.fix.Hosts {
		steps = append(steps, b.step(h))
	}
	jobs, err := b.together(steps)
	if err != nil {
		return err
	}
	for i, j := range jobs {
		if j, err = b.done(j); err != nil {
			return err
		}
		if j.State != fleet.Succeeded {
			return fmt.Errorf("apply to host %q came to state %q (%s)", steps[i].Host, j.State, j.Detail)
		}
		if err := b.has(steps[i].Host, b.fix.Package.To); err != nil {
			return err
		}
	}
	return nil
}

func twiceAtOnce(b *bench) error {
	s := b.step(b.fix.Hosts[0])
	jobs, err := b.together([]fleet.Step{s, s, s})
	if err != nil {
		return err
	}
	for _, j := range jobs[1:] {
		if err := same(jobs[0], j); err != nil {
			return err
		}
	}
	if _, err := b.done(jobs[0]); err != nil {
		return err
	}
	return b.has(s.Host, b.fix.Package.To)
}
