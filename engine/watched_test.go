package engine

import (
	"fmt"
	"math/rand"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/review"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
)

// watchedYear is 15 months of an estate of 80 hosts in which nothing changes: three
// patches a week, each on a third of the hosts within a fortnight, and every change
// fails as often as its plan says.
type watchedYear struct {
	begin time.Time
	lines map[string][]outcome.Line
	hosts []inventory.HostID
}

func newWatchedYear(r *rand.Rand) *watchedYear {
	y := &watchedYear{begin: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), lines: map[string][]outcome.Line{}}
	facts := map[inventory.HostID]map[string]any{}
	for i := range 80 {
		h := inventory.HostID(fmt.Sprintf("h%02d", i))
		y.hosts = append(y.hosts, h)
		facts[h] = map[string]any{"role": []string{"web", "db", "app"}[i%3], "tier": []string{"gold", "iron"}[i%2], "os": []string{"debian 11", "debian 12"}[r.Intn(2)],
			"drift": r.Intn(8) == 0, "mem_free_mb": float64(r.Intn(8000)), "disk_free_mb": float64(r.Intn(90000))}
	}
	for n := range 195 {
		id := fmt.Sprintf("standard-main-%d", n+1)
		at := y.begin.AddDate(0, 0, n*7/3)
		name := fmt.Sprint("pkg", r.Intn(15))
		patch := plan.PatchID(fmt.Sprintf("generic:%s@1.%d", name, n))
		update := map[string]any{"package": name, "vendor": []string{"Heron", "Kite", "Wren"}[r.Intn(3)], "kind": []string{"security", "bugfix"}[r.Intn(2)], "size_bytes": float64(r.Intn(90e6))}
		for _, h := range y.hosts {
			if r.Intn(3) > 0 {
				continue
			}
			p := 0.005 + 0.04*r.Float64()*r.Float64()
			features := map[string]any{"uptime_s": float64(r.Intn(90 * 86400))}
			for _, m := range []map[string]any{facts[h], update} {
				for k, v := range m {
					features[k] = v
				}
			}
			l := outcome.Line{At: at.Add(time.Duration(r.Intn(14*24)) * time.Hour), Plan: id, Host: h, Patch: patch, Event: outcome.Healthy, Fleet: "exec", Predicted: p, Features: features}
			if r.Float64() < p {
				l.Event = outcome.Failed
			}
			y.lines[id] = append(y.lines[id], l)
		}
	}
	return y
}

func (y *watchedYear) deeds() []deed {
	var list []deed
	for _, id := range sortedKeys(y.lines) {
		list = append(list, deed{lines: y.lines[id]})
	}
	return list
}

// look is what each kind of look finds at a time. The trials are in order, so that
// one search tells what was known.
func (y *watchedYear) look(trials []risk.Trial, done []deed, at time.Time) map[string][]review.Observation {
	n, _ := slices.BinarySearchFunc(trials, at, func(t risk.Trial, at time.Time) int { return t.At.Compare(at) })
	found := map[string][]review.Observation{
		"hosts": oddHosts(trials[:n], at), "days": oddDays(trials[:n], at), "predictions": mispredicted(done, at),
	}
	if at.Day() == 1 {
		found["inputs"] = drifted(trials[:n], at)
	}
	return found
}

// times is how often something is tried: few times in ordinary runs, all of
// them with RINGMASTER_LONG=1, as nightly does.
func times(few, all int) int {
	if os.Getenv("RINGMASTER_LONG") != "" {
		return all
	}
	return few
}

// Nothing changes, and somebody looks again and again for a year: at most 5 % of years see
// a false alarm of any kind.
func TestWatchedYearOfDailyLooks(t *testing.T) {
	years, every := 1, 28
	if os.Getenv("RINGMASTER_LONG") != "" {
		years, every = 60, 3
	}
	r := rand.New(rand.NewSource(1))
	alarmed := map[string]int{}
	for range years {
		y := newWatchedYear(r)
		trials, done := risk.Trials(y.lines, nil, false), y.deeds()
		kinds := map[string]bool{}
		for day := 90; day < 90+365; day++ {
			at := y.begin.AddDate(0, 0, day).Add(time.Duration(r.Intn(24)) * time.Hour)
			if first := y.begin.AddDate(0, 0, day); first.Day() == 1 {
				at = first
			} else if day%every > 0 {
				continue
			}
			for kind, list := range y.look(trials, done, at) {
				if len(list) > 0 && !kinds[kind] {
					t.Logf("%s at %s: %s", kind, at.Format(time.RFC3339), list[0].Says)
					kinds[kind], kinds["any"] = true, true
				}
			}
		}
		for kind := range kinds {
			alarmed[kind]++
		}
	}
	for _, kind := range []string{"hosts", "days", "inputs", "predictions", "any"} {
		t.Logf("%s: a false alarm in %d of %d years", kind, alarmed[kind], years)
	}
	// At 5 %, more than 8 of 60 come once in a hundred times; the one year of an
	// ordinary run, always the same, has none.
	if n := alarmed["any"]; n > years*8/60 {
		t.Errorf("%d of %d years saw a false alarm; at most 5 %% may", n, years)
	}
}

// What is wrong is found soon, and the same look later the same day or month says the
// same of what is over.
func TestWatchedFinds(t *testing.T) {
	from := time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, kind, about string
		change            func(*outcome.Line)
		within            int // days
	}{
		{"a host whose every change fails", "hosts", "host h07", func(l *outcome.Line) {
			if l.Host == "h07" {
				l.Event = outcome.Failed
			}
		}, 55},
		{"a day on which half fails", "days", "the day 2026-01-12", func(l *outcome.Line) {
			if l.At.Format(time.DateOnly) == "2026-01-12" && l.Host < "h40" {
				l.Event = outcome.Failed
			}
		}, 3},
		{"other hosts than before", "inputs", "input role", func(l *outcome.Line) { l.Features["role"] = "edge" }, 23},
		{"predictions that are too low", "predictions", "predictions", func(l *outcome.Line) {
			if (int(l.Host[1])+int(l.Host[2])+l.At.Hour())%9 == 0 {
				l.Event = outcome.Failed
			}
		}, 21},
	} {
		y := newWatchedYear(rand.New(rand.NewSource(2)))
		for _, lines := range y.lines {
			for i := range lines {
				if !lines[i].At.Before(from) {
					c.change(&lines[i])
				}
			}
		}
		trials, done := risk.Trials(y.lines, nil, false), y.deeds()
		if got := y.look(trials, done, from)[c.kind]; len(got) > 0 {
			t.Errorf("%s: before it began: %v", c.name, got)
		}
		at := from.AddDate(0, 0, c.within)
		if c.kind == "inputs" {
			at = time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
		}
		got := y.look(trials, done, at)[c.kind]
		if !slices.ContainsFunc(got, func(o review.Observation) bool { return o.About == c.about }) {
			t.Errorf("%s: after %d days %v, want one about %q", c.name, c.within, got, c.about)
		}
		if c.kind != "predictions" && slices.ContainsFunc(got, func(o review.Observation) bool { return o.About != c.about }) && !strings.HasPrefix(c.about, "input") {
			t.Errorf("%s: %v, want none but about %q", c.name, got, c.about)
		}
	}
}
