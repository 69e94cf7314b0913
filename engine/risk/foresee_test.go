package risk

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/metric"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// foreseen is what each contender said of the changes from a month on, refitted at
// the beginning of each.
type foreseen struct {
	names  []string
	rows   map[string][]metric.Row
	said   map[string][]saidOf // of those that give intervals
	last   *Deployment
	danger []int // by row
}

func (y *year) foresee(t testing.TB, from, to int) *foreseen {
	f := &foreseen{rows: map[string][]metric.Row{}, said: map[string][]saidOf{}, names: []string{"rules", "track record", "model", "model, nothing learnt", "model, peers known", "mechanisms known", "the truth"}}
	places, mechanisms := NewPlaces(), y.mechanisms()
	for m := from; m < to; m++ {
		begin, end := y.begin.AddDate(0, m, 0), y.begin.AddDate(0, m+1, 0)
		record, err := Fit(y.trials, begin)
		if err != nil {
			t.Fatal(err)
		}
		model, err := FitDeployment(y.trials, begin, DeploymentOptions{Former: f.last})
		if err != nil {
			t.Fatal(err)
		}
		f.last = model
		for _, p := range model.Pairs {
			t.Logf("month %d: %v (p %.1e, effect %.2f)", m, p, p.P, p.Effect)
		}
		t.Logf("month %d: %v; peers %v, rules %+v", m, model, model.Peers, model.Rules)
		h := Measure(y.trials, begin)
		h.Ladder = Advisory // what they say is compared, not how far they are let
		byPatch := map[string][]Trial{}
		for _, k := range y.trials {
			byPatch[k.Patch] = append(byPatch[k.Patch], k)
		}
		type when struct {
			patch plan.PatchID
			day   time.Time
		}
		outlooks := map[when]*Outlook{}
		rules, records, models, bare := map[plan.PatchID]*scorer{}, map[plan.PatchID]*scorer{}, map[plan.PatchID]*Outlook{}, map[plan.PatchID]*Outlook{}
		nothing := *model
		nothing.Share = 0
		for i, c := range y.changes {
			if c.at.Before(begin) || !c.at.Before(end) {
				continue
			}
			id := c.patch.ID
			if rules[id] == nil {
				rules[id] = newScorer(c.patch.Patch, nil, h, c.at)
				records[id] = newScorer(c.patch.Patch, record, h, c.at)
				bare[id] = NewOutlook(Question{Patch: c.patch.Patch, Record: record, Model: &nothing, History: h, At: c.at})
				models[id] = NewOutlook(Question{Patch: c.patch.Patch, Record: record, Model: model, History: h, At: c.at})
			}
			day := when{id, c.at.Truncate(24 * time.Hour)}
			if outlooks[day] == nil {
				var peers []Trial
				for _, k := range byPatch[string(id)] {
					if k.At.Before(day.day) {
						peers = append(peers, k)
					}
				}
				outlooks[day] = NewOutlook(Question{Patch: c.patch.Patch, Record: record, Model: model, History: h, Peers: peers, At: day.day})
			}
			spot := places.Of(&c.host.Host, y.setting(c.host))
			a, _ := rules[id].Score(&c.host.Host, c.host.role)
			b, _ := records[id].Score(&c.host.Host, c.host.role)
			f.danger = append(f.danger, c.danger)
			model, led := models[id].Score(spot), outlooks[day].Score(spot)
			for j, r := range []plan.Risk{a, b, model, {}, led} {
				if r.High > 0 {
					f.said[f.names[j]] = append(f.said[f.names[j]], saidOf{r, mechanisms(c), c.p})
				}
			}
			for j, p := range []float64{a.P, b.P, model.P, bare[id].Score(spot).P, led.P, mechanisms(c), c.p} {
				name := fmt.Sprintf("%08x", uint32(i)*2654435761) // ties by chance
				f.rows[f.names[j]] = append(f.rows[f.names[j]], metric.Row{Name: name, P: p, Bad: c.failed})
			}
		}
	}
	return f
}

