package health

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// A host that has served too little to tell is not called healthy, however well what
// is known of it is; one that is ill is ill.
func TestMinRequests(t *testing.T) {
	gap := func(i int) float64 {
		if i%2 == 0 {
			return math.NaN()
		}
		return 1
	}
	apart := append(points(10, constant(1)), points(60, constant(1))[50:]...)
	for _, tc := range []struct {
		name    string
		traffic []telemetry.Point
		ill     bool
		want    State
		why     string
	}{
		{"enough", points(31, constant(1)), false, Healthy, "error ratio"},
		{"one too few", points(30, constant(1)), false, Inconclusive, "the host has served 1740 requests since the change, of at least 1800"},
		{"none", points(60, constant(0)), false, Inconclusive, "served 0 requests"},
		{"not measured", nil, false, Inconclusive, "nothing says how many requests"},
		{"no numbers", points(60, constant(math.NaN())), false, Inconclusive, "served 0 requests"},
		{"infinite", points(60, constant(math.Inf(1))), false, Inconclusive, "served 0 requests"},
		{"below zero", points(60, constant(-1)), false, Inconclusive, "served 0 requests"},
		{"every other is none", points(60, gap), false, Healthy, "error ratio"},
		{"what a gap hides counts for none", apart, false, Inconclusive, "served 1140 requests"},
		{"ill, and too few", points(10, constant(1)), true, Degraded, "error ratio"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			after := well(60)
			if tc.ill {
				after["error_ratio"] = points(60, steady(0.3))
			}
			if tc.traffic != nil {
				after[telemetry.Traffic] = tc.traffic
			}
			v := Judge(Evidence{Before: well(-60), After: after, Peers: well(60), MinRequests: 1800})
			if v.State != tc.want || !strings.Contains(v.Why, tc.why) {
				t.Errorf("Judge() = %s: %s, want %s: … %s …", v.State, v.Why, tc.want, tc.why)
			}
			if n, ok := v.After["requests"]; ok != (tc.traffic != nil) || !finite(n) {
				t.Errorf("the ledger is told of %v requests (%t)", n, ok)
			}
		})
	}
}

// What a soak is said to see is what the verdict sees: trouble that begins as late as
// that, and lasts, is found, and no sooner is a host of so few points called well.
func TestReach(t *testing.T) {
	before := signals{"error_ratio": points(-60, constant(0.004))}
	for _, minutes := range []int{3, 5, 11, 15, 30, 60} {
		r := ReachOf(time.Duration(minutes)*time.Minute, time.Minute)
		peers := signals{"error_ratio": points(r.Points, constant(0.004))}
		after := func(from int) signals {
			return signals{"error_ratio": points(r.Points, func(i int) float64 {
				if i >= from {
					return 0.3
				}
				return 0.004
			})}
		}
		if v := Judge(Evidence{Before: before, After: after(r.Points), Peers: peers}); (v.State == Healthy) != r.Enough {
			t.Errorf("%d minutes: a host that is well is %s (%s), and %d points are enough: %t", minutes, v.State, v.Why, r.Points, r.Enough)
		}
		if from := int(r.Within / time.Minute); r.Within > 0 {
			if v := Judge(Evidence{Before: before, After: after(from), Peers: peers}); v.State != Degraded {
				t.Errorf("%d minutes: trouble from minute %d on is %s (%s), want it seen", minutes, from, v.State, v.Why)
			}
		}
	}
}
