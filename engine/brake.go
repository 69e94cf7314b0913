package engine

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
)

// longest is for how long a run begins anything, and waits for jobs: an App's token
// ends after an hour. What was accepted goes on, and a later run asks for it.
const longest = 45 * time.Minute

// lasted is how long the run has lasted; nothing in simulations.
func (x *Executor) lasted(t *tip) time.Duration {
	if x.Lasted == nil || t.est.Settings.Clock == "given" {
		return 0
	}
	return x.Lasted()
}

// brake says before each host whether it may still be begun. A run lasts, and people
// may have stopped it since it looked: by a stop, a freeze, a hold, a plan taken back.
type brake struct {
	x     *Executor
	t     *tip         // as the run looked first
	asked atomic.Int64 // how often the branch was asked for

	mu     sync.Mutex
	commit repo.Hash         // that was read last
	why    map[string]string // by key of what is open there: why it may not begin, "" where it may
	err    error
}

func (x *Executor) braked(t *tip) *brake {
	b := &brake{x: x, t: t}
	b.saw(x, t)
	return b
}

func (b *brake) saw(x *Executor, t *tip) {
	b.commit, b.why = t.commit, map[string]string{}
	for _, l := range t.live {
		maps.Copy(b.why, x.barred(t, l))
	}
}

// bars returns why a job may not begin now, "" where it may. The branch is asked for
// each host; those whose turns come while it is asked share the next answer.
func (b *brake) bars(ctx context.Context, j *job) string {
	if b.x.lasted(b.t) >= longest {
		return fmt.Sprintf("the run has lasted %s, and the next one goes on", longest)
	}
	turn := b.asked.Load()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.asked.CompareAndSwap(turn, turn+1) {
		b.err = b.read(ctx)
	}
	if b.err != nil && j.undo {
		return "" // what went wrong is taken back all the same
	}
	if b.err != nil {
		return fmt.Sprintf("whether somebody has stopped it cannot be known: %v", b.err)
	}
	why, open := b.why[j.key]
	if !open {
		return b.t.branch + " does not ask for it any more"
	}
	return why
}

// read asks where the branch is, and looks at it anew where it has moved.
func (b *brake) read(ctx context.Context) error {
	now, err := b.x.tipOf(ctx, b.t.branch)
	if err != nil || now == b.commit {
		return err
	}
	env := *b.x.Env
	env.At = b.x.At.Add(b.x.lasted(b.t).Truncate(time.Second))
	x := &Executor{Env: &env}
	t, err := x.look(ctx)
	if err != nil {
		return err
	}
	b.saw(x, t)
	return nil
}

// barred says of everything of a plan that is open why it may not begin, "" where it
// may.
func (x *Executor) barred(t *tip, l *live) map[string]string {
	why := map[string]string{}
	var due []*rollout.Change
	stopped := &Executed{}
	stop, undo := x.stopped(t, l.plan.ID, stopped)
	for _, c := range rollout.Next(l.progress, x.At).Open {
		switch {
		case c.State == rollout.Undo && undo:
			why[c.UndoKey(l.plan.ID)] = ""
		case c.State == rollout.Undo:
			why[c.UndoKey(l.plan.ID)] = stopped.Held[0]
		case stop:
			why[c.Key(l.plan.ID)] = stopped.Held[0]
		default:
			due = append(due, c)
		}
	}
	for i, w := range t.gates(l, due) {
		why[due[i].Key(l.plan.ID)] = w
	}
	return why
}
