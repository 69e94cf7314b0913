package linear

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

func rowOf(bad bool, features ...string) Row {
	m := map[string]float64{}
	for _, f := range features {
		m[f] = 1
	}
	return Row{VectorOf(m), bad}
}

// planted are rows whose outcome depends on three of forty features and a number.
func planted(seed int64, n int) []Row {
	r := rand.New(rand.NewSource(seed))
	rows := make([]Row, n)
	for i := range rows {
		m := map[string]float64{}
		for j := range 40 {
			if r.Intn(5) == 0 {
				m[fmt.Sprintf("f%02d", j)] = 1
			}
		}
		m["number"] = float64(r.Intn(8)) / 2
		s := -4 + 3*m["f03"] + 2*m["f17"] - 3*m["f30"] + m["number"]
		rows[i] = Row{VectorOf(m), r.Float64() < exact.Expit(s)}
	}
	return rows
}

// With one feature and no penalty the answer is the table's log-odds.
func TestClosedForm(t *testing.T) {
	var rows []Row
	add := func(n int, bad bool, features ...string) {
		for range n {
			rows = append(rows, rowOf(bad, features...))
		}
	}
	add(30, true, "x")
	add(10, false, "x")
	add(5, true)
	add(95, false)
	m, err := Fit(rows, Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, w := math.Log(5.0/95), math.Log(30.0/10)-math.Log(5.0/95)
	if math.Abs(m.Intercept-b) > 1e-4 || math.Abs(m.Weights["x"]-w) > 1e-4 {
		t.Errorf("Fit() = %v and %v, want %v and %v", m.Intercept, m.Weights["x"], b, w)
	}
}

// At the optimum no weight wants to move: the loss's slope is what the penalties
// hold against it (Karush, Kuhn and Tucker).
func TestOptimum(t *testing.T) {
	rows := planted(1, 3000)
	for _, o := range []Options{{}, {L2: 2}, {L1: 3}, {L1: 3, L2: 2}, {L1: 30, L2: 10}} {
		m, err := Fit(rows, o)
		if err != nil {
			t.Fatal(err)
		}
		slopes := map[string]float64{}
		intercept := 0.0
		for _, r := range rows {
			miss := 1 / (1 + math.Exp(-m.Score(r.Features)))
			if r.Bad {
				miss--
			}
			intercept += miss
			for _, f := range r.Features {
				slopes[f.Name] += miss * f.Value
			}
		}
		const near = 0.05 // of summed loss over 3,000 rows, for weights of 5 decimals
		if math.Abs(intercept) > near {
			t.Errorf("%+v: the intercept's slope is %v", o, intercept)
		}
		for name, slope := range slopes {
			w := m.Weights[name]
			pull := slope + o.L2*w
			switch {
			case w > 0:
				pull += o.L1
			case w < 0:
				pull -= o.L1
			default:
				pull = max(math.Abs(slope)-o.L1, 0)
			}
			if math.Abs(pull) > near {
				t.Errorf("%+v: %s = %v is pulled by %v", o, name, w, pull)
			}
		}
	}
}

// What was planted is what a reviewer sees first, and L1 leaves out the rest.
func TestPlanted(t *testing.T) {
	m, err := Fit(planted(2, 4000), Options{L1: 20, L2: 1})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, term := range m.Top(4) {
		names = append(names, term.Name)
	}
	slices.Sort(names)
	if diff := cmp.Diff([]string{"f03", "f17", "f30", "number"}, names); diff != "" {
		t.Errorf("Top(4) -want +got:\n%s", diff)
	}
	if len(m.Weights) > 8 {
		t.Errorf("%d weights, want few: %v", len(m.Weights), m.Top(-1))
	}
	if all := m.Top(-1); len(all) != len(m.Weights) || len(m.Top(1000)) != len(all) || len(m.Top(0)) != 0 {
		t.Errorf("Top() of all is %d of %d weights", len(all), len(m.Weights))
	}
}

// The order of rows changes no bit.
func TestOrderDoesNotMatter(t *testing.T) {
	rows := planted(3, 1500)
	o := Options{L1: 0.4, L2: 1, Rare: 3}
	want, err := Fit(rows, o)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewSource(4))
	for range 3 {
		r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		got, err := Fit(rows, o)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("after shuffling -want +got:\n%s", diff)
		}
	}
}

