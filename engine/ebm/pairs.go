package ebm

import (
	"cmp"
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
}

// side is one column's bins, joined for pairs.
type side struct {
	join []uint8 // bin → coarse bin; 0, missing, stays 0
	bins int
}

// sides joins every column's bins; categories in the order of effect.
func sides(axes []*axis, effect [][]float64, limit int) []side {
	out := make([]side, len(axes))
	for j, a := range axes {
		out[j].join, out[j].bins = a.coarse(limit, effect[j])
	}
	return out
}

// rank orders all pairs of columns by what speaks for them, the strongest first
// (FAST; Lou, Caruana, Gehrke and Hooker 2013). f are log-odds of rows by bags
// that left them out: residuals of rows that were fitted to would hide what is
// sought. allowed says which columns may be in a pair.
func rank(r *rows, axes []*axis, effect [][]float64, f []float32, allowed func(j int) bool) []pair {
	g, h := make([]float32, r.n), make([]float32, r.n)
	derive(f, g, h, r.y, r.weight)
	coarse := sides(axes, effect, seekBins)
	bins := make([][]uint8, len(axes))
	for j, a := range axes {
		bins[j] = make([]uint8, r.n)
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
		p.gain = interaction(hist, n, m)
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
// squares. Missing values, line and column 0, are left out of it.
func interaction(hist []moment, n, m int) float64 {
	sum := make([]moment, n*m) // sum[i][k]: cells 1..i × 1..k
	for i := 1; i < n; i++ {
		var line moment
		for k := 1; k < m; k++ {
			line = line.plus(hist[i*m+k])
			sum[i*m+k] = sum[(i-1)*m+k].plus(line)
		}
	}
	best := 0.0
	all := sum[n*m-1]
	for i := 1; i < n-1; i++ {
		low := sum[i*m+m-1]
		for k := 1; k < m-1; k++ {
			q00, up := sum[i*m+k], sum[(n-1)*m+k]
			q01, q10 := low.minus(q00), up.minus(q00)
			q11 := all.minus(low).minus(q10)
			contrast := q11.step() - q10.step() - q01.step() + q00.step()
			spread := 1/(q11.h+ridge) + 1/(q10.h+ridge) + 1/(q01.h+ridge) + 1/(q00.h+ridge)
			best = max(best, float64(contrast*contrast)/spread)
		}
	}
	return best
}

// cells is the part of a pair: its rows' cells in a table of a's bins × b's.
func cells(axes []*axis, s []side, p pair) *part {
	x, y := axes[p.a], axes[p.b]
	two := make([]uint16, len(x.bin))
	m := s[p.b].bins
	for i, k := range x.bin {
		two[i] = uint16(int(s[p.a].join[k])*m + int(s[p.b].join[y.bin[i]]))
	}
	return &part{two: two, bins: s[p.a].bins * m, shape: plane(s[p.a].bins, m)}
}
