package ebm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Schema is what a model's file calls itself.
const Schema = "ringmaster/ebm/v1"

// The kinds of columns.
const (
	number   = "number"
	category = "category"
)

// Model is a fitted model: what its file holds and nothing else. It is immutable.
type Model struct{ f file }

// file is a model's format in Git. Fields are in alphabetical order, as the keys
// are written; effects are in log-odds with 5 decimals.
type file struct {
	Calibration *calibration `json:"calibration,omitempty"` // absent: the logit is calibrated as it is
	Columns     []column     `json:"columns"`               // those that terms and pairs need, by name
	Fitted      fitted       `json:"fitted"`
	Intercept   float64      `json:"intercept"`
	Interval    interval     `json:"interval"`
	Pairs       []joint      `json:"pairs"` // in the order they were chosen
	Recent      *recent      `json:"recent,omitempty"`
	Schema      string       `json:"schema"`
	Support     limits       `json:"support"`
	Terms       []single     `json:"terms"` // by column
}

// fitted is what the model was fitted to.
type fitted struct {
	Bags     int     `json:"bags"`
	LogLoss  float64 `json:"log_loss"` // of rows left out of their bag
	Positive int     `json:"positive"` // rows with label 1
	Rows     int     `json:"rows"`
	Seed     uint64  `json:"seed"`
}

// column is how one input is cut into bins. Bin 0 is for missing values.
type column struct {
	Count []int     `json:"count"`           // rows in each bin
	Cuts  []float64 `json:"cuts,omitempty"`  // numbers: bin k+1 begins at the k-th of these, counted from 1
	High  *float64  `json:"high,omitempty"`  // numbers: above it a row is out of support
	Kind  string    `json:"kind"`            // number or category
	Low   *float64  `json:"low,omitempty"`   // numbers: below it a row is out of support
	Name  string    `json:"name"`            //
	Open  bool      `json:"open,omitempty"`  // category: so many words were seen once that a new one is nothing strange
	Words []string  `json:"words,omitempty"` // category: the word of each bin from 1; one more bin is for all others
}

// bins is how many bins a column has.
func (c *column) bins() int { return len(c.Count) }

// single is a term of one column, equal neighbours merged: bins from From[k]
// have Effects[k].
type single struct {
	Column  string    `json:"column"`
	Effects []float64 `json:"effects"`
	From    []int     `json:"from"`
}

// joint is a term of two columns: a table of lines, of the first column, and
// places in them, of the second. Lines and places are joined bins.
type joint struct {
	Columns [2]string   `json:"columns"`
	Count   [][]int     `json:"count"`   // rows in each cell
	Effects [][]float64 `json:"effects"` //
	Join    [2][]int    `json:"join"`    // by column: the line or place of each bin
}

// calibration is beta calibration (Kull, Silva Filho and Flach 2017): the
// probability's log-odds are A·log p - B·log(1-p) + C for p of the logit.
type calibration struct {
	A float64 `json:"a"`
	B float64 `json:"b"`
	C float64 `json:"c"`
}

// interval is a Venn–Abers predictor: for a logit from From[k] on, below
// From[k+1], the probability is Low[k] to High[k]; for one below From[0] it is
// as from there.
type interval struct {
	From []float64 `json:"from"`
	High []float64 `json:"high"`
	Low  []float64 `json:"low"`
}

// recent says how the intercept was set by the newest rows.
type recent struct {
	Rows  int     `json:"rows"`  // how many
	Shift float64 `json:"shift"` // by how much they moved it
}

// limits are where the model abstains.
type limits struct {
	Alpha    float64 `json:"alpha"`    // how often, at most, it does so for rows like those fitted to
	Expected float64 `json:"expected"` // an empty cell of a pair counts where this many rows would be expected in it
	Novelty  float64 `json:"novelty"`  // above it, a row is too unlike those fitted to
}

