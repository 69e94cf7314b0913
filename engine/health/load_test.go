package health

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// met is a load of n requests, of which some went wrong and the others took around
// so many seconds.
func met(dice *rand.Rand, n, errors int, seconds float64) (l telemetry.Load) {
	for i := range n {
		l.Add(i >= errors, seconds*math.Exp(0.3*dice.NormFloat64()))
	}
	return l
}

func TestJudgeLoad(t *testing.T) {
	dice := rand.New(rand.NewPCG(3, 4))
	for _, tc := range []struct {
		name          string
		before, after telemetry.Load
		want          State
		why           string
	}{
		{"nothing changed", met(dice, 600, 0, 0.005), met(dice, 600, 0, 0.005), Healthy, "under load: 0 of 600 requests → 0 of 600 went wrong; latency 0.00"},
		{"a little slower", met(dice, 600, 3, 0.2), met(dice, 600, 4, 0.26), Healthy, "latency"},
		{"twice as slow, of nothing", met(dice, 600, 0, 0.002), met(dice, 600, 0, 0.004), Healthy, "latency"},
		{"errors", met(dice, 600, 0, 0.005), met(dice, 600, 240, 0.005), Degraded, "0 of 600 requests → 240 of 600 went wrong"},
		{"slow", met(dice, 600, 0, 0.005), met(dice, 600, 0, 0.06), Degraded, "under load: latency 0.0"},
		{"errors and slow", met(dice, 600, 0, 0.005), met(dice, 600, 240, 0.06), Degraded, "went wrong; latency"},
		{"all wrong", met(dice, 600, 0, 0.005), met(dice, 600, 600, 0), Degraded, "600 of 600 went wrong"},
		{"it hangs: few requests, all wrong", met(dice, 600, 0, 0.005), met(dice, 30, 30, 0), Degraded, "30 of 30"},
		{"few errors", met(dice, 120, 0, 0.005), met(dice, 120, 4, 0.005), Inconclusive, "which may be chance"},
		{"the same share of many", met(dice, 1200, 0, 0.005), met(dice, 1200, 40, 0.005), Degraded, "40 of 1200"},
		{"slow by chance", met(dice, 100, 0, 0.1), met(dice, 3, 0, 0.3), Inconclusive, "latency"},
		{"unwell before", met(dice, 600, 90, 0.005), met(dice, 600, 0, 0.005), Inconclusive, "went wrong before the change already"},
		{"no more requests", met(dice, 600, 0, 0.005), telemetry.Load{}, Inconclusive, "no request was made"},
		{"fewer requests", met(dice, 600, 0, 0.005), met(dice, 250, 0, 0.005), Inconclusive, "250 requests, after 600"},
		{"too few before", met(dice, 99, 0, 0.005), met(dice, 600, 0, 0.005), Inconclusive, "fewer than 100 requests"},
		{"nothing before", telemetry.Load{}, met(dice, 600, 0, 0.005), Inconclusive, "fewer than 100 requests"},
	} {
		v := JudgeLoad(tc.before, tc.after)
		if v.State != tc.want || !strings.Contains(v.Why, tc.why) {
			t.Errorf("%s: JudgeLoad() = %s, %q, want %s with %q", tc.name, v.State, v.Why, tc.want, tc.why)
		}
		// What is kept in the ledger is enough to give the same verdict again.
		before, err := telemetry.LoadOf(v.Before)
		if err != nil {
			t.Fatal(err)
		}
		after, err := telemetry.LoadOf(v.After)
		if err != nil {
			t.Fatal(err)
		}
		if again := JudgeLoad(before, after); again.State != v.State || again.Why != v.Why {
			t.Errorf("%s: from what was kept it is %s, %q, not %s, %q", tc.name, again.State, again.Why, v.State, v.Why)
		}
	}
}

// Where nothing changed a workload hardly ever says otherwise, and what the rig's bad
// version does (40 % errors, 60 ms) is always seen.
func TestJudgeLoadRates(t *testing.T) {
	dice := rand.New(rand.NewPCG(5, 6))
	noisy := func(n int, share float64, seconds float64) telemetry.Load {
		errors := 0
		for range n {
			if dice.Float64() < share {
				errors++
			}
		}
		return met(dice, n, errors, seconds)
	}
	const rounds = 2000
	var alarms, well, seen int
	for range rounds {
		before := noisy(600, 0.01, 0.1)
		switch JudgeLoad(before, noisy(600, 0.01, 0.1)).State {
		case Degraded:
			alarms++
		case Healthy:
			well++
		}
		if JudgeLoad(noisy(200, 0.01, 0.005), noisy(200, 0.4, 0.06)).State == Degraded {
			seen++
		}
	}
	if alarms > 0 || well < rounds*99/100 || seen != rounds {
		t.Errorf("of %d, %d false alarms, %d well; %d of the bad version seen", rounds, alarms, well, seen)
	}
}

// The rank sum of counts is that of the values that were counted.
func TestSpreadSum(t *testing.T) {
	var a, b telemetry.Spread
	x, y := []float64{1, 2, 2, 5, 7, 7, 9}, []float64{0, 2, 3, 3, 4, 7}
	for _, v := range x {
		a[int(v)]++
	}
	for _, v := range y {
		b[int(v)]++
	}
	// By hand: U = 26 of a mean of 21, its variance 47.79 with the ties.
	got, want := spreadSum(a, b), 0.650955
	if math.Abs(got-want) > 1e-6 {
		t.Errorf("spreadSum() = %v, want %v", got, want)
	}
	if got := spreadSum(telemetry.Spread{}, b); got != 0 {
		t.Errorf("spreadSum() of nothing = %v", got)
	}
}

func TestBoth(t *testing.T) {
	a := Verdict{Healthy, "up", map[string]float64{"up": 1}, nil}
	b := Verdict{Degraded, "under load: slow", map[string]float64{"workload_requests": 100}, map[string]float64{"workload_requests": 90}}
	v := Both(a, b)
	if v.State != Degraded || v.Why != "under load: slow" || len(v.Before) != 2 || v.After["workload_requests"] != 90 {
		t.Errorf("Both() = %+v", v)
	}
}
