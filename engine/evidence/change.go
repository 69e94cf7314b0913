package evidence

import (
	"math"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// Trial is one outcome and the probability of a failure that was predicted for
// it. NaN means that nothing was predicted: the trial is then passed over.
type Trial struct {
	P   float64
	Bad bool
}

// Side is what a change is looked for.
type Side int

const (
	Worse  Side = iota // more failures than predicted
	Better             // fewer
	Either
)

// Options says what Watch looks for. Its zero value is a change for the worse at
// an unknown time, with a false alarm ever in at most 5 % of streams.
type Options struct {
	Side  Side
	Alpha float64 // probability of a false alarm ever; 0 means 0.05

	// FromStart looks for what is wrong from the first trial on, which is quicker
	// to see than what may begin at any time.
	FromStart bool

	// ARL, where it is positive, takes the place of Alpha: false alarms come, but
	// no sooner than after so many trials on average. It is for watches that begin
	// again after every alarm. P is then the probability that so few trials reach E.
	ARL float64
}

// Watch reads trials in their order and fires where failures no longer agree with
// what was predicted. Predictions may differ from trial to trial, so this is the
// test for the residuals of a model, for hosts of different risk, and for a
// constant rate alike. Since is where the change most likely began.
func Watch(trials []Trial, o Options) Alarm {
	a := quiet()
	d := NewDetector(o)
	for i, t := range trials {
		a.At = i
		d.Add(t)
		if a.weigh(d.E(), d.enough()) {
			a.Since = d.onset(trials[:i+1])
			break
		}
	}
	if o.ARL > 0 {
		a.P = min(float64(d.N)/a.E, 1)
	}
	a.count(trials)
	return a
}

// count sets what came of the trials from Since to At.
func (a *Alarm) count(trials []Trial) {
	for _, t := range trials[a.Since : a.At+1] {
		if !known(t.P) {
			continue
		}
		a.N++
		a.Expected += t.P
		if t.Bad {
			a.Bad++
		}
	}
}

// Detector is the running form of Watch.
type Detector struct {
	Options
	N    int       // trials so far
	Sums []float64 // evidence by ratio
	r    []float64 // the ratios
}

// NewDetector begins a watch. To go on with one that was kept, set N and Sums.
//
// With the odds ratio r, a trial that was predicted p and failed (x = 1) or not
// (x = 0) multiplies evidence by
//
//	L = rˣ / (1 + (r−1) p)
//
// whose expectation is 1 where p is right, and at most 1 for r > 1 where p is too
// high. The evidence for a change at trial j is the product from j on, and
//
//	Sum(n) = (Sum(n−1) + s(n)) L(n)
//
// adds up all j (the Shiryaev–Roberts e-detector: Shin, Ramdas and Rinaldo 2024);
// the mean over r is the evidence.
//
// With s = 1 its expectation is at most n, and the average run length to the
// threshold c is at least c. With weights s that sum to 1 it is an e-process,
// which ever reaches 1/alpha with a probability of at most alpha (Ville 1939):
// s(n) ∝ 1/((n+1) ln²(n+1)), or s(1) = 1 alone for FromStart. The CUSUM e-detector
// of the same paper is never above this one, and so never quicker.
func NewDetector(o Options) Detector {
	d := Detector{Options: o}
	for _, r := range odds {
		if o.Side != Better {
			d.r = append(d.r, r)
		}
		if o.Side != Worse {
			d.r = append(d.r, 1/r)
		}
	}
	d.Sums = make([]float64, len(d.r))
	return d
}

// enough is the evidence at which to fire.
func (d *Detector) enough() float64 {
	if d.ARL > 0 {
		return max(d.ARL, 1)
	}
	return 1 / level(d.Alpha)
}

// start is s(n): the weight of a change at the nth trial.
func (d *Detector) start() float64 {
	switch {
	case d.ARL > 0:
		return 1
	case d.FromStart && d.N == 1:
		return 1
	case d.FromStart:
		return 0
	}
	const all = 2.1098 // the sum of what follows over all n, rounded up
	l := exact.Log(float64(d.N + 1))
	return 1 / (all * float64(d.N+1) * float64(l*l))
}

// Add takes a trial.
func (d *Detector) Add(t Trial) {
	if !known(t.P) {
		return
	}
	d.N++
	start := d.start()
	for k, r := range d.r {
		l := 1 / (1 + float64((r-1)*held(t.P)))
		if t.Bad {
			l = float64(l * r)
		}
		d.Sums[k] = min(float64((d.Sums[k]+start)*l), 1e300)
	}
}

// E is the evidence so far.
func (d *Detector) E() float64 {
	var sum float64
	for _, s := range d.Sums {
		sum += s / float64(len(d.Sums))
	}
	return sum
}

// onset is the trial from which on evidence is strongest, at the best ratio.
func (d *Detector) onset(trials []Trial) int {
	best, at := math.Inf(-1), 0
	if d.FromStart {
		return 0
	}
	for _, r := range d.r {
		var sum float64
		for j := len(trials) - 1; j >= 0; j-- {
			if !known(trials[j].P) {
				continue
			}
			sum -= exact.Log(1 + float64((r-1)*held(trials[j].P)))
			if trials[j].Bad {
				sum += exact.Log(r)
			}
			if sum > best {
				best, at = sum, j
			}
		}
	}
	return at
}
