package watch

import (
	"fmt"
	"math/rand"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
)

// A history that grows, in which ledgers go on, a verdict is overturned, imported
// rows come and one host makes a burst, has at every step the trials, the measure
// and the alarms that it has when all of it is read anew.
func TestMemoryForgetsNothing(t *testing.T) {
	seeds, every := 1, 6
	if os.Getenv("RINGMASTER_LONG") != "" {
		seeds, every = 3, 3
	}
	for seed := range int64(seeds) {
		r := rand.New(rand.NewSource(seed))
		ledgers := map[string][]outcome.Line{}
		var rows []outcome.Imported
		var c risk.Chronicle
		var m Memory
		at := time.Date(2025, 1, 5, 0, 0, 0, 0, time.UTC)
		alarms := 0
		for step := range 100 {
			at = at.Add(time.Duration(24+r.Intn(96)) * time.Hour)
			for _, id := range grow(r, ledgers, step, at) {
				c.Put(id, risk.Settled(id, ledgers[id], true))
			}
			if step%40 == 10 {
				rows = append(rows[:len(rows):len(rows)], imported(r, at, 60)...)
			}
			c.Import(rows)
			trials, changed, isNew := c.Settle()
			if isNew {
				m.Forget(changed)
			}
			if step%every != 0 {
				continue
			}
			want := risk.Trials(ledgers, rows, true)
			if diff := cmp.Diff(want, trials, cmpopts.IgnoreUnexported(risk.Trial{}), cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("seed %d, step %d: Settle() (-want +got):\n%s", seed, step, diff)
			}
			for _, when := range []time.Time{at, at.Add(-40 * 24 * time.Hour)} {
				if want, got := risk.Measure(want, when), c.Measure(when); want != got {
					t.Fatalf("seed %d, step %d: Measure() = %+v, want %+v", seed, step, got, want)
				}
				got := m.Alarms(trials, when)
				if diff := cmp.Diff(Alarms(want, when), got); diff != "" {
					t.Fatalf("seed %d, step %d: Alarms() (-want +got):\n%s", seed, step, diff)
				}
				alarms += len(got)
			}
		}
		if alarms == 0 {
			t.Errorf("seed %d: no alarm at any step; the test shows nothing", seed)
		}
	}
}

// grow begins a plan, or goes on with one, and returns the ids that are new.
func grow(r *rand.Rand, ledgers map[string][]outcome.Line, step int, at time.Time) []string {
	id := fmt.Sprintf("p-%d", step)
	if step > 2 && r.Intn(4) == 0 {
		id = fmt.Sprintf("p-%d", step-1-r.Intn(2))
	}
	name := fmt.Sprintf("pkg%d", r.Intn(3))
	rate := 0.03
	if step > 70 && name == "pkg1" {
		rate = 0.5
	}
	for i := range 8 + r.Intn(8) {
		host := inventory.HostID(fmt.Sprintf("h%d", r.Intn(12)))
		if step%30 == 7 {
			host = "h0"
		}
		l := outcome.Line{At: at.Add(time.Duration(i-20) * time.Minute), Host: host, Patch: plan.PatchID(fmt.Sprintf("generic:%s@1.%d", name, step)), Event: outcome.Applied,
			Features: map[string]any{"vendor": "V" + name[3:], "package": name, "role": "web"}}
		ledgers[id] = append(ledgers[id], l)
		l.Event = outcome.Healthy
		if r.Float64() < rate {
			l.Event = outcome.Degraded
		}
		ledgers[id] = append(ledgers[id], l)
		if r.Intn(10) == 0 {
			l.Event, l.At = outcome.RolledBack, l.At.Add(time.Hour)
			ledgers[id] = append(ledgers[id], l)
		}
	}
	return []string{id}
}

// imported are rows of before, some of which ledgers have as well.
func imported(r *rand.Rand, at time.Time, n int) []outcome.Imported {
	var rows []outcome.Imported
	for i := range n {
		o := outcome.Imported{At: at.Add(-time.Duration(i*7) * time.Hour), Host: inventory.HostID(fmt.Sprintf("h%d", r.Intn(12))),
			Patch: fmt.Sprintf("generic:pkg%d@1.%d", r.Intn(3), r.Intn(60)), Vendor: "V1", Role: "web", Event: outcome.Healthy}
		if r.Intn(12) == 0 {
			o.Event = outcome.Failed
		}
		rows = append(rows, o)
	}
	return rows
}
