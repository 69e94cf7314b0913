// Package rollout decides the next step of a merged plan.
//
// It is a pure function of the plan, the outcomes recorded so far and the
// time; nothing is remembered between runs. If an outcome is not in Git, it did
// not happen.
//
// A change goes from pending to intended, applied and healthy. One that fails
// or degrades is rolled back, or left to people where it cannot be. A patch is
// promoted from a ring to the next when every change of it there has ended, at
// least one is healthy, and no more failed than the ring allows; one failure more
// holds the patch in every ring, as do more failures in all rings together than
// was predicted, and what has not begun never does. Of what cannot be rolled back
// none may fail. A host that was rolled back is watched once more, and left to people
// where that did not help.
package rollout

import (
	"fmt"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Attempts is how often an unreachable host is tried while its wave is open, and
// Pause how long it is left alone in between.
const (
	Attempts = 3
	Pause    = 15 * time.Minute
	// Convalescence is how long a host is watched after it was rolled back, or for as
	// long as its change was to soak, if that is shorter: the five minutes that rates
	// look back, and as many calm points as end trouble, a minute apart, twice over.
	Convalescence = 30 * time.Minute
)

// State is how far a change is.
type State string

// The states. Undo is a rollback that was intended and has no result.
const (
	Pending     State = "pending"
	Intended    State = "intended"
	Applied     State = "applied"
	Healthy     State = "healthy"
	Degraded    State = "degraded"
	Failed      State = "failed"
	Undo        State = "undo"
	Back        State = "back"        // rolled back, and watched: does it help?
	RolledBack  State = "rolled_back" // and that is over
	Stuck       State = "stuck"       // it went wrong, and was not rolled back: a person is needed
	Skipped     State = "skipped"     // nothing was done to the host
	Unreachable State = "unreachable" // and it is tried again
	Unknown     State = "unknown"     // out of reach for good: whether it was changed nobody can say
)

// Ended says that nothing more happens to the change by itself.
func (s State) Ended() bool {
	return s == Healthy || s == RolledBack || s == Stuck || s == Skipped || s == Unknown
}

// Change is a change of the plan with where it stands.
type Change struct {
	plan.Change
	Ring     string
	RingNo   int
	Wave     int // from 1
	Start    time.Time
	NotAfter time.Time
	End      time.Time
	Soak     time.Duration
	Stays    *plan.NoRollback // why it cannot be rolled back, nil where it can

	State    State
	Attempt  int       // of the newest intent
	Applied  time.Time // when the apply that stands succeeded
	Watched  time.Time // since when its host's health speaks for it: Applied, or a later rollback on the host
	Began    time.Time // when it was first intended, or later where the ledger says that it was begun later
	Tried    time.Time // when it was last found unreachable
	Detail   string    // of the newest line
	Bad      bool      // failed, degraded, or unreachable for good: counts against the ring
	WentBack time.Time // when it was rolled back, zero when it was not
	HeldWith string    // detail of the newest held line, "" when none stands
	counted  bool      // it is among the trials
}

// Key is the idempotency key of the change's newest attempt.
func (c *Change) Key(plan string) string {
	return fmt.Sprintf("%s/%s/%s/%d", plan, c.Host, c.Patch, max(c.Attempt, 1))
}

// UndoKey is that of its rollback.
func (c *Change) UndoKey(plan string) string { return c.Key(plan) + "/rollback" }

// Progress is a plan with its ledger applied to it.
type Progress struct {
	Plan     *plan.Plan
	Changes  []*Change // in the plan's order
	Promoted map[Stage]bool
	Held     map[plan.PatchID]string // patches that stopped, with why
	Complete bool
	Last     time.Time                      // of the newest line
	Undone   map[inventory.HostID]time.Time // when something was last rolled back there
	index    map[slot]*Change
	tried    map[plan.PatchID]bool // what is to be tried in a sandbox first
	trials   map[plan.PatchID][]trial
	onHost   map[inventory.HostID][]*Change
}

// Stage is a patch in a ring.
type Stage struct {
	Ring  string
	Patch plan.PatchID
}

type slot struct {
	host  inventory.HostID
	patch plan.PatchID
}

// Read applies a ledger to its plan. Lines about changes that the plan does
// not have are an error: the ledger is then not this plan's.
func Read(p *plan.Plan, lines []outcome.Line) (*Progress, error) {
	g := &Progress{Plan: p, Promoted: map[Stage]bool{}, Held: map[plan.PatchID]string{}, Undone: map[inventory.HostID]time.Time{}, index: map[slot]*Change{}, onHost: map[inventory.HostID][]*Change{}, tried: map[plan.PatchID]bool{}, trials: map[plan.PatchID][]trial{}}
	for _, x := range p.Patches {
		g.tried[x.ID] = x.Test == "sandbox"
	}
	stays := p.Stays()
	for n, r := range p.Rings {
		for w, wave := range r.Waves {
			soak, err := hclfile.ParseDuration(wave.Soak)
			if err != nil {
				return nil, fmt.Errorf("plan %s: ring %q: wave %d: soak: %w", p.ID, r.Name, w+1, err)
			}
			for _, c := range wave.Changes {
				change := &Change{Change: c, Ring: r.Name, RingNo: n, Wave: w + 1, Start: wave.Start, NotAfter: wave.NotAfter, End: wave.End, Soak: soak, State: Pending}
				change.Stays = stays(c.Host, c.Patch)
				g.Changes = append(g.Changes, change)
				g.index[slot{c.Host, c.Patch}] = change
				g.onHost[c.Host] = append(g.onHost[c.Host], change)
			}
		}
	}
	for i, l := range lines {
		if err := g.apply(l); err != nil {
			return nil, fmt.Errorf("outcomes of %s: line %d: %w", p.ID, i+1, err)
		}
	}
	return g, nil
}

// Of returns the change of a patch on a host, nil when the plan has none.
func (g *Progress) Of(host inventory.HostID, patch plan.PatchID) *Change {
	return g.index[slot{host, patch}]
}

func (g *Progress) apply(l outcome.Line) error {
	g.Last = l.At
	if l.Host == "" {
		g.note(l)
		return nil
	}
	c := g.Of(l.Host, l.Patch)
	if c == nil {
		return fmt.Errorf("%s on %s is not in the plan", l.Patch, l.Host)
	}
	g.count(c, l.Event)
	undo := l.Key == c.UndoKey(g.Plan.ID)
	c.Detail = l.Detail
	if l.Event != outcome.Held {
		c.HeldWith = ""
	}
	switch l.Event {
	case outcome.Intended:
		c.intended(l, undo)
	case outcome.Applied:
		c.State, c.Applied, c.Watched = Applied, l.At, l.When()
		if l.Began.After(c.Began) {
			c.Began = l.Began
		}
	case outcome.Failed:
		if c.Bad = true; undo {
			c.State = Stuck
		} else {
			c.State = Failed
		}
	case outcome.Healthy:
		c.State = Healthy
	case outcome.Degraded:
		if c.Bad, c.State = true, Degraded; undo {
			c.State = Stuck
		}
	case outcome.RolledBack:
		if c.State == Back {
			c.State = RolledBack // and well again
			break
		}
		c.State, c.Bad, c.WentBack, c.Watched = Back, true, l.At, l.When()
		g.Disturb(l.Host, l.When())
	case outcome.Skipped:
		c.State = Skipped
	case outcome.Unreachable:
		c.unreachable(l.At, undo)
	case outcome.Held:
		switch {
		case !undo:
			c.HeldWith = l.Detail
		case c.State == Back:
			c.State = RolledBack // and nobody knows how it is
		default:
			c.State = Stuck
		}
	default:
		return fmt.Errorf("event %q does not belong to a host", l.Event)
	}
	return nil
}

// Disturb says that something else was rolled back on a host: what was measured
// there until then may have been its doing, so the changes that still soak are
// watched anew.
func (g *Progress) Disturb(host inventory.HostID, at time.Time) {
	if at.After(g.Undone[host]) {
		g.Undone[host] = at
	}
	for _, c := range g.onHost[host] {
		if (c.State == Applied || c.State == Back) && at.After(c.Watched) {
			c.Watched = at
		}
	}
}

// Busy says whether something is being done to a host, or soaks there.
func (g *Progress) Busy(host inventory.HostID) bool {
	for _, c := range g.onHost[host] {
		switch c.State {
		case Intended, Applied, Degraded, Failed, Undo, Back:
			return true
		}
	}
	return false
}

// Newest is when the newest change on a host that still soaks, or is being
// rolled back, was begun; zero when there is none. Trouble is put down to it
// alone: it is rolled back first, and what was there before is watched anew.
func (g *Progress) Newest(host inventory.HostID) time.Time {
	var last time.Time
	for _, c := range g.onHost[host] {
		at := c.Applied
		switch c.State {
		case Applied, Degraded, Undo:
		case Failed:
			at = c.Began
		default:
			continue
		}
		if at.After(last) {
			last = at
		}
	}
	return last
}

func (c *Change) intended(l outcome.Line, undo bool) {
	if undo {
		c.State = Undo
		return
	}
	c.State = Intended
	c.Attempt++
	if c.Began.IsZero() {
		c.Began = l.At
	}
}

// unreachable is neither failed nor a success: the change is tried again while
// its wave is open, and counts against the ring when it no longer is. That is said
// by a second line without an intent between the two.
func (c *Change) unreachable(at time.Time, undo bool) {
	c.Tried = at
	switch {
	case undo:
		c.State, c.Bad = Degraded, true
	case c.State == Unreachable:
		c.State = Unknown
	default:
		c.State = Unreachable
	}
}

func (g *Progress) note(l outcome.Line) {
	switch l.Event {
	case outcome.Promoted:
		g.Promoted[Stage{l.Ring, l.Patch}] = true
	case outcome.Held:
		if l.Patch != "" {
			g.Held[l.Patch] = l.Detail
		}
	case outcome.Completed:
		g.Complete = true
		for _, c := range g.Changes {
			if c.State == Back {
				c.State = RolledBack // in ledgers from before hosts were watched afterwards
			}
		}
	}
}