func TestTermsAddUp(t *testing.T) {
	rows := planted(5, 800)
	m, err := Fit(rows, Options{L1: 0.1, L2: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		sum := m.Intercept
		for _, term := range m.Terms(r.Features) {
			sum += term.Effect
		}
		if got := m.Score(r.Features); got != sum {
			t.Fatalf("Score() = %v, its terms add up to %v", got, sum)
		}
	}
	if got := m.Score(VectorOf(map[string]float64{"never seen": 1})); got != m.Intercept {
		t.Errorf("Score() of what was never seen = %v, want the intercept %v", got, m.Intercept)
	}
}

func TestRare(t *testing.T) {
	rows := []Row{rowOf(true, "a", "b"), rowOf(true, "a"), rowOf(false, "c"), rowOf(false, "c"), rowOf(false)}
	m, err := Fit(rows, Options{L2: 0.1, Rare: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := m.Weights["b"]; ok || m.Weights["a"] <= 0 || m.Weights["c"] >= 0 {
		t.Errorf("weights %v, want a above 0, c below, and no b", m.Weights)
	}
}

func TestRefused(t *testing.T) {
	good := []Row{rowOf(true, "a"), rowOf(false, "b")}
	for _, c := range []struct {
		name string
		rows []Row
		o    Options
		say  string
	}{
		{"one outcome", []Row{rowOf(true, "a"), rowOf(true, "b")}, Options{L2: 1}, "the same outcome"},
		{"nothing", nil, Options{L2: 1}, "the same outcome"},
		{"unsorted", []Row{{Vector{{"b", 1}, {"a", 1}}, true}, good[1]}, Options{L2: 1}, `row 0: feature "a" follows "b"`},
		{"twice", []Row{good[0], {Vector{{"b", 1}, {"b", 1}}, true}}, Options{L2: 1}, `row 1: feature "b" follows "b"`},
		{"not a number", []Row{{Vector{{"b", math.NaN()}}, true}, good[1]}, Options{L2: 1}, `feature "b" is NaN`},
		{"penalty", good, Options{L1: -1}, "penalties -1 and 0"},
		{"separable and free", good, Options{Passes: 3}, "still move after 3 rounds"},
	} {
		if _, err := Fit(c.rows, c.o); err == nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: Fit() = %v, want %q", c.name, err, c.say)
		}
	}
	for _, m := range []Model{{Intercept: math.Inf(1)}, {Weights: map[string]float64{"a": math.NaN()}}, {Weights: map[string]float64{"a": 101}}} {
		if m.Check() == nil {
			t.Errorf("Check() of %+v is nil", m)
		}
	}
}

// The same bits on every machine: this hash was made on amd64, and a machine that
// fuses products would give another.
func TestBitsAreTheSameEverywhere(t *testing.T) {
	h := fnv.New64a()
	d := newDescent(planted(6, 1200), Options{L1: 0.3, L2: 0.7, Passes: 400, Small: 1e-7})
	if err := d.run(); err != nil {
		t.Fatal(err)
	}
	for _, w := range slices.Concat(d.w, d.odds) {
		b := math.Float64bits(w)
		for k := range 8 {
			h.Write([]byte{byte(b >> (8 * k))})
		}
	}
	const want = 0x5055835e92a1f321
	if got := h.Sum64(); got != want {
		t.Errorf("the bits hash to %#x, want %#x", got, uint64(want))
	}
}

func BenchmarkFit(b *testing.B) {
	rows := planted(7, 20_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Fit(rows, Options{L1: 0.4, L2: 10}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScore(b *testing.B) {
	rows := planted(8, 2000)
	m, err := Fit(rows, Options{L1: 0.4, L2: 10})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m.Score(rows[i%len(rows)].Features)
	}
}
