package ebm

import (
	"cmp"
	"math"
	"slices"
)

// A pair's sides have at most pairBins bins each, and while pairs are sought,
// seekBins.
const (
	pairBins = 24
	seekBins = 16
)

// pair is two columns whose joint effect may be more than the sum of theirs.
type pair struct {
	a, b int     // columns, a < b
	gain float64 // how much residuals of rows left out say for it: about a χ² of one degree of freedom
	lone [2]int  // by side: the one bin, as joined while seeking, that the others are cut from; 0 where the cut is between neighbours
	side [2]side // how either column's bins are joined, once the pair is chosen
}

// side is one column's bins, joined for pairs.
type side struct {
	join []uint8 // bin → coarse bin; 0, missing, stays 0
	bins int
}

// sought joins every column's bins to seek pairs by; categories in the order of
// effect.
func sought(axes []*axis, effect [][]float64) []side {
	out := make([]side, len(axes))
	for j, a := range axes {
		out[j].join, out[j].bins = a.coarse(seekBins, effect[j], nil)
	}
	return out
}

// join joins the bins of a chosen pair. Words that the others were cut from are
// put last, so that one cut of the table tells them from all others.
func (p *pair) join(axes []*axis, effect [][]float64) {
	coarse := sought(axes, effect)
	for s, j := range []int{p.a, p.b} {
		var apart func(bin int) bool
		if lone := uint8(p.lone[s]); lone > 0 {
			apart = func(bin int) bool { return coarse[j].join[bin] == lone }
		}
		p.side[s].join, p.side[s].bins = axes[j].coarse(pairBins, effect[j], apart)
	}
}

// rank orders all pairs of columns by what speaks for them, the strongest first
// (FAST; Lou, Caruana, Gehrke and Hooker 2013). g and h are gradient and curvature
// of rows by bags that left them out: residuals of rows that were fitted to would
// hide what is sought. allowed says which columns may be in a pair.
func rank(axes []*axis, effect [][]float64, g, h []float32, allowed func(j int) bool) []pair {
	coarse := sought(axes, effect)
	bins := make([][]uint8, len(axes))
	for j, a := range axes {
		bins[j] = make([]uint8, len(g))
		for i, k := range a.bin {
			bins[j][i] = coarse[j].join[k]
		}
	}
	var list []pair
	for a := range axes {
		for b := a + 1; b < len(axes); b++ {
			if allowed(a) && allowed(b) && coarse[a].bins > 2 && coarse[b].bins > 2 {
				list = append(list, pair{a: a, b: b})
			}
		}
	}
	parallel(len(list), func(k int) {
		p := &list[k]
		n, m := coarse[p.a].bins, coarse[p.b].bins
		hist := make([]moment, n*m)
		for i, x := range bins[p.a] {
			c := &hist[int(x)*m+int(bins[p.b][i])]
			c.g += float64(g[i])
			c.h += float64(h[i])
		}
		p.gain, p.lone = interaction(hist, n, m, [2]bool{axes[p.a].category, axes[p.b].category})
	})
	slices.SortStableFunc(list, func(x, y pair) int { return cmp.Compare(y.gain, x.gain) })
	return list
}

// interaction is the most that any cross cut of a table of n × m cells finds
// beyond the sum of its two cuts: with μ the step of each quadrant,
//
//	(μ11 - μ10 - μ01 + μ00)² / Σ 1/h
//
// which is the difference of the additive and the full fit by weighted least
// squares. Missing values, line and column 0, are left out of it. lone is the bin
// that either side is cut around, 0 where it is cut between neighbours.
func interaction(hist []moment, n, m int, category [2]bool) (best float64, lone [2]int) {
	sum := make([]moment, n*m) // sum[i][k]: cells 1..i × 1..k
	for i := 1; i < n; i++ {
		var line moment
		for k := 1; k < m; k++ {
			line = line.plus(hist[i*m+k])
			sum[i*m+k] = sum[(i-1)*m+k].plus(line)
		}
	}
	within := func(a, b span) moment {
		last := sum[(a.to-1)*m+b.to-1].minus(sum[(a.from-1)*m+b.to-1])
		return last.minus(sum[(a.to-1)*m+b.from-1].minus(sum[(a.from-1)*m+b.from-1]))
	}
	lines, places := span{1, n}, span{1, m}
	all := within(lines, places)
	across := halvings(m, category[1])
	for _, a := range halvings(n, category[0]) {
		low := within(a, places)
		for _, b := range across {
			q00, up := within(a, b), within(lines, b)
			q01, q10 := low.minus(q00), up.minus(q00)
			q11 := all.minus(low).minus(q10)
			contrast := q11.step() - q10.step() - q01.step() + q00.step()
			spread := 1/(q11.h+ridge) + 1/(q10.h+ridge) + 1/(q01.h+ridge) + 1/(q00.h+ridge)
			if gain := float64(contrast*contrast) / spread; gain > best {
				best, lone = gain, [2]int{a.lone(), b.lone()}
			}
		}
	}
	return best, lone
}

// span is the bins of a side from one up to but not with another.
type span struct{ from, to int }

// lone is the bin that a span other than at an end is made of.
func (s span) lone() int {
	if s.from == 1 {
		return 0
	}
	return s.from
}

// halvings are the ways of cutting a side's bins from 1 in two: between any two
// neighbours and, for a category, around any one bin: the order of words by their
// own effects says nothing of their part in a pair.
func halvings(bins int, category bool) []span {
	var list []span
	for to := 2; to < bins; to++ {
		list = append(list, span{1, to})
	}
	for from := 2; category && from < bins-1; from++ {
		list = append(list, span{from, from + 1})
	}
	return list
}

// What the noise is measured by.
const (
	drawn  = 16         // tables drawn
	beyond = 4.6 - 0.58 // of a Gumbel distribution: its 99 % point and its mean, in scales
)

// noise is a gain that the strongest pair exceeds once in a hundred tables whose
// truth is f, so that no pair has an effect: the maximum is taken as Gumbel's, by
// its moments over tables whose labels are drawn by f (a parametric bootstrap;
// Efron and Tibshirani 1993).
func noise(r *rows, axes []*axis, effect [][]float64, f []float32, allowed func(j int) bool) float64 {
	g, h, y := make([]float32, r.n), make([]float32, r.n), make([]float32, r.n)
	var sum, squares float64
	for k := range uint64(drawn) {
		for i, x := range f {
			y[i] = 0
			if float32(mix(k<<32+uint64(i))>>40)/(1<<24) < sigmoid(x) {
				y[i] = 1
			}
		}
		derive(f, g, h, y, r.weight)
		if list := rank(axes, effect, g, h, allowed); len(list) > 0 {
			sum += list[0].gain
			squares += float64(list[0].gain * list[0].gain)
		}
	}
	mean := sum / drawn
	variance := max(0, squares/drawn-float64(mean*mean)) * drawn / (drawn - 1)
	return mean + float64(beyond*math.Sqrt(6*variance)/math.Pi)
}

// cells is the part of a pair: its rows' cells in a table of a's bins × b's.
func cells(axes []*axis, p pair) *part {
	x, y := axes[p.a], axes[p.b]
	two := make([]uint16, len(x.bin))
	n, m := p.side[0].bins, p.side[1].bins
	for i, k := range x.bin {
		two[i] = uint16(int(p.side[0].join[k])*m + int(p.side[1].join[y.bin[i]]))
	}
	return &part{two: two, bins: n * m, shape: plane(n, m)}
}
