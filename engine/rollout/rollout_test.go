package rollout

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

var start = time.Date(2026, 3, 3, 23, 0, 0, 0, time.UTC)

const (
	good plan.PatchID = "deb:openssl@3.0.15-1"
	bad  plan.PatchID = "generic:heron-web@4.2.2"
)

// twoRings is a plan of a canary with two hosts and a broad ring with three,
// one day later; every host gets both patches.
func twoRings() *plan.Plan {
	p := &plan.Plan{ID: "high-main-1", Digest: "sha256:00", Expires: start.Add(30 * 24 * time.Hour),
		Patches: []plan.Patch{{ID: good, To: "3.0.15-1"}, {ID: bad, To: "4.2.2"}}}
	wave := func(at time.Time, hosts ...inventory.HostID) plan.Wave {
		w := plan.Wave{Start: at, NotAfter: at.Add(3 * time.Hour), End: at.Add(4 * time.Hour), Soak: "4h"}
		for _, h := range hosts {
			w.Changes = append(w.Changes, plan.Change{Host: h, Patch: good, From: "3.0.11-1"}, plan.Change{Host: h, Patch: bad, From: "4.2.1"})
		}
		return w
	}
	p.Rings = []plan.Ring{
		{Name: "canary", MaxFailures: 0, Waves: []plan.Wave{wave(start, "c1", "c2")}},
		{Name: "broad", MaxFailures: 1, Waves: []plan.Wave{wave(start.Add(24*time.Hour), "b1", "b2"), wave(start.Add(25*time.Hour), "b3")}},
	}
	return p
}

// world answers what is due the way a fleet and its telemetry would.
type world func(c *Change) outcome.Event

// run lets time pass until the plan is over, and returns the ledger.
func run(t *testing.T, p *plan.Plan, from time.Time, w world) []outcome.Line {
	t.Helper()
	var lines []outcome.Line
	at := from
	for range 500 {
		g, err := Read(p, lines)
		if err != nil {
			t.Fatal(err)
		}
		s := Next(g, at)
		lines = append(lines, s.Lines...)
		if s.Done {
			return lines
		}
		next := s.Lines
		for _, c := range s.Apply {
			l := g.Line(c, at, outcome.Intended, "")
			lines, next = append(lines, l), append(next, l)
		}
		for _, c := range s.Rollback {
			l := g.Line(c, at, outcome.Intended, "rollback")
			l.Key = c.UndoKey(p.ID)
			lines, next = append(lines, l), append(next, l)
		}
		for _, c := range s.Open {
			l := g.Line(c, at, outcome.Applied, "")
			l.Key = c.Key(p.ID)
			if c.State == Undo {
				l.Event, l.Key = outcome.RolledBack, c.UndoKey(p.ID)
			} else if e := w(c); e == outcome.Failed || e == outcome.Unreachable {
				l.Event = e
			}
			lines, next = append(lines, l), append(next, l)
		}
		for _, c := range s.Judge {
			if c.State == Back {
				if e := w(c); c.Due(at) {
					l := g.Line(c, at, outcome.RolledBack, "well again")
					if e == sick {
						l.Event, l.Detail = outcome.Degraded, "still unwell"
					}
					l.Key = c.UndoKey(p.ID)
					lines = append(lines, l)
					next = lines
				}
				continue
			}
			if e := w(c); e == outcome.Degraded {
				lines = append(lines, g.Line(c, at, e, "errors"))
				next = lines
			} else if c.Due(at) {
				lines = append(lines, g.Line(c, at, outcome.Healthy, ""))
				next = lines
			}
		}
		if len(next) == 0 {
			if s.Wake.IsZero() {
				t.Fatalf("at %s nothing is due and nothing ever will be, and the plan is not over", at)
			}
			at = s.Wake
		}
	}
	t.Fatal("the plan is never over")
	return nil
}

// sick is what a host answers that a rollback does not help.
const sick outcome.Event = "sick"

func well(*Change) outcome.Event { return outcome.Healthy }

func count(lines []outcome.Line, e outcome.Event, patch plan.PatchID) int {
	n := 0
	for _, l := range lines {
		if l.Event == e && l.Patch == patch && (l.Host != "" || e == outcome.Held || e == outcome.Promoted) {
			n++
		}
	}
	return n
}

func TestAllGoesWell(t *testing.T) {
	lines := run(t, twoRings(), start, well)
	for _, patch := range []plan.PatchID{good, bad} {
		if n := count(lines, outcome.Healthy, patch); n != 5 {
			t.Errorf("%s is healthy on %d hosts, want 5", patch, n)
		}
		if n := count(lines, outcome.Promoted, patch); n != 2 {
			t.Errorf("%s was promoted from %d rings, want 2", patch, n)
		}
	}
	if last := lines[len(lines)-1]; last.Event != outcome.Completed || last.Detail != "10 healthy" {
		t.Errorf("the last line is %s %q, want completed with 10 healthy", last.Event, last.Detail)
	}
}

