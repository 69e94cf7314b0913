package ebm

import (
	"math"
	"math/bits"
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
	list := room[:0]
	for k := range s.columns {
		if s.columns[k].term {
			list = append(list, ranked{sizeOf(s.singles[k][bins[k]].effect), k, 0})
		}
	}
	for k := range s.cells {
		list = append(list, ranked{sizeOf(s.cells[k].of(bins).effect), len(s.columns) + k, 0})
	}
	rankBySize(list)
	dst = slices.Grow(dst, len(list))
	out := dst[len(dst) : len(dst)+len(list)]
	for k := range list {
		s.reason(&out[list[k].place], list[k].at, bins)
	}
	return dst[:len(dst)+len(list)]
}

// reason fills in the reason of a column or, counted on from there, of a pair.
func (s *Scorer) reason(r *Reason, at int, bins []uint8) {
	if at < len(s.columns) {
		b := &s.columns[at]
		r.Term, r.Value, r.Effect = b.Name, b.labels[bins[at]], b.adds[bins[at]].effect
		return
	}
	t := &s.pairs[at-len(s.columns)]
	r.Term, r.Value, r.Effect = t.name, t.labels.of(bins[t.a], bins[t.b]), t.of(bins).effect
}

// ranked is a reason to be sorted.
type ranked struct {
	size  uint64 // in an order of how far from 0 the effect is
	at    int
	place uint64 // among the sorted
}

func sizeOf(effect float64) uint64 { return math.Float64bits(math.Abs(effect)) }

// rankBySize finds every reason's place, the strongest first; of equals, the
// earlier stays first. They are a few dozen: comparing all with all, without a
// branch that could be guessed wrong, is faster than sorting.
func rankBySize(list []ranked) {
	for i := range list {
		a := &list[i]
		own := a.place
		for k := range list[i+1:] {
			b := &list[i+1+k]
			_, less := bits.Sub64(a.size, b.size, 0)
			own += less
			b.place += 1 - less
		}
		a.place = own
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
