package evidence

import "github.com/ringmaster-dev/ringmaster/engine/exact"

// Rate is the running test of "failures are no more frequent than P0". A value:
// it may be kept, copied and added to later.
type Rate struct {
	P0     float64
	N, Bad int // outcomes so far
}

// OverRate reads outcomes (true = failed) in their order and fires where they
// show more failures than the rate p0 makes, from the first outcome on. However
// long it reads and however often it is asked, it fires with a probability of at
// most alpha (0 means 0.05) while no outcome fails with more than p0. Where p0 is
// NaN nothing was expected, and it never fires.
func OverRate(outcomes []bool, p0, alpha float64) Alarm {
	a := quiet()
	r := Rate{P0: p0}
	for i, bad := range outcomes {
		a.At = i
		r.Add(bad)
		if bad && a.weigh(r.E(), 1/level(alpha)) { // a success never adds evidence
			break
		}
	}
	a.N, a.Bad = r.N, r.Bad
	a.Expected = float64(float64(a.N) * p0)
	return a
}

// Add counts an outcome.
func (r *Rate) Add(bad bool) {
	r.N++
	if bad {
		r.Bad++
	}
}

// E is the evidence against "no more frequent than P0" after N outcomes with Bad
// failures: the likelihood ratio of p against P0, averaged over the p above P0
// (Robbins 1970; Howard, Ramdas, McAuliffe and Sekhon 2021, section 4.1). With
// p₀ = P0, k = Bad, the prior Beta(a, b) cut off below p₀, and S the part of a
// distribution above p₀,
//
//	E = B(a+k, b+n−k) S(a+k, b+n−k) / (B(a, b) S(a, b) p₀ᵏ (1−p₀)ⁿ⁻ᵏ)
//
// a = 1 and b = 1/(5 p₀), at least 1: several times p₀ is what an alarm is for.
func (r Rate) E() float64 {
	if !known(r.P0) || r.N == 0 {
		return 1
	}
	return exact.Exp(min(logE(held(r.P0), r.N, r.Bad), 600))
}

func logE(p0 float64, n, bad int) float64 {
	k, good := float64(bad), float64(n-bad)
	a, b := 1.0, max(1, 1/(5*p0))
	before := exact.Beta{A: b, B: a}.CDF(1 - p0) // S, by symmetry: no difference of near-equals
	after := exact.Beta{A: b + good, B: a + k}.CDF(1 - p0)
	return logBeta(a+k, b+good) - logBeta(a, b) + exact.Log(after) - exact.Log(before) -
		float64(k*exact.Log(p0)) - float64(good*exact.Log(1-p0))
}

func logBeta(a, b float64) float64 {
	return exact.LogGamma(a) + exact.LogGamma(b) - exact.LogGamma(a+b)
}

// above is P(Binomial(n, p) ≥ k), for k from 1 to n.
func above(n, k int, p float64) float64 {
	return exact.Beta{A: float64(k), B: float64(n-k) + 1}.CDF(p)
}
