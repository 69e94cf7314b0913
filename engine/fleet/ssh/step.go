package ssh

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
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
	if err := admit(s); err != nil {
		return fleet.Job{}, err
	}
	done, err := f.alone(ctx, s.Host)
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
	name := jobName(op, s.Key)
	id := jobID(s.Host, name)
	list := moves(s.Packages)
	facts, err := c.ask(ctx, "check", checking(name, op, list)...)
	if err != nil {
		return fleet.Job{}, lost(s.Host, err) // nothing was begun
	}
	if state := facts.first("state"); state != "none" && state != "" {
		return f.follow(ctx, s.Host, name, facts)
	}
	if err := intime(now, s); err != nil {
		return fleet.Job{}, err
	}
	w, err := weigh(facts, list, op == "rollback", f.o.MinFree)
	if err != nil {
		return fleet.Job{}, err
	}
	if s.DryRun {
		return fleet.Job{ID: id, State: fleet.Succeeded, Started: now, Finished: now, Detail: "dry run: nothing was moved" + also(w.along)}, nil
	}
	told, err := c.ask(ctx, "start", name, f.request(s, op, list, w))
	if refusal := (*fleet.Error)(nil); errors.As(err, &refusal) {
		return fleet.Job{}, refusal
	}
	if err != nil { // it may have begun, and goes on by itself
		return fleet.Job{ID: id, State: fleet.Running, Started: now, Detail: plain(err.Error())}, nil
	}
	switch {
	case told.has("busy"):
		return fleet.Job{}, &fleet.Error{Code: "busy", Message: plain(told.first("busy")), Retryable: true}
	case told.has("refused"):
		return fleet.Job{}, refuse("%s", strings.TrimRight(plain(told.first("refused")), "; "))
	}
	return f.follow(ctx, s.Host, name, told)
}

// lost turns the end of a connection before anything was begun into the host's
// being unreachable.
func lost(host inventory.HostID, err error) error {
	if e := (*fleet.Error)(nil); errors.As(err, &e) {
		return e
	}
	return unreachable(host, err)
}

// follow waits for a job that is under way: for another's work on it, or for a
// host that was told to restart. A host that does not come back is unreachable.
func (f *Fleet) follow(ctx context.Context, host inventory.HostID, name string, told answer) (fleet.Job, error) {
	const pause = time.Second
	id := jobID(host, name)
	restarting := time.Time{}
	for {
		j := told.job(id)
		if j.State != fleet.Running {
			return j, nil
		}
		if told.first("phase") == "restarting" && restarting.IsZero() {
			restarting = time.Now()
		}
		select {
		case <-ctx.Done():
			return j, nil
		case <-time.After(pause):
		}
		next, err := f.look(ctx, host, name)
		if err == nil {
			told = next
			continue
		}
		switch {
		case ctx.Err() != nil:
			return j, nil
		case restarting.IsZero():
			j.Detail = plain(err.Error())
			return j, nil
		case time.Since(restarting) > f.o.Restart:
			return fleet.Job{}, &fleet.Error{Code: "unreachable", Retryable: true,
				Message: fmt.Sprintf("%s was restarted after the packages were moved, and does not answer %s later: %v", host, f.o.Restart, err)}
		}
	}
}

// look asks a host how far a job is.
func (f *Fleet) look(ctx context.Context, host inventory.HostID, name string) (answer, error) {
	c, err := f.dial(ctx, host)
	if err != nil {
		return nil, err
	}
	defer c.close()
	return c.ask(ctx, "look", name)
}

func also(along []move) string {
	if len(along) == 0 {
		return ""
	}
	var names []string
	for _, m := range along {
		names = append(names, m.name+" "+m.to)
	}
	return "; with it would come " + strings.Join(names, ", ")
}

// intime says why a step cannot be begun at this time.
func intime(now time.Time, s fleet.Step) error {
	switch {
	case s.NotBefore.After(now):
		return &fleet.Error{Code: "refused", Message: "not_before has not come", Retryable: true}
	case !s.NotAfter.IsZero() && now.After(s.NotAfter):
		return refuse("it is past not_after")
	}
	return nil
}

// jobName is a job's folder on its host, and jobID what tells it from those of
// other hosts.
func jobName(op, key string) string {
	sum := sha256.Sum256([]byte(key))
	return op + "-" + hex.EncodeToString(sum[:16])
}

func jobID(host inventory.HostID, name string) string { return string(host) + "/" + name }

// jobOf reads a job's id; ok is false for what is none.
func jobOf(id string) (host inventory.HostID, name string, ok bool) {
	h, name, _ := strings.Cut(id, "/")
	op, sum, _ := strings.Cut(name, "-")
	raw, err := hex.DecodeString(sum)
	ok = (op == "apply" || op == "rollback") && err == nil && len(raw) == 16 && inventory.HostID(h).Valid()
	return inventory.HostID(h), name, ok
}

// Status reports jobs, each asked of its host. One that is not known, or whose
// host does not answer, is Unknown.
func (f *Fleet) Status(ctx context.Context, _ time.Time, jobs []string) ([]fleet.Job, error) {
	if err := f.open(ctx); err != nil {
		return nil, err
	}
	list := make([]fleet.Job, len(jobs))
	for i, id := range jobs {
		list[i] = fleet.Job{ID: id, State: fleet.Unknown}
		host, name, ok := jobOf(id)
		if !ok {
			continue
		}
		told, err := f.look(ctx, host, name)
		if err != nil {
			list[i].Detail = plain(err.Error())
			continue
		}
		list[i] = told.job(id)
	}
	return list, ctx.Err()
}

// Cancel leaves every job as it is: what has begun on a host is not broken off in
// the middle.
func (f *Fleet) Cancel(ctx context.Context, now time.Time, jobs []string) ([]fleet.Job, error) {
	return f.Status(ctx, now, jobs)
}