// Bytes is the model's file: JSON with sorted keys, a line for every column and
// term. Parse reads the same model from it, bit for bit.
func (m *Model) Bytes() []byte {
	var b bytes.Buffer
	b.WriteString("{")
	item := func(key string, v any) {
		if b.Len() > 1 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, "\n%q: ", key)
		b.Write(encode(v))
	}
	if m.f.Calibration != nil {
		item("calibration", m.f.Calibration)
	}
	lines(&b, item, "columns", m.f.Columns)
	item("fitted", m.f.Fitted)
	item("intercept", m.f.Intercept)
	item("interval", m.f.Interval)
	lines(&b, item, "pairs", m.f.Pairs)
	if m.f.Recent != nil {
		item("recent", m.f.Recent)
	}
	item("schema", m.f.Schema)
	item("support", m.f.Support)
	lines(&b, item, "terms", m.f.Terms)
	b.WriteString("\n}\n")
	return b.Bytes()
}

// lines writes a list with a line for every element.
func lines[T any](b *bytes.Buffer, item func(string, any), key string, list []T) {
	item(key, json.RawMessage("["))
	for k, v := range list {
		if k > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n ")
		b.Write(encode(v))
	}
	b.WriteString("]")
}

// encode is v as JSON; nothing in a model fails to encode, for all its numbers
// are finite.
func encode(v any) []byte {
	if raw, ok := v.(json.RawMessage); ok {
		return raw
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// Parse reads a model's file. Fields that it does not know are passed over.
func Parse(data []byte) (*Model, error) {
	m := new(Model)
	if err := json.Unmarshal(data, &m.f); err != nil {
		return nil, fmt.Errorf("reading a model: %w", err)
	}
	if m.f.Schema != Schema {
		return nil, fmt.Errorf("reading a model: schema %q; expected %q", m.f.Schema, Schema)
	}
	if err := m.f.check(); err != nil {
		return nil, fmt.Errorf("reading a model: %w", err)
	}
	return m, nil
}

// check finds what would make a model score wrongly or not at all.
func (f *file) check() error {
	known := map[string]*column{}
	for k := range f.Columns {
		c := &f.Columns[k]
		if known[c.Name] != nil {
			return fmt.Errorf("column %q is there twice", c.Name)
		}
		known[c.Name] = c
		if err := c.check(); err != nil {
			return fmt.Errorf("column %q: %w", c.Name, err)
		}
	}
	seen := map[string]bool{}
	for _, t := range f.Terms {
		c := known[t.Column]
		if c == nil {
			return fmt.Errorf("a term's column %q is not in columns", t.Column)
		}
		if seen[t.Column] {
			return fmt.Errorf("term %q is there twice", t.Column)
		}
		seen[t.Column] = true
		if x, far := tooFar(t.Effects); far {
			return fmt.Errorf("term %q: an effect of %v; expected within ±%v", t.Column, x, steepest)
		}
		if len(t.From) == 0 || len(t.From) != len(t.Effects) || t.From[0] != 0 || !ascending(t.From) || t.From[len(t.From)-1] >= c.bins() {
			return fmt.Errorf("term %q: its runs of bins do not fit the column's %d", t.Column, c.bins())
		}
	}
	for _, p := range f.Pairs {
		if err := p.check(known); err != nil {
			return fmt.Errorf("pair %q: %w", p.Columns, err)
		}
	}
	if x, far := tooFar([]float64{f.Intercept}); far {
		return fmt.Errorf("the intercept is %v; expected within ±%v", x, steepest)
	}
	if f.Fitted.Rows <= 0 {
		return errors.New("it was fitted to no rows")
	}
	return f.checkScale()
}

// checkScale finds what is wrong with how log-odds become probabilities.
func (f *file) checkScale() error {
	if c := f.Calibration; c != nil && !(c.A >= 0 && c.B >= 0 && c.A <= steepest && c.B <= steepest && math.Abs(c.C) <= steepest) {
		return fmt.Errorf("calibration a and b are %v and %v, c %v; expected 0 ≤ a, b and all within ±%v", c.A, c.B, c.C, steepest)
	}
	v := f.Interval
	if len(v.From) == 0 || len(v.From) != len(v.Low) || len(v.From) != len(v.High) || !ascending(v.From) {
		return errors.New("the interval's lists do not fit each other")
	}
	for k, low := range v.Low {
		if !(0 <= low && low <= v.High[k] && v.High[k] <= 1) {
			return fmt.Errorf("interval %d is %v to %v", k, low, v.High[k])
		}
	}
	return nil
}

// steepest is the most that a term, the intercept or a calibration may be, in
// log-odds: far beyond any that is fitted, and near enough that sums are finite.
const steepest = 1e6

// tooFar is the first effect beyond steepest, if there is one.
func tooFar(effects []float64) (float64, bool) {
	for _, x := range effects {
		if !(math.Abs(x) <= steepest) {
			return x, true
		}
	}
	return 0, false
}

func (c *column) check() error {
	switch {
	case c.Kind == number && c.bins() != len(c.Cuts)+2 && (c.bins() != 1 || c.Cuts != nil):
		return fmt.Errorf("%d bins for %d cuts", c.bins(), len(c.Cuts))
	case c.Kind == number && (c.Low == nil || c.High == nil || !(*c.Low <= *c.High)):
		return errors.New("low and high are not a range")
	case c.Kind == number && !ascending(c.Cuts):
		return errors.New("its cuts do not ascend")
	case c.Kind == category && c.bins() != len(c.Words)+2:
		return fmt.Errorf("%d bins for %d words", c.bins(), len(c.Words))
	case c.Kind == category && (!ascending(c.Words) || len(c.Words) > 0 && c.Words[0] == ""):
		return errors.New("its words are not sorted, or one is empty")
	case c.Kind != number && c.Kind != category:
		return fmt.Errorf("kind %q; expected %q or %q", c.Kind, number, category)
	case c.bins() > most+1:
		return fmt.Errorf("%d bins; at most %d", c.bins(), most+1)
	case slices.Min(c.Count) < 0:
		return errors.New("a bin holds fewer rows than none")
	}
	return nil
}

func (p *joint) check(known map[string]*column) error {
	if len(p.Effects) == 0 || len(p.Effects) != len(p.Count) || p.Columns[0] == p.Columns[1] {
		return errors.New("its tables do not fit each other")
	}
	wide := len(p.Effects[0])
	for i, line := range p.Effects {
		if len(line) != wide || len(p.Count[i]) != wide || wide == 0 || slices.Min(p.Count[i]) < 0 {
			return fmt.Errorf("line %d does not fit the others", i)
		}
		if x, far := tooFar(line); far {
			return fmt.Errorf("an effect of %v; expected within ±%v", x, steepest)
		}
	}
	for s, size := range []int{len(p.Effects), wide} {
		c := known[p.Columns[s]]
		if c == nil {
			return fmt.Errorf("%q is not in columns", p.Columns[s])
		}
		if len(p.Join[s]) != c.bins() || slices.Min(p.Join[s]) < 0 || slices.Max(p.Join[s]) >= size {
			return fmt.Errorf("the joined bins of %q do not fit", p.Columns[s])
		}
	}
	return nil
}

// ascending says whether each is less than the next.
func ascending[T int | float64 | string](list []T) bool {
	for k := 1; k < len(list); k++ {
		if !(list[k-1] < list[k]) {
			return false
		}
	}
	return true
}

// column is the column of that name; nil where there is none, or no model.
func (m *Model) column(name string) *column {
	if m == nil {
		return nil
	}
	for k := range m.f.Columns {
		if m.f.Columns[k].Name == name {
			return &m.f.Columns[k]
		}
	}
	return nil
}

// clean is x with 5 decimals and no negative zero.
func clean(x float64) float64 { return math.Round(float64(x*1e5))/1e5 + 0 }
