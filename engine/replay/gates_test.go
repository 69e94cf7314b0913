package replay

import (
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// TestGates: a change counts once however often it was asked about, and not at all
// where it would have been stopped when it was planned.
func TestGates(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	yes, no := Verdict{}, Verdict{Effect: plan.Hold, Rule: "late.hold", Message: "too late", Until: at.Add(72 * time.Hour)}
	gate := func(host inventory.HostID, was, is Verdict) Gate {
		return Gate{Plan: "p", At: at, Host: host, Patch: "deb:a@1", Was: was, Is: is}
	}
	b := New()
	b.Happened("p", []Fate{
		{Host: "h1", Patch: "deb:a@1", Event: outcome.Healthy, At: at.Add(time.Hour)},
		{Host: "h2", Patch: "deb:a@1", Event: outcome.RolledBack, At: at.Add(time.Hour)},
		{Host: "h3", Patch: "deb:a@1", Event: outcome.Healthy, At: at.Add(24 * time.Hour)},
		{Host: "h4", Patch: "deb:a@1", Event: outcome.Healthy, At: at.Add(48 * time.Hour)},
	})
	side := func(stop *plan.Decision) Side {
		return Side{Answers: []Answer{{Host: "h1", Patch: "deb:a@1", Stop: stop}}}
	}
	b.Add(Plan{ID: "p", At: at, Before: side(nil), After: side(&plan.Decision{Rule: "late.hold", Effect: plan.Hold, Message: "too late"})})
	b.Gated()
	b.AddGates([]Gate{gate("h1", yes, no), gate("h2", yes, no), gate("h3", yes, no), gate("h4", no, yes), gate("h5", yes, no), gate("h6", yes, yes), gate("h7", no, no)})
	b.AddGates([]Gate{gate("h2", yes, no)})
	b.SkipGate("q", "it was answered with \"yes\"")
	r := b.Report(at)
	g := r.Gates
	if g.Answers != 8 || g.Held != (Gated{Changes: 3, Hosts: 3, Failed: 1, Healthy: 1, Never: 1, Days: 2}) || g.Begun != (Gated{Changes: 1, Hosts: 1, Healthy: 1, Days: 2}) {
		t.Errorf("Gates = %+v", g)
	}
	if len(r.Rules) != 1 || r.Rules[0].Stops != 1 || r.Rules[0].DueStops != 3 || r.Rules[0].DueOpens != 1 {
		t.Errorf("Rules = %+v", r.Rules)
	}
	var text strings.Builder
	if err := r.Text(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"held when due             3 changes on 3 hosts: of these 1 failed then, 1 were healthy, 1 had no result\n",
		"exposure at least 2.0 host-days longer", "begun when due            1 change on 1 host: ", "    when due: 3 held, 1 let begin\n",
		"8 answers to waves that were due were asked for again", `1 gate came out otherwise under the policies of then, or could not be asked for, and is not counted: q: it was answered with "yes".`,
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("Text() lacks %q:\n%s", want, text.String())
		}
	}
}
