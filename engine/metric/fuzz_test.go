package metric

import (
	"math"
	"testing"
)

// FuzzSet: whatever the rows, answers are shares where they are answers, turning
// predictions round turns the AUC round, and no row is lost.
func FuzzSet(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 255, 1, 254, 128, 127})
	f.Add([]byte{7, 7, 7, 7, 8, 8})
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, turned := make([]Row, len(data)), make([]Row, len(data))
		for i, b := range data {
			rows[i] = Row{P: float64(b>>2) / 63, Bad: b&1 == 1, Weight: float64(b & 2)}
			turned[i] = rows[i]
			turned[i].P = float64(63-b>>2) / 63
		}
		s, r := set(t, rows), set(t, turned)
		shares := map[string]func() (float64, bool){"base rate": s.BaseRate, "Brier": s.Brier, "AUC": s.AUC, "average precision": s.AveragePrecision, "precision": s.Top(3).Precision, "recall": s.TopShare(0.2).Recall}
		for name, share := range shares {
			if v, ok := share(); ok != !math.IsNaN(v) || ok && (v < 0 || v > 1+1e-12) {
				t.Errorf("%s = %v, %v", name, v, ok)
			}
		}
		a, ok := s.AUC()
		if b, _ := r.AUC(); ok && !near(a+b, 1) {
			t.Errorf("AUC() = %v, and %v turned round", a, b)
		}
		if ap, ok := s.AveragePrecision(); ok && ap <= 0 {
			t.Errorf("AveragePrecision() = %v where there are failures", ap)
		}
		n := 0
		for _, b := range s.Curve(7) {
			n += b.Rows
		}
		if n != len(rows) {
			t.Errorf("Curve() has %d of %d rows", n, len(rows))
		}
	})
}
