package ebm

import (
	"cmp"
	"math"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// sample is scored rows: log-odds, label, weight, and the fold that each was in.
type sample struct {
	f, y, w []float32
	fold    []int
}

func (s sample) total() float64 {
	sum := 0.0
	for _, w := range s.w {
		sum += float64(w)
	}
	return sum
}

// only is the sample's rows that keep says.
func (s sample) only(keep func(i int) bool) sample {
	var out sample
	for i := range s.f {
		if keep(i) {
			out.f, out.y, out.w, out.fold = append(out.f, s.f[i]), append(out.y, s.y[i]), append(out.w, s.w[i]), append(out.fold, s.fold[i])
		}
	}
	return out
}

// logit is the calibrated log-odds of log-odds x; a nil calibration leaves them.
func (c *calibration) logit(x float64) float64 {
	if c == nil {
		return x
	}
	logP := -softplus(-x) // log p; log(1-p) is log p - x
	return float64(c.A*logP) - float64(c.B*(logP-x)) + c.C
}

// calibrate fits beta calibration. It is kept only where maps fitted without a
// fold foretell that fold, over all folds, better than no map does.
func calibrate(s sample) *calibration {
	before, after := 0.0, 0.0
	for fold := range slices.Max(s.fold) + 1 {
		rest := s.only(func(i int) bool { return s.fold[i] != fold })
		own := s.only(func(i int) bool { return s.fold[i] == fold })
		if len(rest.f) == 0 || len(own.f) == 0 {
			continue
		}
		before += logLoss(own.f, own.y, own.w)
		c := beta(rest)
		for i, x := range own.f {
			own.f[i] = float32(c.logit(float64(x)))
		}
		after += logLoss(own.f, own.y, own.w)
	}
	if !(after < before) {
		return nil
	}
	c := beta(s)
	c.A, c.B, c.C = clean(c.A), clean(c.B), clean(c.C)
	if c.A == 1 && c.B == 1 && c.C == 0 {
		return nil
	}
	return c
}

// beta is the likeliest beta calibration, held back towards doing nothing by a
// ridge of 1; a and b stay above 0, so that the order of scores stays. It takes
// Newton's steps in three unknowns.
func beta(s sample) *calibration {
	c := &calibration{1, 1, 0}
	for range 30 {
		var g [3]float64
		h := [3][3]float64{{ridge}, {0, ridge}, {0, 0, ridge}}
		g[0], g[1], g[2] = ridge*(c.A-1), ridge*(c.B-1), ridge*c.C
		for i, x := range s.f {
			logP := -softplus(-float64(x))
			v := [3]float64{logP, float64(x) - logP, 1}
			p := exact.Expit(float64(c.A*v[0]) + float64(c.B*v[1]) + c.C)
			w := float64(s.w[i])
			miss, curve := float64(w*(p-float64(s.y[i]))), float64(w*float64(p*(1-p)))
			for a := range 3 {
				g[a] += float64(miss * v[a])
				for b := range a + 1 {
					h[a][b] += float64(curve * float64(v[a]*v[b]))
				}
			}
		}
		step := solve3(h, g)
		c.A = math.Max(0.05, c.A-step[0])
		c.B = math.Max(0.05, c.B-step[1])
		c.C -= step[2]
		if math.Abs(step[0])+math.Abs(step[1])+math.Abs(step[2]) < 1e-9 {
			break
		}
	}
	return c
}

// solve3 solves h·x = g for a positive definite h, given by its lower triangle
// (Cholesky).
func solve3(h [3][3]float64, g [3]float64) (x [3]float64) {
	for j := range 3 {
		for k := range j {
			h[j][j] -= float64(h[j][k] * h[j][k])
		}
		h[j][j] = math.Sqrt(math.Max(h[j][j], 1e-12))
		for i := j + 1; i < 3; i++ {
			for k := range j {
				h[i][j] -= float64(h[i][k] * h[j][k])
			}
			h[i][j] /= h[j][j]
		}
	}
	for i := range 3 {
		x[i] = g[i]
		for k := range i {
			x[i] -= float64(h[i][k] * x[k])
		}
		x[i] /= h[i][i]
	}
	for i := 2; i >= 0; i-- {
		for k := i + 1; k < 3; k++ {
			x[i] -= float64(h[k][i] * x[k])
		}
		x[i] /= h[i][i]
	}
	return x
}

// steps is how many levels of logit a Venn–Abers predictor tells apart.
const steps = 100

// vennAbers makes the Venn–Abers predictor (Vovk and Petej 2014) of scores cut
// into levels of equally many rows: for each level, what isotonic regression says
// of a further row there if its label were 0, and if it were 1. Cutting first
// keeps its validity, for it is only another scoring function, and makes it small
// enough to write down.
func vennAbers(s sample) interval {
	at := make([]int, len(s.f))
	for i := range at {
		at[i] = i
	}
	slices.SortFunc(at, func(a, b int) int { return cmp.Compare(s.f[a], s.f[b]) })
	var v interval
	var levels []moment // g: weight of label 1, h: weight
	for k, i := range at {
		x := clean(float64(s.f[i]))
		if k == 0 || len(levels)*len(at) <= k*steps && x > v.From[len(v.From)-1] {
			v.From, levels = append(v.From, x), append(levels, moment{})
		}
		l := &levels[len(levels)-1]
		l.g += float64(s.w[i] * s.y[i])
		l.h += float64(s.w[i])
	}
	low, high := make([]float64, len(levels)), make([]float64, len(levels))
	for k := range levels {
		low[k] = isotonicAt(levels, k, moment{0, 1})
		high[k] = isotonicAt(levels, k, moment{1, 1})
	}
	from := v.From
	v.From = nil
	for k := range from {
		a, b := math.Min(0.99999, exact.Round5(low[k])), math.Max(0.00001, exact.Round5(high[k]))
		if n := len(v.From); n > 0 && v.Low[n-1] == a && v.High[n-1] == b {
			continue
		}
		v.From, v.Low, v.High = append(v.From, from[k]), append(v.Low, a), append(v.High, b)
	}
	return v
}

// isotonicAt is the isotonic regression, at level at, of levels with one more row
// there.
func isotonicAt(levels []moment, at int, more moment) float64 {
	type pool struct {
		moment
		last int
	}
	var pools []pool
	for k, l := range levels {
		if k == at {
			l = l.plus(more)
		}
		pools = append(pools, pool{l, k})
		for len(pools) > 1 {
			a, b := pools[len(pools)-2], pools[len(pools)-1]
			if a.g/a.h <= b.g/b.h {
				break
			}
			pools = append(pools[:len(pools)-2], pool{a.plus(b.moment), b.last})
		}
	}
	for _, p := range pools {
		if p.last >= at {
			return p.g / p.h
		}
	}
	return 0
}
