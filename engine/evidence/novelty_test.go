package evidence

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// host is a row of a small estate: two kinds of hosts, each with its own
// packages and sizes.
func host(r *rand.Rand) Point {
	if r.Float64() < 0.6 {
		return Point{[]float64{16 + 2*r.NormFloat64(), 90 * r.Float64()}, []string{"web", fmt.Sprint("nginx-", r.IntN(4))}}
	}
	memory := 128 + 10*r.NormFloat64()
	if r.Float64() < 0.1 {
		memory = math.NaN()
	}
	return Point{[]float64{memory, 400 * r.Float64()}, []string{"db", fmt.Sprint("postgres-", r.IntN(3))}}
}

func hosts(r *rand.Rand, n int) []Point {
	list := make([]Point, n)
	for i := range list {
		list[i] = host(r)
	}
	return list
}

func support(t *testing.T, points []Point) Support {
	t.Helper()
	s, err := NewSupport(points)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRatesOfRefusals(t *testing.T) {
	var list []simulation
	for _, n := range []int{40, 200} {
		for _, alpha := range []float64{0.05, 0.1} {
			list = append(list, simulation{fmt.Sprintf("Support, %d rows, at %v", n, alpha), alpha, func(r *rand.Rand) (bool, int) {
				return support(t, hosts(r, n)).P(host(r)) <= alpha, 0
			}})
		}
	}
	falseAlarms(t, list, 500, many)
}

func TestNovelty(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 11))
	s := support(t, hosts(r, 1000))
	for _, c := range []struct {
		name   string
		p      Point
		novel  bool
		column int
	}{
		{"an ordinary web server", Point{[]float64{16, 40}, []string{"web", "nginx-1"}}, false, 0},
		{"a package never seen", Point{[]float64{16, 40}, []string{"web", "heron-4.2"}}, true, 3},
		{"a package never seen on this role", Point{[]float64{16, 40}, []string{"web", "postgres-1"}}, true, 3},
		{"far more memory than any", Point{[]float64{4096, 40}, []string{"web", "nginx-1"}}, true, 0},
		{"a role never seen, all else absent", Point{[]float64{math.NaN(), math.NaN()}, []string{"", ""}}, true, 1},
		{"not even the same shape", Point{[]float64{16}, []string{"web", "nginx-1"}}, true, -1},
	} {
		p := s.P(c.p)
		_, column := s.Score(c.p)
		if p <= 0.01 != c.novel || c.novel && column != c.column {
			t.Errorf("%s: P() = %v because of column %d, want novel %v because of %d", c.name, p, column, c.novel, c.column)
		}
	}
	if p := support(t, nil).P(Point{}); p != 1 {
		t.Errorf("P() without rows = %v, want 1", p)
	}
	if _, err := NewSupport([]Point{{Numbers: []float64{1}}, {}}); err == nil {
		t.Error("NewSupport() takes rows of different shapes")
	}
}

// Score is what sorting all distances gives.
func TestScoreAgainstTheNaiveWay(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 12))
	for range 50 {
		s := support(t, hosts(r, 2+r.IntN(60)))
		p := host(r)
		var d []float64
		for _, k := range s.known {
			d = append(d, distance(s.placed(p), k))
		}
		slices.Sort(d)
		d = d[:min(5, len(d))]
		want := 0.0
		for _, x := range d {
			want += x / float64(len(d))
		}
		if got, _ := s.Score(p); math.Abs(got-want) > 1e-12 {
			t.Fatalf("Score() = %v, want %v", got, want)
		}
	}
}

func TestConformal(t *testing.T) {
	scores := []float64{1, 2, 2, 3}
	for score, want := range map[float64]float64{0: 1, 1: 1, 2: 0.8, 2.5: 0.4, 3: 0.4, 4: 0.2, math.Inf(1): 0.2} {
		if got := Conformal(scores, score); got != want {
			t.Errorf("Conformal(%v) = %v, want %v", score, got, want)
		}
	}
	if got := Conformal(scores, math.NaN()); got != 0.2 {
		t.Errorf("Conformal(NaN) = %v, want 0.2", got)
	}
	if got := Conformal(nil, 7); got != 1 {
		t.Errorf("Conformal() of nothing = %v, want 1", got)
	}
}

func BenchmarkSupport(b *testing.B) {
	r := rand.New(rand.NewPCG(13, 13))
	s, _ := NewSupport(hosts(r, 2000))
	p := host(r)
	for b.Loop() {
		s.P(p)
	}
}
