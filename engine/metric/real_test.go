package metric

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// What the data's own column of smoothed records says of a package's next update:
// little. The AUCs are those of comparing every pair, in another language.
func TestRealTrackRecord(t *testing.T) {
	for _, c := range []struct {
		file string
		auc  float64
	}{
		{"ubuntu_regressions.csv", 0.5791994526171741},
		{"debian_regressions.csv", 0.5501625437361325},
	} {
		f, err := os.Open(filepath.Join("../../../shared/data/regressions", c.file))
		if err != nil {
			t.Skipf("the real data is absent: %v", err)
		}
		defer f.Close()
		lines, err := csv.NewReader(f).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		at := func(column string) int { return slices.Index(lines[0], column) }
		var rows []Row
		for _, l := range lines[1:] {
			p, err := strconv.ParseFloat(l[at("prev_regression_rate")], 64)
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, Row{Name: l[at("advisory")], P: p, Bad: l[at("regressed")] == "1"})
		}
		s := set(t, rows)
		auc, _ := s.AUC()
		ap, _ := s.AveragePrecision()
		base, _ := s.BaseRate()
		loss, _ := s.LogLoss()
		ece, _ := s.CalibrationError(0)
		t.Logf("%s: AUC %.3f, average precision %.3f at a base rate of %.3f, log loss %.4f, calibration error %.3f", c.file, auc, ap, base, loss, ece)
		if math.Abs(auc-c.auc) > 1e-9 {
			t.Errorf("%s: AUC() = %v, want %v", c.file, auc, c.auc)
		}
	}
}
