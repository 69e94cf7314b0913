package evidence

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// long says whether simulations are as large as the package comment's table.
// RINGMASTER_LONG=1 go test -run 'Rates|Delays' -v ./engine/evidence prints it.
func long() bool { return os.Getenv("RINGMASTER_LONG") != "" }

// many is how many streams a long simulation has.
const many = 10_000

// streams is how many streams a simulation has.
func streams(short, full int) int {
	if long() {
		return full
	}
	return short
}

// simulation is one row of the table: a test on random streams.
type simulation struct {
	what string
	goal float64 // most false alarms as a share, or the largest median delay; 0: only reported
	run  func(r *rand.Rand) (fired bool, delay int)
}

// rate is the share of streams with an alarm, and the median delay of all streams
// (a stream without one counts as the longest); fast, slow are the quartiles.
func (s simulation) rate(n int) (share float64, fast, median, slow int) {
	var fired int
	delays := make([]int, n)
	for i := range n {
		f, d := s.run(rand.New(rand.NewPCG(uint64(i), uint64(len(s.what)))))
		delays[i] = math.MaxInt
		if f {
			fired++
			delays[i] = d
		}
	}
	slices.Sort(delays)
	return float64(fired) / float64(n), delays[n/4], delays[n/2], delays[3*n/4]
}

func days(d int) string {
	if d == math.MaxInt {
		return "—"
	}
	return fmt.Sprint(d)
}

// chance is how far above its truth a share may come out by chance: 4 standard
// errors.
func chance(p float64, n int) float64 { return 4 * math.Sqrt(p*(1-p)/float64(n)) }

func falseAlarms(t *testing.T, list []simulation, short, full int) {
	n := streams(short, full)
	t.Logf("%d streams", n)
	for _, s := range list {
		share, _, _, _ := s.rate(n)
		t.Logf("| %s | %.2f %% | ≤ %.0f %% |", s.what, 100*share, 100*s.goal)
		limit := s.goal
		if !long() {
			limit += chance(s.goal, n)
		}
		if share > limit {
			t.Errorf("%s: false alarms in %.2f %% of %d streams, want at most %.2f %%", s.what, 100*share, n, 100*limit)
		}
	}
}

func delays(t *testing.T, list []simulation, short, full int) {
	n := streams(short, full)
	t.Logf("%d streams", n)
	for _, s := range list {
		share, fast, median, slow := s.rate(n)
		goal := ""
		if s.goal > 0 {
			goal = fmt.Sprintf("≤ %.0f", s.goal)
		}
		t.Logf("| %s | %s | %s–%s | %.0f %% | %s |", s.what, days(median), days(fast), days(slow), 100*share, goal)
		if s.goal > 0 && float64(median) > s.goal {
			t.Errorf("%s: median delay %s, want at most %v", s.what, days(median), s.goal)
		}
	}
}

// flips are n outcomes that fail with probability p.
func flips(r *rand.Rand, n int, p float64) []bool {
	list := make([]bool, n)
	for i := range list {
		list[i] = r.Float64() < p
	}
	return list
}

func binomial(r *rand.Rand, n int, p float64) int {
	k := 0
	for range n {
		if r.Float64() < p {
			k++
		}
	}
	return k
}

// trials are n predictions between 0.2 and 1.8 times p, of which after the first
// quiet ones failures come at ratio times the odds.
func trials(r *rand.Rand, n, quiet int, p, ratio float64) []Trial {
	list := make([]Trial, n)
	for i := range list {
		q := p * (0.2 + float64(1.6*r.Float64()))
		truth := q
		if i >= quiet {
			truth = ratio * q / (1 - q + float64(ratio*q))
		}
		list[i] = Trial{P: q, Bad: r.Float64() < truth}
	}
	return list
}

