package ebm

import "github.com/ringmaster-dev/ringmaster/engine/exact"

// blend is the weighted mean of ways of fitting the same parts. Its weights, none
// below 0 and 1 together, are those under which the rows left out are foretold
// best (stacking; Wolpert 1992, Breiman 1996).
func (f *fit) blend(ways []*stage) *stage {
	before := f.unseen(f.starts(nil))
	moved := make([][]float32, len(ways)) // by way: what it adds to each row
	for k, w := range ways {
		moved[k] = f.unseen(f.starts(w))
		for i := range moved[k] {
			moved[k][i] -= before[i]
		}
	}
	weight := f.weigh(before, moved)
	out := &stage{tables: make([][][]float64, f.bags)}
	for b := range out.tables {
		out.tables[b] = make([][]float64, len(f.axes))
		for j, a := range f.axes {
			table := make([]float64, a.bins())
			for w, s := range ways {
				for k, x := range s.tables[b][j] {
					table[k] += float64(weight[w] * x)
				}
			}
			out.tables[b][j] = table
		}
	}
	out.loss = logLoss(f.unseen(f.starts(out)), f.r.y, f.r.weight)
	return out
}

// The weights of a blend take this many steps of this length.
const (
	blendSteps = 100
	blendRate  = 20
)

// weigh finds the weights of a blend by exponentiated gradient (Kivinen and
// Warmuth 1997), beginning with equal ones.
func (f *fit) weigh(before []float32, moved [][]float32) []float64 {
	weight, gradient := make([]float64, len(moved)), make([]float64, len(moved))
	rows := 0.0
	for k := range weight {
		weight[k] = 1 / float64(len(moved))
	}
	for _, w := range f.r.weight {
		rows += float64(w)
	}
	for range blendSteps {
		clear(gradient)
		for i, x := range before {
			for k, w := range weight {
				x += float32(float32(w) * moved[k][i])
			}
			g := float64(f.r.weight[i] * (sigmoid(x) - f.r.y[i]))
			for k := range gradient {
				gradient[k] += float64(g * float64(moved[k][i]))
			}
		}
		sum := 0.0
		for k := range weight {
			weight[k] = float64(weight[k] * exact.Exp(-float64(blendRate*gradient[k]/rows))) // or arm64 fuses it with the sum
			sum += weight[k]
		}
		for k := range weight {
			weight[k] /= sum
		}
	}
	return weight
}
