package evidence

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// E is the integral that its comment names, done by hand.
func TestRateIsTheMixture(t *testing.T) {
	for _, c := range []struct {
		p0     float64
		n, bad int
	}{{0.02, 10, 0}, {0.02, 40, 4}, {0.1, 100, 30}, {0.3, 7, 7}, {0.005, 300, 5}, {0.2, 500, 40}} {
		a, b := 1.0, max(1, 1/(5*c.p0))
		const steps = 200_000
		var mixed, whole float64
		for i := range steps {
			p := c.p0 + (1-c.p0)*(float64(i)+0.5)/steps
			w := math.Pow(p, a-1) * math.Pow(1-p, b-1)
			k, good := float64(c.bad), float64(c.n-c.bad)
			mixed += w * math.Exp(k*math.Log(p/c.p0)+good*math.Log((1-p)/(1-c.p0)))
			whole += w
		}
		if got, want := (Rate{c.p0, c.n, c.bad}).E(), mixed/whole; math.Abs(got-want) > 1e-6*want {
			t.Errorf("Rate{%v, %d, %d}.E() = %v, want %v", c.p0, c.n, c.bad, got, want)
		}
	}
}

// The chance of ever having fired within 400 outcomes, exactly, by following the
// probability of every count.
func TestRateExactly(t *testing.T) {
	fired := func(p0, p float64) (ever float64, median int) {
		alive := []float64{1}
		for n := 1; n <= 400; n++ {
			next := make([]float64, n+1)
			for k, w := range alive {
				next[k] += w * (1 - p)
				next[k+1] += w * p
			}
			for k, w := range next {
				if w > 0 && (Rate{p0, n, k}).E() >= 20 {
					ever += w
					next[k] = 0
				}
			}
			if median == 0 && ever >= 0.5 {
				median = n
			}
			alive = next
		}
		return ever, median
	}
	for _, p0 := range []float64{0.02, 0.1} {
		if ever, _ := fired(p0, p0); ever > 0.05 || ever < 0.01 {
			t.Errorf("OverRate at %v fires with probability %v, want at most 0.05, and not next to never", p0, ever)
		}
		if ever, _ := fired(p0, p0/2); ever > 0.01 {
			t.Errorf("OverRate at half of %v fires with probability %v", p0, ever)
		}
	}
	if _, median := fired(0.02, 0.1); median > 40 {
		t.Errorf("10 %% against 2 %% is caught in a median of %d, want 40", median)
	}
}

func TestAlarmInNumbers(t *testing.T) {
	outcomes := make([]bool, 60)
	for _, i := range []int{3, 9, 14, 20, 22} {
		outcomes[i] = true
	}
	got := OverRate(outcomes, 0.02, 0.05)
	want := Alarm{Fired: true, At: 14, N: 15, Bad: 3, Expected: 0.3}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Alarm{}, "E", "P"), cmpopts.EquateApprox(0, 1e-12)); diff != "" {
		t.Errorf("OverRate() differs (-want +got):\n%s", diff)
	}
	if got.E < 20 || got.P != 1/got.E {
		t.Errorf("E = %v, P = %v", got.E, got.P)
	}
	if diff := cmp.Diff(got, OverRate(outcomes[:15], 0.02, 0)); diff != "" {
		t.Errorf("what came after the alarm changes it:\n%s", diff)
	}
	for name, a := range map[string]Alarm{
		"no outcomes":    OverRate(nil, 0.02, 0),
		"no rate":        OverRate(outcomes, math.NaN(), 0),
		"no past":        OverPast(outcomes, Count{}, 0),
		"impossible":     OverPast(outcomes, Count{3, 7}, 0),
		"always failed":  OverPast(outcomes, Count{7, 7}, 0),
		"no blocks":      OverPeers(nil, 0),
		"no peers":       OverPeers([]Block{{Own: Count{50, 50}}}, 0),
		"no trials":      Watch(nil, Options{}),
		"no predictions": Watch([]Trial{{P: math.NaN(), Bad: true}, {P: math.NaN(), Bad: true}}, Options{}),
		"none to cut":    Adwin(nil, 0),
	} {
		if a.Fired || a.E != 1 || a.P != 1 {
			t.Errorf("%s: %+v, want no evidence", name, a)
		}
	}
}

// A longer past of the same rate is believed more; a doubtful one never fires
// where a sure one does not.
func TestPastIsBelievedByItsLength(t *testing.T) {
	outcomes := make([]bool, 300)
	for i := range outcomes {
		outcomes[i] = i%8 == 7
	}
	last := math.MaxInt
	for _, n := range []int{200, 1000, 5000, 50_000} {
		a := OverPast(outcomes, Count{n, n / 50}, 0)
		if !a.Fired || a.N > last {
			t.Errorf("a past of %d: fired %v after %d, and %d with a shorter one", n, a.Fired, a.N, last)
		}
		last = a.N
	}
	if sure := OverRate(outcomes, 0.02, 0); sure.N > last {
		t.Errorf("a known rate fires after %d, a past after %d", sure.N, last)
	}
	if a := OverPast(outcomes[:1], Count{1000, 0}, 0); math.IsNaN(a.E) || a.Fired {
		t.Errorf("one success after a thousand: %+v", a)
	}
}