// mechanisms is a function that knows every danger and how often patches of its
// kind have it, and not which: the most that could be known before a canary.
func (y *year) mechanisms() func(*yearChange) float64 {
	sum, n := make([]float64, len(dangers)), make([]float64, len(dangers))
	in := func(c *yearChange, d int) bool { return dangers[d].patch(c.patch) && dangers[d].host(c.host) }
	for _, c := range y.changes {
		for d := range dangers {
			if in(c, d) {
				sum[d], n[d] = sum[d]+c.p, n[d]+1
			}
		}
	}
	return func(c *yearChange) float64 {
		p := background
		for d := range dangers {
			if in(c, d) {
				p = max(p, sum[d]/n[d])
			}
		}
		return p
	}
}

// byDanger tells, of each danger, how many failures came and how many of them were
// in the model's riskiest tenth.
func (f *foreseen) byDanger(t testing.TB) {
	rows := f.rows["model"]
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rows[b].P, rows[a].P) })
	failed, caught, in := make([]int, len(dangers)+1), make([]int, len(dangers)+1), make([]int, len(dangers)+1)
	for rank, i := range order {
		d := f.danger[i]
		if rank < len(order)/10 {
			in[d]++
		}
		if !rows[i].Bad {
			continue
		}
		failed[d]++
		if rank < len(order)/10 {
			caught[d]++
		}
	}
	for d := range failed {
		name := "background"
		if d > 0 {
			name = dangers[d-1].name
		}
		t.Logf("%-35s %3d failed, %3d of them in the riskiest tenth, which has %d such changes", name, failed[d], caught[d], in[d])
	}
}

func (f *foreseen) print(t testing.TB, y *year) {
	t.Logf("%-20s %9s %9s %7s %7s %7s %7s", "", "precision", "recall", "AUC", "AP", "loss", "ECE")
	for _, name := range f.names {
		s, err := metric.Of(f.rows[name])
		if err != nil {
			t.Fatal(err)
		}
		top := s.TopShare(0.1)
		precision, _ := top.Precision()
		recall, _ := top.Recall()
		auc, _ := s.AUC()
		ap, _ := s.AveragePrecision()
		loss, _ := s.LogLoss()
		ece, _ := s.CalibrationError(0)
		t.Logf("%-20s %9.3f %9.3f %7.3f %7.3f %7.4f %7.4f", name, precision, recall, auc, ap, loss, ece)
	}
	f.byDanger(t)
	f.covered(t)
	for _, p := range f.last.Pairs {
		t.Logf("found: %v (p %.1e, effect %.2f)", p, p.P, p.Effect)
	}
	t.Logf("%v; peers %v, rules %+v", f.last, f.last.Peers, f.last.Rules)
}

// The year in small: dangers are found and named, and the riskiest tenth by the
// model holds more of what failed than by rules or track record.
func TestSmallYear(t *testing.T) {
	y := smallYear(t)
	m := smallModel(t)
	planted := 0
	for _, p := range m.Pairs {
		t.Log(p)
		if slices.ContainsFunc(dangers, func(d danger) bool { return d.is(p) }) {
			planted++
		}
	}
	if planted < 1 || planted < len(m.Pairs) {
		t.Errorf("%d of %d incompatibilities found were planted, want all of at least one", planted, len(m.Pairs))
	}
	c, err := Compare(y.trials, y.begin.AddDate(1, 1, 0), nil, 0.05, DeploymentOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(c.Markdown())
	model, record, rules := c.Standings[0], c.Standings[1], c.Standings[2]
	if *model.TenthOf <= *record.TenthOf || *model.TenthOf <= *rules.TenthOf || *model.LogLoss >= *record.LogLoss || *model.LogLoss >= *rules.LogLoss {
		t.Errorf("the model's riskiest tenth has %v of the failures at log loss %v; the record's %v at %v, the rules' %v at %v",
			*model.TenthOf, *model.LogLoss, *record.TenthOf, *record.LogLoss, *rules.TenthOf, *rules.LogLoss)
	}
}