// blocks are n blocks of one watched host and its peers, background rates varying.
func blocks(r *rand.Rand, n, peers int, p, ours float64) []Block {
	list := make([]Block, n)
	for i := range list {
		both := p * 2 * r.Float64()
		list[i] = Block{Own: Count{1, binomial(r, 1, both*ours)}, Peers: Count{peers, binomial(r, peers, both)}}
	}
	return list
}

// looks is how many outcomes a stream has, with a look after each.
func looks() int {
	if long() {
		return 1000
	}
	return 300
}

func TestRatesOfFalseAlarms(t *testing.T) {
	var list []simulation
	for _, p := range []float64{0.005, 0.02, 0.1} {
		list = append(list, simulation{fmt.Sprintf("OverRate, %v %%", 100*p), 0.05, func(r *rand.Rand) (bool, int) {
			a := OverRate(flips(r, looks(), p), p, 0)
			return a.Fired, a.At
		}})
	}
	for _, past := range []int{20, 100, 1000} {
		for _, p := range []float64{0.02, 0.1} {
			list = append(list, simulation{fmt.Sprintf("OverPast, %v %%, past of %d", 100*p, past), 0.05, func(r *rand.Rand) (bool, int) {
				a := OverPast(flips(r, looks(), p), Count{past, binomial(r, past, p)}, 0)
				return a.Fired, a.At
			}})
		}
	}
	for _, peers := range []int{1, 10} {
		list = append(list, simulation{fmt.Sprintf("OverPeers, 4 %% that comes and goes, %d beside each", peers), 0.05, func(r *rand.Rand) (bool, int) {
			a := OverPeers(blocks(r, looks(), peers, 0.04, 1), 0)
			return a.Fired, a.At
		}})
	}
	for _, o := range []Options{{FromStart: true}, {}, {Side: Better}, {Side: Either}} {
		list = append(list, simulation{fmt.Sprintf("Watch, %s, predicted 1–9 %%", words(o)), 0.05, func(r *rand.Rand) (bool, int) {
			a := Watch(trials(r, 5*looks(), 5*looks(), 0.05, 1), o)
			return a.Fired, a.At
		}})
	}
	falseAlarms(t, list, 100, many)
}

func words(o Options) string {
	side := map[Side]string{Worse: "worse", Better: "better", Either: "either way"}[o.Side]
	switch {
	case o.ARL > 0:
		return fmt.Sprintf("%s, one alarm in %v", side, o.ARL)
	case o.FromStart:
		return side + " from the start"
	}
	return side + " at any time"
}

func TestDelays(t *testing.T) {
	list := []simulation{
		{"OverRate, 10 % against 2 %", 40, func(r *rand.Rand) (bool, int) {
			a := OverRate(flips(r, looks(), 0.1), 0.02, 0)
			return a.Fired, a.N
		}},
		{"OverRate, 4 % against 2 %", 0, func(r *rand.Rand) (bool, int) {
			a := OverRate(flips(r, looks(), 0.04), 0.02, 0)
			return a.Fired, a.N
		}},
		{"OverRate, 20 % against 2 %", 0, func(r *rand.Rand) (bool, int) {
			a := OverRate(flips(r, looks(), 0.2), 0.02, 0)
			return a.Fired, a.N
		}},
	}
	for _, past := range []int{50, 200, 1000, 5000} {
		list = append(list, simulation{fmt.Sprintf("OverPast, 10 %% against 2 %% in a past of %d", past), 0, func(r *rand.Rand) (bool, int) {
			a := OverPast(flips(r, looks(), 0.1), Count{past, binomial(r, past, 0.02)}, 0)
			return a.Fired, a.N
		}})
	}
	for _, peers := range []int{1, 5, 20} {
		list = append(list, simulation{fmt.Sprintf("OverPeers, 10 %% against 2 %% of %d beside each", peers), 0, func(r *rand.Rand) (bool, int) {
			a := OverPeers(blocks(r, looks(), peers, 0.02, 5), 0)
			return a.Fired, a.N
		}})
	}
	for _, quiet := range []int{0, 200, 1000} {
		for _, o := range []Options{{}, {Side: Either}, {ARL: 5000}} {
			list = append(list, simulation{fmt.Sprintf("Watch, %s, 2 %% becomes 10 %% after %d", words(o), quiet), 0, func(r *rand.Rand) (bool, int) {
				a := Watch(trials(r, quiet+looks(), quiet, 0.02, 5.44), o)
				return a.Fired && a.At >= quiet, a.At + 1 - quiet
			}})
		}
	}
	delays(t, list, 60, many)
}

