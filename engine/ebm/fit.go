package ebm

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// What the zero Options mean, and the sizes from which fitting spares itself
// what only small tables need.
const (
	defaultBags  = 8
	defaultPairs = 10
	fewestRows   = 16
	small        = 16_000 // rows: up to here several ways of fitting are tried and blended
	tiny         = 4_000  // rows: up to here steps are half as long, and a pair must stand out of the noise
)

// fit is one run of Fit.
type fit struct {
	o     Options
	r     *rows
	axes  []*axis
	base  float64 // log-odds before any term
	bags  int
	mains *stage
	pairs []pair
	extra *stage // the pairs; nil when there are none
}

// stage is what a run of boosting left: by bag and part, the tables.
type stage struct {
	tables [][][]float64
	loss   float64
}

// Fit fits a model to the rows of t that are not held. The same rows give the
// same model, byte for byte, in whatever order rows and columns come and on any
// machine. It fails on tables that do not hang together and on fewer than 16
// rows, or one label only.
func Fit(t Table, label []bool, o Options) (*Model, error) {
	if err := check(t, label, o); err != nil {
		return nil, err
	}
	t.Columns = slices.Clone(t.Columns)
	slices.SortFunc(t.Columns, func(a, b Column) int { return cmp.Compare(a.Name, b.Name) })
	if o.Bags <= 0 {
		o.Bags = defaultBags
	}
	if o.Interactions == 0 {
		o.Interactions = defaultPairs
	}
	f := &fit{o: o, bags: o.Bags}
	if f.r = order(t, label, o, f.bags); f.r.n < max(fewestRows, f.bags) {
		return nil, fmt.Errorf("%d rows to fit to; a model takes at least %d", f.r.n, max(fewestRows, f.bags))
	}
	if p := f.positives(); p == 0 || p == f.r.n {
		return nil, errors.New("all rows to fit to have the same label; a model takes both")
	}
	f.axes = make([]*axis, len(t.Columns))
	parallel(len(t.Columns), func(j int) { f.axes[j] = cut(t.Columns[j], f.r, o.Former.column(t.Columns[j].Name)) })
	f.base = level(f.r.offset, f.r.y, f.r.weight)
	f.fitMains()
	f.choosePairs()
	return f.model(), nil
}

func (f *fit) positives() int {
	n := 0
	for _, y := range f.r.y {
		n += int(y)
	}
	return n
}

// level is the shift of log-odds under which as many labels are 1 as foretold,
// found by Newton's steps.
func level(f, y, w []float32) float64 {
	shift := 0.0
	for range 50 {
		var g, h float64
		for i, x := range f {
			p := exact.Expit(float64(x) + shift)
			g += float64(float64(w[i]) * (float64(y[i]) - p))
			h += float64(float64(w[i]) * float64(p*(1-p)))
		}
		step := g / (h + 1e-9)
		shift += math.Max(-2, math.Min(2, step))
		if math.Abs(step) < 1e-9 {
			break
		}
	}
	return shift
}

// fitMains boosts the single terms. Small tables are fitted in several ways, and
// these blended: with few rows, whether effects are straight or stepped, coarse
// or fine, matters more than anything else, and rows left out cannot quite tell.
func (f *fit) fitMains() {
	byLeaves := func(leaves int, after *stage) *stage {
		s := f.boost(f.parts(func(a *axis) stepper { return stepped(a, leaves) }), f.starts(after), f.pace(1))
		if after != nil {
			s.add(after)
		}
		return s
	}
	if f.r.n > small {
		f.mains = byLeaves(6, nil)
		return
	}
	lines := f.boost(f.parts(straight), f.starts(nil), f.pace(1))
	f.mains = f.blend([]*stage{byLeaves(2, nil), byLeaves(6, nil), lines, byLeaves(3, lines)})
}

// pace is the stride for tables of this size, times faster.
func (f *fit) pace(faster float64) pace {
	p := pace{rate: 0.2, every: 4, patience: 5, rounds: 2000}
	if f.r.n <= tiny {
		p.rate = 0.1
	}
	p.rate *= faster
	return p
}

// parts are the single terms, to be boosted by the steppers that by gives.
func (f *fit) parts(by func(a *axis) stepper) []*part {
	out := make([]*part, len(f.axes))
	for j, a := range f.axes {
		out[j] = &part{one: a.bin, bins: a.bins(), shape: by(a)}
	}
	return out
}

// starts are each bag's log-odds of all rows after a stage of single terms.
func (f *fit) starts(s *stage) [][]float32 {
	out := make([][]float32, f.bags)
	parallel(f.bags, func(b int) {
		out[b] = slices.Clone(f.r.offset)
		for i := range out[b] {
			out[b][i] += float32(f.base)
		}
		if s == nil {
			return
		}
		for j, a := range f.axes {
			addTo(out[b], a.bin, s.tables[b][j])
		}
	})
	return out
}

