package exact

import (
	"hash/fnv"
	"math"
	"math/rand"
	"testing"
)

func TestExpAndLog(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for range 200_000 {
		x := (r.Float64() - 0.5) * 1400
		if got, want := Exp(x), math.Exp(x); math.Abs(got-want) > 2e-15*want && want > 1e-300 {
			t.Fatalf("Exp(%v) = %v, want %v", x, got, want)
		}
		y := math.Exp((r.Float64() - 0.5) * 100)
		if got, want := Log(y), math.Log(y); math.Abs(got-want) > 2e-15*math.Max(1, math.Abs(want)) {
			t.Fatalf("Log(%v) = %v, want %v", y, got, want)
		}
		p := r.Float64()
		if got := Expit(Logit(p)); math.Abs(got-p) > 1e-13 {
			t.Fatalf("Expit(Logit(%v)) = %v", p, got)
		}
	}
	for x, want := range map[float64]float64{0: 1, 1000: math.Inf(1), -1000: 0} {
		if got := Exp(x); got != want {
			t.Errorf("Exp(%v) = %v, want %v", x, got, want)
		}
	}
	if !math.IsInf(Log(0), -1) || !math.IsNaN(Log(-1)) || Log(1) != 0 {
		t.Error("log is wrong at 0, -1 or 1")
	}
}

func TestLgamma(t *testing.T) {
	r := rand.New(rand.NewSource(2))
	for range 100_000 {
		x := math.Exp((r.Float64() - 0.4) * 20)
		want, _ := math.Lgamma(x)
		if got := LogGamma(x); math.Abs(got-want) > 1e-13*math.Max(20, math.Abs(want)) {
			t.Fatalf("LogGamma(%v) = %v, want %v", x, got, want)
		}
	}
}

// Quantiles as R's qbeta gives them.
func TestQuantile(t *testing.T) {
	for _, c := range []struct{ a, b, q, want float64 }{
		{1, 1, 0.05, 0.05},
		{1, 1, 0.95, 0.95},
		{2, 1, 0.25, 0.5},
		{1, 3, 0.95, 1 - math.Cbrt(0.05)},
		{0.5, 0.5, 0.5, 0.5},
		{0.5, 0.5, 0.05, math.Pow(math.Sin(math.Pi/2*0.05), 2)},
		{400, 400, 0.5, 0.5},
	} {
		if got := (Beta{c.a, c.b}).Quantile(c.q); math.Abs(got-c.want) > 2e-9 {
			t.Errorf("Beta{%v, %v}.Quantile(%v) = %v, want %v", c.a, c.b, c.q, got, c.want)
		}
	}
}

// The quantile's CDF is q, also for the very uneven distributions that rules have.
func TestQuantileAndCDF(t *testing.T) {
	r := rand.New(rand.NewSource(15))
	for range 20_000 {
		d := Beta{math.Exp((r.Float64() - 0.5) * 14), math.Exp((r.Float64() - 0.5) * 14)}
		q := 0.001 + 0.998*r.Float64()
		x := d.Quantile(q)
		below, above := d.CDF(math.Max(0, x-3e-9)), d.CDF(math.Min(1, x+3e-9))
		if below > q+1e-9 || above < q-1e-9 {
			t.Fatalf("%+v.Quantile(%v) = %v, where the CDF is %v to %v", d, q, x, below, above)
		}
	}
}

// The CDF of whole numbers is a binomial sum, which is exact.
func TestCDF(t *testing.T) {
	r := rand.New(rand.NewSource(3))
	for range 5000 {
		a, b, x := 1+r.Intn(30), 1+r.Intn(30), r.Float64()
		n, want := a+b-1, 0.0
		for k := a; k <= n; k++ {
			choose := 1.0
			for i := range k {
				choose = choose * float64(n-i) / float64(i+1)
			}
			want += choose * math.Pow(x, float64(k)) * math.Pow(1-x, float64(n-k))
		}
		if got := (Beta{float64(a), float64(b)}).CDF(x); math.Abs(got-want) > 1e-11 {
			t.Fatalf("Beta{%d, %d}.CDF(%v) = %v, want %v", a, b, x, got, want)
		}
	}
}

// The same bits on every machine: this hash was made on amd64, and a machine
// that fuses products or has an exp of its own would give another.
func TestBitsAreTheSameEverywhere(t *testing.T) {
	h := fnv.New64a()
	put := func(x float64) {
		b := math.Float64bits(x)
		for i := range 8 {
			h.Write([]byte{byte(b >> (8 * i))})
		}
	}
	for i := range 2000 {
		x := float64(i)/50 + 0.013
		put(Exp(x - 20))
		put(Log(x))
		put(LogGamma(x))
		put(Expit(x - 20))
		put(Beta{x, float64(i%37) + 0.3}.CDF(float64(i%101) / 101))
	}
	for i := range 200 {
		put(Beta{float64(i)/7 + 0.02, float64(i%13)*9 + 0.4}.Quantile(0.95))
	}
	const want = 0xce4e806e65941147
	if got := h.Sum64(); got != want {
		t.Errorf("the bits hash to %#x, want %#x", got, uint64(want))
	}
}

func TestFrexpIsTheLibrarys(t *testing.T) {
	r := rand.New(rand.NewSource(5))
	try := func(x float64) {
		f, k := frexp(x)
		if wantF, wantK := math.Frexp(x); f != wantF || k != wantK {
			t.Fatalf("frexp(%v) = %v, %d, want %v, %d", x, f, k, wantF, wantK)
		}
	}
	for _, x := range []float64{math.SmallestNonzeroFloat64, 0x1p-1022, 0x1p-1023, 0.5, 1, 2, math.MaxFloat64} {
		try(x)
	}
	for range 100_000 {
		if x := math.Float64frombits(r.Uint64() &^ (1 << 63)); x > 0 && !math.IsInf(x, 0) {
			try(x)
		}
	}
}
