package ebm

import (
	"fmt"
	"math/rand"
	"slices"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// sampled is rows whose scores are off from the truth by a slope and a level.
func sampled(n int, slope, shift float64, seed int64) sample {
	r := rand.New(rand.NewSource(seed))
	var s sample
	for i := range n {
		x := float64(r.NormFloat64() * 2)
		s.f, s.w, s.fold = append(s.f, float32(x)), append(s.w, 1), append(s.fold, i%8)
		y := float32(0)
		if r.Float64() < exact.Expit(float64(slope*x)+shift) {
			y = 1
		}
		s.y = append(s.y, y)
	}
	return s
}

// mapped is the log loss of a sample's rows under a calibration.
func mapped(c *calibration, s sample) float64 {
	f := slices.Clone(s.f)
	for i, x := range f {
		f[i] = float32(c.logit(float64(x)))
	}
	return logLoss(f, s.y, s.w)
}

// A calibration is used only where it lowers the log loss of rows left out: then
// it also lowers that of the rows it was fitted to, and where scores are right
// already there is mostly none.
func TestCalibrationNeverWorsens(t *testing.T) {
	for _, c := range []struct {
		n            int
		slope, shift float64
		used         bool
	}{
		{4000, 0.4, 0, true}, {4000, 2, 0, true}, {4000, 1, 1.5, true}, {4000, -1, 0, true},
		{40, 0.3, -1, false}, {60, 1, 0, false}, {24, 5, 3, false}, {500, 1, 0, false},
	} {
		name := fmt.Sprintf("%d rows, slope %v, shift %v", c.n, c.slope, c.shift)
		s := sampled(c.n, c.slope, c.shift, 31)
		got := calibrate(s)
		if c.used && got == nil {
			t.Errorf("%s: none is used", name)
		}
		if before, after := mapped(nil, s), mapped(got, s); after > before+1e-3 {
			t.Errorf("%s: log loss went from %v to %v", name, before, after)
		}
		if got != nil && !(got.A > 0 && got.B > 0) {
			t.Errorf("%s: %+v turns the order of scores round", name, got)
		}
	}
}

// Scores stay in order, and a nil calibration leaves them.
func TestCalibrationKeepsTheOrder(t *testing.T) {
	c, none := calibrate(sampled(4000, 0.4, 1, 32)), (*calibration)(nil)
	for x := -30.0; x < 30; x += 0.25 {
		if none.logit(x) != x {
			t.Errorf("nil.logit(%v) = %v", x, none.logit(x))
		}
		if !(c.logit(x) < c.logit(x+0.25)) {
			t.Errorf("logit(%v) = %v, not below logit(%v) = %v", x, c.logit(x), x+0.25, c.logit(x+0.25))
		}
	}
}

// A Venn–Abers interval is valid: its two probabilities enclose what happened,
// level by level, and never fall.
func TestVennAbers(t *testing.T) {
	s := sampled(20_000, 0.6, -0.5, 33)
	v := vennAbers(s)
	for k := range v.From {
		if !(v.Low[k] <= v.High[k]) || k > 0 && (v.Low[k] < v.Low[k-1] || v.High[k] < v.High[k-1]) {
			t.Errorf("level %d is %v to %v, after %v to %v", k, v.Low[k], v.High[k], v.Low[max(0, k-1)], v.High[max(0, k-1)])
		}
	}
	fresh, off := sampled(20_000, 0.6, -0.5, 34), 0.0
	hits, sum := make([]float64, len(v.From)), make([]float64, len(v.From))
	for i, x := range fresh.f {
		k := max(0, search(v.From, float64(x))-2)
		hits[k] += float64(fresh.y[i])
		sum[k]++
	}
	for k := range hits {
		off += max(hits[k]-sum[k]*v.High[k], sum[k]*v.Low[k]-hits[k], 0)
	}
	if off /= 20_000; off > 0.025 { // chance alone: levels have 200 rows
		t.Errorf("frequencies leave the intervals by %.4f in the mean, want at most 0.025", off)
	}
	if width := v.High[len(v.From)/2] - v.Low[len(v.From)/2]; width > 0.05 {
		t.Errorf("an interval is %v wide with 20,000 rows, want at most 0.05", width)
	}
}