// boost runs one stage from log-odds that it may change.
func (f *fit) boost(parts []*part, start [][]float32, p pace) *stage {
	e := newEnsemble(f.r, parts, start)
	loss := e.boost(p)
	s := &stage{loss: loss}
	for _, b := range e.bags {
		s.tables = append(s.tables, b.table)
	}
	return s
}

// add adds the tables of a stage over the same parts.
func (s *stage) add(o *stage) {
	for b := range s.tables {
		for j := range s.tables[b] {
			for k := range s.tables[b][j] {
				s.tables[b][j][k] += o.tables[b][j][k]
			}
		}
	}
}

// mean is a part's table averaged over the bags.
func (s *stage) mean(j int) []float64 {
	out := make([]float64, len(s.tables[0][j]))
	for _, t := range s.tables {
		for k, x := range t[j] {
			out[k] += x
		}
	}
	for k := range out {
		out[k] /= float64(len(s.tables))
	}
	return out
}

// What speaks for a pair before it is tried, and must be shown by rows left out
// when it has been. The first is about what the best of a hundred pairs without
// any joint effect reaches; both are in units of log-likelihood, so neither
// depends on how many rows there are. But where rows are few, those that a pair is
// sought on also say whether it helps, and the first is as high as their noise.
const (
	leastGain = 14
	leastHelp = 3
	mostTries = 4 // beyond the pairs wanted
)

// choosePairs adds pairs one by one: the strongest by FAST on what the pairs
// before it left unexplained, kept where rows left out are foretold better with
// it. So a pair that only echoes another is not taken. Then all are boosted
// together.
func (f *fit) choosePairs() {
	if f.o.Interactions < 0 || len(f.axes) < 2 {
		return
	}
	effect := make([][]float64, len(f.axes))
	for j := range f.axes {
		effect[j] = f.mains.mean(j)
	}
	start := f.starts(f.mains)
	now := make([][]float32, f.bags)
	for b := range now {
		now[b] = slices.Clone(start[b])
	}
	loss, tried := f.mains.loss, map[[2]int]bool{}
	enough := float64(leastGain)
	if f.r.n <= tiny {
		enough = max(enough, noise(f.r, f.axes, effect, f.unseen(now), f.mayPair))
	}
	for len(f.pairs) < f.o.Interactions && len(tried) < f.o.Interactions+mostTries {
		p, ok := f.strongest(effect, now, tried, enough)
		if !ok {
			break
		}
		tried[[2]int{p.a, p.b}] = true
		p.join(f.axes, effect)
		c := cells(f.axes, p)
		next := make([][]float32, f.bags)
		for b := range next {
			next[b] = slices.Clone(now[b])
		}
		s := f.boost([]*part{c}, next, pace{rate: 0.4, every: 2, patience: 1, rounds: 40})
		if loss-s.loss < leastHelp {
			continue
		}
		loss = s.loss
		f.pairs = append(f.pairs, p)
		parallel(f.bags, func(b int) { addTo(now[b], c.two, s.tables[b][0]) })
	}
	f.fitPairs(start)
}

// strongest is the pair, of those not tried, that most speaks for, if that is
// enough.
func (f *fit) strongest(effect [][]float64, now [][]float32, tried map[[2]int]bool, enough float64) (pair, bool) {
	g, h := make([]float32, f.r.n), make([]float32, f.r.n)
	derive(f.unseen(now), g, h, f.r.y, f.r.weight)
	for _, p := range rank(f.axes, effect, g, h, f.mayPair) {
		if p.gain < enough {
			break
		}
		if !tried[[2]int{p.a, p.b}] {
			return p, true
		}
	}
	return pair{}, false
}

// mayPair says whether a column may be in a pair: in one it need not be monotone.
func (f *fit) mayPair(j int) bool { return f.o.Monotone[f.axes[j].name] == 0 }

// fitPairs boosts the chosen pairs together, on top of the single terms.
func (f *fit) fitPairs(start [][]float32) {
	if len(f.pairs) == 0 {
		return
	}
	parts := make([]*part, len(f.pairs))
	for k, p := range f.pairs {
		parts[k] = cells(f.axes, p)
	}
	f.extra = f.boost(parts, start, f.pace(1))
}

// unseen is the log-odds of each row by the bag that left it out.
func (f *fit) unseen(by [][]float32) []float32 {
	out := make([]float32, f.r.n)
	for b := range by {
		low, high := f.r.start[b], f.r.start[b+1]
		copy(out[low:high], by[b][low:high])
	}
	return out
}

// final is the log-odds of each row, at the end, by the bag that left it out.
func (f *fit) final() []float32 {
	by := f.starts(f.mains)
	for k, p := range f.pairs {
		c := cells(f.axes, p)
		parallel(f.bags, func(b int) { addTo(by[b], c.two, f.extra.tables[b][k]) })
	}
	return f.unseen(by)
}

// addTo adds to each row's log-odds what a table has for its bin.
func addTo[K uint8 | uint16](f []float32, bin []K, table []float64) {
	for i, k := range bin {
		f[i] += float32(table[k])
	}
}
