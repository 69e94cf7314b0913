package metric

import (
	"math"
	"math/rand"
	"testing"
)

func TestCurve(t *testing.T) {
	var rows []Row
	for i := range 100 {
		rows = append(rows, Row{P: float64(i) / 100, Bad: i%2 == 0})
	}
	curve := set(t, rows).Curve(10)
	if len(curve) != 10 {
		t.Fatalf("Curve(10) has %d bins", len(curve))
	}
	for i, b := range curve {
		if b.Rows != 10 || b.N != 10 || b.Bad != 5 || !near(b.Predicted, float64(i)/10+0.045) || b.Observed != 0.5 || !near(b.From, float64(i)/10) || !near(b.To, float64(i)/10+0.09) {
			t.Errorf("bin %d = %+v", i, b)
		}
		if !(b.Low < 0.5 && b.High > 0.5 && b.Low > 0.2 && b.High < 0.8) {
			t.Errorf("bin %d: interval %v to %v", i, b.Low, b.High)
		}
	}
	if got, _ := set(t, rows).CalibrationError(10); !near(got, (0.455+0.355+0.255+0.155+0.055+0.045+0.145+0.245+0.345+0.445)/10) {
		t.Errorf("CalibrationError(10) = %v", got)
	}
}

// Bins hold all rows, rising, and none is more than a tie larger than its share.
func TestCurveHoldsAllRows(t *testing.T) {
	r := rand.New(rand.NewSource(4))
	for range 300 {
		rows := random(r, 1+r.Intn(300))
		bins := r.Intn(20)
		s := set(t, rows)
		n, w, last, largest := 0, 0.0, -1.0, 0.0
		for g := range s.equals() {
			largest = max(largest, g.good+g.bad)
		}
		curve := s.Curve(bins)
		if bins == 0 {
			bins = Bins
		}
		for _, b := range curve {
			if b.From <= last || b.To < b.From || b.Predicted < b.From || b.Predicted > b.To || b.Bad > b.N || b.Low > b.Observed || b.High < b.Observed {
				t.Fatalf("bin %+v after %v", b, last)
			}
			if b.N > s.w/float64(bins)+largest+1e-9 {
				t.Fatalf("bin %+v of %v in %d bins, largest tie %v", b, s.w, bins, largest)
			}
			n, w, last = n+b.Rows, w+b.N, b.To
		}
		if n != len(rows) || !near(w, s.w) || len(curve) > bins {
			t.Fatalf("%d rows and weight %v in %d bins, want %d and %v in at most %d", n, w, len(curve), len(rows), s.w, bins)
		}
	}
}

// The error of a true model is about what the comment says, and a false one shows.
func TestCalibrationErrorSeesWhatIsWrong(t *testing.T) {
	r := rand.New(rand.NewSource(5))
	fit, off := make([]Row, 20_000), make([]Row, 20_000)
	for i := range fit {
		p := 0.01 + 0.3*r.Float64()
		bad := r.Float64() < p
		fit[i], off[i] = Row{P: p, Bad: bad}, Row{P: min(1.5*p, 1), Bad: bad}
	}
	right, _ := set(t, fit).CalibrationError(0)
	wrong, _ := set(t, off).CalibrationError(0)
	chance := 0.8 * math.Sqrt(0.16*0.84*Bins/20_000)
	if right > 1.6*chance || right < chance/2 || wrong < 0.06 {
		t.Errorf("calibration error %v of a true model (about %v by chance), %v of a false one", right, chance, wrong)
	}
}

// The interval covers the truth about as often as it says, over many rates.
func TestInterval(t *testing.T) {
	r := rand.New(rand.NewSource(6))
	covered, total := 0, 0
	for range 4000 {
		p, n := r.Float64(), 5+r.Intn(100)
		bad := 0
		for range n {
			if r.Float64() < p {
				bad++
			}
		}
		low, high, ok := Interval(float64(bad), float64(n), 0.9)
		if !ok || low > float64(bad)/float64(n) || high < float64(bad)/float64(n) {
			t.Fatalf("Interval(%d, %d) = %v, %v, %v", bad, n, low, high, ok)
		}
		total++
		if low <= p && p <= high {
			covered++
		}
	}
	if share := float64(covered) / float64(total); share < 0.88 || share > 0.93 {
		t.Errorf("the interval covers %v, want 0.9", share)
	}
	if low, high, ok := Interval(0, 0, 0.9); ok || low != 0 || high != 1 {
		t.Errorf("Interval(0, 0) = %v, %v, %v, want 0, 1, false", low, high, ok)
	}
	if low, _, _ := Interval(0, 20, 0.9); low != 0 {
		t.Errorf("Interval(0, 20) begins at %v", low)
	}
	if _, high, _ := Interval(20, 20, 0.9); high != 1 {
		t.Errorf("Interval(20, 20) ends at %v", high)
	}
}

func BenchmarkAll(b *testing.B) {
	r := rand.New(rand.NewSource(7))
	rows := make([]Row, 100_000)
	for i := range rows {
		p := r.Float64()
		rows[i] = Row{P: p, Bad: r.Float64() < p}
	}
	for b.Loop() {
		s, _ := Of(rows)
		s.LogLoss()
		s.AUC()
		s.AveragePrecision()
		s.CalibrationError(0)
	}
}
