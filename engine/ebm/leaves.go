package ebm

// least is how many rows a leaf has at least.
const least = 4

// stepper fills delta with one step over the bins of a part, from the moments
// and the number of rows in each.
type stepper func(hist []moment, count []int32, table []float64, rate float64, delta []float32)

// stepped moves a column by a few leaves of neighbouring bins, found greedily;
// missing values are a leaf of their own, and so is each word of a category.
func stepped(a *axis, leaves int) stepper {
	if a.category {
		return words
	}
	return func(hist []moment, count []int32, _ []float64, rate float64, delta []float32) {
		delta[0] = float32(rate * hist[0].step())
		stretch(hist[1:], count[1:], leaves, rate, delta[1:])
	}
}

// straight moves a column of numbers along a straight line through the middles
// of its bins, a category as stepped does.
func straight(a *axis) stepper {
	if a.category {
		return words
	}
	z := a.middles()
	return func(hist []moment, _ []int32, _ []float64, rate float64, delta []float32) {
		var all, gz, hz, hzz = moment{}, 0.0, 0.0, 0.0
		for k, m := range hist[1:] {
			all = all.plus(m)
			gz += float64(m.g * z[k])
			hz += float64(m.h * z[k])
			hzz += float64(m.h * float64(z[k]*z[k]))
		}
		mean := hz / (all.h + 1e-12)
		slope := -(gz - float64(mean*all.g)) / (hzz - float64(mean*hz) + ridge)
		level := all.step()
		delta[0] = float32(rate * hist[0].step())
		for k := range hist[1:] {
			delta[k+1] = float32(rate * (level + float64(slope*(z[k]-mean))))
		}
	}
}

// run is a stretch of bins that may become a leaf.
type run struct {
	low, high int
	sum       moment
	rows      int32
	at        int // where it is best cut, and what that gains
	gain      float64
}

// stretch cuts neighbouring bins into up to most leaves.
func stretch(hist []moment, count []int32, most int, rate float64, delta []float32) {
	all := run{low: 0, high: len(hist)}
	for k, m := range hist {
		all.sum = all.sum.plus(m)
		all.rows += count[k]
	}
	all.best(hist, count)
	leaves := append(make([]run, 0, 8), all)
	for len(leaves) < most {
		widest := 0
		for k := range leaves {
			if leaves[k].gain > leaves[widest].gain {
				widest = k
			}
		}
		if leaves[widest].gain <= 0 {
			break
		}
		a, b := leaves[widest].split(hist, count)
		a.best(hist, count)
		b.best(hist, count)
		leaves[widest] = a
		leaves = append(leaves, b)
	}
	for _, l := range leaves {
		fill(delta, l, rate)
	}
}

// best finds where a run is best cut; its gain stays 0 when nowhere.
func (r *run) best(hist []moment, count []int32) {
	r.gain = 0
	var left moment
	var rows int32
	own := r.sum.gain()
	for k := r.low; k < r.high-1; k++ {
		left = left.plus(hist[k])
		rows += count[k]
		if rows < least || count[k] == 0 {
			continue
		}
		if r.rows-rows < least {
			break
		}
		if gain := left.gain() + r.sum.minus(left).gain() - own; gain > r.gain {
			r.gain, r.at = gain, k+1
		}
	}
}

// split cuts a run where it is best cut.
func (r *run) split(hist []moment, count []int32) (left, right run) {
	left, right = run{low: r.low, high: r.at}, run{low: r.at, high: r.high}
	for k := r.low; k < r.at; k++ {
		left.sum = left.sum.plus(hist[k])
		left.rows += count[k]
	}
	right.sum, right.rows = r.sum.minus(left.sum), r.rows-left.rows
	return left, right
}

func fill(delta []float32, r run, rate float64) {
	d := float32(rate * r.sum.step())
	for k := r.low; k < r.high; k++ {
		delta[k] = d
	}
}

// words moves every word of a category by itself, held back towards 0 by the
// ridge: as random effects are. So however long it is boosted,
// a word of few rows stays near the others.
func words(hist []moment, _ []int32, table []float64, rate float64, delta []float32) {
	for k, m := range hist {
		delta[k] = float32(rate * -(m.g + float64(ridge*table[k])) / (m.h + ridge))
	}
}

// plane returns the stepper of a pair's table of rows × columns cells: one cut
// along one side and, on either part of it, one along the other.
func plane(rows, columns int) stepper {
	return func(hist []moment, _ []int32, _ []float64, rate float64, delta []float32) {
		upright := crossCut(hist, rows, columns, columns, 1)
		flat := crossCut(hist, columns, rows, 1, columns)
		best, outer, inner := upright, columns, 1
		n, m := rows, columns
		if flat.gain > upright.gain {
			best, outer, inner = flat, 1, columns
			n, m = columns, rows
		}
		for i := range n {
			side := 0
			if i >= best.cut {
				side = 1
			}
			for k := range m {
				leaf := best.leaf[side][0]
				if k >= best.inner[side] {
					leaf = best.leaf[side][1]
				}
				delta[i*outer+k*inner] = float32(rate * leaf.step())
			}
		}
	}
}

// cross is a cut of a table into four leaves.
type cross struct {
	gain  float64
	cut   int    // along the outer side
	inner [2]int // along the inner side, before the cut and after it
	leaf  [2][2]moment
}

// crossCut finds the best cross of a table with n lines of m cells.
func crossCut(hist []moment, n, m, outer, inner int) cross {
	var all [64]moment
	var upto [64]moment
	for i := range n {
		for k := range m {
			all[k] = all[k].plus(hist[i*outer+k*inner])
		}
	}
	best := cross{gain: -1}
	for i := 0; i < n-1; i++ {
		for k := range m {
			upto[k] = upto[k].plus(hist[i*outer+k*inner])
		}
		a := innerCut(&upto, nil, m)
		b := innerCut(&all, &upto, m)
		if gain := a.gain + b.gain; gain > best.gain {
			best = cross{gain, i + 1, [2]int{a.at, b.at}, [2][2]moment{{a.left, a.right}, {b.left, b.right}}}
		}
	}
	if n == 1 {
		a := innerCut(&all, nil, m)
		best = cross{a.gain, n, [2]int{a.at, m}, [2][2]moment{{a.left, a.right}}}
	}
	return best
}

type halves struct {
	gain        float64
	at          int
	left, right moment
}

// innerCut finds the best cut of a line of m cells: those of a, less b's.
func innerCut(a, b *[64]moment, m int) halves {
	var line [64]moment
	var total moment
	for k := range m {
		line[k] = a[k]
		if b != nil {
			line[k] = a[k].minus(b[k])
		}
		total = total.plus(line[k])
	}
	best := halves{gain: total.gain(), at: m, left: total}
	var left moment
	for k := 0; k < m-1; k++ {
		left = left.plus(line[k])
		right := total.minus(left)
		if gain := left.gain() + right.gain(); gain > best.gain {
			best = halves{gain, k + 1, left, right}
		}
	}
	return best
}
