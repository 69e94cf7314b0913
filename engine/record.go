package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
)

// Record commits what became of committed intents. Results for anything else
// are passed over with a warning. It returns how many lines it wrote.
func (x *Executor) Record(ctx context.Context, results []Result, done *Executed) (int, error) {
	if len(results) == 0 {
		return 0, nil
	}
	if err := x.ready(ctx); err != nil {
		return 0, err
	}
	var lines []outcome.Line
	err := contest("recording", func() error {
		t, err := x.look(ctx)
		if err != nil {
			return err
		}
		done.Refused = t.refused
		changes := map[string][]byte{}
		lines = nil
		for _, l := range t.live {
			new := x.outcomes(t, l, results)
			if len(new) == 0 {
				continue
			}
			lines = append(lines, new...)
			if err := x.extend(l, new, changes); err != nil {
				return err
			}
		}
		if len(lines) == 0 {
			return nil
		}
		return x.commit(ctx, t, changes, fmt.Sprintf("outcomes: %d lines", len(lines)))
	})
	if err != nil {
		return 0, err
	}
	done.add(lines)
	x.tell(lines)
	return len(lines), nil
}

// awaited are the results that a plan's ledger waits for.
func (x *Executor) awaited(l *live, results []Result) []Result {
	var list []Result
	for _, r := range results {
		if r.Plan != l.plan.ID {
			continue
		}
		if c := l.progress.Of(r.Host, r.Patch); c == nil || !expected(l, c, r, x.when(l, r)) {
			x.Log.WithField("key", r.Key).WithField("event", r.Event).Warn("a result that no committed intent asks for is passed over")
			continue
		}
		list = append(list, r)
	}
	return list
}

// once are the results that say one thing of a step. Shards that were shared out anew, or
// a job that was run again, can leave more than one of the same; where they contradict one
// another the step stays open, and the next run asks what became of it.
func (x *Executor) once(results []Result) []Result {
	says := map[string]outcome.Event{}
	for _, r := range results {
		if was, twice := says[r.Key]; twice && was != r.Event {
			x.Log.WithField("key", r.Key).Warnf("results contradict one another, %s and %s; the step is still open", was, r.Event)
			says[r.Key] = ""
			continue
		}
		says[r.Key] = r.Event
	}
	return slices.DeleteFunc(results, func(r Result) bool {
		counts := says[r.Key] == r.Event
		says[r.Key] = "" // taken
		return !counts
	})
}

// outcomes are the lines that results add to a plan's ledger.
func (x *Executor) outcomes(t *tip, l *live, results []Result) []outcome.Line {
	var lines []outcome.Line
	for _, r := range x.once(x.awaited(l, results)) {
		c := l.progress.Of(r.Host, r.Patch)
		line := l.progress.Line(c, x.when(l, r), r.Event, r.Detail)
		line.Key, line.Seconds, line.Fleet, line.Measured, line.Ended = r.Key, r.Seconds, r.Fleet, r.Measured, x.ended(t, r)
		if c.State == rollout.Undo || c.State == rollout.Back {
			line.From, line.To = line.To, line.From
		}
		if !r.Began.After(x.At) {
			line.Began = r.Began
		}
		if r.Event == outcome.Held && (c.HeldWith == r.Detail || x.held(l, c)) {
			continue
		}
		lines = append(lines, line)
	}
	return x.stamp(t, lines)
}

// held says whether this run has held a change already, in whatever words: it would come
// to no rest if what it cannot reach answered otherwise each time.
func (x *Executor) held(l *live, c *rollout.Change) bool {
	for _, line := range slices.Backward(l.lines) {
		if line.Host == c.Host && line.Patch == c.Patch {
			return line.Event == outcome.Held && line.Run == x.Run
		}
	}
	return false
}

// when is a result's time, as far as it can be true: a ledger whose newest line
// lies in the future would stop every later run, and one that goes back would
// cut a soak short.
func (x *Executor) when(l *live, r Result) time.Time {
	switch {
	case !r.At.After(x.At) && !r.At.Before(l.progress.Last):
		return r.At
	case x.At.Before(l.progress.Last):
		return l.progress.Last // another run was later
	}
	return x.At
}

// ended is when a result's change was made, as far as it can be true: one that is said
// to end in years would soak for as long.
func (x *Executor) ended(t *tip, r Result) time.Time {
	if last := x.At.Add(x.lasted(t) + togetherFor); r.Ended.After(last) {
		return last.Truncate(time.Second)
	}
	return r.Ended
}

// expected says whether the ledger waits for such a result. A verdict that takes a whole
// soak is none before, though the runner says so: something may have been rolled back on
// the host since it was measured, so that it is watched anew.
func expected(l *live, c *rollout.Change, r Result, at time.Time) bool {
	switch c.State {
	case rollout.Intended:
		return r.Key == c.Key(l.plan.ID) && oneOf(r.Event, outcome.Applied, outcome.Failed, outcome.Skipped, outcome.Unreachable, outcome.Held)
	case rollout.Undo:
		return r.Key == c.UndoKey(l.plan.ID) && oneOf(r.Event, outcome.RolledBack, outcome.Failed, outcome.Unreachable)
	case rollout.Back:
		return r.Key == c.UndoKey(l.plan.ID) && c.Due(at) && oneOf(r.Event, outcome.RolledBack, outcome.Degraded, outcome.Held)
	case rollout.Applied:
		return r.Key == c.Key(l.plan.ID) && (r.Event == outcome.Degraded || c.Due(at) && oneOf(r.Event, outcome.Healthy, outcome.Held))
	}
	return false
}

func oneOf(e outcome.Event, list ...outcome.Event) bool {
	for _, o := range list {
		if e == o {
			return true
		}
	}
	return false
}
