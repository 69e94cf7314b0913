package exact

import (
	"hash/fnv"
	"math"
	"math/rand"
	"testing"
)

// Of whole shapes the tail is a Poisson sum, which is exact; of shape 1/2 it is
// the error function.
func TestGammaTail(t *testing.T) {
	r := rand.New(rand.NewSource(21))
	for range 3000 {
		a, x := 1+r.Intn(60), r.Float64()*120
		term := math.Exp(-x)
		want := term
		for k := 1; k < a; k++ {
			term *= x / float64(k)
			want += term
		}
		d := Gamma{float64(a), 1}
		if got := d.Above(x); math.Abs(got-want) > 1e-11*want+1e-15 {
			t.Fatalf("Gamma{%d, 1}.Above(%v) = %v, want %v", a, x, got, want)
		}
		if got := d.CDF(x) + d.Above(x); math.Abs(got-1) > 1e-15 {
			t.Fatalf("Gamma{%d, 1}: below and above %v are %v", a, x, got)
		}
		if got, want := (Gamma{0.5, 1}).Above(x), math.Erfc(math.Sqrt(x)); math.Abs(got-want) > 1e-12*want {
			t.Fatalf("Gamma{0.5, 1}.Above(%v) = %v, want %v", x, got, want)
		}
	}
}

// Chi-square's 5 % points as every table has them.
func TestChiSquareTable(t *testing.T) {
	for df, x := range map[float64]float64{1: 3.841459, 2: 5.991465, 5: 11.070498, 9: 16.918978, 30: 43.772972, 100: 124.342113} {
		if got := (Gamma{df / 2, 0.5}).Above(x); math.Abs(got-0.05) > 1e-7 {
			t.Errorf("chi-square of %v above %v = %v, want 0.05", df, x, got)
		}
	}
}

func TestGammaQuantile(t *testing.T) {
	r := rand.New(rand.NewSource(22))
	for range 2000 {
		d := Gamma{math.Exp((r.Float64() - 0.3) * 12), math.Exp((r.Float64() - 0.5) * 10)}
		q := 0.001 + 0.998*r.Float64()
		x := d.Quantile(q)
		if got := d.CDF(x); math.Abs(got-q) > 1e-7 {
			t.Fatalf("%+v.Quantile(%v) = %v, where the CDF is %v", d, q, x, got)
		}
	}
	if got := (Gamma{1, 1}).CDF(math.NaN()); !math.IsNaN(got) {
		t.Errorf("CDF(NaN) = %v", got)
	}
}

// As TestBitsAreTheSameEverywhere.
func TestGammaBitsAreTheSameEverywhere(t *testing.T) {
	h := fnv.New64a()
	for i := range 1000 {
		d := Gamma{float64(i)/9 + 0.05, 0.7}
		for _, v := range []float64{d.CDF(float64(i%83) * 2.1), d.Above(float64(i) / 6), d.Quantile(0.95)} {
			b := math.Float64bits(v)
			for k := range 8 {
				h.Write([]byte{byte(b >> (8 * k))})
			}
		}
	}
	const want = 0xb6d1dd3af092472a
	if got := h.Sum64(); got != want {
		t.Errorf("the bits hash to %#x, want %#x", got, uint64(want))
	}
}
