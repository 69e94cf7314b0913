package host

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Apply moves packages on one host, after everything that can be known before has
// been looked at, and waits for it as long as Options.Timeout says. A host that
// was restarted is waited for; one that does not come back is unreachable.
func (c *Carrier) Apply(ctx context.Context, now time.Time, s fleet.Step) (fleet.Job, error) {
	return c.move(ctx, now, s, "apply")
}

// Rollback moves packages back, and with them what came along when they were
// applied. Packages that were left half done are whole again afterwards.
func (c *Carrier) Rollback(ctx context.Context, now time.Time, s fleet.Step) (fleet.Job, error) {
	return c.move(ctx, now, s, "rollback")
}

func (c *Carrier) move(ctx context.Context, now time.Time, s fleet.Step, op string) (fleet.Job, error) {
	if err := c.open(ctx); err != nil {
		return fleet.Job{}, err
	}
	if err := c.admit(s); err != nil {
		return fleet.Job{}, err
	}
	done, err := c.turns.take(ctx, s.Host)
	if err != nil {
		return fleet.Job{}, err
	}
	defer done()
	name := Name(op, s.Key)
	told, err := c.within(ctx, now, s, op)
	if err == nil && told.First("phase") == "waits" {
		told, err = c.restart(ctx, s.Host, name)
	}
	if err != nil {
		return fleet.Job{}, err
	}
	return told.Job(ID(s.Host, name)), nil
}

// within carries a step as far as it goes without a restart, as long as
// Options.Timeout says.
func (c *Carrier) within(ctx context.Context, now time.Time, s fleet.Step, op string) (Answer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.o.Timeout, fmt.Errorf("it took longer than %s", c.o.Timeout))
	defer cancel()
	return c.carry(ctx, now, s, op)
}

// carry asks a host for a step's job, and begins it where the host has none.
func (c *Carrier) carry(ctx context.Context, now time.Time, s fleet.Step, op string) (Answer, error) {
	w := Work{Step: s, Op: op, Job: Name(op, s.Key), Moves: Moves(s.Packages)}
	var err error
	if w.Facts, err = c.door.Ask(ctx, s.Host, Question(w.Job, op, s.Packages[0].Type, w.Moves)); err != nil {
		return nil, err // nothing was begun
	}
	if w.Facts.Known() {
		return c.follow(ctx, s.Host, w.Job, w.Facts)
	}
	if err := inTime(now, s); err != nil {
		return nil, err
	}
	if w.Weighed, err = Weigh(w.Facts, w.Moves, op == "rollback", c.o.MinFree); err != nil {
		return nil, err
	}
	if s.DryRun {
		return dryRun(now, w.Weighed), nil
	}
	w.Request = c.o.request(w)
	told, err := c.door.Carry(ctx, w)
	for err == nil && told.First("asks") != "" { // before it begins
		if told, err = c.tasks(ctx, s.Host, w.Job, told); err == nil && told.says("begins") {
			told, err = c.door.Carry(ctx, w)
		}
	}
	if err != nil {
		return c.broken(ctx, s.Host, w.Job, err)
	}
	return c.follow(ctx, s.Host, w.Job, told)
}

// broken is a step that was not heard to the end of. The host is asked what it
// has of it; one that does not answer was left in the middle.
func (c *Carrier) broken(ctx context.Context, at inventory.HostID, name string, why error) (Answer, error) {
	told, err := c.look(ctx, at, name)
	switch {
	case err != nil:
		return leftAlone(why), nil
	case !told.Known():
		return nil, cmp.Or(told.Denied(), why) // it was not begun
	}
	return c.follow(ctx, at, name, told)
}

// leftAlone is what is known of a job whose host does not answer.
func leftAlone(why error) Answer {
	return Answer{{"state", "running"}, {"detail", Plain(why.Error())}}
}

// How often a host is asked about a job that is under way.
const (
	firstLook = time.Second
	lastLook  = 5 * time.Second
)

// follow waits for a job that is under way, until it is over, waits for its restart,
// or ctx is over: for another's work on it, or for a host that was told to restart. What it
// asks for is carried out.
// One that does not come back within Options.Restart is unreachable.
func (c *Carrier) follow(ctx context.Context, at inventory.HostID, name string, told Answer) (Answer, error) {
	within, restarts := ctx, false
	for pause := firstLook; ; pause = min(2*pause, lastLook) {
		if err := told.Denied(); err != nil {
			return nil, err
		}
		phase := told.First("phase")
		if told.First("state") != "running" || phase == "waits" && told.First("asks") == "" {
			return told, nil
		}
		if told.First("asks") != "" {
			next, err := c.tasks(ctx, at, name, told)
			if err != nil {
				return leftAlone(err), nil
			}
			told = next
			continue
		}
		if phase == "restarting" && !restarts {
			var cancel context.CancelFunc
			within, cancel = context.WithTimeout(ctx, c.o.Restart)
			defer cancel()
			restarts, pause = true, firstLook
		}
		next, err := c.later(within, pause, at, name)
		switch {
		case err == nil:
			told = next
		case ctx.Err() != nil:
			return told, nil
		case !restarts:
			return leftAlone(err), nil
		case within.Err() != nil:
			return nil, &fleet.Error{Code: "unreachable", Retryable: true,
				Message: fmt.Sprintf("%s was restarted after the packages were moved, and is not back %s later", at, c.o.Restart)}
		}
	}
}

// later looks after a while.
func (c *Carrier) later(ctx context.Context, pause time.Duration, at inventory.HostID, name string) (Answer, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(pause):
		return c.look(ctx, at, name)
	}
}

// look asks a host how far a job is.
func (c *Carrier) look(ctx context.Context, at inventory.HostID, name string) (Answer, error) {
	return c.door.Ask(ctx, at, []string{"look", name})
}
