package linear

import (
	"fmt"
	"math"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// column is one feature over all rows that have it. values is nil where it is 1
// in all of them.
type column struct {
	rows   []int32
	values []float64
}

// descent is the state of a fit. Column 0 is the intercept.
type descent struct {
	Options
	names   []string // of columns 1…
	columns []column
	y       []float64 // 0 or 1
	odds    []float64 // exp(s) of each row
	w       []float64
	region  []float64 // how far a weight may move in one step
}

func newDescent(rows []Row, o Options) *descent {
	d := &descent{Options: o}
	ids := d.vocabulary(rows)
	cases := canonical(rows, ids)
	n := len(cases)
	d.columns = make([]column, len(d.names)+1)
	d.y, d.odds = make([]float64, n), make([]float64, n)
	all := make([]int32, n)
	for i, c := range cases {
		all[i], d.odds[i] = int32(i), 1
		if c.bad {
			d.y[i] = 1
		}
		for _, cell := range c.cells {
			d.columns[cell.column].add(int32(i), cell.value)
		}
	}
	d.columns[0].rows = all
	d.w, d.region = make([]float64, len(d.columns)), make([]float64, len(d.columns))
	for j := range d.region {
		d.region[j] = 1
	}
	return d
}

// vocabulary numbers the features that are not rare from 1, by name.
func (d *descent) vocabulary(rows []Row) map[string]int32 {
	counts := map[string]int{}
	for _, r := range rows {
		for _, f := range r.Features {
			counts[f.Name]++
		}
	}
	for name, n := range counts {
		if n >= d.Rare {
			d.names = append(d.names, name)
		}
	}
	slices.Sort(d.names)
	ids := make(map[string]int32, len(d.names))
	for i, name := range d.names {
		ids[name] = int32(i + 1)
	}
	return ids
}

type cell struct {
	column int32
	value  float64
}

type numbered struct {
	cells []cell
	bad   bool
}

// canonical numbers the rows' features and puts the rows in the one order that
// does not depend on how they came. Rows that compare equal are equal.
func canonical(rows []Row, ids map[string]int32) []numbered {
	list := make([]numbered, len(rows))
	for i, r := range rows {
		list[i].bad = r.Bad
		for _, f := range r.Features {
			if id, ok := ids[f.Name]; ok && f.Value != 0 {
				list[i].cells = append(list[i].cells, cell{id, f.Value})
			}
		}
	}
	slices.SortFunc(list, func(a, b numbered) int {
		c := slices.CompareFunc(a.cells, b.cells, func(x, y cell) int {
			switch {
			case x.column != y.column:
				return int(x.column - y.column)
			case x.value != y.value && x.value < y.value:
				return -1
			case x.value != y.value:
				return 1
			}
			return 0
		})
		switch {
		case c != 0 || a.bad == b.bad:
			return c
		case b.bad:
			return -1
		}
		return 1
	})
	return list
}

func (c *column) add(row int32, value float64) {
	if value != 1 && c.values == nil {
		c.values = slices.Repeat([]float64{1}, len(c.rows))
	}
	c.rows = append(c.rows, row)
	if c.values != nil {
		c.values = append(c.values, value)
	}
}

func (d *descent) intercept() float64 { return d.w[0] }

// run goes over all weights, and after each such round over those that are not 0
// until they stand still; it ends when a round over all moved nothing.
func (d *descent) run() error {
	for range d.Passes {
		if d.round(false) <= d.Small {
			return nil
		}
		for range 20 {
			if d.round(true) <= d.Small {
				break
			}
		}
	}
	return fmt.Errorf("weights still move after %d rounds; expected stronger penalties or more rounds", d.Passes)
}

// round is one step of each weight; it returns the largest.
func (d *descent) round(nonzero bool) float64 {
	largest := 0.0
	for j := range d.columns {
		if nonzero && j > 0 && d.w[j] == 0 {
			continue
		}
		largest = max(largest, math.Abs(d.step(j)))
	}
	return largest
}

// step moves weight j to where the bounded curvature puts its optimum.
func (d *descent) step(j int) float64 {
	l1, l2 := d.L1, d.L2
	if j == 0 {
		l1, l2 = 0, 0
	}
	slope, curve := d.derivatives(&d.columns[j], d.region[j])
	if !(curve+l2 > 0) {
		return 0
	}
	to := shrunk(float64(curve*d.w[j])-slope, l1) / (curve + l2)
	by := min(max(to-d.w[j], -d.region[j]), d.region[j])
	d.region[j] = max(float64(2*math.Abs(by)), d.region[j]/2)
	if by != 0 {
		d.w[j] += by
		d.move(&d.columns[j], by)
	}
	return by
}

// shrunk is x moved towards 0 by l, and 0 where that would pass it.
func shrunk(x, l float64) float64 {
	switch {
	case x > l:
		return x - l
	case x < -l:
		return x + l
	}
	return 0
}

// derivatives are the loss's slope in a weight, and the largest second derivative
// while the weight moves by at most region.
func (d *descent) derivatives(c *column, region float64) (slope, curve float64) {
	reach := exact.Exp(region)
	for k, i := range c.rows {
		odds := d.odds[i]
		miss := odds/(1+odds) - d.y[i]
		if c.values == nil {
			slope += miss
			curve += bound(odds, reach)
			continue
		}
		x := c.values[k]
		slope += float64(x * miss)
		curve += float64(float64(x*x) * bound(odds, exact.Exp(float64(region*math.Abs(x)))))
	}
	return slope, curve
}

// bound is the largest p(1-p) for odds that change by a factor of at most reach.
func bound(odds, reach float64) float64 {
	if odds < 1 {
		odds = 1 / odds
	}
	if odds <= reach {
		return 0.25
	}
	r := odds / reach
	return r / float64((1+r)*(1+r))
}

func (d *descent) move(c *column, by float64) {
	factor := exact.Exp(by)
	for k, i := range c.rows {
		if c.values != nil {
			factor = exact.Exp(float64(by * c.values[k]))
		}
		d.odds[i] *= factor
	}
}
