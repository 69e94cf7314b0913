package health

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

var change = time.Date(2026, 3, 3, 23, 0, 0, 0, time.UTC)

// points are values a minute apart; n < 0 ends at the change, n > 0 begins there.
func points(n int, value func(i int) float64) []telemetry.Point {
	first := change
	if n < 0 {
		first, n = change.Add(time.Duration(n)*time.Minute), -n
	}
	list := make([]telemetry.Point, n)
	for i := range list {
		list[i] = telemetry.Point{At: first.Add(time.Duration(i) * time.Minute), V: value(i)}
	}
	return list
}

// steady wobbles by a tenth around v.
func steady(v float64) func(int) float64 {
	return func(i int) float64 { return v * (1 + 0.1*float64(i*7%11-5)/5) }
}

func constant(v float64) func(int) float64 { return func(int) float64 { return v } }

type signals = map[string][]telemetry.Point

func well(n int) signals {
	return signals{"up": points(n, constant(1)), "error_ratio": points(n, steady(0.004)),
		"latency_seconds": points(n, steady(0.08)), "load_ratio": points(n, steady(0.3))}
}

// with replaces one signal.
func with(s signals, signal string, p []telemetry.Point) signals {
	s[signal] = p
	return s
}

func without(s signals, names ...string) signals {
	for _, n := range names {
		delete(s, n)
	}
	return s
}