// A bad canary is rolled back and stops its patch in every ring; the other
// patch goes on.
func TestBadCanary(t *testing.T) {
	for _, e := range []outcome.Event{outcome.Degraded, outcome.Failed} {
		t.Run(string(e), func(t *testing.T) {
			lines := run(t, twoRings(), start, func(c *Change) outcome.Event {
				if c.Patch == bad && c.Host == "c1" {
					return e
				}
				return outcome.Healthy
			})
			if n := count(lines, outcome.RolledBack, bad); n != 2 {
				t.Errorf("%d lines tell that hosts were rolled back, want one that it is and one that it helped", n)
			}
			if n := count(lines, outcome.Held, bad); n != 1 {
				t.Errorf("the patch was held %d times, want once", n)
			}
			for _, l := range lines {
				if l.Patch == bad && l.Ring == "broad" && l.Event == outcome.Intended {
					t.Errorf("%s was begun on %s after the canary had failed", l.Patch, l.Host)
				}
			}
			if n := count(lines, outcome.Healthy, good); n != 5 {
				t.Errorf("the good patch is healthy on %d hosts, want 5", n)
			}
		})
	}
}

// One failure is within the broad ring's budget, two are not.
func TestBudget(t *testing.T) {
	for failures, held := range map[int]int{1: 0, 2: 1} {
		lines := run(t, twoRings(), start, func(c *Change) outcome.Event {
			if c.Patch == bad && (c.Host == "b1" || failures == 2 && c.Host == "b2") {
				return outcome.Failed
			}
			return outcome.Healthy
		})
		if n := count(lines, outcome.Held, bad); n != held {
			t.Errorf("%d failures of 1 allowed: held %d times, want %d", failures, n, held)
		}
	}
}

// A host that is never reached counts against its ring, and is tried no more
// than Attempts times.
func TestUnreachable(t *testing.T) {
	p := twoRings()
	lines := run(t, p, start, func(c *Change) outcome.Event {
		if c.Host == "c1" {
			return outcome.Unreachable
		}
		return outcome.Healthy
	})
	tried := 0
	for _, l := range lines {
		if l.Host == "c1" && l.Patch == good && l.Event == outcome.Intended {
			tried++
		}
		if l.Ring == "broad" && l.Event == outcome.Intended {
			t.Errorf("%s began on %s with an unreachable canary and a budget of 0", l.Patch, l.Host)
		}
	}
	if tried != Attempts {
		t.Errorf("the host was tried %d times, want %d", tried, Attempts)
	}
	if n, skipped := count(lines, outcome.Unreachable, good), count(lines, outcome.Skipped, good); n != Attempts+1 || skipped > 0 {
		t.Errorf("it is unreachable in %d lines and skipped in %d, want one for each attempt and a last one: it may have been changed", n, skipped)
	}
	if !slices.ContainsFunc(lines, func(l outcome.Line) bool {
		return l.Event == outcome.Unreachable && strings.HasPrefix(l.Detail, "unreachable 3 times, the last time: ") && strings.HasSuffix(l.Detail, "; whether it was changed is not known")
	}) {
		t.Error("no line says how often it was tried, what was last seen, and that nobody knows whether it was changed")
	}
	if last := lines[len(lines)-1]; last.Detail != "2 healthy, 2 unknown, 6 not begun" {
		t.Errorf("the plan ends with %q, want 2 healthy, 2 unknown, 6 not begun", last.Detail)
	}
}

// Rings in order: nothing begins in a ring before the lower one has promoted
// the patch, whatever happens on the way.
func TestOrderAlways(t *testing.T) {
	for seed := range uint64(300) {
		dice := rand.New(rand.NewPCG(seed, 1))
		events := []outcome.Event{outcome.Healthy, outcome.Healthy, outcome.Healthy, outcome.Degraded, outcome.Failed, outcome.Unreachable}
		fate := map[string]outcome.Event{}
		lines := run(t, twoRings(), start, func(c *Change) outcome.Event {
			k := string(c.Host) + string(c.Patch)
			if fate[k] == "" {
				fate[k] = events[dice.IntN(len(events))]
			}
			return fate[k]
		})
		promoted, stopped := map[plan.PatchID]bool{}, map[plan.PatchID]bool{}
		for _, l := range lines {
			switch {
			case l.Event == outcome.Promoted && l.Ring == "canary":
				promoted[l.Patch] = true
			case l.Event == outcome.Held && l.Host == "":
				stopped[l.Patch] = true
			case l.Event == outcome.Intended && l.Detail == "" && l.Ring == "broad" && !promoted[l.Patch]:
				t.Fatalf("seed %d: %s began on %s before the canary was promoted", seed, l.Patch, l.Host)
			case l.Event == outcome.Intended && l.Detail == "" && stopped[l.Patch]:
				t.Fatalf("seed %d: %s began on %s after it was held", seed, l.Patch, l.Host)
			}
		}
		if last := lines[len(lines)-1]; last.Event != outcome.Completed {
			t.Fatalf("seed %d: the last line is %s", seed, last.Event)
		}
	}
}

