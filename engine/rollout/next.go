package rollout

import (
	"fmt"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Step is what may be done at a time. Everything in it is in the plan's order.
type Step struct {
	Apply    []*Change      // may be intended now
	Rollback []*Change      // must be rolled back now
	Open     []*Change      // intended, result unknown: ask the fleet
	Judge    []*Change      // applied, verdict due or wanted: see Due
	Lines    []outcome.Line // what follows from the ledger and the time alone
	Wake     time.Time      // when something may be due next, zero when nothing is
	For      string         // what may be due then
	Done     bool           // the plan is over
}

// Due says whether the change has soaked at a time, so that a good verdict
// counts. Before that only a bad one does, and of a rollback none.
func (c *Change) Due(at time.Time) bool { return !at.Before(c.Soaked()) }

// Soaked is when the host has been watched for long enough.
func (c *Change) Soaked() time.Time {
	if c.State == Back {
		return c.Watched.Add(min(c.Soak, Convalescence))
	}
	return c.Watched.Add(c.Soak)
}

// Next works out the step. It changes nothing.
func Next(g *Progress, at time.Time) Step {
	var s Step
	if g.Complete {
		s.Done = true
		return s
	}
	held := g.stopped(at, &s)
	promoted := g.promotions(at, held, &s)
	busy := g.busy(at, held)
	open := 0
	for _, c := range g.Changes {
		if !c.State.Ended() && !(c.State == Pending && held[c.Patch] != "") {
			open++
		}
		g.step(c, at, held, promoted, busy, &s)
	}
	if open == 0 || open == len(givenUp(s.Lines)) && len(s.Apply)+len(s.Rollback)+len(s.Open)+len(s.Judge) == 0 {
		s.Lines = append(s.Lines, outcome.Line{At: at, Plan: g.Plan.ID, Event: outcome.Completed, Detail: g.summary(s.Lines)})
		s.Done = true
	}
	return s
}

// step is one change's part.
func (g *Progress) step(c *Change, at time.Time, held map[plan.PatchID]string, promoted map[Stage]bool, busy map[string]time.Time, s *Step) {
	switch c.State {
	case Intended, Undo:
		s.Open = append(s.Open, c)
	case Failed, Degraded:
		switch {
		case c.Stays != nil:
			s.Lines = append(s.Lines, g.stays(c, at))
		case c.rested(at, s):
			s.Rollback = append(s.Rollback, c)
		}
	case Applied:
		s.Judge = append(s.Judge, c)
		s.wake(c.Soaked(), at, c.what("has soaked"))
	case Back:
		s.Judge = append(s.Judge, c)
		s.wake(c.Soaked(), at, c.what("has been watched since it was rolled back"))
	case Pending, Unreachable:
		g.begin(c, at, held, promoted, busy, s)
	}
}

// busy says for each ring until when its earliest wave that is under way, or
// could be now, was planned to last. A wave that was planned to come after it
// waits for it, also when a run is late and both are due: a service's hosts are
// never done together because time was short.
func (g *Progress) busy(at time.Time, held map[plan.PatchID]string) map[string]time.Time {
	until := map[string]time.Time{}
	for _, c := range g.Changes {
		waits := (c.State == Pending || c.State == Unreachable) && c.HeldWith == "" && held[c.Patch] == "" && !at.Before(c.Start) && !at.After(c.NotAfter)
		if !waits && c.State != Intended && c.State != Undo && c.State != Failed && c.State != Degraded {
			continue
		}
		if t, ok := until[c.Ring]; !ok || c.End.Before(t) {
			until[c.Ring] = c.End
		}
	}
	return until
}

func (g *Progress) begin(c *Change, at time.Time, held map[plan.PatchID]string, promoted map[Stage]bool, busy map[string]time.Time, s *Step) {
	switch {
	case c.State == Unreachable && c.Attempt >= Attempts:
		s.Lines = append(s.Lines, g.unknown(c, at, fmt.Sprintf("unreachable %d times, the last time: %s", c.Attempt, c.Detail)))
	case held[c.Patch] != "":
		if c.State == Unreachable {
			s.Lines = append(s.Lines, g.unknown(c, at, "the patch was stopped before the host could be reached again: "+c.Detail))
		}
	case c.State == Unreachable && (at.After(c.NotAfter) || !at.Before(g.Plan.Expires)):
		s.Lines = append(s.Lines, g.unknown(c, at, "the host was unreachable until its wave was over: "+c.Detail))
	case at.After(c.NotAfter) || !at.Before(g.Plan.Expires):
		s.Lines = append(s.Lines, g.line(c, at, outcome.Skipped, c.missed(at)))
	case !g.ready(c, promoted):
		s.wake(c.NotAfter.Add(time.Second), at, c.what("is too late to begin, unless the rings before it are done"))
	case at.Before(c.Start):
		s.wake(c.Start, at, c.what("may begin"))
	case !c.rested(at, s):
	case !busy[c.Ring].IsZero() && !c.Start.Before(busy[c.Ring]):
		// An earlier wave of the ring goes first.
	default:
		s.Apply = append(s.Apply, c)
	}
}

// rested says whether a host that was out of reach has been left alone for long
// enough to be tried again.
func (c *Change) rested(at time.Time, s *Step) bool {
	if c.Tried.IsZero() || !at.Before(c.Tried.Add(Pause)) {
		return true
	}
	s.wake(c.Tried.Add(Pause), at, c.what("is tried again"))
	return false
}

func (c *Change) missed(at time.Time) string {
	why := "the wave could not start by " + c.NotAfter.Format(time.RFC3339)
	if c.HeldWith != "" {
		return why + ": " + c.HeldWith
	}
	return why
}

// unknown is the last line of a change on a host that is not asked for any more: it was
// intended, and may have been made.
func (g *Progress) unknown(c *Change, at time.Time, why string) outcome.Line {
	return g.line(c, at, outcome.Unreachable, why+"; whether it was changed is not known")
}

// ready says whether every lower ring has promoted the patch, but for sandboxes
// where it need not be tried in one first.
func (g *Progress) ready(c *Change, promoted map[Stage]bool) bool {
	for _, o := range g.Plan.Rings[:c.RingNo] {
		if o.Sandbox && !g.tried[c.Patch] {
			continue
		}
		if !promoted[Stage{o.Name, c.Patch}] && g.has(o, c.Patch) {
			return false
		}
	}
	return true
}

func (g *Progress) has(r plan.Ring, patch plan.PatchID) bool {
	for _, w := range r.Waves {
		for _, c := range w.Changes {
			if c.Patch == patch {
				return true
			}
		}
	}
	return false
}

// tally counts a patch's changes in a ring.
type tally struct {
	all, healthy, bad, open int
	why                     string
	stays                   string // what went wrong with a change that cannot be rolled back, "" nothing
}

func (g *Progress) tallies() map[Stage]*tally {
	all := map[Stage]*tally{}
	for _, c := range g.Changes {
		key := Stage{c.Ring, c.Patch}
		t := all[key]
		if t == nil {
			t = &tally{}
			all[key] = t
		}
		t.all++
		switch {
		case c.bad():
			t.bad++
			t.why = fmt.Sprintf("%s: %s", c.Host, c.Detail)
			if c.Stays != nil {
				t.stays = t.why
			}
		case c.State == Healthy:
			t.healthy++
		}
		if !c.State.Ended() {
			t.open++
		}
	}
	return all
}

// bad says whether the change counts against its ring: unreachable ones do once
// they have been tried as often as is tried.
func (c *Change) bad() bool {
	return c.Bad || c.State == Unknown || c.Attempt > 0 && (c.State == Skipped || c.State == Unreachable && c.Attempt >= Attempts)
}

// stopped returns the patches that stand still, and adds a held line for each
// that stops now.
func (g *Progress) stopped(at time.Time, s *Step) map[plan.PatchID]string {
	held := map[plan.PatchID]string{}
	tallies := g.tallies()
	for _, p := range g.Plan.Patches {
		if why := g.Held[p.ID]; why != "" {
			held[p.ID] = why
			continue
		}
		why, ring := g.pooled(p.ID)
		for _, r := range g.Plan.Rings {
			if own := tallies[Stage{r.Name, p.ID}].stops(r); own != "" {
				why, ring = own, r.Name
				break
			}
		}
		if why != "" {
			held[p.ID] = why
			s.Lines = append(s.Lines, outcome.Line{At: at, Plan: g.Plan.ID, Ring: ring, Patch: p.ID, Event: outcome.Held, To: p.To, Detail: why})
		}
	}
	return held
}

// stops says why a ring stops a patch, "" when it does not: too much went wrong,
// or all of it is over and nothing is known to be well.
func (t *tally) stops(r plan.Ring) string {
	switch {
	case t == nil:
		return ""
	case t.stays != "":
		return fmt.Sprintf("it went wrong in ring %q and cannot be rolled back, so that no other host takes it (%s)", r.Name, t.stays)
	case t.bad > r.MaxFailures:
		return fmt.Sprintf("%d of %d hosts in ring %q went wrong and it allows %d (%s)", t.bad, t.all, r.Name, r.MaxFailures, t.why)
	case t.open == 0 && t.healthy == 0:
		return fmt.Sprintf("no host of %d in ring %q is known to be well, so nothing speaks for going on", t.all, r.Name)
	}
	return ""
}

// promotions returns what is promoted, and adds a line for each that is now.
func (g *Progress) promotions(at time.Time, held map[plan.PatchID]string, s *Step) map[Stage]bool {
	promoted := map[Stage]bool{}
	tallies := g.tallies()
	for _, r := range g.Plan.Rings {
		for _, p := range g.Plan.Patches {
			key := Stage{r.Name, p.ID}
			t := tallies[key]
			switch {
			case t == nil:
			case g.Promoted[key]:
				promoted[key] = true
			case held[p.ID] == "" && t.open == 0:
				promoted[key] = true
				s.Lines = append(s.Lines, outcome.Line{At: at, Plan: g.Plan.ID, Ring: r.Name, Patch: p.ID, Event: outcome.Promoted, To: p.To,
					Detail: fmt.Sprintf("%d of %d healthy, %d failed of %d allowed", t.healthy, t.all, t.bad, r.MaxFailures)})
			}
		}
	}
	return promoted
}

func (g *Progress) line(c *Change, at time.Time, e outcome.Event, detail string) outcome.Line {
	to := ""
	if _, _, v, ok := c.Patch.Parts(); ok {
		to = v
	}
	return outcome.Line{At: at, Plan: g.Plan.ID, Ring: c.Ring, Wave: c.Wave, Host: c.Host, Patch: c.Patch, Event: e,
		From: c.From, To: to, Key: c.Key(g.Plan.ID), Detail: detail, Predicted: c.DeployRisk.P}
}

// stays is the line of a change that went wrong and cannot be rolled back: its host
// is left as it is, for people.
func (g *Progress) stays(c *Change, at time.Time) outcome.Line {
	l := g.line(c, at, outcome.Held, fmt.Sprintf("it cannot be rolled back (%s), and a person is needed: %s", c.Stays.Why, c.Stays.Instead))
	l.Key = c.UndoKey(g.Plan.ID)
	return l
}

// Line is an outcome line of a change, without what only a run knows (fleet,
// engine, run, seconds, features, measured).
func (g *Progress) Line(c *Change, at time.Time, e outcome.Event, detail string) outcome.Line {
	return g.line(c, at, e, detail)
}

// givenUp are the lines of changes that are given up.
func givenUp(lines []outcome.Line) []outcome.Line {
	var list []outcome.Line
	for _, l := range lines {
		if l.Event == outcome.Skipped || l.Event == outcome.Unreachable {
			list = append(list, l)
		}
	}
	return list
}

// summary counts how the plan ended.
func (g *Progress) summary(lines []outcome.Line) string {
	counts := map[State]int{}
	for _, c := range g.Changes {
		counts[c.State]++
	}
	for _, l := range givenUp(lines) {
		counts[g.Of(l.Host, l.Patch).State]--
		if l.Event == outcome.Skipped {
			counts[Skipped]++
		} else {
			counts[Unknown]++
		}
	}
	var parts []string
	for _, s := range []State{Healthy, RolledBack, Stuck, Skipped, Unknown, Pending} {
		if n := counts[s]; n > 0 {
			name := strings.ReplaceAll(string(s), "_", " ")
			switch s {
			case Pending:
				name = "not begun"
			case Stuck:
				name = "left to people"
			}
			parts = append(parts, fmt.Sprintf("%d %s", n, name))
		}
	}
	return strings.Join(parts, ", ")
}

// what is a change in words, with what becomes of it.
func (c *Change) what(becomes string) string {
	return fmt.Sprintf("%s on %s in ring %q %s", c.Patch, c.Host, c.Ring, becomes)
}

func (s *Step) wake(t, at time.Time, what string) {
	if t.After(at) && (s.Wake.IsZero() || t.Before(s.Wake)) {
		s.Wake, s.For = t, what
	}
}
