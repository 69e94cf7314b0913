package ebm

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
)

func TestLoadAndSaveAreExact(t *testing.T) {
	m, tb, _ := plantedModel(t)
	again, err := Parse(m.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.Bytes(), m.Bytes()) {
		t.Error("a model that was saved, loaded and saved again is other bytes")
	}
	if a, b := scores(t, m, tb), scores(t, again, tb); !reflect.DeepEqual(a, b) {
		t.Error("a model that was saved and loaded scores otherwise")
	}
}

// The file is reviewable: keys in order, a line for each term, no number with
// more decimals than it is worth.
func TestFileIsReviewable(t *testing.T) {
	m, _, _ := plantedModel(t)
	var doc map[string]any
	if err := json.Unmarshal(m.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	sorted, err := json.Marshal(doc) // sorts keys
	if err != nil {
		t.Fatal(err)
	}
	var flat bytes.Buffer
	if err := json.Compact(&flat, m.Bytes()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(flat.Bytes(), sorted) {
		t.Error("keys are not sorted, or numbers not written shortest")
	}
	if n := bytes.Count(m.Bytes(), []byte("\n")); n < len(m.f.Columns)+len(m.f.Terms)+len(m.f.Pairs) {
		t.Errorf("%d lines, want at least one a column, term and pair", n)
	}
	for _, s := range m.f.Terms {
		for k, x := range s.Effects {
			if x != clean(x) || k > 0 && x == s.Effects[k-1] {
				t.Errorf("term %s: effects %v are not rounded, or equal neighbours not merged", s.Column, s.Effects)
			}
		}
	}
}

// What a pair's column says alone belongs to that column's term: in the file, to
// what rounding leaves.
func TestPairsArePurified(t *testing.T) {
	m, _, _ := plantedModel(t)
	if len(m.f.Pairs) == 0 {
		t.Fatal("no pairs to look at")
	}
	for _, p := range m.f.Pairs {
		if most := marginal(&p); most > 1e-4 {
			t.Errorf("%v: a marginal of %v in the file, want at most 1e-4", p.Columns, most)
		}
	}
	for _, s := range m.f.Terms {
		c, effect := term(t, m, s.Column)
		sum := 0.0
		for k, n := range c.Count {
			sum += float64(n) * effect[k] / float64(m.f.Fitted.Rows)
		}
		if math.Abs(sum) > 1e-5 {
			t.Errorf("%s: a mean effect of %v, want 0", s.Column, sum)
		}
	}
}

// marginal is the mean effect of the line or column of a pair where it is
// furthest from 0.
func marginal(p *joint) float64 {
	most := 0.0
	for turn := range 2 {
		for i := range p.Effects {
			n, sum := 0.0, 0.0
			for k, c := range p.Count[i] {
				n += float64(c)
				sum += float64(c) * p.Effects[i][k]
			}
			if n > 0 {
				most = max(most, math.Abs(sum/n))
			}
		}
		if p.turn(); turn == 1 {
			break
		}
	}
	return most
}

// Before rounding the marginals are 0 to 1e-9, also of tables with empty cells
// and lines; and what the table and the terms say together stays the same.
func TestPurify(t *testing.T) {
	p := joint{
		Effects: [][]float64{{1, 2, 3}, {0, -1, 5}, {2, 2, 8}, {4, 4, 4}},
		Count:   [][]int{{5, 0, 7}, {0, 1, 900}, {3, 3, 0}, {0, 0, 0}},
		Join:    [2][]int{{0, 1, 2, 2, 3}, {0, 1, 2}},
	}
	first, second := make([]float64, 5), []float64{0.5, 0, 0}
	before := []float64{}
	sum := func() (out []float64) {
		for i, to := range p.Join[0] {
			for k := range p.Effects[0] {
				out = append(out, first[i]+second[k]+p.Effects[to][k])
			}
		}
		return out
	}
	before = append(before, sum()...)
	purify(&p, first, nil, second, nil)
	if most := marginal(&p); most > 1e-9 {
		t.Errorf("a marginal of %v, want at most 1e-9", most)
	}
	for k, x := range sum() {
		if math.Abs(x-before[k]) > 1e-9 {
			t.Errorf("cell %d sums to %v, before to %v", k, x, before[k])
		}
	}
}

// A former model's cuts come again, so that the two files differ in effects and
// counts alone.
func TestFormerCutsAreKept(t *testing.T) {
	tb, label := planted(800, 14)
	more, labels := planted(1000, 15)
	old := mustFit(t, tb, label, Options{})
	fresh := mustFit(t, more, labels, Options{Former: old})
	for _, c := range old.f.Columns {
		now := fresh.column(c.Name)
		if now == nil || c.Kind != number {
			continue
		}
		kept := map[float64]bool{}
		for _, x := range now.Cuts {
			kept[x] = true
		}
		for _, x := range c.Cuts {
			if !kept[x] {
				t.Errorf("%s: the cut at %v is gone", c.Name, x)
			}
		}
	}
	if d := Compare(old, old); d.Intercept[0] != d.Intercept[1] || d.Terms[0].Mean != 0 || d.Terms[0].Where() != "unchanged" {
		t.Errorf("Compare(m, m) = %+v, want nothing changed", d)
	}
	if d := Compare(old, fresh); d.Terms[0].Mean <= 0 || d.Terms[0].At == "" {
		t.Errorf("Compare() = %+v, want a change and where", d.Terms[0])
	}
}

func TestParseRefuses(t *testing.T) {
	m, _, _ := plantedModel(t)
	for _, c := range []struct {
		name string
		edit func(f *file)
		want string
	}{
		{"schema", func(f *file) { f.Schema = "ringmaster/ebm/v9" }, `schema "ringmaster/ebm/v9"; expected "ringmaster/ebm/v1"`},
		{"column twice", func(f *file) { f.Columns = append(f.Columns, f.Columns[0]) }, `column "a" is there twice`},
		{"kind", func(f *file) { f.Columns[0].Kind = "date" }, `column "a": kind "date"; expected "number" or "category"`},
		{"bins", func(f *file) { f.Columns[0].Count = f.Columns[0].Count[1:] }, `column "a": `},
		{"one bin", func(f *file) { f.Columns[0].Count = f.Columns[0].Count[:1] }, `column "a": 1 bins for `},
		{"cuts", func(f *file) { f.Columns[0].Cuts[1] = f.Columns[0].Cuts[0] }, `column "a": its cuts do not ascend`},
		{"range", func(f *file) { f.Columns[0].Low = nil }, `column "a": low and high are not a range`},
		{"words", func(f *file) { w := f.Columns[len(f.Columns)-1].Words; w[0], w[1] = w[1], w[0] }, "its words are not sorted"},
		{"term of nothing", func(f *file) { f.Terms[0].Column = "z" }, `a term's column "z" is not in columns`},
		{"term twice", func(f *file) { f.Terms = append(f.Terms, f.Terms[0]) }, `term "a" is there twice`},
		{"runs", func(f *file) { f.Terms[0].From[0] = 1 }, `term "a": its runs of bins do not fit`},
		{"effect", func(f *file) { f.Terms[0].Effects[0] = 1e300 }, `term "a": an effect of 1e+300`},
		{"pair of one", func(f *file) { f.Pairs[0].Columns[1] = "c" }, "its tables do not fit each other"},
		{"ragged", func(f *file) { f.Pairs[0].Effects[1] = nil }, "line 1 does not fit the others"},
		{"join", func(f *file) { f.Pairs[0].Join[0][0] = 99 }, `the joined bins of "c" do not fit`},
		{"pair's effect", func(f *file) { f.Pairs[0].Effects[1][1] = -1e300 }, "an effect of -1e+300"},
		{"interval", func(f *file) { f.Interval.Low = nil }, "the interval's lists do not fit each other"},
		{"interval upside down", func(f *file) { f.Interval.Low[0] = 1.5 }, "interval 0 is 1.5 to"},
		{"calibration", func(f *file) { f.Calibration = &calibration{A: -1, B: 1} }, "calibration a and b are -1 and 1"},
		{"intercept", func(f *file) { f.Intercept = 1e308 }, "the intercept is 1e+308"},
		{"rows", func(f *file) { f.Fitted.Rows = 0 }, "it was fitted to no rows"},
	} {
		copied, err := Parse(m.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		c.edit(&copied.f)
		if _, err := Parse(copied.Bytes()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	for _, text := range []string{"", "{", "[]", "null", `{"schema":1}`} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("Parse(%q) passed", text)
		}
	}
}

// What Parse takes is written and read again the same, and scores any row.
func FuzzParse(f *testing.F) {
	tb, label := planted(200, 16)
	small := mustFit(f, tb, label, Options{Interactions: 1})
	f.Add(small.Bytes())
	f.Add([]byte(`{"schema":"ringmaster/ebm/v1","columns":[{"count":[0,9],"kind":"category","name":"w"}],"fitted":{"rows":9},"interval":{"from":[0],"high":[1],"low":[0]},"terms":[{"column":"w","effects":[1],"from":[0]}]}`))
	f.Add([]byte(`{"schema":"ringmaster/ebm/v1","columns":[{"count":[9],"kind":"number","low":0,"high":0,"name":"x"}],"fitted":{"rows":9},"interval":{"from":[0],"high":[1],"low":[0]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err != nil {
			return
		}
		again, err := Parse(m.Bytes())
		if err != nil {
			t.Fatalf("what was written is not read: %v\n%s", err, m.Bytes())
		}
		if !bytes.Equal(again.Bytes(), m.Bytes()) {
			t.Fatalf("written again as %s, first as %s", again.Bytes(), m.Bytes())
		}
		var columns []string
		for _, c := range m.f.Columns {
			columns = append(columns, c.Name)
		}
		s, err := m.Bind(columns)
		if err != nil {
			t.Fatal(err)
		}
		row := make([]Value, len(columns))
		for _, v := range []Value{{Number: math.NaN()}, {Number: 1e300, Word: "red"}, {Number: -3, Word: "?"}, {Number: 0.5, Word: "green"}} {
			for k := range row {
				row[k] = v
			}
			if got := s.Score(row); !(got.P > 0 && got.P < 1 && got.Low <= got.P && got.P <= got.High) {
				t.Fatalf("Score(%v) = %+v", v, got)
			}
			s.Reasons(nil, row)
		}
		m.Terms()
		m.Facts()
		Compare(m, again)
	})
}
