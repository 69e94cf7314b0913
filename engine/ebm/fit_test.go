package ebm

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

func TestPlantedTruthIsFound(t *testing.T) {
	m, _, _ := plantedModel(t)
	if got := pairNames(m); len(got) == 0 || got[0] != "c × d" {
		t.Errorf("pairs = %q, want %q first", got, "c × d")
	}
	if slices.ContainsFunc(pairNames(m), func(p string) bool { return strings.Contains(p, "noise") }) {
		t.Errorf("a pair with noise was chosen: %q", pairNames(m))
	}
	fresh, label := planted(4000, 8)
	var p []float64
	for _, s := range scores(t, m, fresh) {
		p = append(p, s.P)
	}
	// The truth itself, with the mean of b where b is missing, comes to 0.500.
	if j := judge(p, label); j.logLoss > 0.525 || j.calibration > 0.03 {
		t.Errorf("log loss %.4f, calibration error %.4f; want at most 0.525 and 0.03", j.logLoss, j.calibration)
	}
	_, red := term(t, m, "w")
	if c := m.column("w"); !(red[1+slices.Index(c.Words, "red")] < red[1+slices.Index(c.Words, "green")] && red[1+slices.Index(c.Words, "green")] < red[1+slices.Index(c.Words, "blue")]) {
		t.Errorf("effects of %v are %v, want red below green below blue", c.Words, red[1:])
	}
}

func TestSameBytesOnAnyNumberOfProcessors(t *testing.T) {
	tb, label := planted(400, 1)
	want := mustFit(t, tb, label, Options{}).Bytes()
	for _, n := range []int{1, 2, 4, 8} {
		before := runtime.GOMAXPROCS(n)
		got := mustFit(t, tb, label, Options{}).Bytes()
		runtime.GOMAXPROCS(before)
		if !bytes.Equal(got, want) {
			t.Errorf("GOMAXPROCS=%d gives other bytes", n)
		}
	}
}

func TestSameBytesInAnyOrder(t *testing.T) {
	tb, label := planted(400, 2)
	o := func(rows []int) Options {
		var o Options
		for _, i := range rows {
			o.Weight = append(o.Weight, 1+float64(i%3))
			o.Offset = append(o.Offset, float64(i%5)/10)
			o.Group = append(o.Group, []string{"", "x", "y", "z"}[i%4]+fmt.Sprint(i%30))
			o.Time = append(o.Time, float64(i/7))
		}
		return o
	}
	for _, full := range []bool{false, true} {
		var want []byte
		rows := upTo(tb.Rows)
		for k := range 3 {
			some, labels := pick(tb, label, rows)
			var with Options
			if full {
				with = o(rows)
			}
			slices.Reverse(some.Columns)
			if k == 2 {
				slices.Reverse(some.Columns)
			}
			got := mustFit(t, some, labels, with).Bytes()
			if want == nil {
				want = got
			}
			if !bytes.Equal(got, want) {
				t.Errorf("order %d, with options %v: other bytes", k, full)
			}
			rand.New(rand.NewSource(int64(k))).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		}
	}
}

// The same bits on every machine: this hash was made on amd64, and a machine
// that fuses products or has an exp of its own would give another.
func TestBitsAreTheSameEverywhere(t *testing.T) {
	tb, label := planted(600, 3)
	o := Options{Time: make([]float64, tb.Rows), Monotone: map[string]int{"a": 1}}
	for i := range o.Time {
		o.Time[i] = float64(i)
	}
	m := mustFit(t, tb, label, o)
	h := fnv.New64a()
	h.Write(m.Bytes())
	for _, s := range scores(t, m, tb) {
		fmt.Fprintf(h, "%x %x %x %x %v\n", math.Float64bits(s.P), math.Float64bits(s.Low), math.Float64bits(s.High), math.Float64bits(s.Logit), s.Why)
	}
	const want = 0x8379cef66dcd21e0
	if got := h.Sum64(); got != want {
		t.Errorf("the bits hash to %#x, want %#x", got, uint64(want))
	}
}

