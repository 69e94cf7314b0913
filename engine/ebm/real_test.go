package ebm

import (
	"os"
	"testing"
)

// The public data sets' goals, with the default configuration.
func TestPublicSets(t *testing.T) {
	if os.Getenv("RINGMASTER_LONG") == "" {
		t.Skip("takes seconds; RINGMASTER_LONG=1 runs it")
	}
	for name, want := range map[string]struct {
		judged
		kB int
	}{
		"adult": {judged{0.2808, 0.927, 0.010}, 100},
		"ai4i":  {judged{0.0575, 0.974, 0.010}, 100},
	} {
		t.Run(name, func(t *testing.T) {
			s := publicSet(t, name)
			m := mustFit(t, s.train.Table, s.train.Label, Options{})
			got, refused := worth(t, m, s.test)
			if got.logLoss > want.logLoss || got.auc < want.auc || got.calibration > want.calibration || refused > 0.03 || len(m.Bytes()) > want.kB*1000 {
				t.Errorf("log loss %.4f, AUC %.4f, calibration error %.4f, refused %.3f, %d bytes; want at most %.4f, at least %.3f, at most %.3f, 0.03 and %d kB",
					got.logLoss, got.auc, got.calibration, refused, len(m.Bytes()), want.logLoss, want.auc, want.calibration, want.kB)
			}
			for _, p := range m.f.Pairs {
				if most := marginal(&p); most > 1e-4 {
					t.Errorf("%v: a marginal of %v, want at most 1e-4", p.Columns, most)
				}
			}
			plain := mustFit(t, s.train.Table, s.train.Label, Options{Interactions: -1})
			if n := len(plain.Bytes()); n > 40_000 {
				t.Errorf("%d bytes without pairs, want at most 40 kB", n)
			}
		})
	}
}