// Whatever the two rates of a block are, evidence is expected not to grow while
// ours is not the higher: every outcome of small blocks, weighted.
func TestPeersExpectation(t *testing.T) {
	choose := func(n, k int) float64 { return math.Exp(logChoose(n, k)) }
	for _, n := range [][2]int{{1, 1}, {1, 6}, {4, 3}, {7, 2}} {
		for _, p := range [][2]float64{{0.1, 0.1}, {0.5, 0.5}, {0.02, 0.3}, {0.9, 0.95}} {
			var expected, all float64
			for i := range n[0] + 1 {
				for j := range n[1] + 1 {
					var s Peers
					w := choose(n[0], i) * math.Pow(p[0], float64(i)) * math.Pow(1-p[0], float64(n[0]-i)) *
						choose(n[1], j) * math.Pow(p[1], float64(j)) * math.Pow(1-p[1], float64(n[1]-j))
					s.Add(Block{Count{n[0], i}, Count{n[1], j}})
					expected += w * s.E()
					all += w
				}
			}
			if math.Abs(all-1) > 1e-9 || expected > 1+1e-9 || p[0] == p[1] && math.Abs(expected-1) > 1e-9 {
				t.Errorf("blocks of %v at rates %v: expectation %v", n, p, expected)
			}
		}
	}
}

// A kept detector goes on as if it had never been put away.
func TestDetectorResumes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	list := trials(r, 400, 200, 0.05, 5)
	for _, o := range []Options{{}, {FromStart: true}, {Side: Either, ARL: 1000}} {
		whole, first := NewDetector(o), NewDetector(o)
		for _, x := range list {
			whole.Add(x)
		}
		for _, x := range list[:250] {
			first.Add(x)
		}
		kept, err := json.Marshal(first)
		if err != nil {
			t.Fatal(err)
		}
		second := NewDetector(o)
		if err := json.Unmarshal(kept, &second); err != nil {
			t.Fatal(err)
		}
		for _, x := range list[250:] {
			second.Add(x)
		}
		if second.N != whole.N || second.E() != whole.E() {
			t.Errorf("%+v: %d trials and %v after a rest, want %d and %v", o, second.N, second.E(), whole.N, whole.E())
		}
	}
}

// Since is near where the change was planted.
func TestSince(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	near := 0
	for range 100 {
		a := Watch(trials(r, 800, 500, 0.03, 12), Options{})
		if a.Fired && a.Since > 480 && a.Since < 530 && a.N == a.At-a.Since+1 && float64(a.Bad) > 2*a.Expected {
			near++
		}
	}
	if near < 75 {
		t.Errorf("in %d of 100 streams the change is found near its place, want 75", near)
	}
}

// Trials without a prediction change nothing but the indexes.
func TestUnpredictedArePassedOver(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	list := trials(r, 300, 100, 0.03, 12)
	var holes []Trial
	for _, x := range list {
		holes = append(holes, Trial{math.NaN(), true}, x)
	}
	for name, test := range map[string]func([]Trial) Alarm{
		"Watch": func(l []Trial) Alarm { return Watch(l, Options{}) },
		"Adwin": func(l []Trial) Alarm { return Adwin(l, 0) },
	} {
		a, b := test(list), test(holes)
		if !a.Fired || b.Since/2 != a.Since || b.At/2 != a.At {
			t.Errorf("%s: since %d at %d, with holes %d at %d", name, a.Since, a.At, b.Since, b.At)
		}
		b.Since, b.At = a.Since, a.At
		if diff := cmp.Diff(a, b); diff != "" {
			t.Errorf("%s differs (-without +with holes):\n%s", name, diff)
		}
	}
}

// Average run length is at least what was asked for.
func TestAverageRunLength(t *testing.T) {
	const arl = 400
	n := streams(300, many)
	var sum float64
	for i := range n {
		r := rand.New(rand.NewPCG(uint64(i), 6))
		a := Watch(trials(r, 10*arl, 10*arl, 0.05, 1), Options{ARL: arl})
		sum += float64(a.At + 1) // a stream that ends first counts for less than it would last
	}
	if got := sum / float64(n); got < arl {
		t.Errorf("average run length %v, want at least %d", got, arl)
	} else {
		t.Logf("average run length %.0f of %d streams cut at %d, %d asked for", got, n, 10*arl, arl)
	}
}

// FuzzStreams: no stream makes a test panic, fire below its threshold, or give a
// number that is none.
func FuzzStreams(f *testing.F) {
	f.Add([]byte{1, 0, 0, 255, 3, 1, 1, 1}, 0.02, 0.05, 10, 1)
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}, 1e-9, 0.5, 3, 3)
	f.Add([]byte{}, math.NaN(), -1.0, 0, 0)
	f.Add([]byte("the quick brown fox jumps over the lazy dog, again and again"), 1.0, 0.001, 1_000_000, 20_000)
	f.Fuzz(func(t *testing.T, data []byte, p, alpha float64, n, bad int) {
		if len(data) > 500 || n > 1_000_000 {
			t.Skip()
		}
		outcomes, list := make([]bool, len(data)), make([]Trial, len(data))
		for i, b := range data {
			outcomes[i] = b&1 == 1
			list[i] = Trial{P: float64(b) / 255, Bad: outcomes[i]}
		}
		for name, a := range map[string]Alarm{
			"OverRate":   OverRate(outcomes, p, alpha),
			"OverPast":   OverPast(outcomes, Count{n, bad}, alpha),
			"Watch":      Watch(list, Options{Alpha: alpha, Side: Either}),
			"from start": Watch(list, Options{Alpha: alpha, FromStart: true}),
			"Adwin":      Adwin(list, alpha),
		} {
			if !(a.E >= 1 && a.E <= Most) || !(a.P > 0 && a.P <= 1) || a.Fired != (a.E >= 1/level(alpha)) && a.E < Most || a.Since > max(a.At, 0) || a.At >= max(len(data), 1) || a.Bad > a.N {
				t.Errorf("%s: %+v", name, a)
			}
		}
	})
}
