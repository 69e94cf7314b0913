package ebm

import (
	"math"
	"strings"
	"testing"
)

func TestReasonsAddUp(t *testing.T) {
	m, tb, _ := plantedModel(t)
	s, err := m.Bind(names(tb))
	if err != nil {
		t.Fatal(err)
	}
	var row []Value
	var reasons []Reason
	for i := range tb.Rows {
		row = rowsOf(tb, i, row)
		for _, offset := range []float64{0, -1.25} {
			score := s.ScoreFrom(offset, row)
			sum := m.Intercept() + offset
			reasons = s.Reasons(reasons[:0], row)
			for k, r := range reasons {
				sum += r.Effect
				if r.Value == "" || k > 0 && math.Abs(r.Effect) > math.Abs(reasons[k-1].Effect) {
					t.Fatalf("row %d: reason %d of %v has no value or stands too late", i, k, reasons)
				}
			}
			if math.Abs(sum-score.Logit) > 1e-12 {
				t.Fatalf("row %d: reasons add up to %v, logit %v", i, sum, score.Logit)
			}
		}
	}
	if want := len(m.f.Terms) + len(m.f.Pairs); len(reasons) != want {
		t.Errorf("%d reasons, want %d", len(reasons), want)
	}
}

func TestReasonsAreAppended(t *testing.T) {
	m, tb, _ := plantedModel(t)
	s, err := m.Bind(names(tb))
	if err != nil {
		t.Fatal(err)
	}
	first := Reason{Term: "kept"}
	if got := s.Reasons([]Reason{first}, rowsOf(tb, 0, nil)); got[0] != first || len(got) != 1+len(m.f.Terms)+len(m.f.Pairs) {
		t.Errorf("Reasons() = %v, want %v before the row's", got, first)
	}
}

func TestScoringDoesNotAllocate(t *testing.T) {
	m, tb, _ := plantedModel(t)
	s, err := m.Bind(names(tb))
	if err != nil {
		t.Fatal(err)
	}
	row, reasons := rowsOf(tb, 0, nil), make([]Reason, 0, 32)
	if n := testing.AllocsPerRun(100, func() { s.Score(row); reasons = s.Reasons(reasons[:0], row) }); n != 0 {
		t.Errorf("%v allocations a row, want 0", n)
	}
}

// All that a score is made of stays within bounds, whatever the row.
func TestScoresAreProbabilities(t *testing.T) {
	m, tb, label := plantedModel(t)
	refused := 0
	for i, s := range scores(t, m, tb) {
		if !(0 < s.Low || s.Low == 0) || !(s.Low <= s.P && s.P <= s.High && s.High <= 1 && s.P > 0 && s.P < 1) {
			t.Fatalf("row %d, label %v: %+v", i, label[i], s)
		}
		if p, low, high := m.Probability(s.Logit); p != s.P || low != s.Low || high != s.High {
			t.Fatalf("row %d: Probability(%v) = %v, %v, %v, want %+v", i, s.Logit, p, low, high, s)
		}
		if s.Abstain != (s.Why != "") {
			t.Fatalf("row %d: abstains %v because %q", i, s.Abstain, s.Why)
		}
		if s.Abstain {
			refused++
		}
	}
	if refused > int(alpha*float64(tb.Rows)) {
		t.Errorf("abstains from %d of the %d rows fitted to, want at most %v of them", refused, tb.Rows, alpha)
	}
}

// Of rows like those fitted to, about alpha are refused and no more than chance
// explains: four standard deviations over the two samples.
func TestInSupportRefusals(t *testing.T) {
	m, _, _ := plantedModel(t)
	const n = 10_000
	fresh, _ := planted(n, 11)
	refused := 0
	for _, s := range scores(t, m, fresh) {
		if s.Abstain {
			refused++
		}
	}
	most := n*alpha + 4*math.Sqrt(n*alpha*(1-alpha))*math.Sqrt(1+float64(n)/3000)
	if float64(refused) > most {
		t.Errorf("refused %d of %d rows in support, want at most %.0f", refused, n, most)
	}
}

func TestAbstains(t *testing.T) {
	m, tb, _ := plantedModel(t)
	s, err := m.Bind(names(tb))
	if err != nil {
		t.Fatal(err)
	}
	usual := []Value{{Number: 30}, {Number: 0.5}, {Number: 10}, {Number: 20}, {Number: 0.5}, {Word: "green"}}
	place := map[string]int{"a": 0, "b": 1, "c": 2, "d": 3, "noise": 4, "w": 5}
	for _, c := range []struct {
		name, column string
		v            Value
		why          string
	}{
		{"usual", "a", Value{Number: 31}, ""},
		{"missing where it was missing", "b", Value{Number: math.NaN()}, ""},
		{"no word where there was none", "w", Value{}, ""},
		{"below", "b", Value{Number: -40}, "b is below"},
		{"above", "b", Value{Number: 40}, "b is above"},
		{"infinite", "a", Value{Number: math.Inf(1)}, "a is above"},
		{"new word", "w", Value{Word: "violet"}, "w has a word that was not learnt from"},
		{"not a number", "a", Value{Number: math.NaN(), Word: "many"}, "a is not a number"},
		{"missing where it never was", "a", Value{Number: math.NaN()}, "nothing like this row"},
	} {
		row := append([]Value{}, usual...)
		row[place[c.column]] = c.v
		got := s.Score(row)
		if got.Abstain != (c.why != "") || !strings.Contains(got.Why, c.why) {
			t.Errorf("%s: abstains %v because %q, want %q", c.name, got.Abstain, got.Why, c.why)
		}
		if !(got.P > 0 && got.P < 1) {
			t.Errorf("%s: p = %v, want a probability all the same", c.name, got.P)
		}
	}
}

// Where two columns go together, a cell that no row was in is a reason to
// abstain, though either value alone is common.
func TestAbstainsFromEmptyCells(t *testing.T) {
	tb, label := planted(3000, 12)
	c, d := tb.Columns[2].Numbers, tb.Columns[3].Numbers
	for i := range c {
		if c[i] >= 35 && d[i] < 15 {
			d[i] += 30
		}
	}
	m := mustFit(t, tb, label, Options{})
	s, err := m.Bind(names(tb))
	if err != nil {
		t.Fatal(err)
	}
	row := []Value{{Number: 30}, {Number: 0.5}, {Number: 40}, {Number: 5}, {Number: 0.5}, {Word: "green"}}
	if got := s.Score(row); !got.Abstain || got.Why != "c and d: none like it was learnt from" {
		t.Errorf("Score() = %+v, want it to abstain for c and d", got)
	}
	if row[3].Number = 30; s.Score(row).Abstain {
		t.Errorf("abstains from a full cell: %+v", s.Score(row))
	}
}

// Missing values are a bin of their own: neither zero nor the mean.
func TestMissingIsLearnt(t *testing.T) {
	tb, label := planted(1000, 13)
	b := tb.Columns[1].Numbers
	for i := range b {
		if math.IsNaN(b[i]) {
			label[i] = true
		}
	}
	m := mustFit(t, tb, label, Options{})
	if _, effect := term(t, m, "b"); effect[0] < 1.5 {
		t.Errorf("effect of a missing b = %v, want above 1.5, for its label is always 1", effect[0])
	}
}

func TestBindNamesAllColumnsThatAreAbsent(t *testing.T) {
	m, _, _ := plantedModel(t)
	_, err := m.Bind([]string{"b", "c", "d", "noise"})
	if err == nil || err.Error() != `the model needs columns that are not there: "a", "w"` {
		t.Errorf("Bind() = %v, want it to name a and w", err)
	}
}
