package main

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
	"github.com/ringmaster-dev/ringmaster/engine/linear"
	"github.com/ringmaster-dev/ringmaster/engine/metric"
	"github.com/ringmaster-dev/ringmaster/engine/risk/regression"
)

// cuts are the days on which a model is trained; it is held to the updates from
// then to the next one.
var cuts = map[string][]string{
	"Debian": {"2016-01-01", "2017-01-01", "2018-01-01", "2019-01-01", "2020-01-01", "2021-01-01"},
	"Ubuntu": {"2019-07-01", "2020-01-01", "2020-07-01", "2021-01-01", "2021-07-01", "2022-01-01", "2023-01-01"},
}

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err) // the table above
	}
	return t
}

// prediction is a held-out update, what a model said of it and what the base rate
// did.
type prediction struct {
	family  string
	block   int
	bad     bool
	base, p float64
	shift   float64
}

// heldOut predicts a distribution's updates, each block by a model trained on
// what was known at the block's beginning, or aged by some years more.
func heldOut(rows []row, distribution string, use parts, aged int) ([]prediction, error) {
	var list []prediction
	days := cuts[distribution]
	for i := range len(days) - 1 {
		from, to := day(days[i]), day(days[i+1])
		trained := from.AddDate(-aged, 0, 0)
		if aged > 0 && trained.Before(day(days[0])) {
			continue
		}
		m, err := fit(rows, trained, use)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if r.Distribution != distribution || r.At.Before(from) || !r.At.Before(to) {
				continue
			}
			prior, _ := m.Score(r.Update)
			rate := m.Distributions[strings.ToLower(distribution)].Rate
			list = append(list, prediction{family: regression.Family(r.Package), block: i, bad: r.Regressed,
				base: rate, shift: prior.LogOdds, p: exact.Expit(exact.Logit(rate) + prior.LogOdds)})
		}
	}
	return list, nil
}

// without leaves a family out.
func without(list []prediction, family string) []prediction {
	return slices.DeleteFunc(slices.Clone(list), func(p prediction) bool { return p.family == family })
}

func set(list []prediction, of func(prediction) float64) metric.Set {
	rows := make([]metric.Row, len(list))
	for i, p := range list {
		rows[i] = metric.Row{Name: p.family, P: of(p), Bad: p.bad}
	}
	s, err := metric.Of(rows)
	if err != nil {
		panic(err) // predictions are probabilities
	}
	return s
}

func model(p prediction) float64 { return p.p }
func base(p prediction) float64  { return p.base }

// figures are the results, with intervals from samples of families: updates of
// one package are not independent of one another.
func figures(list []prediction) regression.Figures {
	s := set(list, model)
	f := regression.Figures{Updates: regression.Updates{Updates: len(list)}}
	for _, p := range list {
		if p.bad {
			f.Regressed++
		}
	}
	loss, _ := s.LogLoss()
	miss, _ := s.CalibrationError(0)
	f.LogLoss, f.Error = exact.Round5(loss), exact.Round5(miss)
	auc, ap, gain := measure(list)
	var aucs, aps, gains []float64
	for _, sample := range samples(list, 400) {
		a, p, g := measure(sample)
		aucs, aps, gains = append(aucs, a), append(aps, p), append(gains, g)
	}
	f.AUC, f.AP, f.Gain = estimate(auc, aucs), estimate(ap, aps), estimate(gain, gains)
	return f
}

func measure(list []prediction) (auc, ap, gain float64) {
	s := set(list, model)
	auc, _ = s.AUC()
	ap, _ = s.AveragePrecision()
	own, _ := s.LogLoss()
	usual, _ := set(list, base).LogLoss()
	return auc, ap, usual - own
}

// samples draws families with replacement, as many as there are.
func samples(list []prediction, n int) [][]prediction {
	by := map[string][]prediction{}
	for _, p := range list {
		by[p.family] = append(by[p.family], p)
	}
	var families []string
	for f := range by {
		families = append(families, f)
	}
	slices.Sort(families)
	dice := rand.New(rand.NewPCG(1, 2))
	var all [][]prediction
	for range n {
		var sample []prediction
		for range families {
			sample = append(sample, by[families[dice.IntN(len(families))]]...)
		}
		all = append(all, sample)
	}
	return all
}

func estimate(v float64, sampled []float64) regression.Estimate {
	slices.Sort(sampled)
	at := func(q float64) float64 { return exact.Round5(sampled[int(float64(q*float64(len(sampled)-1)))]) }
	return regression.Estimate{V: exact.Round5(v), Low: at(0.05), High: at(0.95)}
}

// slope is what a unit of shift was worth: the weight of a logistic regression of
// what happened on the shift, beside the base rate. (A slight ridge keeps it finite.)
func slope(list []prediction) float64 {
	var rows []linear.Row
	for _, p := range list {
		rows = append(rows, linear.Row{Features: linear.VectorOf(map[string]float64{"shift": p.shift}), Bad: p.bad})
	}
	m, err := linear.Fit(rows, linear.Options{L2: 0.01})
	if err != nil {
		return 0 // a sample in which nothing regressed
	}
	return m.Weights["shift"]
}

// strength is how many changes a prediction counts for: the one under which the
// numbers of regressions by family and block are likeliest, each beta-binomial
// with the mean that was predicted; and the least that is not much less likely
// (half of chi-square's 90 % value, 1.35).
func strength(list []prediction) (likeliest, least float64) {
	type cell struct{ n, bad, sum float64 }
	type key struct {
		family string
		block  int
	}
	cells := map[key]cell{}
	for _, p := range list {
		c := cells[key{p.family, p.block}]
		c.n, c.sum = c.n+1, c.sum+p.p
		if p.bad {
			c.bad++
		}
		cells[key{p.family, p.block}] = c
	}
	keys := make([]key, 0, len(cells))
	for k := range cells {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b key) int { return cmp.Or(cmp.Compare(a.family, b.family), cmp.Compare(a.block, b.block)) })
	likelihood := func(s float64) float64 {
		sum := 0.0
		for _, k := range keys {
			c := cells[k]
			a := float64(s * (c.sum / c.n))
			b := s - a
			sum += exact.LogGamma(a+c.bad) - exact.LogGamma(a) + exact.LogGamma(b+c.n-c.bad) - exact.LogGamma(b) - exact.LogGamma(s+c.n) + exact.LogGamma(s)
		}
		return sum
	}
	best, curve := 0.0, map[float64]float64{}
	grid := []float64{1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 70, 100, 150, 200, 300, 500, 1000}
	for _, s := range grid {
		curve[s] = likelihood(s)
		if best == 0 || curve[s] > curve[best] {
			best = s
		}
	}
	for _, s := range grid {
		if curve[s] >= curve[best]-1.35 {
			return best, s
		}
	}
	return best, best
}
