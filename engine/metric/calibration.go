package metric

import (
	"math"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// Bins is how many bins a calibration curve has where nothing else is said.
const Bins = 15

// Bin is one point of a calibration curve: rows of about the same prediction.
type Bin struct {
	From, To  float64 // the lowest and the highest prediction in it
	Rows      int
	N, Bad    float64 // summed weights of all rows and of those that failed
	Predicted float64 // mean prediction
	Observed  float64 // share that failed
	Low, High float64 // 90 % interval of Observed
}

// Curve is the calibration curve over bins of equal mass, rising; bins = 0 means
// 15. Equal predictions stay together, so bins may be uneven, and there may be
// fewer of them; there are none without rows.
func (s Set) Curve(bins int) []Bin {
	if bins <= 0 {
		bins = Bins
	}
	var list []Bin
	var squares float64
	var before float64 // weight predicted lower
	last := -1
	finish := func() {
		if last >= 0 {
			list[len(list)-1].close(squares)
		}
	}
	for g := range s.equals() {
		w := g.bad + g.good
		at := min(int(float64(float64(bins)*((before+w/2)/s.w))), bins-1)
		if at != last {
			finish()
			list, squares, last = append(list, Bin{From: g.p}), 0, at
		}
		b := &list[len(list)-1]
		b.To = g.p
		b.Rows += g.rows
		b.N += w
		b.Bad += g.bad
		b.Predicted += float64(w * g.p) // a sum until close
		squares += g.squares
		before += w
	}
	finish()
	return list
}

// close turns sums into means. Where weights differ, the interval is that of
// as many equal rows as they are worth, (Σw)²/Σw² (Kish 1965).
func (b *Bin) close(squares float64) {
	b.Predicted = min(max(b.Predicted/b.N, b.From), b.To)
	b.Observed = b.Bad / b.N
	worth := float64(b.N*b.N) / squares
	b.Low, b.High, _ = Interval(float64(b.Observed*worth), worth, 0.9)
}

// CalibrationError is the expected calibration error, Σ (N/W) |Predicted − Observed|
// over the bins of Curve (Naeini, Cooper and Hauskrecht 2015, with bins of equal
// mass); not ok without rows. It is above 0 by chance alone: about 0.8 √(p(1−p)·bins/n)
// for a perfect model, so compare sets of one size.
func (s Set) CalibrationError(bins int) (float64, bool) {
	var sum float64
	for _, b := range s.Curve(bins) {
		sum += float64(b.N * math.Abs(b.Predicted-b.Observed))
	}
	return ratio(sum, s.w)
}

// Interval is Jeffreys' interval for a rate of which bad in n was seen (Brown, Cai
// and DasGupta 2001): part = 0.9 leaves 5 % on either side, but the interval
// reaches to 0 where nothing failed and to 1 where all did. Counts need not be
// whole. Not ok without any, and then it is everything, 0 to 1.
func Interval(bad, n, part float64) (low, high float64, ok bool) {
	if !(n > 0) || !(bad >= 0) || !(part > 0 && part < 1) {
		return 0, 1, false
	}
	bad = min(bad, n)
	low, high = exact.Beta{A: bad + 0.5, B: n - bad + 0.5}.Interval(part)
	if bad == 0 {
		low = 0
	}
	if bad == n {
		high = 1
	}
	return low, high, true
}
