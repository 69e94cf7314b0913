package ebm

import (
	"math"
	"slices"
	"sync/atomic"
)

// Reasons appends a row's reasons to dst, the strongest first: one for every term
// and pair, those without effect here too. They and the Intercept (and an
// offset) add up to the Logit. It allocates for dst, if that is too small, and
// once for every cell of a pair that no row has been in before.
func (s *Scorer) Reasons(dst []Reason, row []Value) []Reason {
	var place [mostPlaced]uint8
	bins := place[:]
	if len(s.columns) > len(place) {
		bins = make([]uint8, len(s.columns))
	}
	s.place(bins, row)
	var room [64]ranked
	order := room[:0]
	for k := range s.columns {
		if b := &s.columns[k]; b.term {
			order = append(order, ranked{math.Abs(b.adds[bins[k]].effect), k})
		}
	}
	for k := range s.pairs {
		t := &s.pairs[k]
		order = append(order, ranked{math.Abs(t.adds[t.cell(bins)].effect), len(s.columns) + k})
	}
	strongestFirst(order)
	dst = slices.Grow(dst, len(order))
	for _, r := range order {
		dst = append(dst, s.reason(r.at, bins))
	}
	return dst
}

// reason is the reason of a column or, counted on from there, of a pair.
func (s *Scorer) reason(at int, bins []uint8) Reason {
	if at < len(s.columns) {
		b := &s.columns[at]
		return Reason{b.Name, b.labels[bins[at]], b.adds[bins[at]].effect}
	}
	t := &s.pairs[at-len(s.columns)]
	return Reason{t.name, t.labels.of(bins[t.a], bins[t.b]), t.adds[t.cell(bins)].effect}
}

// ranked is a reason to be sorted.
type ranked struct {
	size float64
	at   int
}

// strongestFirst sorts reasons; of equals, the earlier stays first. They are a
// few dozen, which insertion sorts fastest.
func strongestFirst(list []ranked) {
	for i := 1; i < len(list); i++ {
		r := list[i]
		k := i
		for ; k > 0 && list[k-1].size < r.size; k-- {
			list[k] = list[k-1]
		}
		list[k] = r
	}
}

// labels are a column's bins in words.
func (c *column) labels() []string {
	out := make([]string, c.bins())
	for k := range out {
		out[k] = c.label(k)
	}
	return out
}

// spots are how a pair's labels tell the bins of one column apart: words one by
// one, numbers by the range of all that are joined.
type spots struct {
	labels []string
	at     []uint8 // by bin
}

func (b *bound) spots(join []int, size int) spots {
	s := spots{labels: b.labels, at: make([]uint8, b.bins())}
	for k := range s.at {
		s.at[k] = uint8(k)
	}
	if b.category {
		return s
	}
	s.labels = nil
	for _, bin := range b.joined(join, size) {
		s.labels = append(s.labels, bin.Label)
	}
	for k, to := range join {
		s.at[k] = uint8(to)
	}
	return s
}

// cellLabels words the cells of a pair, each when it is first asked for: there
// may be tens of thousands, of which few are ever met.
type cellLabels struct {
	first, second spots
	made          []atomic.Pointer[string]
}

func newCellLabels(first, second spots) cellLabels {
	return cellLabels{first, second, make([]atomic.Pointer[string], len(first.labels)*len(second.labels))}
}

// of is the label of two bins.
func (c *cellLabels) of(i, j uint8) string {
	x, y := int(c.first.at[i]), int(c.second.at[j])
	at := &c.made[x*len(c.second.labels)+y]
	if p := at.Load(); p != nil {
		return *p
	}
	label := c.first.labels[x] + ", " + c.second.labels[y]
	at.Store(&label)
	return label
}
