package ebm

import (
	"math"
	"math/rand"
	"slices"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// planted is n rows of a known truth: "a" rises in steps, "b" by a line and is
// missing now and then, "w" is a word, "c" and "d" matter only together, and
// "noise" not at all.
func planted(n int, seed int64) (Table, []bool) {
	r := rand.New(rand.NewSource(seed))
	number := func(name string) Column { return Column{Name: name, Numbers: make([]float64, n)} }
	a, b, c, d, noise := number("a"), number("b"), number("c"), number("d"), number("noise")
	w := Column{Name: "w", Words: make([]string, n)}
	label := make([]bool, n)
	effect := map[string]float64{"": 0, "red": -1, "green": 0, "blue": 1.2}
	for i := range n {
		a.Numbers[i] = math.Floor(r.Float64()*1000) / 10
		b.Numbers[i] = math.Floor(r.Float64()*200)/100 - 1
		c.Numbers[i], d.Numbers[i] = math.Floor(r.Float64()*50), math.Floor(r.Float64()*50)
		noise.Numbers[i] = r.Float64()
		w.Words[i] = []string{"", "red", "green", "green", "blue"}[r.Intn(5)]
		f := effect[w.Words[i]] + float64(1.5*b.Numbers[i]) - 0.5
		if a.Numbers[i] >= 60 {
			f++
		}
		if (c.Numbers[i] < 25) == (d.Numbers[i] < 25) {
			f++
		} else {
			f--
		}
		if r.Intn(10) == 0 {
			b.Numbers[i] = math.NaN()
		}
		label[i] = r.Float64() < exact.Expit(f)
	}
	return Table{Columns: []Column{a, b, c, d, noise, w}, Rows: n}, label
}

// mustFit is a model of a table, or the test's end.
func mustFit(t testing.TB, tb Table, label []bool, o Options) *Model {
	t.Helper()
	m, err := Fit(tb, label, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// pick is the rows of a table in the order given, which may leave rows out and
// repeat them.
func pick(t Table, label []bool, rows []int) (Table, []bool) {
	out := Table{Rows: len(rows)}
	for _, c := range t.Columns {
		p := Column{Name: c.Name, Numbers: pickFrom(c.Numbers, rows), Words: pickFrom(c.Words, rows)}
		out.Columns = append(out.Columns, p)
	}
	return out, pickFrom(label, rows)
}

// pickFrom is the elements of a list at the places given, nil for none.
func pickFrom[T any](list []T, at []int) []T {
	if list == nil {
		return nil
	}
	out := make([]T, len(at))
	for k, i := range at {
		out[k] = list[i]
	}
	return out
}

// upTo is 0, 1, … n-1.
func upTo(n int) []int {
	out := make([]int, n)
	for k := range out {
		out[k] = k
	}
	return out
}

// plantedModel is one fit that many tests look at.
var plantedModel = func() func(t testing.TB) (*Model, Table, []bool) {
	var m *Model
	return func(t testing.TB) (*Model, Table, []bool) {
		tb, label := planted(3000, 7)
		if m == nil {
			m = mustFit(t, tb, label, Options{})
		}
		return m, tb, label
	}
}()

// term is a model's term of one column, by bin.
func term(t testing.TB, m *Model, name string) (*column, []float64) {
	t.Helper()
	c := m.column(name)
	for _, s := range m.f.Terms {
		if s.Column == name {
			return c, s.spread(c.bins())
		}
	}
	t.Fatalf("no term %q; there are %v", name, m.Terms())
	return nil, nil
}

// pairNames are the pairs, in the order they were chosen.
func pairNames(m *Model) []string { return slices.Clone(m.Facts().Pairs) }