// What is held is not read: neither its values nor its words nor its labels.
func TestHeldRowsAreNeverRead(t *testing.T) {
	tb, label := planted(500, 4)
	held := make([]bool, tb.Rows)
	for i := range held {
		held[i] = i%3 == 0
	}
	want := mustFit(t, tb, label, Options{Held: held}).Bytes()
	for i := range held {
		if held[i] {
			label[i] = !label[i]
			tb.Columns[0].Numbers[i] = 1e9
			tb.Columns[5].Words[i] = fmt.Sprint("new", i)
		}
	}
	if got := mustFit(t, tb, label, Options{Held: held}).Bytes(); !bytes.Equal(got, want) {
		t.Error("what stands in rows that are held changed the model")
	}
	rest := slices.DeleteFunc(upTo(tb.Rows), func(i int) bool { return held[i] })
	some, labels := pick(tb, label, rest)
	if got := mustFit(t, some, labels, Options{}).Bytes(); !bytes.Equal(got, want) {
		t.Error("leaving rows out and holding them give different models")
	}
}

func TestMonotone(t *testing.T) {
	tb, label := planted(1500, 5)
	for way, names := range map[int][]string{1: {"a", "noise"}, -1: {"b"}} {
		o := Options{Monotone: map[string]int{}}
		for _, n := range names {
			o.Monotone[n] = way
		}
		m := mustFit(t, tb, label, o)
		for _, n := range names {
			if m.column(n) == nil {
				continue // flat
			}
			_, effect := term(t, m, n)
			for k := 2; k < len(effect); k++ {
				if float64(way)*(effect[k]-effect[k-1]) < 0 {
					t.Errorf("monotone %+d: %s goes from %v to %v at bin %d", way, n, effect[k-1], effect[k], k)
				}
			}
			for _, p := range pairNames(m) {
				if strings.Contains(" "+p+" ", " "+n+" ") {
					t.Errorf("monotone %q is in the pair %q, where it need not be monotone", n, p)
				}
			}
		}
	}
}

// two is a table of one column of words, so many rows of each and of label 1.
func two(rows map[string][2]int) (Table, []bool) {
	c, label := Column{Name: "w"}, []bool{}
	for _, w := range []string{"x", "y"} {
		for i := range rows[w][0] {
			c.Words, label = append(c.Words, w), append(label, i < rows[w][1])
		}
	}
	return Table{Columns: []Column{c}, Rows: len(label)}, label
}

// Rows of weight 2 count as two rows each do; only the folds are dealt otherwise.
func TestWeights(t *testing.T) {
	tb, label := two(map[string][2]int{"x": {300, 60}, "y": {300, 180}})
	o := Options{Weight: make([]float64, tb.Rows)}
	rows := upTo(tb.Rows)
	for i := range o.Weight {
		if o.Weight[i] = 1; label[i] {
			o.Weight[i], rows = 2, append(rows, i)
		}
	}
	twice, labels := pick(tb, label, rows)
	weighted, repeated := mustFit(t, tb, label, o), mustFit(t, twice, labels, Options{})
	for _, w := range []string{"x", "y"} {
		a, b := one(t, weighted, Value{Word: w}), one(t, repeated, Value{Word: w})
		want := map[string]float64{"x": 120.0 / 360, "y": 360.0 / 480}[w]
		if math.Abs(a.P-want) > 0.02 || math.Abs(a.P-b.P) > 0.01 {
			t.Errorf("%s: p = %v by weight, %v by repeating rows; want about %v", w, a.P, b.P, want)
		}
	}
}

// An offset is taken for known: what it explains is not learnt again.
func TestOffset(t *testing.T) {
	tb, label := two(map[string][2]int{"x": {400, 80}, "y": {400, 240}})
	o := Options{Offset: make([]float64, tb.Rows)}
	known := map[string]float64{"x": exact.Logit(0.2), "y": exact.Logit(0.6)}
	for i, w := range tb.Columns[0].Words {
		o.Offset[i] = known[w]
	}
	m := mustFit(t, tb, label, o)
	if math.Abs(m.Intercept()) > 0.05 {
		t.Errorf("intercept = %v, want about 0", m.Intercept())
	}
	s, err := m.Bind([]string{"w"})
	if err != nil {
		t.Fatal(err)
	}
	for w, f := range known {
		row := []Value{{Word: w}}
		got, bare := s.ScoreFrom(f, row), s.Score(row)
		if want := exact.Expit(f); math.Abs(got.P-want) > 0.02 || got.Logit != bare.Logit+f && math.Abs(got.Logit-bare.Logit-f) > 1e-12 {
			t.Errorf("%s: p = %v at logit %v, want %v", w, got.P, got.Logit, want)
		}
	}
}

