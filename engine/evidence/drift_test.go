package evidence

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Tails are sums of fractions, done with whole numbers.
func TestHypergeometric(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	choose := func(n, k int) *big.Int { return new(big.Int).Binomial(int64(n), int64(k)) }
	for range 400 {
		all := 1 + r.IntN(120)
		h := hypergeometric{all: all, marked: r.IntN(all + 1), drawn: r.IntN(all + 1)}
		j := r.IntN(all+3) - 1
		up, down := new(big.Int), new(big.Int)
		for i := h.least(); i <= h.most(); i++ {
			ways := new(big.Int).Mul(choose(h.marked, i), choose(all-h.marked, h.drawn-i))
			if i >= j {
				up.Add(up, ways)
			}
			if i <= j {
				down.Add(down, ways)
			}
		}
		for _, c := range []struct {
			name string
			got  float64
			ways *big.Int
		}{{"atLeast", h.atLeast(j), up}, {"atMost", h.atMost(j), down}} {
			want, _ := new(big.Rat).SetFrac(c.ways, choose(all, h.drawn)).Float64()
			if math.Abs(c.got-want) > 1e-11*want+1e-14*(1-want) {
				t.Fatalf("%+v.%s(%d) = %v, want %v", h, c.name, j, c.got, want)
			}
		}
	}
}

// Kolmogorov's 5 % and 1 % points as every table has them.
func TestKolmogorov(t *testing.T) {
	for x, want := range map[float64]float64{1.3581: 0.05, 1.6276: 0.01, 0.8276: 0.5} {
		if got := kolmogorov(x); math.Abs(got-want) > 1e-4 {
			t.Errorf("kolmogorov(%v) = %v, want %v", x, got, want)
		}
	}
}

// Of samples of one size, X² is the sum of squared differences over totals, and
// with 2 degrees of freedom its tail is exp(−X²/2).
func TestChiSquare(t *testing.T) {
	got := chiSquare([]cell{{"a", 40, 20}, {"b", 30, 40}, {"c", 30, 40}}, 100, 100)
	x := 20*20/60.0 + 2*10*10/70.0
	if want := math.Exp(-x / 2); math.Abs(got-want) > 1e-12 {
		t.Errorf("chiSquare() = %v, want %v", got, want)
	}
}

func TestCategories(t *testing.T) {
	repeat := func(counts map[string]int) []string {
		var list []string
		for name, n := range counts {
			list = append(list, slices.Repeat([]string{name}, n)...)
		}
		return list
	}
	was := map[string]int{"web": 500, "db": 300, "mail": 200}
	for _, c := range []struct {
		name  string
		is    map[string]int
		fired bool
		what  string
	}{
		{"the same shares", map[string]int{"web": 50, "db": 30, "mail": 20}, false, ""},
		{"a new one", map[string]int{"web": 44, "db": 26, "mail": 18, "edge": 12}, true, "edge"},
		{"absent now", map[string]int{"web": 43, "db": 27, "mail": 18, "": 12}, true, ""},
		{"a new one, of few", map[string]int{"web": 96, "db": 58, "mail": 38, "edge": 8}, false, ""},
		{"turned", map[string]int{"web": 20, "db": 30, "mail": 50}, true, "mail"},
		{"turned, but only three", map[string]int{"mail": 2, "db": 1}, false, ""},
		{"sure, but small", map[string]int{"web": 52_000, "db": 29_000, "mail": 19_000}, false, ""},
		{"nothing to compare", nil, false, ""},
	} {
		d := Judge([]Drift{Categories("role", repeat(was), repeat(c.is))}, 0)[0]
		if d.Fired != c.fired || c.fired && (d.What != c.what || d.Then != was[c.what] || d.Now != c.is[c.what]) {
			t.Errorf("%s: %+v, want fired %v because of %q", c.name, d, c.fired, c.what)
		}
	}
}

func TestNumbers(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	normal := func(n int, shift, scale float64) []float64 {
		list := make([]float64, n)
		for i := range list {
			list[i] = shift + scale*r.NormFloat64()
		}
		return list
	}
	absent := slices.Concat(normal(150, 0, 1), slices.Repeat([]float64{math.NaN()}, 50))
	for _, c := range []struct {
		name    string
		was, is []float64
		fired   bool
	}{
		{"moved", normal(500, 0, 1), normal(100, 0.8, 1), true},
		{"wider", normal(500, 0, 1), normal(300, 0, 3), true},
		{"absent now", normal(500, 0, 1), absent, true},
		{"absent as before", slices.Concat(absent, absent), absent, false},
		{"all absent now", normal(100, 0, 1), slices.Repeat([]float64{math.NaN()}, 40), true},
		{"sure, but small", normal(50_000, 0, 1), normal(50_000, 0.1, 1), false},
		{"nothing to compare", normal(100, 0, 1), nil, false},
	} {
		if d := Judge([]Drift{Numbers("uptime_s", c.was, c.is)}, 0)[0]; d.Fired != c.fired {
			t.Errorf("%s: %+v, want fired %v", c.name, d, c.fired)
		}
	}
}

// Neither the order of rows nor that of inputs changes a verdict.
func TestDriftInAnyOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for range 20 {
		words, numbers := inputs(r, 200)
		var list []Drift
		for c := range words {
			list = append(list, Categories(fmt.Sprint("w", c), words[c][:120], words[c][120:]), Numbers(fmt.Sprint("n", c), numbers[c][:120], numbers[c][120:]))
		}
		want := Judge(list, 0)
		var again []Drift
		for _, c := range r.Perm(len(words)) {
			a, b := slices.Clone(words[c]), slices.Clone(numbers[c])
			for _, part := range [][2]int{{0, 120}, {120, 200}} {
				r.Shuffle(part[1]-part[0], func(i, j int) {
					i, j = i+part[0], j+part[0]
					a[i], a[j] = a[j], a[i]
					b[i], b[j] = b[j], b[i]
				})
			}
			again = append(again, Numbers(fmt.Sprint("n", c), b[:120], b[120:]), Categories(fmt.Sprint("w", c), a[:120], a[120:]))
		}
		if diff := cmp.Diff(want, Judge(again, 0)); diff != "" {
			t.Fatalf("verdicts differ (-before +after shuffling):\n%s", diff)
		}
	}
}

// The example of Benjamini and Hochberg's paper (1995, section 3.2): of 15
// p-values, those up to .0095 are found at 5 %.
func TestJudge(t *testing.T) {
	var list []Drift
	for i, p := range []float64{.4262, .0001, .0095, .5719, .0004, .0019, .0201, .0278, .0298, .0344, .0459, .3240, .6528, .7590, 1} {
		list = append(list, Drift{Name: fmt.Sprint(i), P: p, Effect: 1})
	}
	list[5].Effect = 0.09 // .0019, but too small to matter
	var found []float64
	for _, d := range Judge(list, 0.05) {
		if d.Fired {
			found = append(found, d.P)
		}
	}
	if want := []float64{.0001, .0004, .0095}; !slices.Equal(found, want) {
		t.Errorf("Judge() finds %v, want %v", found, want)
	}
	if len(Judge(nil, 0)) != 0 {
		t.Error("Judge() finds something in nothing")
	}
}
