package metric

import (
	"fmt"
	"math"
	"math/rand"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func set(t *testing.T, rows []Row) Set {
	t.Helper()
	s, err := Of(rows)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// random rows: few distinct predictions, so that there are ties, and weights of
// which sums are exact.
func random(r *rand.Rand, n int) []Row {
	rows := make([]Row, n)
	levels := 1 + r.Intn(40)
	for i := range rows {
		p := float64(r.Intn(levels+1)) / float64(levels)
		rows[i] = Row{Name: fmt.Sprintf("h%02d", r.Intn(n)), P: p, Bad: r.Float64() < 0.1+0.7*p, Weight: float64(r.Intn(5)) / 4}
	}
	return rows
}

func weight(r Row) float64 {
	if r.Weight == 0 {
		return 1
	}
	return r.Weight
}

// naiveAUC compares every failure with every success.
func naiveAUC(rows []Row) (float64, bool) {
	var won, pairs float64
	for _, a := range rows {
		for _, b := range rows {
			if !a.Bad || b.Bad {
				continue
			}
			w := weight(a) * weight(b)
			pairs += w
			if a.P > b.P {
				won += w
			} else if a.P == b.P {
				won += w / 2
			}
		}
	}
	return won / pairs, pairs > 0
}

// naiveAP asks, for every failure, for the precision at its own prediction.
func naiveAP(rows []Row) (float64, bool) {
	var sum, bad float64
	for _, a := range rows {
		if !a.Bad {
			continue
		}
		var hits, all float64
		for _, b := range rows {
			if b.P >= a.P {
				all += weight(b)
				if b.Bad {
					hits += weight(b)
				}
			}
		}
		bad += weight(a)
		sum += weight(a) * hits / all
	}
	return sum / bad, bad > 0
}

func naiveAt(rows []Row, threshold float64) Flagged {
	var f Flagged
	for _, r := range rows {
		w := weight(r)
		if r.P >= threshold {
			if r.Bad {
				f.Hits += w
			} else {
				f.FalseAlarms += w
			}
		} else if r.Bad {
			f.Misses += w
		} else {
			f.Passed += w
		}
	}
	return f
}

// naiveTop takes, k times, the best row that is left.
func naiveTop(rows []Row, k int) Flagged {
	left := slices.Clone(rows)
	var f Flagged
	for ; k > 0 && len(left) > 0; k-- {
		best := 0
		for i, r := range left {
			b := left[best]
			switch {
			case r.P != b.P:
				if r.P > b.P {
					best = i
				}
			case r.Name != b.Name:
				if r.Name < b.Name {
					best = i
				}
			case r.Bad != b.Bad:
				if b.Bad {
					best = i
				}
			case weight(r) > weight(b):
				best = i
			}
		}
		if left[best].Bad {
			f.Hits += weight(left[best])
		} else {
			f.FalseAlarms += weight(left[best])
		}
		left = slices.Delete(left, best, best+1)
	}
	for _, r := range left {
		if r.Bad {
			f.Misses += weight(r)
		} else {
			f.Passed += weight(r)
		}
	}
	return f
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-12 }

func TestAgainstTheNaiveWay(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for range 500 {
		rows := random(r, 1+r.Intn(60))
		s := set(t, rows)
		got, ok := s.AUC()
		if want, wok := naiveAUC(rows); ok != wok || ok && !near(got, want) {
			t.Fatalf("AUC() = %v, %v, want %v, %v for %v", got, ok, want, wok, rows)
		}
		got, ok = s.AveragePrecision()
		if want, wok := naiveAP(rows); ok != wok || ok && !near(got, want) {
			t.Fatalf("AveragePrecision() = %v, %v, want %v, %v for %v", got, ok, want, wok, rows)
		}
		threshold := rows[r.Intn(len(rows))].P
		if got, want := s.At(threshold), naiveAt(rows, threshold); got != want {
			t.Fatalf("At(%v) = %+v, want %+v for %v", threshold, got, want, rows)
		}
		k := r.Intn(len(rows) + 2)
		if got, want := s.Top(k), naiveTop(rows, k); got != want {
			t.Fatalf("Top(%d) = %+v, want %+v for %v", k, got, want, rows)
		}
		var loss, brier, w float64
		for _, row := range rows {
			y := 0.0
			if row.Bad {
				y = 1
			}
			p := math.Min(math.Max(row.P, 1e-15), 1-1e-15)
			loss -= weight(row) * (y*math.Log(p) + (1-y)*math.Log(1-p))
			brier += weight(row) * (row.P - y) * (row.P - y)
			w += weight(row)
		}
		if got, ok := s.LogLoss(); !ok || math.Abs(got-loss/w) > 1e-10 {
			t.Fatalf("LogLoss() = %v, %v, want %v", got, ok, loss/w)
		}
		if got, ok := s.Brier(); !ok || !near(got, brier/w) {
			t.Fatalf("Brier() = %v, %v, want %v", got, ok, brier/w)
		}
	}
}

// answers is everything a set can be asked, to the last bit.
func answers(s Set) []any {
	var all []any
	for _, f := range []func() (float64, bool){s.BaseRate, s.LogLoss, s.Brier, s.AUC, s.AveragePrecision} {
		v, ok := f()
		all = append(all, math.Float64bits(v), ok)
	}
	ece, ok := s.CalibrationError(0)
	return append(all, math.Float64bits(ece), ok, s.Curve(0), s.Top(7), s.TopShare(0.3), s.At(0.5))
}

func TestOrderDoesNotMatter(t *testing.T) {
	r := rand.New(rand.NewSource(2))
	for range 100 {
		rows := random(r, 1+r.Intn(200))
		for i := range rows {
			rows[i].P = math.Round(rows[i].P*r.Float64()*50) / 50
			rows[i].Weight = r.Float64()
		}
		before := slices.Clone(rows)
		want := answers(set(t, rows))
		if !slices.Equal(before, rows) {
			t.Fatal("Of() changed its argument")
		}
		r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		if got := answers(set(t, rows)); !reflect.DeepEqual(got, want) {
			t.Fatalf("after shuffling: %v, want %v", got, want)
		}
	}
}

// A row of weight 2 is the same as that row twice.
func TestWeights(t *testing.T) {
	r := rand.New(rand.NewSource(3))
	for range 100 {
		var once, twice []Row
		for _, row := range random(r, 1+r.Intn(50)) {
			row.Weight = float64(1 + r.Intn(2))
			once = append(once, row)
			for range int(row.Weight) {
				twice = append(twice, Row{Name: row.Name, P: row.P, Bad: row.Bad})
			}
		}
		a, b := set(t, once), set(t, twice)
		for name, f := range map[string]func(Set) (float64, bool){"log loss": Set.LogLoss, "Brier": Set.Brier, "AUC": Set.AUC, "average precision": Set.AveragePrecision} {
			x, xok := f(a)
			y, yok := f(b)
			if xok != yok || xok && !near(x, y) {
				t.Errorf("%s = %v by weight, %v by repetition", name, x, y)
			}
		}
	}
}

// What scikit-learn 1.2.1 says of its own documentation's examples.
func TestPublishedExamples(t *testing.T) {
	s := set(t, []Row{{P: 0.1}, {P: 0.4}, {P: 0.35, Bad: true}, {P: 0.8, Bad: true}})
	if got, _ := s.AUC(); !near(got, 0.75) {
		t.Errorf("AUC() = %v, want 0.75", got)
	}
	if got, _ := s.AveragePrecision(); !near(got, 0.8333333333333333) {
		t.Errorf("AveragePrecision() = %v, want 0.8333…", got)
	}
	s = set(t, []Row{{P: 0.1}, {P: 0.9, Bad: true}, {P: 0.8, Bad: true}, {P: 0.3}})
	if got, _ := s.Brier(); !near(got, 0.0375) {
		t.Errorf("Brier() = %v, want 0.0375", got)
	}
	s = set(t, []Row{{P: 0.9, Bad: true}, {P: 0.1}, {P: 0.2}, {P: 0.65, Bad: true}})
	if got, _ := s.LogLoss(); math.Abs(got-0.21616187468057912) > 1e-14 {
		t.Errorf("LogLoss() = %v, want 0.21616…", got)
	}
}

func TestNothingToSay(t *testing.T) {
	for _, c := range []struct {
		name                     string
		rows                     []Row
		loss, auc, ap, precision bool
	}{
		{"no rows", nil, false, false, false, false},
		{"only failures", []Row{{P: 0.9, Bad: true}, {P: 0.2, Bad: true}}, true, false, true, true},
		{"only successes", []Row{{P: 0.9}, {P: 0.2}}, true, false, false, true},
		{"none flagged", []Row{{P: 0.4, Bad: true}, {P: 0.2}}, true, true, true, false},
	} {
		s := set(t, c.rows)
		check := func(what string, v float64, ok, want bool) {
			if ok != want || !ok && !math.IsNaN(v) {
				t.Errorf("%s: %s = %v, %v, want ok = %v, and NaN where it is not", c.name, what, v, ok, want)
			}
		}
		v, ok := s.LogLoss()
		check("LogLoss", v, ok, c.loss)
		v, ok = s.CalibrationError(0)
		check("CalibrationError", v, ok, c.loss)
		v, ok = s.AUC()
		check("AUC", v, ok, c.auc)
		v, ok = s.AveragePrecision()
		check("AveragePrecision", v, ok, c.ap)
		v, ok = s.At(0.5).Precision()
		check("Precision", v, ok, c.precision)
	}
}

func TestRefused(t *testing.T) {
	_, err := Of([]Row{{Name: "a", P: 0.5}, {Name: "b", P: 1.5}, {Name: "c", P: math.NaN()}, {Name: "d", P: 0, Weight: -1}})
	if err == nil {
		t.Fatal("Of() takes predictions that are none")
	}
	for _, part := range []string{`row 1 "b": prediction 1.5`, `row 2 "c": prediction NaN`, `row 3 "d": weight -1`} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("Of() = %v, want it to say %s", err, part)
		}
	}
}

