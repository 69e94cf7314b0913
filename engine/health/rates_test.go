package health

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// host is a simulated one: levels of its own, log-normal noise that resembles
// its neighbours (first-order autoregression, 0.6), and a day's rhythm in load
// and latency.
type host struct {
	rng                 *rand.Rand
	errors, slow, start float64
	noise               [3]float64
}

func newHost(rng *rand.Rand, start float64) *host {
	return &host{rng: rng, start: start, errors: 0.002 + 0.006*rng.Float64(), slow: 0.03 + 0.2*rng.Float64()}
}

const resembles = 0.6

// The signals, in the order of telemetry.Signals.
const (
	up = iota
	errorRatio
	latency
	load
)

// spoiler changes a host's signals at a minute.
type spoiler func(i int, v *[4]float64)

// minutes are a host's signals, n minutes from the change plus first on; spoil
// changes them.
func (h *host) minutes(first, n int, spoil spoiler) signals {
	var lists [4][]telemetry.Point
	for k := range lists {
		lists[k] = make([]telemetry.Point, n)
	}
	for i := range n {
		for k := range h.noise {
			h.noise[k] = resembles*h.noise[k] + math.Sqrt(1-resembles*resembles)*h.rng.NormFloat64()
		}
		hour := h.start + float64(first+i)/60
		busy := 0.35 + 0.2*math.Sin(2*math.Pi*hour/24) + 0.04*h.noise[2]
		v := [4]float64{1, h.errors * math.Exp(0.5*h.noise[0]), h.slow * (0.8 + 0.5*busy) * math.Exp(0.15*h.noise[1]), min(1, max(0, busy))}
		if spoil != nil {
			spoil(i, &v)
		}
		at := change.Add(time.Duration(first+i) * time.Minute)
		for k := range lists {
			lists[k][i] = telemetry.Point{At: at, V: v[k]}
		}
	}
	return signals{"up": lists[up], "error_ratio": lists[errorRatio], "latency_seconds": lists[latency], "load_ratio": lists[load]}
}

func (h *host) reseed() {
	h.noise = [3]float64{h.rng.NormFloat64(), h.rng.NormFloat64(), h.rng.NormFloat64()}
}

// peers are k other hosts at the same time, before and after.
func peers(rng *rand.Rand, k int, start float64, n int, spoil spoiler) (before, after signals) {
	var b, a []signals
	for range k {
		h := newHost(rng, start)
		h.reseed()
		b = append(b, h.minutes(-60, 60, nil))
		a = append(a, h.minutes(0, n, spoil))
	}
	return telemetry.Pool(b), telemetry.Pool(a)
}

// cut keeps the points by a minute.
func cut(s signals, minute int) signals {
	until := change.Add(time.Duration(minute) * time.Minute)
	part := signals{}
	for signal, list := range s {
		i, _ := slices.BinarySearchFunc(list, until, func(p telemetry.Point, at time.Time) int { return p.At.Compare(at) })
		part[signal] = list[:i]
	}
	return part
}

// watch looks again and again and returns the first minute at which the host is
// called degraded, 0 if never.
func watch(e Evidence, looks []int) (minute int, why string) {
	for _, m := range looks {
		if v := Judge(Evidence{Before: e.Before, After: cut(e.After, m), Peers: cut(e.Peers, m), PeersBefore: e.PeersBefore}); v.State == Degraded {
			return m, v.Why
		}
	}
	return 0, ""
}

// often is when power is looked for.
var often = []int{5, 10, 15, 20, 30, 45, 60}

// seldom is for the many streams.
var seldom = []int{10, 20, 40, 60}

func everyMinute(n int) []int {
	looks := make([]int, n)
	for i := range looks {
		looks[i] = i + 1
	}
	return looks
}

func hourly(n int) []int {
	looks := make([]int, n)
	for i := range looks {
		looks[i] = 60 * (i + 1)
	}
	return looks
}

// errorsOf is a fault of errors over [from, to).
func errorsOf(ratio float64, from, to int) spoiler {
	return func(i int, v *[4]float64) {
		if i >= from && i < to {
			v[errorRatio] = ratio
		}
	}
}

