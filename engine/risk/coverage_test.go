package risk

import (
	"cmp"
	"math/rand"
	"slices"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
	"github.com/ringmaster-dev/ringmaster/engine/metric"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// saidOf is what was said of a change, and what a simulation knows of it: the
// probability that whoever knew every danger, and not which patches have one, could
// have given, and the true one.
type saidOf struct {
	risk        plan.Risk
	knowable, p float64
}

// coverage is the share of changes whose knowable probability lies within the
// interval, the mean width, and of 20 groups of changes with about the same score
// those whose mean true probability lies within their mean interval.
func coverage(list []saidOf) (within, width float64, groups int) {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b saidOf) int { return cmp.Compare(a.risk.P, b.risk.P) })
	n := float64(len(list))
	for _, s := range list {
		if s.risk.Low <= s.knowable && s.knowable <= s.risk.High {
			within += 1 / n
		}
		width += (s.risk.High - s.risk.Low) / n
	}
	for g := range 20 {
		var low, high, p float64
		for _, s := range list[g*len(list)/20 : (g+1)*len(list)/20] {
			low, high, p = low+s.risk.Low, high+s.risk.High, p+s.p
		}
		if low <= p && p <= high {
			groups++
		}
	}
	return within, width, groups
}

// covered tells how often intervals held the truth.
func (f *foreseen) covered(t testing.TB) {
	for _, name := range f.names {
		if list := f.said[name]; len(list) > 0 {
			within, width, groups := coverage(list)
			t.Logf("%-20s 90 %% intervals held what could be known of %.1f %% of changes, and the truth of %d of 20 groups; mean width %.3f", name, 100*within, groups, width)
		}
	}
}

// The model's 90 % intervals hold what could be known for at least as many changes,
// from the forties of failures on, and the truth of most groups; the record's and
// the rules', which know less than they say, do not.
func TestCoverage(t *testing.T) {
	y, at := smallYear(t), smallYear(t).begin
	for failures, i := 0, 0; failures < 40; i++ {
		if at = y.trials[i].At; y.trials[i].Failed {
			failures++
		}
	}
	m, err := FitDeployment(y.trials, at, DeploymentOptions{})
	if err != nil {
		t.Fatal(err)
	}
	bare := *m
	bare.Bounds = nil
	with, without := y.foretoldBy(m, at), y.foretoldBy(&bare, at)
	within, width, groups := coverage(with)
	before, narrower, fewer := coverage(without)
	t.Logf("%v: of %d later changes %.3f within, width %.4f, groups %d; by evidence alone %.3f, %.4f, %d", m, len(with), within, width, groups, before, narrower, fewer)
	if m.Bounds == nil || within < 0.9 || groups < 16 || width > 0.12 {
		t.Errorf("intervals held what could be known of %.3f of changes and the truth of %d of 20 groups at a width of %.3f; want 0.9, 16 and at most 0.12", within, groups, width)
	}
	if within < before {
		t.Errorf("bounds took something away: %.3f within, %.3f before", within, before)
	}
}

// foretoldBy is what a model says of the changes after a time.
func (y *year) foretoldBy(m *Deployment, at time.Time) []saidOf {
	var list []saidOf
	places, outlooks, mechanisms := NewPlaces(), map[plan.PatchID]*Outlook{}, y.mechanisms()
	for _, c := range y.changes {
		if !c.at.After(at) {
			continue
		}
		if outlooks[c.patch.ID] == nil {
			outlooks[c.patch.ID] = NewOutlook(Question{Patch: c.patch.Patch, Model: m, History: History{Ladder: Advisory}, At: c.at})
		}
		r := outlooks[c.patch.ID].Score(places.Of(&c.host.Host, y.setting(c.host)))
		list = append(list, saidOf{r, mechanisms(c), c.p})
	}
	return list
}

// Bounds of scores that are off hold what truly happens at such scores, whether
// failures come alone or with their patch; without what Spread makes of it, the
// latter would not.
func TestBoundsHoldTheTruth(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for _, c := range []struct {
		name     string
		together float64 // the part of patches that is bad
		plain    bool    // Spread left out
		least    float64
		most     float64
	}{
		{"alone", 1, false, 0.9, 1},
		{"with their patch", 0.25, false, 0.95, 1},
		{"with their patch, taken as alone", 0.25, true, 0, 0.93},
	} {
		in, all := 0, 0
		for range 25 {
			var list []foretold
			for patch := range 40 {
				bad := r.Float64() < c.together
				for range 100 {
					score := -6 + 3*r.Float64()
					// Truly the odds are twice what is said, on average over patches.
					p := exact.Expit(score+0.7) / c.together
					list = append(list, foretold{patch: string(rune('A' + patch)), score: score, failed: bad && r.Float64() < p, weight: 1})
				}
			}
			b := boundsOf(list)
			if c.plain && b != nil {
				for i := range list {
					list[i].patch = string(rune(1000 + i))
				}
				b = boundsOf(list)
			}
			for s := -5.9; s < -3; s += 0.2 {
				low, high, ok := b.of(s)
				if !ok {
					continue
				}
				all++
				if p := exact.Expit(s + 0.7); low <= p && p <= high {
					in++
				}
			}
		}
		t.Logf("%s: %.3f of %d", c.name, float64(in)/float64(all), all)
		if part := float64(in) / float64(all); part < c.least || part > c.most {
			t.Errorf("%s: bounds held the truth in %.3f, want %v to %v", c.name, part, c.least, c.most)
		}
	}
}

// silent keeps what a simulation tells to itself.
type silent struct{ testing.TB }

func (silent) Logf(string, ...any) {}

// BenchmarkYear is the simulated year in numbers: precision and recall of the
// riskiest tenth of changes in months 7 to 12, by rules, by track record, by the
// model before the canary and as peers take the patch, and the share of changes
// whose knowable probability lies within the model's interval.
func BenchmarkYear(b *testing.B) {
	for b.Loop() {
		y := newYear(silent{b}, 0, 400, 188)
		f := y.foresee(silent{b}, 6, 12)
		for name, unit := range map[string]string{"rules": "rules", "track record": "record", "model": "model", "model, peers known": "peers"} {
			set, err := metric.Of(f.rows[name])
			if err != nil {
				b.Fatal(err)
			}
			top := set.TopShare(0.1)
			precision, _ := top.Precision()
			recall, _ := top.Recall()
			b.ReportMetric(precision, unit+"-precision")
			b.ReportMetric(recall, unit+"-recall")
		}
		within, _, _ := coverage(f.said["model"])
		b.ReportMetric(within, "model-within")
	}
}
