package ebm

import "math"

// A grid cuts a column's range into equal squares, fewSquares of them or, while
// more than step cuts share one, up to mostSquares.
const (
	fewSquares  = 256
	mostSquares = 2048
	step        = 2
)

// grid finds the bin of a number: its square by a product, then the bin among
// the few cuts within that square. Squares ascend with numbers, whatever is
// rounded, so cuts of squares before lie before, and those of squares behind
// behind: asking step cuts, also of squares behind, is never wrong.
type grid struct {
	low    float64 // the range
	high   float64
	scale  float64
	upto   []uint8   // by square: the cuts in squares before it; nil where the range has no width that can be divided
	padded []float64 // the cuts, and step times +Inf
	dense  bool      // more than step cuts share a square
}

// newGrid makes the grid of a range.
func newGrid(cuts []float64, low, high float64) grid {
	g := grid{low: low, high: high, padded: append(make([]float64, 0, len(cuts)+step), cuts...)}
	for range step {
		g.padded = append(g.padded, math.Inf(1))
	}
	for n := fewSquares; n <= mostSquares && (n == fewSquares || g.dense); n *= 2 {
		if g.scale = float64(n) / (high - low); !(g.scale > 0) || math.IsInf(g.scale, 1) || len(cuts) > math.MaxUint8 {
			g.upto = nil
			return g
		}
		g.fill(cuts, n)
	}
	return g
}

// fill counts the cuts before each of n squares.
func (g *grid) fill(cuts []float64, n int) {
	g.upto, g.dense = make([]uint8, n+2), false
	for _, c := range cuts {
		first := 0 // the first square that lies behind the cut's own
		switch {
		case c > g.high:
			continue
		case c >= g.low:
			first = int((c-g.low)*g.scale) + 1
		}
		for k := first; k < len(g.upto); k++ {
			g.upto[k]++
		}
	}
	for k, from := range g.upto[:n+1] {
		g.dense = g.dense || g.upto[k+1]-from > step
	}
}

// place is the bin of a number within the grid's range.
func (g *grid) place(x float64) int {
	k := int((x - g.low) * g.scale)
	if uint(k+1) >= uint(len(g.upto)) {
		return search(g.padded[:len(g.padded)-step], x)
	}
	from := int(g.upto[k])
	if g.dense {
		if to := int(g.upto[k+1]); to-from > step {
			return from + search(g.padded[from:to], x)
		}
	}
	near, bin := g.padded[from:], from+1
	if len(near) < step {
		return bin // never: the list is padded
	}
	return bin + passed(near[0], x) + passed(near[1], x)
}

// passed is 1 where a number is not below a cut.
func passed(cut, x float64) (n int) {
	if cut <= x {
		n = 1
	}
	return n
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