// The rate at which hosts are called degraded that no patch harmed, over
// streams looked at again and again.
func TestFalseAlarms(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		streams int
		minutes int
		looks   []int
		peers   int
		shared  float64 // chance of a fault that strikes the peers as well
		stray   float64 // chance of one that strikes the host alone, for 20 to 60 minutes
		most    float64
	}{
		{"healthy, 2 peers", 10_000, 60, seldom, 2, 0, 0, 0.01},
		{"healthy, no peers", 10_000, 60, seldom, 0, 0, 0, 0.01},
		{"healthy, looked at every minute", 200, 60, everyMinute(60), 0, 0, 0, 0.01},
		{"a fault everywhere in every fifth, 3 peers", 2_000, 60, often, 3, 0.2, 0, 0.02},
		{"a day, looked at hourly, a stray fault in every fifth", 200, 1440, hourly(24), 3, 0, 0.2, 0.05},
	} {
		if os.Getenv("RINGMASTER_LONG") == "" {
			tc.streams /= 20 // all of them are nightly's
		}
		rng := rand.New(rand.NewPCG(7, 11))
		alarms, unclear, reasons := 0, 0, map[string]int{}
		for range tc.streams {
			start := 24 * rng.Float64()
			var beside, own spoiler
			if rng.Float64() < tc.shared {
				beside = errorsOf(0.2+0.3*rng.Float64(), rng.IntN(tc.minutes), tc.minutes)
				own = beside
			}
			if rng.Float64() < tc.stray {
				from := rng.IntN(tc.minutes)
				own = errorsOf(0.2+0.3*rng.Float64(), from, from+20+rng.IntN(41))
			}
			h := newHost(rng, start)
			h.reseed()
			e := Evidence{Before: h.minutes(-60, 60, nil), After: h.minutes(0, tc.minutes, own)}
			e.PeersBefore, e.Peers = peers(rng, tc.peers, start, tc.minutes, beside)
			if m, why := watch(e, tc.looks); m > 0 {
				alarms++
				reasons[why]++
			} else if v := Judge(e); v.State == Inconclusive {
				unclear++
			}
		}
		rate := float64(alarms) / float64(tc.streams)
		t.Logf("%-55s %6d streams: false alarms %.2f %%, held %.2f %%", tc.name, tc.streams, 100*rate, 100*float64(unclear)/float64(tc.streams))
		if tc.shared+tc.stray == 0 && unclear > tc.streams/100 {
			t.Errorf("%s: %d of %d healthy hosts are held at the end", tc.name, unclear, tc.streams)
		}
		if rate > tc.most {
			t.Errorf("%s: false alarms %.2f %%, want at most %.2f %%: %v", tc.name, 100*rate, 100*tc.most, reasons)
		}
	}
}

// The share of gross faults that are found within an hour, and how soon.
func TestPower(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		peers  int
		spoil  func(i int, v *[4]float64)
		least  float64
		median int
	}{
		{"error ratio 0.3", 3, errorsOf(0.3, 0, 60), 0.99, 15},
		{"error ratio 0.3, no peers", 0, errorsOf(0.3, 0, 60), 0.99, 15},
		{"error ratio 0.05", 3, errorsOf(0.05, 0, 60), 0.99, 15},
		{"error ratio 0.3 from minute 20 on", 3, errorsOf(0.3, 20, 60), 0.99, 40},
		{"latency fourfold from minute 20 on", 3, func(i int, v *[4]float64) {
			if i >= 20 {
				v[latency] *= 4
			}
		}, 0.95, 45},
		{"a third of the minutes at 0.3", 3, func(i int, v *[4]float64) {
			if i%3 == 0 {
				v[errorRatio] = 0.3
			}
		}, 0.99, 60},
		{"latency threefold", 3, func(_ int, v *[4]float64) { v[latency] *= 3 }, 0.95, 20},
		{"latency threefold, no peers", 0, func(_ int, v *[4]float64) { v[latency] *= 3 }, 0.95, 20},
		{"load at 0.97", 3, func(_ int, v *[4]float64) { v[load] = 0.97 }, 0.95, 20},
		{"down from minute 3 on", 3, func(i int, v *[4]float64) {
			if i >= 3 {
				v[up] = 0
			}
		}, 1, 5},
	} {
		rng := rand.New(rand.NewPCG(3, 5))
		var found []int
		streams := 100
		if os.Getenv("RINGMASTER_LONG") != "" {
			streams = 200
		}
		for range streams {
			start := 24 * rng.Float64()
			h := newHost(rng, start)
			h.reseed()
			e := Evidence{Before: h.minutes(-60, 60, nil), After: h.minutes(0, 60, tc.spoil)}
			e.PeersBefore, e.Peers = peers(rng, tc.peers, start, 60, nil)
			if m, _ := watch(e, often); m > 0 {
				found = append(found, m)
			}
		}
		slices.Sort(found)
		share, median := float64(len(found))/float64(streams), 0
		if len(found) > 0 {
			median = found[len(found)/2]
		}
		t.Logf("%-40s found %5.1f %%, at the median after %d points", tc.name, 100*share, median)
		if share < tc.least || median > tc.median {
			t.Errorf("%s: found %.1f %% at the median after %d points, want %.1f %% within %d", tc.name, 100*share, median, 100*tc.least, tc.median)
		}
	}
}
