package ebm

import (
	"math"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// model makes the model of what was fitted: bags averaged, pairs purified, terms
// centred, everything rounded.
func (f *fit) model() *Model {
	intercept := f.base
	terms := make([][]float64, len(f.axes))
	for j := range f.axes {
		terms[j] = f.mains.mean(j)
	}
	pairs := make([]joint, len(f.pairs))
	for k, p := range f.pairs {
		pairs[k] = f.joint(k, p)
		purify(&pairs[k], terms[p.a], f.axes[p.a].count, terms[p.b], f.axes[p.b].count)
	}
	for j, a := range f.axes {
		if way := f.o.Monotone[a.name]; way != 0 && !a.category {
			project(terms[j][1:], a.count[1:], float64(way))
		}
		intercept += centre(terms[j], a.count, a.category)
	}
	for k := range pairs {
		pairs[k].round()
	}
	m := &Model{file{Schema: Schema, Pairs: pairs, Terms: []single{}, Columns: []column{}}}
	for j, a := range f.axes {
		if t := merge(a.name, terms[j]); len(t.From) > 1 {
			m.f.Terms = append(m.f.Terms, t)
		}
	}
	for _, a := range f.axes {
		if m.uses(a.name) {
			m.f.Columns = append(m.f.Columns, a.column())
		}
	}
	f.finish(m, intercept)
	return m
}

// finish adds what the scores of rows left out say: the newest rows' intercept,
// calibration, interval, and where to abstain.
func (f *fit) finish(m *Model, intercept float64) {
	unseen := f.final()
	m.f.Fitted = fitted{Bags: f.bags, Positive: f.positives(), Rows: f.r.n, Seed: f.o.Seed}
	judged := sample{unseen, f.r.y, f.r.weight, f.foldOf()}
	m.f.Fitted.LogLoss = exact.Round5(logLoss(judged.f, judged.y, judged.w) / judged.total())
	if f.o.Time != nil {
		if r, newest := f.newest(judged); r != nil {
			m.f.Recent, judged = r, newest
			intercept += r.Shift
		}
	}
	m.f.Intercept = clean(intercept)
	m.f.Calibration = calibrate(judged)
	m.f.Interval = vennAbers(judged)
	m.f.limit(f)
}

func (f *fit) foldOf() []int {
	fold := make([]int, f.r.n)
	for b := range f.bags {
		for i := f.r.start[b]; i < f.r.start[b+1]; i++ {
			fold[i] = b
		}
	}
	return fold
}

// uses says whether a term or pair needs a column.
func (m *Model) uses(name string) bool {
	return slices.ContainsFunc(m.f.Terms, func(t single) bool { return t.Column == name }) ||
		slices.ContainsFunc(m.f.Pairs, func(p joint) bool { return p.Columns[0] == name || p.Columns[1] == name })
}

// column is an axis as the file has it.
func (a *axis) column() column {
	c := column{Name: a.name, Kind: number, Count: a.count, Cuts: a.cuts}
	if a.category {
		c.Kind, c.Words = category, a.words
		c.Open = float64(a.single) > float64(alpha/2*float64(len(a.bin)))
		return c
	}
	low, high := a.low, a.high
	c.Low, c.High = &low, &high
	return c
}

// joint is the k-th pair's table, averaged over the bags.
func (f *fit) joint(k int, p pair) joint {
	x, y := f.axes[p.a], f.axes[p.b]
	n, m := p.side[0].bins, p.side[1].bins
	t := joint{Columns: [2]string{x.name, y.name}, Effects: make([][]float64, n), Count: make([][]int, n)}
	mean := f.extra.mean(k)
	for i := range n {
		t.Effects[i] = mean[i*m : (i+1)*m]
		t.Count[i] = make([]int, m)
	}
	for s := range p.side {
		for _, to := range p.side[s].join {
			t.Join[s] = append(t.Join[s], int(to))
		}
	}
	for i, b := range x.bin {
		t.Count[t.Join[0][b]][t.Join[1][y.bin[i]]]++
	}
	return t
}

// purify moves what either column of a pair says alone into its own term, so
// that every line and every column of the table has a mean of 0 over the rows
// fitted to. Predictions of these rows stay the same.
func purify(p *joint, first []float64, firstCount []int, second []float64, secondCount []int) {
	for range 20_000 {
		moved := 0.0
		for i := range p.Effects {
			var n, sum float64
			for k, c := range p.Count[i] {
				n += float64(c)
				sum += float64(float64(c) * p.Effects[i][k])
			}
			if n == 0 {
				continue
			}
			mean := sum / n
			moved = math.Max(moved, math.Abs(mean))
			for k := range p.Effects[i] {
				p.Effects[i][k] -= mean
			}
			shift(first, p.Join[0], i, mean)
		}
		for k := range p.Effects[0] {
			var n, sum float64
			for i := range p.Effects {
				n += float64(p.Count[i][k])
				sum += float64(float64(p.Count[i][k]) * p.Effects[i][k])
			}
			if n == 0 {
				continue
			}
			mean := sum / n
			moved = math.Max(moved, math.Abs(mean))
			for i := range p.Effects {
				p.Effects[i][k] -= mean
			}
			shift(second, p.Join[1], k, mean)
		}
		if moved < 1e-13 {
			return
		}
	}
}

// shift adds to the effects of all bins that are joined to one.
func shift(effect []float64, join []int, to int, by float64) {
	for b, j := range join {
		if j == to {
			effect[b] += by
		}
	}
}

// project makes effects monotone, the nearest by weighted least squares: pools of
// adjacent violators (Ayer and others 1955). way is 1 for rising, -1 for falling.
func project(effect []float64, count []int, way float64) {
	type pool struct {
		sum, n float64
		bins   int
	}
	var pools []pool
	for k, x := range effect {
		n := math.Max(float64(count[k]), 1e-6)
		pools = append(pools, pool{float64(x * way * n), n, 1})
		for len(pools) > 1 {
			a, b := pools[len(pools)-2], pools[len(pools)-1]
			if a.sum/a.n <= b.sum/b.n {
				break
			}
			pools = append(pools[:len(pools)-2], pool{a.sum + b.sum, a.n + b.n, a.bins + b.bins})
		}
	}
	k := 0
	for _, p := range pools {
		for range p.bins {
			effect[k] = p.sum / p.n * way
			k++
		}
	}
}

// centre takes the mean effect over the rows out of a term and returns it.
func centre(effect []float64, count []int, category bool) float64 {
	var n, sum float64
	for k, c := range count {
		n += float64(c)
		sum += float64(float64(c) * effect[k])
	}
	mean := sum / n
	for k, c := range count {
		if c == 0 && (k == 0 || category) {
			effect[k] = 0 // no such rows: nothing is known of them
			continue
		}
		effect[k] -= mean
	}
	return mean
}

// merge rounds a term and joins equal neighbours.
func merge(name string, effect []float64) single {
	t := single{Column: name}
	for k, x := range effect {
		if x = clean(x); k == 0 || x != t.Effects[len(t.Effects)-1] {
			t.From, t.Effects = append(t.From, k), append(t.Effects, x)
		}
	}
	return t
}

// round rounds a pair's table and joins equal neighbours of its lines and columns.
func (p *joint) round() {
	for i := range p.Effects {
		for k, x := range p.Effects[i] {
			p.Effects[i][k] = clean(x)
		}
	}
	p.joinLines()
	p.turn()
	p.joinLines()
	p.turn()
}

func (p *joint) joinLines() {
	to := make([]int, len(p.Effects))
	var effects [][]float64
	var count [][]int
	for i := range p.Effects {
		if n := len(effects); i > 1 && slices.Equal(effects[n-1], p.Effects[i]) { // line 0, missing, stays alone
			for k, c := range p.Count[i] {
				count[n-1][k] += c
			}
		} else {
			effects, count = append(effects, p.Effects[i]), append(count, p.Count[i])
		}
		to[i] = len(effects) - 1
	}
	p.Effects, p.Count = effects, count
	for b, j := range p.Join[0] {
		p.Join[0][b] = to[j]
	}
}

// turn exchanges the pair's columns.
func (p *joint) turn() {
	effects := make([][]float64, len(p.Effects[0]))
	count := make([][]int, len(effects))
	for k := range effects {
		for i := range p.Effects {
			effects[k] = append(effects[k], p.Effects[i][k])
			count[k] = append(count[k], p.Count[i][k])
		}
	}
	p.Effects, p.Count = effects, count
	p.Columns[0], p.Columns[1] = p.Columns[1], p.Columns[0]
	p.Join[0], p.Join[1] = p.Join[1], p.Join[0]
}