// Nothing is due twice: what a step's lines say is not said again.
func TestTwiceDoesNothing(t *testing.T) {
	p := twoRings()
	lines := run(t, p, start, well)
	g, err := Read(p, lines)
	if err != nil {
		t.Fatal(err)
	}
	if s := Next(g, start.Add(90*24*time.Hour)); !s.Done || len(s.Lines)+len(s.Apply)+len(s.Open)+len(s.Judge)+len(s.Rollback) > 0 {
		t.Errorf("after the end Next() = %+v, want nothing", s)
	}
}

func TestReadRefusesAnotherPlansLedger(t *testing.T) {
	if _, err := Read(twoRings(), []outcome.Line{{Host: "elsewhere", Patch: good, Event: outcome.Applied}}); err == nil {
		t.Error("Read() takes a line about a host that is not in the plan")
	}
}

// Each ring allows what goes wrong in it, and all together go wrong more often than was
// predicted: the patch stops. One that fails as often as predicted, or of which nothing
// was, does not.
func TestPooled(t *testing.T) {
	for _, tc := range []struct {
		name string
		high float64
		bad  int // of each ring's five hosts
		as   outcome.Event
		want bool
	}{
		{"twice what was predicted, and more", 0.05, 2, outcome.Failed, true},
		{"degraded", 0.05, 2, outcome.Degraded, true},
		{"as predicted", 0.4, 2, outcome.Failed, false},
		{"once, by chance", 0.05, 0, outcome.Failed, false},
		{"nothing was predicted", 0, 2, outcome.Failed, false},
	} {
		p := &plan.Plan{ID: "high-main-1", Digest: "sha256:00", Expires: start.Add(30 * 24 * time.Hour), Patches: []plan.Patch{{ID: bad, To: "4.2.2"}}}
		for n, name := range []string{"one", "two", "three", "four"} {
			at := start.Add(time.Duration(24*n) * time.Hour)
			w := plan.Wave{Start: at, NotAfter: at.Add(3 * time.Hour), End: at.Add(4 * time.Hour), Soak: "4h"}
			for i := range 5 {
				w.Changes = append(w.Changes, plan.Change{Host: inventory.HostID(name + string(rune('a'+i))), Patch: bad, From: "4.2.1", DeployRisk: plan.Risk{High: tc.high}})
			}
			p.Rings = append(p.Rings, plan.Ring{Name: name, MaxFailures: 2, Waves: []plan.Wave{w}})
		}
		lines := run(t, p, start, func(c *Change) outcome.Event {
			if int(c.Host[len(c.Host)-1]-'a') < tc.bad || tc.bad == 0 && c.Host == "twoa" {
				return tc.as
			}
			return outcome.Healthy
		})
		held, last := count(lines, outcome.Held, bad), false
		for _, l := range lines {
			last = last || l.Event == outcome.Intended && l.Ring == "four"
			if l.Event == outcome.Held && !strings.Contains(l.Detail, "hosts in all rings went wrong, where 0.") {
				t.Errorf("%s: held with %q", tc.name, l.Detail)
			}
		}
		if (held == 1) != tc.want || last == tc.want {
			t.Errorf("%s: held %d times, and the last ring began: %t; want it stopped: %t", tc.name, held, last, tc.want)
		}
	}
}

// A sandbox is waited for by what is to be tried in one first, and by nothing else;
// what goes wrong in it stops a patch whoever waits.
func TestSandbox(t *testing.T) {
	p := twoRings()
	p.Rings[0].Sandbox = true
	p.Patches[0].Test, p.Patches[1].Test = "canary", "sandbox"
	p.Rings[1].Waves[0].Start, p.Rings[1].Waves[0].NotAfter = start, start.Add(9*time.Hour)
	g, err := Read(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	begun := map[string]int{}
	for _, c := range Next(g, start).Apply {
		begun[c.Ring+" "+string(c.Patch)]++
	}
	if begun["canary "+string(good)] != 2 || begun["canary "+string(bad)] != 2 || begun["broad "+string(good)] != 2 || begun["broad "+string(bad)] != 0 {
		t.Errorf("at once begin %v, want both patches in the sandbox, and beyond it what need not be tried there", begun)
	}
	lines := run(t, p, start, well)
	if n := count(lines, outcome.Healthy, bad); n != 5 {
		t.Errorf("%d hosts are healthy with what was tried first, want 5", n)
	}
	lines = run(t, p, start, func(c *Change) outcome.Event {
		if c.Patch == good && c.Host == "c1" {
			return outcome.Degraded
		}
		return outcome.Healthy
	})
	if count(lines, outcome.Held, good) == 0 {
		t.Error("a patch that degraded a sandbox goes on")
	}
}
