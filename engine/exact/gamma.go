package exact

import "math"

// Gamma is a gamma distribution of a rate: Shape events as if seen in an
// exposure of Rate.
type Gamma struct{ Shape, Rate float64 }

// Mean is the expected rate.
func (d Gamma) Mean() float64 { return d.Shape / d.Rate }

// CDF is the probability of a value below x: the regularised lower incomplete
// gamma function.
func (d Gamma) CDF(x float64) float64 {
	low, _ := incomplete(d.Shape, float64(d.Rate*x))
	return low
}

// Above is the probability of a value above x, exact also where it is tiny.
func (d Gamma) Above(x float64) float64 {
	_, high := incomplete(d.Shape, float64(d.Rate*x))
	return high
}

// Interval is the central interval that holds the given part of the
// distribution: 0.9 leaves 5 % on either side.
func (d Gamma) Interval(part float64) (low, high float64) {
	tail := float64((1 - part) / 2)
	return d.Quantile(tail), d.Quantile(1 - tail)
}

// Quantile is where the distribution reaches q, found by halving to a relative
// 1e-10.
func (d Gamma) Quantile(q float64) float64 {
	low, high := 0.0, d.Mean()
	for d.CDF(high) < q && high < 1e300 {
		low, high = high, 2*high
	}
	for high-low > float64(1e-10*high) && high > 1e-300 {
		middle := float64((low + high) / 2)
		if d.CDF(middle) < q {
			low = middle
		} else {
			high = middle
		}
	}
	return float64((low + high) / 2)
}

// incomplete is the regularised incomplete gamma function, lower and upper: the
// series (DLMF 8.7.1) below the mean, the continued fraction (DLMF 8.9.2) above,
// so that the smaller of the two is never a difference of larger numbers.
func incomplete(a, x float64) (lower, upper float64) {
	switch {
	case math.IsNaN(x) || !(a > 0):
		return math.NaN(), math.NaN()
	case x <= 0:
		return 0, 1
	case math.IsInf(x, 1):
		return 1, 0
	}
	front := Exp(float64(a*Log(x)) - x - LogGamma(a))
	if x < a+1 {
		term := 1 / a
		sum := term
		for k := 1.0; k < 100_000 && term > float64(sum*1e-17); k++ {
			term = float64(term * (x / (a + k)))
			sum += term
		}
		lower = min(float64(front*sum), 1)
		return lower, 1 - lower
	}
	upper = min(float64(front*tail(a, x)), 1)
	return 1 - upper, upper
}

// tail is the continued fraction of the upper incomplete gamma function, by
// Lentz's method.
func tail(a, x float64) float64 {
	const tiny = 1e-300
	away := func(v float64) float64 {
		if math.Abs(v) < tiny {
			return tiny
		}
		return v
	}
	b := x + 1 - a
	c, d := 1/tiny, 1/away(b)
	f := d
	for k := 1.0; k < 100_000; k++ {
		up := float64(-k * (k - a))
		b += 2
		d = 1 / away(float64(up*d)+b)
		c = away(b + up/c)
		step := float64(c * d)
		f = float64(f * step)
		if math.Abs(step-1) < 1e-16 {
			break
		}
	}
	return f
}
