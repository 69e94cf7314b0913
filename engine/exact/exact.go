// Package exact is the mathematics of the replayed path: exponentials, logarithms
// and the beta and gamma distributions with the same bits on every machine.
//
// The functions are FreeBSD's msun algorithms as Go's portable code has them: the
// standard library's own exp and log are assembly on some machines and differ in
// the last bit. Every product is rounded by float64() before it is added, so that
// no compiler fuses the two. Whoever adds up products on the replayed path does
// the same.
package exact

import "math"

const (
	ln2Hi = 6.93147180369123816490e-01
	ln2Lo = 1.90821492927058770002e-10
)

// Exp is e to the power of x.
func Exp(x float64) float64 {
	switch {
	case math.IsNaN(x):
		return x
	case x > 709.782712893383973096:
		return math.Inf(1)
	case x < -745.133219101941108420:
		return 0
	}
	half := 0.5
	if x < 0 {
		half = -0.5
	}
	k := int(float64(x*1.44269504088896338700) + half)
	hi := x - float64(float64(k)*ln2Hi)
	lo := float64(float64(k) * ln2Lo)
	r := hi - lo
	t := float64(r * r)
	c := r - float64(t*polynomial(t))
	y := 1 - ((lo - float64(r*c)/(2-c)) - hi)
	if k > -1000 && k < 1000 { // what Ldexp gives, sooner; a power of two is exact
		return float64(y * math.Float64frombits(uint64(k+1023)<<52))
	}
	return math.Ldexp(y, k)
}

// polynomial is the rational approximation's numerator in exp.
func polynomial(t float64) float64 {
	p := -1.65339022054652515390e-06 + float64(t*4.13813679705723846039e-08)
	p = 6.61375632143793436117e-05 + float64(t*p)
	p = -2.77777777770155933842e-03 + float64(t*p)
	return 1.66666666666666019037e-01 + float64(t*p)
}

// Log is the natural logarithm; it is minus infinity at 0 and NaN below.
func Log(x float64) float64 {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 1):
		return x
	case x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	}
	f1, ki := frexp(x)
	if f1 < math.Sqrt2/2 {
		f1 *= 2
		ki--
	}
	f, k := f1-1, float64(ki)
	s := f / (2 + f)
	s2 := float64(s * s)
	s4 := float64(s2 * s2)
	t1 := 1.818357216161805012e-01 + float64(s4*1.479819860511658591e-01)
	t1 = 2.857142874366239149e-01 + float64(s4*t1)
	t1 = 6.666666666666735130e-01 + float64(s4*t1)
	t2 := 2.222219843214978396e-01 + float64(s4*1.531383769920937332e-01)
	t2 = 3.999999999940941908e-01 + float64(s4*t2)
	rest := float64(s2*t1) + float64(s4*t2)
	square := float64(0.5 * float64(f*f))
	return float64(k*ln2Hi) - ((square - (float64(s*(square+rest)) + float64(k*ln2Lo))) - f)
}

// frexp is math.Frexp of a positive number, which it asks only for the tiniest.
func frexp(x float64) (float64, int) {
	bits := math.Float64bits(x)
	exponent := int(bits >> 52)
	if exponent == 0 {
		return math.Frexp(x)
	}
	return math.Float64frombits(bits&(1<<52-1) | 1022<<52), exponent - 1022
}

// Logit is the log-odds of p.
func Logit(p float64) float64 { return Log(p / (1 - p)) }

// Expit is the probability with the log-odds x.
func Expit(x float64) float64 {
	e := Exp(-math.Abs(x))
	if x < 0 {
		return e / (1 + e)
	}
	return 1 / (1 + e)
}

// Round5 rounds to 5 decimals, the precision of everything that is written.
func Round5(x float64) float64 { return math.Round(float64(x*1e5)) / 1e5 }
