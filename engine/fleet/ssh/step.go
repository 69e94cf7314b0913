package ssh

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/host"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Apply moves packages on one host, after everything that can be known before has
// been looked at, and waits for it as long as Options.Timeout says. A host that
// was restarted is waited for; one that does not come back is unreachable.
func (f *Fleet) Apply(ctx context.Context, now time.Time, s fleet.Step) (fleet.Job, error) {
	return f.move(ctx, now, s, "apply")
}

// Rollback moves packages back, and with them what came along when they were
// applied. Packages that were left half done are whole again afterwards.
func (f *Fleet) Rollback(ctx context.Context, now time.Time, s fleet.Step) (fleet.Job, error) {
	return f.move(ctx, now, s, "rollback")
}

func (f *Fleet) move(ctx context.Context, now time.Time, s fleet.Step, op string) (fleet.Job, error) {
	if err := f.open(ctx); err != nil {
		return fleet.Job{}, err
	}
	if err := host.Admit(s); err != nil {
		return fleet.Job{}, err
	}
	done, err := f.turns.Take(ctx, s.Host)
	if err != nil {
		return fleet.Job{}, err
	}
	defer done()
	ctx, cancel := context.WithTimeoutCause(ctx, f.o.Timeout, fmt.Errorf("it took longer than %s", f.o.Timeout))
	defer cancel()
	return f.carry(ctx, now, s, op)
}

// carry asks a host for a step's job, and begins it where the host has none.
func (f *Fleet) carry(ctx context.Context, now time.Time, s fleet.Step, op string) (fleet.Job, error) {
	c, err := f.dial(ctx, s.Host)
	if err != nil {
		return fleet.Job{}, err
	}
	defer c.close()
	name := host.Name(op, s.Key)
	id := host.ID(s.Host, name)
	list := host.Moves(s.Packages)
	facts, err := c.ask(ctx, host.Question(name, op, list))
	if err != nil {
		return fleet.Job{}, lost(s.Host, err) // nothing was begun
	}
	if facts.Known() {
		return f.follow(ctx, s.Host, name, facts)
	}
	if err := host.InTime(now, s); err != nil {
		return fleet.Job{}, err
	}
	w, err := host.Weigh(facts, list, op == "rollback", f.o.MinFree)
	if err != nil {
		return fleet.Job{}, err
	}
	if s.DryRun {
		return host.DryRun(id, now, w), nil
	}
	told, err := c.ask(ctx, []string{"start", name, f.o.Request(s, op, list, w)})
	if refusal := (*fleet.Error)(nil); errors.As(err, &refusal) {
		return fleet.Job{}, refusal
	}
	if err != nil { // it may have begun, and goes on by itself
		return fleet.Job{ID: id, State: fleet.Running, Started: now, Detail: host.Plain(err.Error())}, nil
	}
	if err := told.Denied(); err != nil {
		return fleet.Job{}, err
	}
	return f.follow(ctx, s.Host, name, told)
}

// lost turns the end of a connection before anything was begun into the host's
// being unreachable.
func lost(at inventory.HostID, err error) error {
	if e := (*fleet.Error)(nil); errors.As(err, &e) {
		return e
	}
	return unreachable(at, err)
}

// follow waits for a job that is under way: for another's work on it, or for a
// host that was told to restart. A host that does not come back is unreachable.
func (f *Fleet) follow(ctx context.Context, at inventory.HostID, name string, told host.Answer) (fleet.Job, error) {
	const pause = time.Second
	id := host.ID(at, name)
	restarting := time.Time{}
	for {
		j := told.Job(id)
		if j.State != fleet.Running {
			return j, nil
		}
		if told.First("phase") == "restarting" && restarting.IsZero() {
			restarting = time.Now()
		}
		select {
		case <-ctx.Done():
			return j, nil
		case <-time.After(pause):
		}
		next, err := f.look(ctx, at, name)
		if err == nil {
			told = next
			continue
		}
		switch {
		case ctx.Err() != nil:
			return j, nil
		case restarting.IsZero():
			j.Detail = host.Plain(err.Error())
			return j, nil
		case time.Since(restarting) > f.o.Restart:
			return fleet.Job{}, &fleet.Error{Code: "unreachable", Retryable: true,
				Message: fmt.Sprintf("%s was restarted after the packages were moved, and does not answer %s later: %v", at, f.o.Restart, err)}
		}
	}
}

// look asks a host how far a job is.
func (f *Fleet) look(ctx context.Context, at inventory.HostID, name string) (host.Answer, error) {
	c, err := f.dial(ctx, at)
	if err != nil {
		return nil, err
	}
	defer c.close()
	return c.ask(ctx, []string{"look", name})
}

// Status reports jobs, each asked of its host. One that is not known, or whose
// host does not answer, is Unknown.
func (f *Fleet) Status(ctx context.Context, _ time.Time, jobs []string) ([]fleet.Job, error) {
	if err := f.open(ctx); err != nil {
		return nil, err
	}
	return host.Status(ctx, jobs, f.look)
}

// Cancel leaves every job as it is: what has begun on a host is not broken off in
// the middle.
func (f *Fleet) Cancel(ctx context.Context, now time.Time, jobs []string) ([]fleet.Job, error) {
	return f.Status(ctx, now, jobs)
}