func TestJudge(t *testing.T) {
	nan := math.NaN()
	late := func(from int) func(int) float64 {
		return func(i int) float64 {
			if i >= from {
				return steady(0.3)(i)
			}
			return steady(0.004)(i)
		}
	}
	passing := func(from, to int) func(int) float64 {
		return func(i int) float64 {
			if i >= from && i < to {
				return 0.3
			}
			return steady(0.004)(i)
		}
	}
	for _, tc := range []struct {
		name                 string
		before, after, peers signals
		want                 State
		why                  string
	}{
		{"all well", well(-60), well(60), well(60), Healthy, "up; error ratio 0.004 → 0.004 (peers 0.004); latency 0.08 → 0.08 s (peers 0.08 s)"},
		{"all well, no peers", well(-60), well(60), nil, Healthy, "error ratio 0.004 → 0.004;"},
		{"nothing measured", nil, nil, nil, Inconclusive, "nothing was measured"},
		{"nothing after", well(-60), nil, nil, Inconclusive, "error ratio has no points after the change"},
		{"errors", well(-60), with(well(30), "error_ratio", points(30, steady(0.31))), well(30), Degraded, "error ratio 0.004 → 0.31 (peers 0.00401)"},
		{"errors, no peers", well(-60), with(well(30), "error_ratio", points(30, steady(0.31))), nil, Degraded, "error ratio 0.004 → 0.31"},
		{"errors everywhere", well(-60), with(well(30), "error_ratio", points(30, steady(0.31))), with(well(30), "error_ratio", points(30, steady(0.28))),
			Inconclusive, "hosts that were not changed are as bad"},
		{"errors at three points", well(-60), with(well(8), "error_ratio", points(8, late(5))), well(8), Inconclusive, "may be chance"},
		{"errors, small", well(-60), with(well(60), "error_ratio", points(60, steady(0.012))), well(60), Healthy, "0.012"},
		{"errors that passed", well(-60), with(well(60), "error_ratio", points(60, passing(10, 30))), well(60), Healthy, "no longer"},
		{"errors long ago", well(-60), with(well(600), "error_ratio", points(600, passing(10, 30))), well(600), Healthy, "worse at 20 of 539 points earlier"},
		{"errors again and again", well(-60), with(well(60), "error_ratio", points(60, func(i int) float64 {
			if i%5 == 0 {
				return 0.4
			}
			return 0.004
		})), well(60), Degraded, "again and again"},
		{"errors late, just begun", well(-60), with(well(600), "error_ratio", points(600, late(570))), well(600), Inconclusive, "but only since 08:30"},
		{"errors late, and lasting", well(-60), with(well(600), "error_ratio", points(600, late(530))), well(600), Degraded, "error ratio"},
		{"errors before and after", with(well(-60), "error_ratio", points(-60, steady(0.3))), with(well(60), "error_ratio", points(60, steady(0.3))), well(60),
			Inconclusive, "was as bad before the change"},
		{"slower", well(-60), with(well(30), "latency_seconds", points(30, steady(0.2))), well(30), Degraded, "latency 0.08 → 0.2 s (peers 0.08 s)"},
		{"slower by half, no peers", well(-60), with(well(30), "latency_seconds", points(30, steady(0.13))), nil, Healthy, "latency"},
		{"slower bit by bit", well(-60), with(well(60), "latency_seconds", points(60, func(i int) float64 { return 0.1 + 0.01*float64(i) })), well(60), Degraded, "latency"},
		{"busier by the hour, no peers", well(-60), with(well(60), "load_ratio", points(60, steady(0.7))), nil, Healthy, "load 0.3 → 0.7"},
		{"saturated, no peers", well(-60), with(well(60), "load_ratio", points(60, steady(0.95))), nil, Degraded, "load 0.3 → 0.95"},
		{"one point is no number", well(-60), with(well(30), "error_ratio", points(30, func(i int) float64 {
			if i == 7 {
				return nan
			}
			return 0.004
		})), well(30), Inconclusive, "1 of 30 points of error ratio after the change are no numbers"},
		{"errors and no numbers", well(-60), with(well(30), "error_ratio", points(30, func(i int) float64 {
			if i%7 == 0 {
				return nan
			}
			return steady(0.3)(i)
		})), well(30), Degraded, "error ratio"},
		{"all infinite", well(-60), with(well(30), "latency_seconds", points(30, constant(math.Inf(1)))), well(30), Inconclusive, "none of the 30 points of latency"},
		{"a signal is missing", well(-60), without(well(30), "latency_seconds"), well(30), Inconclusive, "latency has no points after the change"},
		{"a signal was never measured", without(well(-60), "load_ratio"), without(well(30), "load_ratio"), nil, Healthy, "latency"},
		{"only up", signals{"up": points(-60, constant(1))}, signals{"up": points(30, constant(1))}, nil, Healthy, "up"},
		{"four points", well(-60), well(4), well(4), Inconclusive, "4 points after the change, of at least 5"},
		{"no past, but peers", nil, well(30), well(30), Healthy, "up"},
		{"no past, worse than peers", nil, with(well(30), "error_ratio", points(30, steady(0.3))), well(30), Degraded, "error ratio 0.00401 → 0.3 (peers 0.00401)"},
		{"no past, no peers", nil, well(30), nil, Inconclusive, "no peers to compare with"},
		{"down", well(-60), signals{"up": points(30, constant(0))}, well(30), Degraded, "the host is down (up is 0 at the last 30 points)"},
		{"down with all others", well(-60), signals{"up": points(30, constant(0))}, signals{"up": points(30, constant(0))}, Inconclusive, "and so are hosts that were not changed"},
		{"silent, peers are not", well(-60), nil, well(30), Degraded, "the host does not answer"},
		{"fell silent", well(-60), well(10), well(40), Degraded, "has not answered for 30m0s"},
		{"rebooted", well(-60), with(well(30), "up", points(30, func(i int) float64 { return map[bool]float64{i > 2 && i < 6: 0, i <= 2 || i >= 6: 1}[true] })), nil, Healthy, "up, after 1 outage"},
		{"crashes again and again", well(-60), with(well(30), "up", points(30, func(i int) float64 { return map[bool]float64{i%8 == 0: 0, i%8 != 0: 1}[true] })), well(30), Degraded, "went down 4 times"},
		{"down at the last point", well(-60), with(well(30), "up", points(30, func(i int) float64 { return map[bool]float64{i == 29: 0, i < 29: 1}[true] })), nil, Inconclusive, "down at the last point"},
		{"down before", with(well(-60), "up", points(-60, constant(0))), well(30), nil, Healthy, "was down before"},
		{"down before and after", signals{"up": points(-60, constant(0))}, signals{"up": points(30, constant(0))}, nil, Inconclusive, "down before the change already"},
		{"half the points are missing", well(-60), with(well(60), "error_ratio", append(points(10, steady(0.004)), points(60, steady(0.004))[50:]...)), nil, Inconclusive, "error ratio has 20 points after the change, of about 60"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := Judge(Evidence{Before: tc.before, After: tc.after, Peers: tc.peers})
			if v.State != tc.want || !strings.Contains(v.Why, tc.why) {
				t.Errorf("Judge() = %s: %s\nwant %s: … %s …", v.State, v.Why, tc.want, tc.why)
			}
			for _, m := range []map[string]float64{v.Before, v.After} {
				for signal, level := range m {
					if !finite(level) {
						t.Errorf("the summary of %s is %v", signal, level)
					}
				}
			}
		})
	}
}

