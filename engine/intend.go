package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
)

// Intend commits approvals and intents: what the next apply will do, and what
// follows from the ledgers alone (promoted, held, skipped, completed). It
// returns how many lines it wrote.
func (x *Executor) Intend(ctx context.Context, done *Executed) (int, error) {
	if err := x.ready(ctx); err != nil {
		return 0, err
	}
	var lines []outcome.Line
	err := contest("intending", func() error {
		t, err := x.look(ctx)
		if err != nil {
			return err
		}
		done.Refused, done.Held, done.Wake, done.For, done.Open = t.refused, nil, time.Time{}, "", len(t.live)
		changes := map[string][]byte{}
		lines = nil
		for _, l := range t.live {
			new := x.intents(t, l, done)
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
		return x.commit(ctx, t, changes, intentMessage(lines))
	})
	if err != nil {
		return 0, err
	}
	done.add(lines)
	x.tell(lines)
	return len(lines), nil
}

func intentMessage(lines []outcome.Line) string {
	n := 0
	for _, l := range lines {
		if l.Event == outcome.Intended {
			n++
		}
	}
	if n == 0 {
		return fmt.Sprintf("outcomes: %d lines", len(lines))
	}
	return fmt.Sprintf("intents: %d changes", n)
}

// extend appends lines to a plan's ledger, and the approvals before its first.
func (x *Executor) extend(l *live, lines []outcome.Line, changes map[string][]byte) error {
	if len(l.ledger) == 0 && len(l.approvals) > 0 {
		data, err := outcome.AppendApprovals(nil, l.plan.Digest, l.approvals)
		if err != nil {
			return err
		}
		changes[outcome.ApprovalsPath(l.plan.ID)] = data
	}
	data, err := outcome.Append(l.ledger, l.plan.Digest, lines)
	if err != nil {
		return err
	}
	changes[outcome.Path(l.plan.ID)] = data
	return nil
}

// intents are the lines that a plan's ledger gets now.
func (x *Executor) intents(t *tip, l *live, done *Executed) []outcome.Line {
	if last := l.progress.Last; x.At.Before(last) {
		done.wake(last, l.plan.ID+": another run went on with it since this one began; the next run does")
		return nil
	}
	step := rollout.Next(l.progress, x.At)
	done.wake(step.Wake, l.plan.ID+": "+step.For)
	t.unjudged(l, x.At, done)
	x.unsettled(t, l, step.Open, done)
	lines := step.Lines
	stop, undo := x.stopped(t, l.plan.ID, done)
	if undo {
		for _, c := range step.Rollback {
			line := l.progress.Line(c, x.At, outcome.Intended, "rollback: "+c.Detail)
			line.Key, line.From, line.To = c.UndoKey(l.plan.ID), line.To, line.From
			lines = append(lines, line)
		}
	}
	if !stop {
		lines = append(lines, x.gate(t, l, step.Apply, done)...)
	}
	return x.stamp(t, lines)
}

// askAgain is when a step without a result is asked for again at the soonest: the
// shortest interval of a workflow's schedule.
const askAgain = 5 * time.Minute

// unsettled tells of steps that were intended and have no result: which of them are
// stopped, and when they are asked for next.
func (x *Executor) unsettled(t *tip, l *live, open []*rollout.Change, done *Executed) {
	if len(open) == 0 {
		return
	}
	why := x.barred(t, l)
	for _, c := range open {
		what := fmt.Sprintf("%s on %s was begun", c.Patch, c.Host)
		key := c.Key(l.plan.ID)
		if c.State == rollout.Undo {
			what, key = fmt.Sprintf("going back from %s on %s was begun", c.Patch, c.Host), c.UndoKey(l.plan.ID)
		}
		if until, theirs := x.theirs(t, l, c); theirs {
			done.wake(until, fmt.Sprintf("%s: %s by another run, which has until then to say what came of it", l.plan.ID, what))
			continue
		}
		if why[key] != "" {
			done.Held = append(done.Held, fmt.Sprintf("%s on %s: %s", c.Patch, c.Host, why[key]))
		}
		done.wake(x.At.Add(askAgain), fmt.Sprintf("%s: %s and has no result yet, so each run asks for it", l.plan.ID, what))
	}
}

// stopped says whether an override "stop" stands, so that nothing of a plan
// begins, and whether what went wrong is rolled back all the same: a stop takes
// that away only where it says so.
func (x *Executor) stopped(t *tip, id string, done *Executed) (stop, undo bool) {
	undo = true
	for _, o := range t.est.Overrides {
		if o.Kind != "stop" || o.Host != "" || o.Service != "" || o.Patch != "" || o.Plan != "" && o.Plan != id || !stands(o, x.At) {
			continue
		}
		what := ""
		if stop = true; o.Value == outcome.StopAll {
			undo, what = false, " with rollbacks"
		}
		done.Held = append(done.Held, fmt.Sprintf("plan %s: stopped%s by %s: %s", id, what, o.By, o.Reason))
		done.wake(o.Until, id+": the stop by "+o.By+" ends")
	}
	return stop, undo
}

// gate asks the policies again about what is due, and returns intents for what
// they let pass and held lines for what they do not. A held line is written
// once for each reason.
func (x *Executor) gate(t *tip, l *live, due []*rollout.Change, done *Executed) []outcome.Line {
	due = slices.DeleteFunc(slices.Clone(due), func(c *rollout.Change) bool {
		waits := t.occupied(l, c.Host)
		if waits {
			done.wake(c.NotAfter.Add(time.Second), fmt.Sprintf("%s: the wave of %s on %s is over; until then another plan has the host in hand", l.plan.ID, c.Patch, c.Host))
		}
		return waits
	})
	if len(due) == 0 {
		return nil
	}
	stops := t.gates(l, due)
	var lines []outcome.Line
	for i, c := range due {
		if stops[i] != "" {
			done.Held = append(done.Held, fmt.Sprintf("%s on %s: %s", c.Patch, c.Host, stops[i]))
			done.wake(c.NotAfter.Add(time.Second), fmt.Sprintf("%s: the wave of %s on %s is over; until then each run asks the policies again", l.plan.ID, c.Patch, c.Host))
			if c.HeldWith != stops[i] {
				lines = append(lines, l.progress.Line(c, x.At, outcome.Held, stops[i]))
			}
			continue
		}
		line := l.progress.Line(c, x.At, outcome.Intended, "")
		line.Key = fmt.Sprintf("%s/%s/%s/%d", l.plan.ID, c.Host, c.Patch, c.Attempt+1)
		lines = append(lines, line)
		t.begun[c.Host] = l
	}
	return lines
}

// occupied says whether another plan has a host in hand: what is done to it, or
// soaks there, is judged first, so that trouble can be put down to one thing.
// The waiting change begins when that is over and its own wave is still open.
func (t *tip) occupied(l *live, host inventory.HostID) bool {
	if by := t.begun[host]; by != nil && by != l {
		return true
	}
	return slices.ContainsFunc(t.live, func(o *live) bool { return o != l && o.progress.Busy(host) })
}

// stamp adds to lines what only this run knows.
func (x *Executor) stamp(t *tip, lines []outcome.Line) []outcome.Line {
	for i := range lines {
		l := &lines[i]
		l.Engine, l.Run = x.Version, x.Run
		if l.Features == nil {
			l.Features = t.decider.features(l)
		}
		if l.Fleet == "" && l.Host != "" {
			if h := t.decider.hostOf(l.Host); h != nil {
				f, _ := t.decider.fleetOf(h)
				l.Fleet = f.Kind
			}
		}
	}
	return lines
}

// gates asks about changes that are due, in the waves they are in, and returns
// for each why it may not begin, "" where it may.
func (t *tip) gates(l *live, due []*rollout.Change) []string {
	stops := make([]string, len(due))
	for i, s := range t.stoppers(l, due) {
		if s != nil {
			stops[i] = s.Rule + ": " + s.Message
		}
	}
	return stops
}

// stoppers are what keeps changes that are due from beginning, nil where nothing
// does.
func (t *tip) stoppers(l *live, due []*rollout.Change) []*plan.Decision {
	d := t.decider
	stops := make([]*plan.Decision, len(due))
	for i, list := range d.askDue(l, due) {
		stops[i] = stopper(list)
	}
	for _, wave := range wavesOf(due) {
		in := t.dueWave(l, wave, due)
		s := stopper(d.policies.Decide(in, d.est.Exceptions))
		for i := range due {
			if s != nil && stops[i] == nil && due[i].Ring == wave.ring && due[i].Wave == wave.number {
				stops[i] = s
			}
		}
	}
	return stops
}

// wake notes that something may be due at a time.
func (d *Executed) wake(t time.Time, what string) {
	if !t.IsZero() && (d.Wake.IsZero() || t.Before(d.Wake)) {
		d.Wake, d.For = t, what
	}
}

func (d *Executed) add(lines []outcome.Line) {
	d.Lines = append(d.Lines, lines...)
	for _, l := range lines {
		switch l.Event {
		case outcome.Held, outcome.RolledBack, outcome.Degraded, outcome.Failed:
			d.Standing = true
		}
	}
	d.Standing = d.Standing || len(d.Held) > 0 || len(d.Refused) > 0
}
