package evidence

import (
	"math"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// Count is how many outcomes there were, and how many failed.
type Count struct{ N, Bad int }

// Past is the running test of "failures are no more frequent than they used to
// be", where the past is itself only so many outcomes. To go on with one that was
// kept, set Count of a new one.
type Past struct {
	Count              // what was seen since
	levels []rateLevel // rising
}

// rateLevel is a rate that the past may have had, and how far the past speaks
// against it.
type rateLevel struct{ p0, against float64 }

// OverPast reads outcomes as OverRate does, against a past of which past.Bad in
// past.N failed, at the probability alpha of a false alarm: however long it is
// read, and whatever the past's true rate was. A short past lets it fire late, and
// none never.
func OverPast(outcomes []bool, past Count, alpha float64) Alarm {
	a := quiet()
	t := NewPast(past, alpha)
	for i, bad := range outcomes {
		a.At = i
		t.Add(bad)
		if bad && a.weigh(t.from(a.E), 1/level(alpha)) { // a success never adds evidence
			break
		}
	}
	a.N, a.Bad = t.N, t.Bad
	if past.N > 0 {
		a.Expected = float64(float64(a.N) * float64(past.Bad) / float64(past.N))
	} else {
		a.Expected = math.NaN()
	}
	return a
}

// NewPast begins a test. Its evidence holds for the given alpha and any larger.
//
// For each rate p₀ the past gives a p-value of "the rate was at least p₀", u(p₀) =
// P(Binomial(n, p₀) ≤ b), which becomes evidence f(u) = κ u^(κ−1) (Shafer,
// Shen, Vereshchagin and Vovk 2011; κ = 0.3 did well for pasts of 200 and more),
// and what came since gives Rate's E(p₀). They are independent where p₀ is true, so
// their product is evidence against it; the least product over all p₀ is evidence
// against all of them. Rates with f ≥ 1/alpha the past rules out alone.
func NewPast(past Count, alpha float64) Past {
	const (
		kappa = 0.3
		step  = math.Ln2 / 4 // between levels of ln u
	)
	var t Past
	if past.Bad < 0 || past.Bad >= past.N {
		return t
	}
	rate := exact.Beta{A: float64(past.Bad) + 1, B: float64(past.N - past.Bad)}
	for i := 0; ; i++ {
		lnU := float64(-step * (float64(i) + 0.25))
		f := float64(kappa * exact.Exp(float64((kappa-1)*lnU)))
		t.levels = append(t.levels, rateLevel{held(rate.Quantile(1 - exact.Exp(lnU))), f})
		if f >= 1/level(alpha) {
			return t
		}
	}
}

// Add counts an outcome.
func (t *Past) Add(bad bool) {
	t.N++
	if bad {
		t.Bad++
	}
}

// E is the evidence so far. Between two levels it takes the smaller of each
// factor.
func (t Past) E() float64 { return t.from(0) }

// from is the evidence so far or, where that is below floor, something below
// floor too. It begins where the past left most room, and mostly ends there.
func (t Past) from(floor float64) float64 {
	last := len(t.levels) - 1
	if last < 0 || t.N == 0 {
		return 1
	}
	least := math.Inf(1)
	above := logE(t.levels[last].p0, t.N, t.Bad)
	for i := last - 1; i >= 0 && least >= floor; i-- {
		e := logE(t.levels[i].p0, t.N, t.Bad)
		least = min(least, float64(t.levels[i].against*exact.Exp(min(above, e, 600))))
		above = e
	}
	return least
}
