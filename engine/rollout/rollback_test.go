package rollout

import (
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Of two patches on a host the newer one is to blame, and when it is gone the
// older one soaks anew.
func TestNewestIsBlamed(t *testing.T) {
	p := twoRings()
	g, err := Read(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	old, young := g.Of("c1", good), g.Of("c1", bad)
	undo := g.Line(young, start.Add(3*time.Hour), outcome.RolledBack, "")
	undo.Key = young.UndoKey(p.ID)
	lines := []outcome.Line{
		g.Line(old, start, outcome.Intended, ""), g.Line(old, start, outcome.Applied, ""),
		g.Line(young, start.Add(time.Hour), outcome.Intended, ""), g.Line(young, start.Add(time.Hour), outcome.Applied, ""),
	}
	if g, err = Read(p, lines); err != nil {
		t.Fatal(err)
	}
	if got, want := g.Newest("c1"), start.Add(time.Hour); !got.Equal(want) {
		t.Errorf("Newest() = %s, want %s", got, want)
	}
	if g, err = Read(p, append(lines, undo)); err != nil {
		t.Fatal(err)
	}
	old = g.Of("c1", good)
	if at := start.Add(4*time.Hour + time.Minute); old.Due(at) {
		t.Errorf("%s is due at %s, though another patch was rolled back on its host an hour before", good, at)
	}
	if at := start.Add(7 * time.Hour); !old.Due(at) {
		t.Errorf("%s is not due at %s", good, at)
	}
}

// What cannot be rolled back is not: its host is left to people, and no other takes
// the patch, whatever its ring allows.
func TestNoRollback(t *testing.T) {
	for _, e := range []outcome.Event{outcome.Degraded, outcome.Failed} {
		t.Run(string(e), func(t *testing.T) {
			p := twoRings()
			p.Rings[0].MaxFailures = 5
			p.Patches[1].NoRollback = []plan.NoRollback{{Why: "a kernel", Instead: "boot the former one", Hosts: []inventory.HostID{"c1"}}}
			lines := run(t, p, start, func(c *Change) outcome.Event {
				if c.Patch == bad && c.Host == "c1" {
					return e
				}
				return outcome.Healthy
			})
			if n := count(lines, outcome.RolledBack, bad); n != 0 {
				t.Errorf("%d hosts were rolled back, want none", n)
			}
			g, err := Read(p, lines)
			if err != nil {
				t.Fatal(err)
			}
			if c := g.Of("c1", bad); c.State != Stuck || c.Detail != "it cannot be rolled back (a kernel), and a person is needed: boot the former one" {
				t.Errorf("c1 is %s (%s), want stuck and what to do", c.State, c.Detail)
			}
			for _, l := range lines {
				if l.Patch == bad && l.Ring == "broad" && l.Event == outcome.Intended {
					t.Errorf("%s was begun on %s", l.Patch, l.Host)
				}
			}
			if n := count(lines, outcome.Healthy, good); n != 5 {
				t.Errorf("the good patch is healthy on %d hosts, want 5", n)
			}
			if last := lines[len(lines)-1]; last.Event != outcome.Completed {
				t.Errorf("the last line is %s, want completed", last.Event)
			}
		})
	}
}

// Where a patch can be rolled back on a host, it is, though on others it cannot.
func TestRolledBackWhereItCanBe(t *testing.T) {
	p := twoRings()
	p.Patches[1].NoRollback = []plan.NoRollback{{Why: "a kernel", Instead: "boot the former one", Hosts: []inventory.HostID{"c1"}}}
	lines := run(t, p, start, func(c *Change) outcome.Event {
		if c.Patch == bad && c.Host == "c2" {
			return outcome.Degraded
		}
		return outcome.Healthy
	})
	if n := count(lines, outcome.RolledBack, bad); n != 2 {
		t.Errorf("%d lines tell that hosts were rolled back, want one that it is and one that it helped", n)
	}
}

// A host that was rolled back is watched for as long as its change was to soak, half
// an hour at most, and is left to people where that did not help; the plan is not over
// before.
func TestRollbackThatDoesNotHelp(t *testing.T) {
	var back, said time.Time
	lines := run(t, twoRings(), start, func(c *Change) outcome.Event {
		switch {
		case c.Patch != bad || c.Host != "c1":
			return outcome.Healthy
		case c.State == Back:
			return sick
		}
		return outcome.Degraded
	})
	for _, l := range lines {
		switch {
		case l.Host == "c1" && l.Event == outcome.RolledBack:
			back = l.At
		case l.Host == "c1" && l.Undo() && l.Event == outcome.Degraded:
			said = l.At
		}
	}
	if got := said.Sub(back); got != Convalescence {
		t.Errorf("the host was said to be unwell %s after it was rolled back, want %s", got, Convalescence)
	}
	g, err := Read(twoRings(), lines)
	if err != nil {
		t.Fatal(err)
	}
	if c := g.Of("c1", bad); c.State != Stuck || !g.Complete {
		t.Errorf("the host is %s and the plan over: %v; want stuck and over", c.State, g.Complete)
	}
}

// A ledger from before hosts were watched afterwards ends as it did.
func TestRolledBackLongAgo(t *testing.T) {
	p := twoRings()
	g, err := Read(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	undo := g.Line(g.Of("c1", bad), start, outcome.RolledBack, "")
	g, err = Read(p, []outcome.Line{undo, {At: start, Plan: p.ID, Event: outcome.Completed}})
	if err != nil {
		t.Fatal(err)
	}
	if c := g.Of("c1", bad); c.State != RolledBack || !Next(g, start).Done {
		t.Errorf("the host is %s, want rolled back, and nothing due", c.State)
	}
}
