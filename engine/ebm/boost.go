package ebm

import (
	"math"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// moment is what a bin's rows say: the sums of gradient and curvature of the
// log loss over them.
type moment struct{ g, h float64 }

func (m moment) plus(o moment) moment  { return moment{m.g + o.g, m.h + o.h} }
func (m moment) minus(o moment) moment { return moment{m.g - o.g, m.h - o.h} }

// gain is how far a leaf of these rows lowers the loss, twice.
func (m moment) gain() float64 { return float64(m.g*m.g) / (m.h + ridge) }

// step is where a leaf of these rows would move to.
func (m moment) step() float64 { return -m.g / (m.h + ridge) }

// ridge is the curvature that every leaf has beforehand; it holds leaves of few
// rows back.
const ridge = 1

// part is one summand being boosted: the bins of its rows and how a step over
// those bins is found.
type part struct {
	one   []uint8  // bin of each row, for one column
	two   []uint16 // cell of each row, for a pair
	bins  int
	shape stepper
}

// bag is one member of the ensemble: it is fitted to all rows but a fold, and
// judged on that fold.
type bag struct {
	r     *rows
	fold  int
	parts []*part
	count [][]int32   // rows fitted to, in each bin of each part
	table [][]float64 // by part: the sum of its steps
	fresh [][]float64 // by part: the steps since the fold was last judged

	f, g, h []float32 // log-odds, gradient, curvature of each row
	hist    []moment
	delta   [][]float32
}

// newBag readies a bag whose rows are at log-odds f, which it takes over.
func newBag(r *rows, fold int, parts []*part, f []float32) *bag {
	b := &bag{r: r, fold: fold, parts: parts, f: f, g: make([]float32, r.n), h: make([]float32, r.n)}
	widest := 0
	for _, p := range parts {
		widest = max(widest, p.bins)
		b.table = append(b.table, make([]float64, p.bins))
		b.fresh = append(b.fresh, make([]float64, p.bins))
		b.delta = append(b.delta, make([]float32, p.bins))
		count := make([]int32, p.bins)
		for _, s := range b.spans() {
			if p.one != nil {
				for _, k := range p.one[s[0]:s[1]] {
					count[k]++
				}
			} else {
				for _, k := range p.two[s[0]:s[1]] {
					count[k]++
				}
			}
		}
		b.count = append(b.count, count)
	}
	b.hist = make([]moment, 2*widest)
	return b
}

// spans are the rows that the bag is fitted to.
func (b *bag) spans() [2][2]int {
	return [2][2]int{{0, b.r.start[b.fold]}, {b.r.start[b.fold+1], b.r.n}}
}

// round makes one step in every part, in turn. Between the parts the gradient
// follows to first order (g + h·δ); it is exact again when the next round
// begins. So a round costs no exponentials but one for each row.
func (b *bag) round(rate float64) {
	for _, s := range b.spans() {
		derive(b.f[s[0]:s[1]], b.g[s[0]:s[1]], b.h[s[0]:s[1]], b.r.y[s[0]:s[1]], b.r.weight[s[0]:s[1]])
	}
	for j, p := range b.parts {
		hist := b.hist[:2*p.bins]
		clear(hist)
		for _, s := range b.spans() {
			var prev *part
			var delta []float32
			if j > 0 {
				prev, delta = b.parts[j-1], b.delta[j-1]
			}
			b.pass(prev, delta, p, hist, s[0], s[1])
		}
		hist = fold2(hist, p.bins)
		delta := b.delta[j]
		p.shape(hist, b.count[j], b.table[j], rate, delta)
		for k, d := range delta {
			b.table[j][k] += float64(d)
			b.fresh[j][k] += float64(d)
		}
	}
	last := len(b.parts) - 1
	for _, s := range b.spans() {
		b.apply(b.parts[last], b.delta[last], s[0], s[1])
	}
}

// fold2 adds up the two halves that rows were dealt to in turn.
func fold2(hist []moment, bins int) []moment {
	for k := range bins {
		hist[k] = hist[k].plus(hist[bins+k])
	}
	return hist[:bins]
}

// pass moves the rows from low to high by the step of the part before and
// gathers the moments of the next.
func (b *bag) pass(prev *part, delta []float32, next *part, hist []moment, low, high int) {
	f, g, h := b.f[low:high], b.g[low:high], b.h[low:high]
	switch {
	case prev == nil && next.one != nil:
		gather(g, h, next.one[low:high], hist)
	case prev == nil:
		gather(g, h, next.two[low:high], hist)
	case prev.one != nil && next.one != nil:
		move(f, g, h, prev.one[low:high], delta, next.one[low:high], hist)
	case prev.one != nil:
		move(f, g, h, prev.one[low:high], delta, next.two[low:high], hist)
	case next.one != nil:
		move(f, g, h, prev.two[low:high], delta, next.one[low:high], hist)
	default:
		move(f, g, h, prev.two[low:high], delta, next.two[low:high], hist)
	}
}

func (b *bag) apply(p *part, delta []float32, low, high int) {
	f := b.f[low:high]
	if p.one != nil {
		for i, k := range p.one[low:high] {
			f[i] += delta[k]
		}
		return
	}
	for i, k := range p.two[low:high] {
		f[i] += delta[k]
	}
}

// gather adds rows to the histogram, in turn to one half and the other: a bin
// that holds nearly all rows would else wait for its own last sum each time.
func gather[C uint8 | uint16](g, h []float32, next []C, hist []moment) {
	half := len(hist) / 2
	left, right := hist[:half], hist[half:]
	g, h = g[:len(next)], h[:len(next)]
	i := 0
	for ; i+1 < len(next); i += 2 {
		a, c := &left[next[i]], &right[next[i+1]]
		a.g += float64(g[i])
		a.h += float64(h[i])
		c.g += float64(g[i+1])
		c.h += float64(h[i+1])
	}
	if i < len(next) {
		a := &left[next[i]]
		a.g += float64(g[i])
		a.h += float64(h[i])
	}
}

// move is gather, after a step of another part.
func move[P, C uint8 | uint16](f, g, h []float32, prev []P, delta []float32, next []C, hist []moment) {
	half := len(hist) / 2
	left, right := hist[:half], hist[half:]
	n := len(next)
	f, g, h, prev = f[:n], g[:n], h[:n], prev[:n]
	i := 0
	for ; i+1 < n; i += 2 {
		d0, d1 := delta[prev[i]], delta[prev[i+1]]
		h0, h1 := h[i], h[i+1]
		g0 := g[i] + float32(h0*d0)
		g1 := g[i+1] + float32(h1*d1)
		f[i] += d0
		f[i+1] += d1
		g[i], g[i+1] = g0, g1
		a, c := &left[next[i]], &right[next[i+1]]
		a.g += float64(g0)
		a.h += float64(h0)
		c.g += float64(g1)
		c.h += float64(h1)
	}
	if i < n {
		d := delta[prev[i]]
		f[i] += d
		g[i] += float32(h[i] * d)
		a := &left[next[i]]
		a.g += float64(g[i])
		a.h += float64(h[i])
	}
}

// derive fills in gradient and curvature of the log loss at f.
func derive(f, g, h, y, w []float32) {
	n := len(f)
	g, h, y, w = g[:n], h[:n], y[:n], w[:n]
	for i, x := range f {
		p := sigmoid(x)
		g[i] = float32(w[i] * (p - y[i]))
		h[i] = float32(w[i] * float32(p*(1-p)))
	}
}

const (
	sigmoidEnd  = 16
	sigmoidFine = 64
)

// sigmoids are the values between which sigmoid draws straight lines; one beyond
// the end saves a test.
var sigmoids = func() (t [2*sigmoidEnd*sigmoidFine + 2]float32) {
	for k := range t {
		t[k] = float32(exact.Expit(float64(k-sigmoidEnd*sigmoidFine) / sigmoidFine))
	}
	return t
}()

// sigmoid is the probability at log-odds x to about 3e-6, for gradients alone.
func sigmoid(x float32) float32 {
	u := float32((x + sigmoidEnd) * sigmoidFine)
	if !(u > 0) {
		return sigmoids[0]
	}
	if u >= 2*sigmoidEnd*sigmoidFine {
		return sigmoids[2*sigmoidEnd*sigmoidFine]
	}
	k := int(u)
	return sigmoids[k] + float32((u-float32(k))*(sigmoids[k+1]-sigmoids[k]))
}

// judge brings the fold that was left out up to date and returns its log loss,
// summed by weight.
func (b *bag) judge() float64 {
	low, high := b.r.start[b.fold], b.r.start[b.fold+1]
	for j, p := range b.parts {
		delta := b.delta[j]
		for k, d := range b.fresh[j] {
			delta[k] = float32(d)
		}
		clear(b.fresh[j])
		b.apply(p, delta, low, high)
	}
	return logLoss(b.f[low:high], b.r.y[low:high], b.r.weight[low:high])
}

// logLoss is the log loss of log-odds f, summed by weight.
func logLoss(f, y, w []float32) float64 {
	sum := 0.0
	for i, x := range f {
		m := float64(x)
		if y[i] > 0 {
			m = -m
		}
		sum += float64(float64(w[i]) * softplus(m))
	}
	return sum
}

// softplus is log(1 + e^x).
func softplus(x float64) float64 { return max(x, 0) + exact.Log(1+exact.Exp(-math.Abs(x))) }
