package ebm

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Change is what became of a model.
type Change struct {
	Intercept [2]float64   `json:"intercept"` // before and after
	Terms     []TermChange `json:"terms"`     // those that changed most first
}

// TermChange is what became of a term.
type TermChange struct {
	Name           string  `json:"name"`
	Added, Removed bool    `json:",omitempty"`
	Before, After  float64 // importance
	Mean           float64 // mean absolute change of the effect, over the rows that the new model (of a term removed, the old) was fitted to
	Most           float64 // the change of the bin that changed most,
	At             string  // and which it is
}

// Where words the strongest change.
func (c TermChange) Where() string {
	if c.Most == 0 {
		return "unchanged"
	}
	return fmt.Sprintf("%+.4f at %s", c.Most, c.At)
}

// Compare says, term by term, what a retraining changed. Numbers are compared
// value by value, whatever the cuts are, words word by word.
func Compare(before, after *Model) Change {
	d := Change{Intercept: [2]float64{before.Intercept(), after.Intercept()}}
	old := map[string]Term{}
	for _, t := range before.Terms() {
		old[t.Name] = t
	}
	for _, t := range after.Terms() {
		was, ok := old[t.Name]
		delete(old, t.Name)
		c := TermChange{Name: t.Name, Added: !ok, Before: was.Importance, After: t.Importance}
		c.measure(t, before, after)
		d.Terms = append(d.Terms, c)
	}
	for _, t := range old {
		c := TermChange{Name: t.Name, Removed: true, Before: t.Importance}
		c.measure(t, before, after)
		d.Terms = append(d.Terms, c)
	}
	slices.SortFunc(d.Terms, func(a, b TermChange) int { return cmp.Or(cmp.Compare(b.Mean, a.Mean), cmp.Compare(a.Name, b.Name)) })
	return d
}

// measure asks both models for their effect in every bin of a term.
func (c *TermChange) measure(t Term, before, after *Model) {
	rows := 0
	for i, line := range t.Rows {
		for k, n := range line {
			values := []Value{t.Bins[0][i].sample()}
			at := t.Bins[0][i].Label
			if len(t.Columns) == 2 {
				values, at = append(values, t.Bins[1][k].sample()), at+", "+t.Bins[1][k].Label
			}
			by := after.effect(t.Columns, values) - before.effect(t.Columns, values)
			rows += n
			c.Mean += float64(float64(n) * math.Abs(by))
			if math.Abs(by) > math.Abs(c.Most) && n > 0 {
				c.Most, c.At = clean(by), at
			}
		}
	}
	c.Mean = clean(c.Mean / math.Max(1, float64(rows)))
}

// sample is a value in a bin.
func (b Bin) sample() Value {
	v := Value{Number: math.NaN()}
	switch low, high := !math.IsNaN(b.Low), !math.IsNaN(b.High); {
	case b.Empty:
	case b.Words != nil:
		v.Word = b.Words[0]
	case low && high:
		v.Number = b.Low + float64((b.High-b.Low)/2)
	case low:
		v.Number = b.Low
	case high:
		v.Number = b.High - float64(1e-9*math.Max(1, math.Abs(b.High)))
	default:
		v.Number = 0
	}
	return v
}

// effect is what a model's term of these columns gives for values; 0 where it has
// no such term.
func (m *Model) effect(columns []string, values []Value) float64 {
	var bins []int
	for k, name := range columns {
		c := m.column(name)
		if c == nil {
			return 0
		}
		b := c.bind(0, 1)
		bin, _ := b.bin(&values[k])
		bins = append(bins, bin)
	}
	if len(columns) == 1 {
		for _, t := range m.f.Terms {
			if t.Column == columns[0] {
				return t.spread(m.column(t.Column).bins())[bins[0]]
			}
		}
		return 0
	}
	for _, p := range m.f.Pairs {
		if p.Columns == [2]string(columns) {
			return p.Effects[p.Join[0][bins[0]]][p.Join[1][bins[1]]]
		}
	}
	return 0
}