func TestEffortCoverageEfficiency(t *testing.T) {
	f := Flagged{Hits: 30, FalseAlarms: 70, Misses: 20, Passed: 880}
	for _, c := range []struct {
		what string
		f    func() (float64, bool)
		want float64
	}{
		{"effort", f.Effort, 0.1},
		{"coverage", f.Coverage, 0.6},
		{"efficiency", f.Efficiency, 0.3},
	} {
		if got, ok := c.f(); !ok || !near(got, c.want) {
			t.Errorf("%s = %v, %v, want %v", c.what, got, ok, c.want)
		}
	}
}

func TestTopTiesByName(t *testing.T) {
	s := set(t, []Row{{Name: "c", P: 0.5}, {Name: "a", P: 0.5, Bad: true}, {Name: "b", P: 0.5}, {Name: "d", P: 0.1, Bad: true}})
	if got, want := s.Top(1), (Flagged{Hits: 1, Misses: 1, Passed: 2}); got != want {
		t.Errorf("Top(1) = %+v, want %+v", got, want)
	}
	if got, want := s.TopShare(0.5), s.Top(2); got != want {
		t.Errorf("TopShare(0.5) = %+v, want %+v", got, want)
	}
	if got, want := s.TopShare(0.01), s.Top(1); got != want {
		t.Errorf("TopShare(0.01) = %+v, want %+v", got, want)
	}
	thirty := make([]Row, 30)
	if got, want := set(t, thirty).TopShare(0.1).FalseAlarms, 3.0; got != want { // 0.1 × 30 is a little above 3
		t.Errorf("TopShare(0.1) of 30 flags %v, want %v", got, want)
	}
}