// caught prints how often a change is found; goals are the least shares.
func caught(t *testing.T, list []simulation, short, full int) {
	n := streams(short, full)
	t.Logf("%d streams", n)
	for _, s := range list {
		share, _, _, _ := s.rate(n)
		t.Logf("| %s | %.0f %% |", s.what, 100*share)
		if share < s.goal-chance(s.goal, n) {
			t.Errorf("%s: found in %.0f %% of %d, want %.0f %%", s.what, 100*share, n, 100*s.goal)
		}
	}
}

func TestCaught(t *testing.T) {
	var list []simulation
	for _, n := range []int{30, 100, 300} {
		list = append(list,
			simulation{fmt.Sprintf("Judge, 20 inputs, one number moved by a standard deviation, %d rows beside 1000", n), map[int]float64{30: 0.7, 100: 0.99, 300: 0.99}[n], func(r *rand.Rand) (bool, int) {
				return moved(r, n, func(d []Drift, w0, w1 []string, x0, x1 []float64) []Drift {
					for i := range x1 {
						x1[i]++
					}
					return append(d, Numbers("moved", x0, x1))
				})
			}},
			simulation{fmt.Sprintf("Judge, 20 inputs, a category never seen in one row of five, %d rows beside 1000", n), 0.9, func(r *rand.Rand) (bool, int) {
				return moved(r, n, func(d []Drift, w0, w1 []string, x0, x1 []float64) []Drift {
					for i := range w1 {
						if r.Float64() < 0.2 {
							w1[i] = "new"
						}
					}
					return append(d, Categories("moved", w0, w1))
				})
			}})
	}
	list = append(list,
		simulation{"Bursts, 60 sources at 5 %, one of them 8 failures in 10", 0.9, func(r *rand.Rand) (bool, int) {
			return burst(r, Count{10, 8}), 0
		}},
		simulation{"Bursts, 60 sources at 5 %, one of them 300 successes in 300", 0.9, func(r *rand.Rand) (bool, int) {
			return burst(r, Count{300, 0}), 0
		}},
		simulation{"Bursts, 60 sources at 5 %, one of them 4 failures in 10", 0, func(r *rand.Rand) (bool, int) {
			return burst(r, Count{10, 4}), 0
		}})
	caught(t, list, 20, 1000)
}

// moved says whether the input that change made stands out among 19 that did not
// move.
func moved(r *rand.Rand, n int, change func(d []Drift, w0, w1 []string, x0, x1 []float64) []Drift) (bool, int) {
	w0, x0 := inputs(r, 1000)
	w1, x1 := inputs(r, n)
	var list []Drift
	for c := range w0 {
		list = append(list, Categories(fmt.Sprint("words ", c), w0[c], w1[c]), Numbers(fmt.Sprint("numbers ", c), x0[c], x1[c]))
	}
	for _, d := range Judge(change(list[2:], w0[1], w1[1], x0[0], x1[0]), 0) {
		if d.Name == "moved" {
			return d.Fired, 0
		}
	}
	return false, 0
}

func burst(r *rand.Rand, c Count) bool {
	for _, b := range Bursts(append(fleet(r, 60, 20, 0.05, false), Source{Name: "planted", Count: c}), 0) {
		if b.Name == "planted" {
			return true
		}
	}
	return false
}
