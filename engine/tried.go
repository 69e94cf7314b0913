package engine

import (
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/report"
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// tried is what became of a plan's changes in sandboxes: of those that are to be tried
// there first, and of those that were under load there.
func tried(d deed, g *rollout.Progress) []report.Tried {
	first := map[string]bool{}
	for _, p := range g.Plan.Patches {
		first[string(p.ID)] = p.Test == "sandbox"
	}
	measured := map[work]*outcome.Measured{} // the newest of the change, and not of its rollback
	for i := range d.lines {
		l := &d.lines[i]
		if c := g.Of(l.Host, l.Patch); l.Measured != nil && c != nil && l.Key != c.UndoKey(g.Plan.ID) {
			measured[work{l.Host, l.Patch}] = l.Measured
		}
	}
	var list []report.Tried
	for _, c := range g.Changes {
		if !g.Plan.Rings[c.RingNo].Sandbox {
			continue
		}
		t := report.Tried{Patch: string(c.Patch), Host: string(c.Host), Ring: c.Ring, What: comesTo(c)}
		if m := measured[work{c.Host, c.Patch}]; m != nil {
			t.Before, t.After = loadOf(m.Before), loadOf(m.After)
		}
		if first[t.Patch] || t.Before != nil {
			list = append(list, t)
		}
	}
	return list
}

// loadOf is a load for people, nil where nothing was measured.
func loadOf(signals map[string]float64) *report.Load {
	l, err := telemetry.LoadOf(signals)
	if err != nil {
		return nil
	}
	r := &report.Load{Requests: l.Requests, Errors: l.Errors}
	r.Seconds, _ = l.Median()
	return r
}

// comesTo is where a change in a sandbox stands, in words.
func comesTo(c *rollout.Change) string {
	switch {
	case c.HeldWith != "":
		return "no verdict"
	case c.State == rollout.Pending:
		return "not begun"
	case c.State == rollout.Intended:
		return "under way"
	case c.State == rollout.Applied:
		return "soaks"
	case c.State == rollout.Healthy:
		return "passed"
	case c.State == rollout.Skipped:
		return "not tried"
	case c.State == rollout.Unreachable || c.State == rollout.Unknown:
		return "out of reach"
	}
	return "did not pass"
}

// underLoad is what a ring's hosts met under load, as a deployment tells it: of one
// that did not pass, where there is one. "" where none was under load.
func underLoad(list []report.Tried, ring string) string {
	var shown string
	for _, t := range list {
		if t.Ring == ring && t.Before != nil && t.After != nil && (shown == "" || t.What == "did not pass" && !strings.HasPrefix(shown, t.What)) {
			shown = t.What + " " + t.Load()
		}
	}
	if shown == "" {
		return ""
	}
	return "; " + shown
}
