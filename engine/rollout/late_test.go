package rollout

import (
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
)

// A run that comes late starts nothing after the last moment of a wave, and
// nothing at all after the plan has expired.
func TestLate(t *testing.T) {
	for _, at := range []time.Time{start.Add(3*time.Hour + time.Second), start.Add(31 * 24 * time.Hour)} {
		lines := run(t, twoRings(), at, well)
		for _, l := range lines {
			if l.Ring == "canary" && l.Event == outcome.Intended {
				t.Errorf("at %s a wave that had to start by %s was begun", at, start.Add(3*time.Hour))
			}
		}
		if n := count(lines, outcome.Skipped, good); n < 2 {
			t.Errorf("%d changes were skipped, want the canary's 2 at least", n)
		}
	}
}

// A late run does not do the waves of a ring at once: the later one waits until
// the earlier one is installed.
func TestLateWavesStayApart(t *testing.T) {
	p := twoRings()
	p.Rings = p.Rings[1:]
	second := &p.Rings[0].Waves[1]
	second.Start = p.Rings[0].Waves[0].End
	second.NotAfter = second.Start.Add(time.Hour)
	p.Rings[0].Waves[0].NotAfter = second.NotAfter
	at := second.Start.Add(time.Minute)
	g, err := Read(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range Next(g, at).Apply {
		if c.Wave != 1 {
			t.Errorf("wave %d begins on %s while wave 1 has not", c.Wave, c.Host)
		}
	}
	var lines []outcome.Line
	for _, c := range g.Changes {
		if c.Wave == 1 {
			i, a := g.Line(c, at, outcome.Intended, ""), g.Line(c, at, outcome.Applied, "")
			lines = append(lines, i, a)
		}
	}
	if g, err = Read(p, lines); err != nil {
		t.Fatal(err)
	}
	if n := len(Next(g, at).Apply); n != 2 {
		t.Errorf("after wave 1 is installed %d changes of wave 2 may begin, want 2", n)
	}
}

// A soak begins when the change was made, which may be long after the run began that
// made it; and so does the one after another patch was rolled back.
func TestSoaksFromWhenItEnded(t *testing.T) {
	p := twoRings()
	g, err := Read(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	old, young := g.Of("c1", good), g.Of("c1", bad)
	applied := g.Line(old, start, outcome.Applied, "")
	applied.Ended = start.Add(40 * time.Minute)
	undo := g.Line(young, start.Add(time.Hour), outcome.RolledBack, "")
	undo.Key, undo.Ended = young.UndoKey(p.ID), start.Add(90*time.Minute)
	lines := []outcome.Line{g.Line(old, start, outcome.Intended, ""), applied, undo}
	for n, want := range map[int]time.Time{2: applied.Ended.Add(4 * time.Hour), 3: undo.Ended.Add(4 * time.Hour)} {
		if g, err = Read(p, lines[:n]); err != nil {
			t.Fatal(err)
		}
		if c := g.Of("c1", good); c.Due(want.Add(-time.Second)) || !c.Due(want) {
			t.Errorf("after %d lines it is not due at %s and no sooner; watched from %s", n, want, c.Watched)
		}
	}
}

// A change that was held after it was intended begins later, and what was measured until
// then is its past; a time before its intent is none.
func TestBeganLater(t *testing.T) {
	p := twoRings()
	for said, want := range map[time.Duration]time.Duration{0: 0, 20 * time.Minute: 20 * time.Minute, -time.Hour: 0} {
		g, err := Read(p, nil)
		if err != nil {
			t.Fatal(err)
		}
		c := g.Of("c1", good)
		applied := g.Line(c, start.Add(30*time.Minute), outcome.Applied, "")
		if said != 0 {
			applied.Began = start.Add(said)
		}
		if g, err = Read(p, []outcome.Line{g.Line(c, start, outcome.Intended, ""), g.Line(c, start, outcome.Held, "no past"), applied}); err != nil {
			t.Fatal(err)
		}
		if c := g.Of("c1", good); !c.Began.Equal(start.Add(want)) || c.HeldWith != "" {
			t.Errorf("a line that says it began after %s: it began at %s, held with %q; want after %s, and not held", said, c.Began, c.HeldWith, want)
		}
	}
}
