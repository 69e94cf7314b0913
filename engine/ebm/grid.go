package ebm

import "math"

// squares is how many equal parts of a column's range a grid has.
const squares = 256

// grid finds the bin of a number: its square by a product, then the bin among
// the few cuts within that square. Squares ascend with numbers, whatever is
// rounded, so cuts of squares before lie before, and those of squares behind
// behind.
type grid struct {
	cuts  []float64
	low   float64
	scale float64
	upto  *[squares + 2]uint8 // by square: the cuts in squares before it; nil where the range has no width that can be divided
}

// newGrid makes the grid of a range.
func newGrid(cuts []float64, low, high float64) grid {
	g := grid{cuts: cuts, low: low, scale: squares / (high - low)}
	if !(g.scale > 0) || math.IsInf(g.scale, 1) || len(cuts) > math.MaxUint8 {
		return g
	}
	g.upto = new([squares + 2]uint8)
	for _, c := range cuts {
		first := 0 // the first square that lies behind the cut's own
		switch {
		case c > high:
			continue
		case c >= low:
			first = int((c-low)*g.scale) + 1
		}
		for k := first; k < len(g.upto); k++ {
			g.upto[k]++
		}
	}
	return g
}

// place is the bin of a number within the grid's range.
func (g *grid) place(x float64) int {
	if g.upto == nil {
		return search(g.cuts, x)
	}
	k := int((x - g.low) * g.scale)
	from, to := int(g.upto[k]), int(g.upto[k+1])
	if to-from > 8 {
		return from + search(g.cuts[from:to], x)
	}
	for from < to && g.cuts[from] <= x {
		from++
	}
	return from + 1
}

// search is the bin of a number by halving the cuts.
func search(cuts []float64, x float64) int {
	base, n := 0, len(cuts)
	for n > 1 {
		half := n >> 1
		if cuts[base+half-1] <= x {
			base += half
		}
		n -= half
	}
	if n == 1 && cuts[base] <= x {
		base++
	}
	return base + 1
}
