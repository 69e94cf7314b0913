package exact

import "math"

// Beta is a beta distribution, A failures and B successes as if seen.
type Beta struct{ A, B float64 }

// Mean is the expected probability of a failure.
func (d Beta) Mean() float64 { return d.A / (d.A + d.B) }

// Interval is the central interval that holds the given part of the
// distribution: 0.9 leaves 5 % on either side.
func (d Beta) Interval(part float64) (low, high float64) {
	tail := float64((1 - part) / 2)
	return d.Quantile(tail), d.Quantile(1 - tail)
}

// Quantile is where the distribution reaches q, to 1e-9 or to where the CDF is
// within 1e-10 of it: Newton's steps, and halving of what is known to hold it
// where a step leaves that or three steps have not halved it.
func (d Beta) Quantile(q float64) float64 {
	low, high := 0.0, 1.0
	scale := d.scale()
	x := d.Mean()
	for wide := 1.0; high-low > 1e-9; wide = high - low {
		for range 3 {
			miss := d.below(x, scale) - q
			if math.Abs(miss) < 1e-10 {
				return x
			}
			if miss < 0 {
				low = x
			} else {
				high = x
			}
			density := Exp(scale + float64((d.A-1)*Log(x)) + float64((d.B-1)*Log(1-x)))
			if x -= miss / density; !(x > low && x < high) {
				x = float64((low + high) / 2)
			}
		}
		if high-low > wide/2 {
			x = float64((low + high) / 2)
		}
	}
	return float64((low + high) / 2)
}

// CDF is the probability of a value below x: the regularised incomplete beta
// function.
func (d Beta) CDF(x float64) float64 { return d.below(x, d.scale()) }

// scale is the logarithm of 1/B(a,b).
func (d Beta) scale() float64 { return LogGamma(d.A+d.B) - LogGamma(d.A) - LogGamma(d.B) }

func (d Beta) below(x, scale float64) float64 {
	switch {
	case x <= 0:
		return 0
	case x >= 1:
		return 1
	}
	front := Exp(scale + float64(d.A*Log(x)) + float64(d.B*Log(1-x)))
	// The fraction converges fast below the mode; the rest follows by symmetry.
	if x < (d.A+1)/(d.A+d.B+2) {
		return front * fraction(d.A, d.B, x) / d.A
	}
	return 1 - front*fraction(d.B, d.A, 1-x)/d.B
}

// fraction is the continued fraction of the incomplete beta function (DLMF
// 8.17.22), evaluated forwards by Lentz's method.
func fraction(a, b, x float64) float64 {
	const tiny = 1e-300
	away := func(v float64) float64 {
		if math.Abs(v) < tiny {
			return tiny
		}
		return v
	}
	c, d := 1.0, 1/away(1-(a+b)*x/(a+1))
	f := d
	for m := 1.0; m < 1000; m++ {
		a2m := a + float64(2*m)
		even := m * (b - m) * x / ((a2m - 1) * a2m)
		d = 1 / away(1+float64(even*d))
		c = away(1 + even/c)
		f *= d * c
		odd := -(a + m) * (a + b + m) * x / (a2m * (a2m + 1))
		d = 1 / away(1+float64(odd*d))
		c = away(1 + odd/c)
		f *= d * c
		if math.Abs(float64(d*c)-1) < 1e-15 {
			break
		}
	}
	return f
}

// LogGamma is the logarithm of the gamma function for x > 0: Stirling's series
// (DLMF 5.11.1), reached by the recurrence where x is small.
func LogGamma(x float64) float64 {
	shift := 1.0
	for x < 10 {
		shift *= x
		x++
	}
	const halfLn2Pi = 0.91893853320467274178
	y := 1 / float64(x*x)
	series := -691.0/360360 + float64(y/156)
	series = 1.0/1188 + float64(y*series)
	series = -1.0/1680 + float64(y*series)
	series = 1.0/1260 + float64(y*series)
	series = -1.0/360 + float64(y*series)
	series = 1.0/12 + float64(y*series)
	return float64((x-0.5)*Log(x)) - x + halfLn2Pi + series/x - Log(shift)
}
