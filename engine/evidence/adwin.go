package evidence

import (
	"math"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// longest is how many of the newest trials Adwin reads.
const longest = 5000

// Adwin reads trials in their order, the newest 5,000 of them, and fires where
// what failures are beyond their prediction (y − p) has changed in the mean, up or
// down, wherever it stood before: a model that was always off by as much is no alarm
// here, as it is to Watch. Since is where the newer part begins.
//
// It is ADWIN (Bifet and Gavaldà 2007): at a look after every 8th of n trials,
// they are cut in two in many places, and with parts of n₀ and n₁, 1/m = 1/n₀ + 1/n₁,
// and the variance v of all, it fires where means differ by more than
//
//	ε = √(2 v L / m) + 2 L / (3 m),  L = ln(2 ln n / alpha)
//
// The paper's guarantee is for one look; that of all looks together, with alpha =
// 0.05 (what 0 means) and up to 5,000 trials in which nothing changes, was measured:
// see the package comment. Cuts are 8, 8√2, 16, … trials from the end.
func Adwin(trials []Trial, alpha float64) Alarm {
	const between = 8 // trials between looks
	a := quiet()
	first := max(len(trials)-longest, 0)
	s := newSums(trials[first:])
	a.At, a.Since = len(trials)-1, first
	for n := 2 * between; n <= s.len(); n += between {
		cut, p := s.cut(n)
		if a.weigh(1/max(p, 1/Most), 1/level(alpha)) {
			a.At, a.Since = first+s.index[n-1], first+s.index[cut]
			break
		}
	}
	a.count(trials)
	return a
}

// sums are running sums of residuals and their squares, from 0.
type sums struct {
	x, xx []float64
	index []int // of the trials that have a prediction
}

func newSums(trials []Trial) sums {
	s := sums{x: []float64{0}, xx: []float64{0}}
	for i, t := range trials {
		if !known(t.P) {
			continue
		}
		v := -t.P
		if t.Bad {
			v = 1 - t.P
		}
		n := s.len()
		s.x = append(s.x, s.x[n]+v)
		s.xx = append(s.xx, s.xx[n]+float64(v*v))
		s.index = append(s.index, i)
	}
	return s
}

func (s sums) len() int { return len(s.index) }

// cut is the least plausible place to cut the first n in two, and the alpha at
// which that is just an alarm.
func (s sums) cut(n int) (at int, alpha float64) {
	const shortest = 8
	all := float64(n)
	mean := s.x[n] / all
	v := max(s.xx[n]/all-float64(mean*mean), 0)
	most := 0.0
	for length := float64(shortest); int(length) <= n-shortest; length = float64(length * math.Sqrt2) {
		i := n - int(length)
		n0, n1 := float64(i), float64(n-i)
		off := math.Abs(s.x[i]/n0 - (s.x[n]-s.x[i])/n1)
		if l := exponent(off, v, 1/(1/n0+1/n1)); l > most {
			at, most = i, l
		}
	}
	return at, min(float64(2*exact.Log(all)*exact.Exp(-most)), 1)
}

// exponent is the L for which ε is off: a quadratic in √L.
func exponent(off, v, m float64) float64 {
	a, b := 2/(3*m), math.Sqrt(2*v/m)
	root := (math.Sqrt(float64(b*b)+float64(4*a*off)) - b) / (2 * a)
	return float64(root * root)
}
