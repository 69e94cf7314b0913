package evidence

import "github.com/ringmaster-dev/ringmaster/engine/exact"

// Scale is how much more often things fail than predicted: the posterior of
// observed over expected failures.
type Scale struct {
	Observed int
	Expected float64
	exact.Gamma
}

// Prior is how many expected failures the opinion "the predictions are right" is
// worth: with 1, the first failure where 0.1 was expected makes the scale 1.8.
const Prior = 1

// Observed is the scale after trials that were each predicted, those without a
// prediction passed over: with the prior Gamma(s, s), s = Prior, and O failures of
// which E = Σ p were expected, Gamma(s + O, s + E) (Gelman et al. 2013, section
// 2.6). Its mean is 1 before the first trial.
func Observed(trials []Trial) Scale {
	var s Scale
	for _, t := range trials {
		if !known(t.P) {
			continue
		}
		s.Expected += held(t.P)
		if t.Bad {
			s.Observed++
		}
	}
	s.Gamma = exact.Gamma{Shape: Prior + float64(s.Observed), Rate: Prior + s.Expected}
	return s
}

// Apply scales a host's own predicted risk, so that who was in more danger stays
// in more danger: 1 − (1−p)^mean, which is about p times the mean for small p and
// never above 1. Low and high are its 90 % interval. A p of NaN stays one.
func (s Scale) Apply(p float64) (scaled, low, high float64) {
	if !known(p) {
		return p, p, p
	}
	hazard := -exact.Log(1 - held(p))
	by := func(factor float64) float64 { return 1 - exact.Exp(-float64(hazard*factor)) }
	a, b := s.Interval(0.9)
	return by(s.Mean()), by(a), by(b)
}
