package risk

import (
	"fmt"
	"math"
	"math/rand"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func hours(n int) time.Time { return epoch.Add(time.Duration(n) * time.Hour) }

func line(at int, host string, event outcome.Event) outcome.Line {
	return outcome.Line{
		At: hours(at), Host: inventory.HostID(host), Patch: "deb:openssl@3.0.15-1~deb12u1", Event: event, Fleet: "exec",
		Features: map[string]any{"vendor": "Debian", "role": "web"},
	}
}

// A change counts once, as its last verdict says.
func TestTrials(t *testing.T) {
	ledgers := map[string][]outcome.Line{
		"high-main-1": {
			line(1, "a", outcome.Intended), line(2, "a", outcome.Applied), line(3, "a", outcome.Healthy),
			line(1, "b", outcome.Applied), line(4, "b", outcome.Degraded), {At: hours(5), Host: "b", Patch: "deb:openssl@3.0.15-1~deb12u1", Event: outcome.RolledBack},
			line(1, "c", outcome.Applied), line(2, "d", outcome.Skipped), line(2, "e", outcome.Unreachable),
			{At: hours(6), Event: outcome.Promoted},
		},
		"high-main-2": {line(9, "b", outcome.Healthy)},
	}
	imported := []outcome.Imported{
		{At: hours(3), Host: "a", Patch: "deb:openssl@3.0.15-1~deb12u1", Event: outcome.Healthy}, // a ledger has it
		{At: hours(-50), Host: "x", Patch: "HER-1312", Package: "heron-web", Vendor: "Heron", Role: "app", Event: outcome.RolledBack},
		{At: hours(-51), Host: "x", Patch: "HER-1312", Package: "heron-web", Vendor: "Heron", Role: "app", Event: outcome.Degraded},
		{At: hours(-40), Host: "x", Patch: "generic:heron-web@4.2.3", Event: outcome.Failed},
	}
	want := []Trial{
		{At: hours(-51), Host: "x", Patch: "HER-1312", Package: "heron-web", Vendor: "Heron", Role: "app", Failed: true, Imported: true, Weight: 1},
		{At: hours(-40), Host: "x", Patch: "generic:heron-web@4.2.3", Package: "heron-web", Failed: true, Imported: true, Weight: 1},
		{At: hours(3), Host: "a", Patch: "deb:openssl@3.0.15-1~deb12u1", Package: "openssl", Vendor: "Debian", Role: "web", Weight: 1},
		{At: hours(5), Host: "b", Patch: "deb:openssl@3.0.15-1~deb12u1", Package: "openssl", Vendor: "Debian", Role: "web", Failed: true, Weight: 1},
		{At: hours(9), Host: "b", Patch: "deb:openssl@3.0.15-1~deb12u1", Package: "openssl", Vendor: "Debian", Role: "web", Weight: 1},
	}
	if diff := cmp.Diff(want, Trials(ledgers, imported, false), cmpopts.IgnoreUnexported(Trial{}), cmpopts.IgnoreFields(Trial{}, "Decided")); diff != "" {
		t.Errorf("Trials() -want +got:\n%s", diff)
	}
}

// What a simulation did is no experience of a real estate.
func TestTrialsOfTheSimulation(t *testing.T) {
	l := line(1, "a", outcome.Healthy)
	l.Fleet = "sim"
	ledgers := map[string][]outcome.Line{"low-main-1": {l}}
	if got := Trials(ledgers, nil, false); len(got) != 0 {
		t.Errorf("Trials(sim false) = %v, want none", got)
	}
	if got := Trials(ledgers, nil, true); len(got) != 1 {
		t.Errorf("Trials(sim true) = %v, want one", got)
	}
}

// A burst from one host has at most a fifth of its package, however large.
func TestCap(t *testing.T) {
	for _, c := range []struct {
		sizes []int
		part  float64 // of the largest host
	}{
		{[]int{1000, 1, 1, 1, 1}, 0.2},
		{[]int{1000, 3, 2, 9, 1, 1, 1}, 0.2},
		{[]int{1000, 900, 800, 700, 5}, 0.2},
		{[]int{30, 10, 10, 10, 10, 10, 10, 10, 10, 10}, 0.2},
		{[]int{3, 3, 3, 3, 3, 3}, 1.0 / 6},
		{[]int{1000, 1, 1, 1}, 1000.0 / 1003}, // too few hosts to judge by
	} {
		var imported []outcome.Imported
		n := 0
		for h, size := range c.sizes {
			for range size {
				n++
				imported = append(imported, outcome.Imported{At: hours(n), Host: inventory.HostID(fmt.Sprintf("h%d", h)), Patch: fmt.Sprintf("generic:x@%d", n), Event: outcome.Failed})
			}
		}
		weights, all := map[inventory.HostID]float64{}, 0.0
		for _, t := range Trials(nil, imported, false) {
			weights[t.Host] += t.Weight
			all += t.Weight
		}
		largest := 0.0
		for _, w := range weights {
			largest = math.Max(largest, w/all)
		}
		if math.Abs(largest-c.part) > 1e-9 {
			t.Errorf("%v: the largest host has %v of all, want %v", c.sizes, largest, c.part)
		}
	}
}

func TestMeasure(t *testing.T) {
	day := func(n int) time.Time { return epoch.AddDate(0, 0, n) }
	trials := func(own, imported int, first int) []Trial {
		var list []Trial
		for i := range own {
			list = append(list, Trial{At: day(first + i)})
		}
		for range imported {
			list = append(list, Trial{At: day(-1000), Imported: true})
		}
		return list
	}
	for _, c := range []struct {
		name string
		list []Trial
		at   int
		want History
	}{
		{"nothing", nil, 0, History{Ladder: RulesOnly}},
		{"imported alone", trials(0, 500, 0), 400, History{Imported: 500, Ladder: RulesOnly}},
		{"young", trials(40, 0, 0), 90, History{Months: 2.9, Outcomes: 40, Ladder: RulesOnly}},
		{"three months", trials(40, 0, 0), 92, History{Months: 3, Outcomes: 40, Ladder: Shadow}},
		{"six months", trials(40, 3, 0), 183, History{Months: 6, Outcomes: 40, Imported: 3, Ladder: Advisory}},
		{"six months and few outcomes", trials(19, 100, 0), 183, History{Months: 6, Outcomes: 19, Imported: 100, Ladder: RulesOnly}},
		{"the future does not count", trials(40, 0, 200), 183, History{Ladder: RulesOnly}},
	} {
		if diff := cmp.Diff(c.want, Measure(c.list, day(c.at))); diff != "" {
			t.Errorf("%s: Measure() -want +got:\n%s", c.name, diff)
		}
	}
}

// The order of ledgers' lines between hosts and of imported rows changes nothing.
func TestTrialsOrder(t *testing.T) {
	r := rand.New(rand.NewSource(4))
	events := []outcome.Event{outcome.Healthy, outcome.Failed, outcome.Degraded, outcome.RolledBack}
	var imported []outcome.Imported
	for range 300 {
		imported = append(imported, outcome.Imported{
			At: hours(r.Intn(200)), Host: inventory.HostID(fmt.Sprint("h", r.Intn(7))), Patch: fmt.Sprintf("deb:p%d@1", r.Intn(5)), Event: events[r.Intn(4)],
		})
	}
	want := Trials(nil, imported, false)
	for range 20 {
		r.Shuffle(len(imported), func(i, j int) { imported[i], imported[j] = imported[j], imported[i] })
		if diff := cmp.Diff(want, Trials(nil, imported, false), cmpopts.IgnoreUnexported(Trial{})); diff != "" {
			t.Fatalf("the order of rows matters: %s", diff)
		}
	}
}
