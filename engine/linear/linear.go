// Package linear is logistic regression that a person can read: named features,
// one weight each, and a score that is their sum.
//
//	s = b + Σ w_j x_j        p = 1/(1+exp(-s))
//
// Fit minimises the summed log loss plus an elastic net (Zou and Hastie 2005),
//
//	Σ_i log(1+exp(-y_i s_i)) + L1 Σ_j |w_j| + L2/2 Σ_j w_j²,   y_i = ±1
//
// where the intercept b is free. It goes round the weights one by one, each by a
// step within a region in which its curvature is bounded (Genkin, Lewis and
// Madigan 2007), which lowers the objective at every step and needs no line
// search. There are no class weights: a rare outcome stays rare in p.
//
// The same rows give the same bytes in any order and on any machine: rows and
// features are put in one order first, products are rounded before they are
// added, and exponentials come from package exact.
package linear

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// Feature is one thing that is so of a row: 1 where it either is or is not, else
// a number. A feature that a row does not have is 0.
type Feature struct {
	Name  string
	Value float64
}

// Vector is the features of one row, sorted by name, each once: see VectorOf.
type Vector []Feature

// VectorOf puts features in order. Those that are 0 are left out.
func VectorOf(features map[string]float64) Vector {
	v := make(Vector, 0, len(features))
	for _, name := range slices.Sorted(maps.Keys(features)) {
		if x := features[name]; x != 0 {
			v = append(v, Feature{name, x})
		}
	}
	return v
}

// Row is one case to learn from.
type Row struct {
	Features Vector
	Bad      bool // the outcome that is predicted came true
}

// Model is a fitted regression. Weights are of 5 decimals and none is 0. In a
// file it is two members of the document of whoever embeds it, and
// encoding/json writes weights by name.
type Model struct {
	Intercept float64            `json:"intercept"`
	Weights   map[string]float64 `json:"weights"`
}

// Check says what of a model that was read from a file cannot be so, the first by
// name.
func (m *Model) Check() error {
	const largest = 100
	if !(math.Abs(m.Intercept) <= largest) {
		return fmt.Errorf("intercept: %v; expected -100 to 100", m.Intercept)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Weights)) {
		if w := m.Weights[name]; !(math.Abs(w) <= largest) {
			return fmt.Errorf("weights: %q: %v; expected -100 to 100", name, w)
		}
	}
	return nil
}

// Term is what one feature adds to a score.
type Term struct {
	Name   string
	Effect float64 // in log-odds
}

// Score is the log-odds of a row. Features without a weight add nothing.
func (m *Model) Score(v Vector) float64 {
	s := m.Intercept
	for _, f := range v {
		s += float64(m.Weights[f.Name] * f.Value)
	}
	return s
}

// Terms are what a score is made of, by name, without the intercept: added to it
// in this order they give exactly Score.
func (m *Model) Terms(v Vector) []Term {
	var list []Term
	for _, f := range v {
		if w, ok := m.Weights[f.Name]; ok {
			list = append(list, Term{f.Name, float64(w * f.Value)})
		}
	}
	return list
}

// Top are the n largest weights, up or down, the largest first; all where n is
// negative. It is what a reviewer reads first.
func (m *Model) Top(n int) []Term {
	list := make([]Term, 0, len(m.Weights))
	for name, w := range m.Weights {
		list = append(list, Term{name, w})
	}
	Largest(list)
	if n >= 0 && n < len(list) {
		list = list[:n]
	}
	return list
}

// Largest sorts terms by how much they matter, up or down, equals by name.
func Largest(list []Term) {
	slices.SortFunc(list, func(a, b Term) int {
		return cmp.Or(cmp.Compare(math.Abs(b.Effect), math.Abs(a.Effect)), cmp.Compare(a.Name, b.Name))
	})
}

// Options say how to fit. Penalties are in units of summed log loss.
type Options struct {
	L1, L2 float64
	Rare   int     // features that fewer rows have are left out
	Passes int     // rounds over all weights at most, 0: 400
	Small  float64 // no step was larger in a whole round: done, 0: 1e-5
}

// ErrNoContrast is returned where all outcomes are the same.
var ErrNoContrast = errors.New("all rows have the same outcome; expected some of both")

// Fit learns weights. Rows are not changed, and their order does not matter. An
// error says which row cannot be used, that there is nothing to tell apart, or
// that the rounds did not suffice.
func Fit(rows []Row, o Options) (*Model, error) {
	o.Passes, o.Small = cmp.Or(o.Passes, 400), cmp.Or(o.Small, 1e-5)
	if !(o.L1 >= 0) || !(o.L2 >= 0) || math.IsInf(o.L1+o.L2, 1) {
		return nil, fmt.Errorf("penalties %v and %v; expected numbers from 0", o.L1, o.L2)
	}
	if err := check(rows); err != nil {
		return nil, err
	}
	d := newDescent(rows, o)
	if err := d.run(); err != nil {
		return nil, err
	}
	m := &Model{Intercept: exact.Round5(d.intercept()), Weights: map[string]float64{}}
	for j, w := range d.w[1:] {
		if w = exact.Round5(w); w != 0 {
			m.Weights[d.names[j]] = w
		}
	}
	return m, nil
}

func check(rows []Row) error {
	bad := 0
	for i, r := range rows {
		if r.Bad {
			bad++
		}
		for k, f := range r.Features {
			switch {
			case math.IsNaN(f.Value) || math.Abs(f.Value) > 100:
				return fmt.Errorf("row %d: feature %q is %v; expected a number from -100 to 100", i, f.Name, f.Value)
			case k > 0 && r.Features[k-1].Name >= f.Name:
				return fmt.Errorf("row %d: feature %q follows %q; expected them sorted by name, each once", i, f.Name, r.Features[k-1].Name)
			}
		}
	}
	if bad == 0 || bad == len(rows) {
		return ErrNoContrast
	}
	return nil
}