// Rows of a group are left out together, so that none is foretold by its kin.
func TestGroupsStayTogether(t *testing.T) {
	tb, label := planted(300, 6)
	group := make([]string, tb.Rows)
	for i := range group {
		if i%2 == 0 {
			group[i] = fmt.Sprint("g", i%34)
		}
	}
	r := order(tb, label, Options{Group: group}, 8)
	fold, size := map[string]int{}, make([]int, 8)
	for b := range 8 {
		for _, i := range r.source[r.start[b]:r.start[b+1]] {
			size[b]++
			if g := group[i]; g != "" {
				if was, ok := fold[g]; ok && was != b {
					t.Errorf("group %s is in folds %d and %d", g, was, b)
				}
				fold[g] = b
			}
		}
	}
	if slices.Min(size) < 20 || slices.Max(size) > 60 {
		t.Errorf("folds of %v rows, want about 37 each", size)
	}
}

// A label that is its group's alone is foretold by the group's other rows; with
// the groups given, the model is told honestly that it is not foretold at all.
func TestGroupsMakeTheLossHonest(t *testing.T) {
	r := rand.New(rand.NewSource(9))
	c, group, label := Column{Name: "id"}, []string{}, []bool{}
	for g := range 40 {
		y := r.Intn(2) == 0
		for range 8 {
			c.Words, group, label = append(c.Words, fmt.Sprint("id", g)), append(group, fmt.Sprint(g)), append(label, y)
		}
	}
	tb := Table{Columns: []Column{c}, Rows: len(label)}
	alone, together := mustFit(t, tb, label, Options{}).Facts(), mustFit(t, tb, label, Options{Group: group}).Facts()
	if alone.LogLoss > 0.5 || together.LogLoss < 0.65 {
		t.Errorf("log loss of rows left out %v, and by groups %v; want below 0.5 and above 0.65", alone.LogLoss, together.LogLoss)
	}
}