// Taking points away, or making them no numbers, never turns a verdict into a
// better one.
func TestMissingIsNeverGoodNews(t *testing.T) {
	rank := map[State]int{Healthy: 0, Inconclusive: 1, Degraded: 2}
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		for _, signal := range telemetry.Signals {
			for _, n := range []int{1, 5, 20, 40} {
				after := well(40)
				for i := range n {
					after[signal][i*40/n].V = bad
				}
				if v := Judge(Evidence{Before: well(-60), After: after, Peers: well(40)}); rank[v.State] < 1 {
					t.Errorf("%d points of %s are %v, and the host is %s: %s", n, signal, bad, v.State, v.Why)
				}
			}
			if v := Judge(Evidence{Before: well(-60), After: without(well(40), signal), Peers: well(40)}); rank[v.State] < 1 {
				t.Errorf("without %s the host is %s: %s", signal, v.State, v.Why)
			}
		}
	}
}

// A signal that the site says it measures and that has no point on either side is
// missing: the others say nothing good without it, and what is bad stays bad.
func TestDeclaredWithoutPoints(t *testing.T) {
	for _, signal := range telemetry.Signals {
		missing := map[string]string{"up": "q1", "error_ratio": "q2", "latency_seconds": "q3", "load_ratio": "q4"}
		e := Evidence{Declared: missing, Before: without(well(-60), signal), After: without(well(60), signal), Peers: well(60)}
		want := signal + ": no points, neither before the change nor after it (query " + missing[signal] + ")"
		if v := Judge(e); v.State != Inconclusive || v.Why != want {
			t.Errorf("without %s: %s: %s, want inconclusive: %s", signal, v.State, v.Why, want)
		}
		for other, r := range rules {
			if other == signal {
				continue
			}
			e.After = with(without(well(60), signal), other, points(60, steady(r.full+1)))
			if v := Judge(e); v.State != Degraded {
				t.Errorf("without %s, and with a bad %s: %s: %s, want degraded", signal, other, v.State, v.Why)
			}
		}
	}
}

func TestRankSum(t *testing.T) {
	// Mann and Whitney's own statistic by counting pairs.
	a, b := []float64{9, 3, 7, 8, 3, 12}, []float64{1, 3, 2, 6, 5, 4, 7}
	u := 0.0
	for _, x := range a {
		for _, y := range b {
			switch {
			case x > y:
				u++
			case x == y:
				u += 0.5
			}
		}
	}
	ranks, ties := rank(append(append([]float64{}, a...), b...))
	sum := 0.0
	for _, r := range ranks[:len(a)] {
		sum += r
	}
	if got := sum - 21; got != u || ties != 24+6 {
		t.Errorf("U = %v, ties %v, want %v and 30", got, ties, u)
	}
	if z := rankSum(constants(20, 1), constants(20, 1)); z != 0 {
		t.Errorf("rankSum of equals = %v, want 0", z)
	}
	if z := rankSum(nil, b); z != 0 {
		t.Errorf("rankSum of nothing = %v, want 0", z)
	}
}

func constants(n int, v float64) []float64 {
	list := make([]float64, n)
	for i := range list {
		list[i] = v
	}
	return list
}

func FuzzJudge(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 250, 251, 252}, uint8(5))
	f.Add([]byte{255, 255, 255, 255, 255, 0, 0, 0, 0, 0}, uint8(0))
	f.Fuzz(func(t *testing.T, data []byte, cut uint8) {
		special := []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64}
		make := func(data []byte) signals {
			s := signals{}
			for i, b := range data {
				name := telemetry.Signals[i%4]
				v := float64(b) / 250
				if b >= 251 {
					v = special[b-251]
				}
				s[name] = append(s[name], telemetry.Point{At: change.Add(time.Duration(i) * time.Minute), V: v})
			}
			return s
		}
		k := min(len(data), int(cut))
		v := Judge(Evidence{Before: make(data[:k]), After: make(data[k:]), Peers: make(data)})
		if v.Why == "" {
			t.Errorf("%s without a reason", v.State)
		}
		for _, p := range make(data[k:])["error_ratio"] {
			if v.State == Healthy && !finite(p.V) {
				t.Errorf("healthy with %v: %s", p.V, v.Why)
			}
		}
	})
}
