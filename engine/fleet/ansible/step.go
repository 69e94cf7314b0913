package ansible

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/host"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Apply moves packages on one host, after everything that can be known before has
// been looked at. A host that was restarted is waited for; one that does not come
// back is unreachable.
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

// step is what plays/deb.yml is told of a host.
type step struct {
	Job       string   `json:"job"`
	Op        string   `json:"op"`
	Request   string   `json:"request"`
	Targets   []string `json:"targets"`
	Former    []string `json:"former"`
	Automatic []string `json:"automatic"`
	Conffiles string   `json:"conffiles"`
	Restart   int      `json:"restart_timeout"`
}

// carry asks a host for a step's job, and begins it where the host has none.
func (f *Fleet) carry(ctx context.Context, now time.Time, s fleet.Step, op string) (fleet.Job, error) {
	name := host.Name(op, s.Key)
	id := host.ID(s.Host, name)
	list := host.Moves(s.Packages)
	facts, err := f.ask(ctx, s.Host, host.Question(name, op, list))
	if err != nil {
		return fleet.Job{}, err // nothing was begun
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
	told, err := f.send(ctx, "deb.yml", s.Host, f.step(name, op, s, facts, list, w))
	if err == nil {
		return f.follow(ctx, s.Host, name, told)
	}
	return f.broken(ctx, s.Host, name, err)
}

func (f *Fleet) step(name, op string, s fleet.Step, facts host.Answer, list []host.Move, w host.Weighed) step {
	v := step{Job: name, Op: op, Targets: facts.Values("target"), Former: []string{}, Automatic: facts.Values("automatic"),
		Conffiles: "force-confold", Restart: int(f.o.Restart.Seconds())}
	if f.o.NewConffiles {
		v.Conffiles = "force-confnew"
	}
	if op == "rollback" && len(w.Along) > 0 {
		v.Targets = append(v.Targets, facts.Values("along")...)
	}
	for _, m := range append(list, w.Along...) {
		if m.From != "-" {
			v.Former = append(v.Former, m.Name+"="+m.From)
		}
	}
	if v.Automatic == nil {
		v.Automatic = []string{}
	}
	v.Request = "at\t" + facts.First("now") + "\nby\tansible\n" + f.o.Request(s, op, list, w) + "\n"
	return v
}

// broken is a play that did not come to its end on a host. What it began there is
// asked for; a host that does not answer was left in the middle.
func (f *Fleet) broken(ctx context.Context, at inventory.HostID, name string, why error) (fleet.Job, error) {
	e := (*fleet.Error)(nil)
	if errors.As(why, &e) && e.Code == "unreachable" && strings.Contains(e.Message, `"The restart"`) {
		return fleet.Job{}, e
	}
	j := fleet.Job{ID: host.ID(at, name), State: fleet.Running, Detail: host.Plain(why.Error())}
	told, err := f.look(ctx, at, name)
	switch {
	case err != nil:
		return j, nil
	case !told.Known():
		return fleet.Job{}, why // it was not begun
	}
	return f.follow(ctx, at, name, told)
}

// follow waits for a job that is under way.
func (f *Fleet) follow(ctx context.Context, at inventory.HostID, name string, told host.Answer) (fleet.Job, error) {
	id := host.ID(at, name)
	for {
		j := told.Job(id)
		if j.State != fleet.Running {
			return j, nil
		}
		select {
		case <-ctx.Done():
			return j, nil
		case <-time.After(2 * time.Second):
		}
		next, err := f.look(ctx, at, name)
		if err != nil {
			j.Detail = host.Plain(err.Error())
			return j, nil
		}
		told = next
	}
}

func (f *Fleet) look(ctx context.Context, at inventory.HostID, name string) (host.Answer, error) {
	return f.ask(ctx, at, []string{"look", name})
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