func TestFitRefuses(t *testing.T) {
	numbers := func(x ...float64) Table {
		return Table{Columns: []Column{{Name: "x", Numbers: x}}, Rows: len(x)}
	}
	twenty, labels := make([]float64, 20), make([]bool, 20)
	labels[3] = true
	words := Table{Columns: []Column{{Name: "w", Words: make([]string, 20)}}, Rows: 20}
	strange := Table{Columns: []Column{{Name: "w", Words: slices.Repeat([]string{"a\xff"}, 20)}}, Rows: 20}
	for _, c := range []struct {
		name  string
		t     Table
		label []bool
		o     Options
		want  string
	}{
		{"labels", numbers(1, 2), labels, Options{}, "20 labels for 2 rows"},
		{"few", numbers(1, 2), []bool{true, false}, Options{}, "2 rows to fit to; a model takes at least 16"},
		{"one label", numbers(twenty...), make([]bool, 20), Options{}, "all rows to fit to have the same label"},
		{"weights", numbers(twenty...), labels, Options{Weight: []float64{1}}, "1 weights for 20 rows"},
		{"weight", numbers(twenty...), labels, Options{Weight: twenty}, "the weight of row 0 is 0; expected a positive number"},
		{"offset", numbers(twenty...), labels, Options{Offset: append([]float64{math.NaN()}, twenty[1:]...)}, "the offset of row 0 is NaN"},
		{"infinite", numbers(append([]float64{math.Inf(1)}, twenty[1:]...)...), labels, Options{}, `column "x": row 0 is +Inf; expected a number between`},
		{"huge", numbers(append([]float64{-1e300}, twenty[1:]...)...), labels, Options{}, `column "x": row 0 is -1e+300; expected a number between`},
		{"not UTF-8", strange, labels, Options{}, `column "w": row 0: "a\xff" is not UTF-8`},
		{"unknown", numbers(twenty...), labels, Options{Monotone: map[string]int{"y": 1}}, `monotone column "y" is not in the table`},
		{"no way", numbers(twenty...), labels, Options{Monotone: map[string]int{"x": 2}}, "way 2; expected 1 or -1"},
		{"monotone words", words, labels, Options{Monotone: map[string]int{"w": 1}}, `monotone column "w" is a category; expected numbers`},
		{"twice", Table{Columns: slices.Repeat([]Column{{Name: "x", Numbers: twenty}}, 2), Rows: 20}, labels, Options{}, `column "x" is there twice`},
		{"neither", Table{Columns: []Column{{Name: "x"}}, Rows: 20}, labels, Options{}, "expected either numbers or words"},
	} {
		_, err := Fit(c.t, c.label, c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// Tables at the edge of what can be fitted are fitted, and scored, without harm.
func TestOddTables(t *testing.T) {
	n := 64
	label := make([]bool, n)
	for i := range label {
		label[i] = i%3 == 0
	}
	fill := func(by func(i int) float64) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = by(i)
		}
		return out
	}
	for name, c := range map[string]Column{
		"empty":      {Name: "x", Numbers: fill(func(int) float64 { return math.NaN() })},
		"constant":   {Name: "x", Numbers: fill(func(int) float64 { return -5 })},
		"perfect":    {Name: "x", Numbers: fill(func(i int) float64 { return float64(i % 3) })},
		"one value":  {Name: "x", Numbers: fill(func(i int) float64 { return []float64{7, math.NaN()}[min(i, 1)] })},
		"far":        {Name: "x", Numbers: fill(func(i int) float64 { return float64(i%7-3) * 1e149 })},
		"near":       {Name: "x", Numbers: fill(func(i int) float64 { return 1 + float64(i%3)*math.Nextafter(1, 2) - float64(i%3) })},
		"no words":   {Name: "x", Words: make([]string, n)},
		"every word": {Name: "x", Words: pickFrom(strings.Split(strings.Repeat("a b c d e f g h ", 8), " "), upTo(n))},
	} {
		tb := Table{Columns: []Column{c, {Name: "z", Numbers: fill(func(i int) float64 { return float64(i) })}}, Rows: n}
		m := mustFit(t, tb, label, Options{})
		if _, err := Parse(m.Bytes()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i, s := range scores(t, m, tb) {
			if !(s.P > 0 && s.P < 1 && s.Low <= s.P && s.P <= s.High) {
				t.Errorf("%s: row %d: %+v", name, i, s)
			}
		}
	}
}

// one is the score of a row of a single value.
func one(t testing.TB, m *Model, v Value) Score {
	t.Helper()
	s, err := m.Bind([]string{m.f.Columns[0].Name})
	if err != nil {
		t.Fatal(err)
	}
	return s.Score([]Value{v})
}

// middling is n rows in which one word, whose own effect is between the others',
// matters together with a number: neither end of the order of effects shows it.
func middling(n int, seed int64) (Table, []bool) {
	r := rand.New(rand.NewSource(seed))
	w, x, z := Column{Name: "w"}, Column{Name: "x"}, Column{Name: "z"}
	label := make([]bool, n)
	for i := range label {
		k, at := r.Intn(11), math.Floor(r.Float64()*100)
		f := float64(k-5) / 3
		if k == 5 {
			if f = 1.3; at < 50 {
				f = -1.3
			}
		}
		word := string("abcdefghijk"[k])
		w.Words, x.Numbers, z.Numbers = append(w.Words, word), append(x.Numbers, at), append(z.Numbers, r.Float64())
		label[i] = r.Float64() < exact.Expit(f)
	}
	return Table{Columns: []Column{w, x, z}, Rows: n}, label
}

func TestPairOnAMiddleWordIsFound(t *testing.T) {
	tb, label := middling(2000, 21)
	m := mustFit(t, tb, label, Options{})
	if got := pairNames(m); len(got) != 1 || got[0] != "w × x" {
		t.Fatalf("pairs = %q, want %q alone", got, "w × x")
	}
	s, err := m.Bind([]string{"w", "x", "z"})
	if err != nil {
		t.Fatal(err)
	}
	for word, want := range map[string]float64{"e": 0, "f": 2.6, "g": 0} {
		low := s.Score([]Value{{Word: word}, {Number: 20}, {Number: 0.5}})
		high := s.Score([]Value{{Word: word}, {Number: 80}, {Number: 0.5}})
		if got := high.Logit - low.Logit; math.Abs(got-want/1.5) > 0.8 {
			t.Errorf("%s: %v more at a high x, want about %v, held back a little", word, got, want)
		}
	}
}
