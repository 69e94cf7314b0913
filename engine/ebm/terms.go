package ebm

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// Term is one summand of a model, for people to look at.
type Term struct {
	Name       string   // "age" or "age × sex"
	Columns    []string // one or two
	Category   []bool   // by column: bins are words, not ranges of numbers
	Importance float64  // mean absolute effect over the rows fitted to, in log-odds
	Bins       [][]Bin  // by column; neighbours of equal effect are one bin
	Effects    [][]float64
	Rows       [][]int // rows fitted to, as Effects: by the first column's bins, then the second's
}

// Bin is a range of a number, or some words of a category.
type Bin struct {
	Label     string   // "12.5 to 30", "from 12.5", "Germany or France", "empty"
	Low, High float64  // the range, High not in it; NaN where it is open, for a category or empty
	Words     []string // of a category
	Empty     bool     // missing values
}

// Intercept is the log-odds that every score begins with.
func (m *Model) Intercept() float64 { return m.f.Intercept }

// Terms are the model's terms, the most important first. Bins that hold no row
// and are of no range (nothing was missing, no word was rare) are left out of
// terms of one column.
func (m *Model) Terms() []Term {
	var list []Term
	for _, t := range m.f.Terms {
		list = append(list, m.single(t))
	}
	for _, p := range m.f.Pairs {
		list = append(list, m.joint(p))
	}
	slices.SortStableFunc(list, func(a, b Term) int { return cmp.Compare(b.Importance, a.Importance) })
	return list
}

func (m *Model) single(t single) Term {
	c := m.column(t.Column)
	out := Term{Name: t.Column, Columns: []string{t.Column}, Category: []bool{c.Kind == category}}
	effect := t.spread(c.bins())
	var bins []Bin
	for k := 0; k < c.bins(); {
		end := k + 1
		for end < c.bins() && effect[end] == effect[k] && k > 0 && c.Kind == number {
			end++
		}
		rows := 0
		for _, n := range c.Count[k:end] {
			rows += n
		}
		if rows > 0 || c.Kind == number && k > 0 {
			bins = append(bins, c.describe(k, end))
			out.Effects, out.Rows = append(out.Effects, []float64{effect[k]}), append(out.Rows, []int{rows})
			out.Importance += float64(float64(rows) * math.Abs(effect[k]))
		}
		k = end
	}
	out.Bins = [][]Bin{bins}
	out.Importance /= float64(m.f.Fitted.Rows)
	return out
}

func (m *Model) joint(p joint) Term {
	out := Term{Name: p.Columns[0] + " × " + p.Columns[1], Columns: p.Columns[:], Effects: p.Effects, Rows: p.Count}
	for s := range 2 {
		c := m.column(p.Columns[s])
		size := len(p.Effects)
		if s == 1 {
			size = len(p.Effects[0])
		}
		out.Category = append(out.Category, c.Kind == category)
		out.Bins = append(out.Bins, c.joined(p.Join[s], size))
	}
	for i, line := range p.Effects {
		for k, x := range line {
			out.Importance += float64(float64(p.Count[i][k]) * math.Abs(x))
		}
	}
	out.Importance /= float64(m.f.Fitted.Rows)
	return out
}

// joined describes joined bins.
func (c *column) joined(join []int, size int) []Bin {
	out := make([]Bin, size)
	for to := range out {
		first, last := -1, -1
		var words []string
		for b, j := range join {
			if j != to {
				continue
			}
			if first < 0 {
				first = b
			}
			last = b
			if c.Kind == category && b > 0 {
				words = append(words, c.word(b))
			}
		}
		switch {
		case first < 0:
			out[to] = Bin{Label: "nothing", Low: math.NaN(), High: math.NaN()}
		case words != nil:
			out[to] = wordBin(words)
		default:
			out[to] = c.describe(first, last+1)
		}
	}
	return out
}

// label is a bin in words.
func (c *column) label(bin int) string { return c.describe(bin, bin+1).Label }

// word is what a category's bin from 1 is called.
func (c *column) word(bin int) string {
	if bin > len(c.Words) {
		return "any other"
	}
	return c.Words[bin-1]
}

func wordBin(words []string) Bin {
	label := ""
	for k, w := range words {
		if k > 0 {
			label += " or "
		}
		label += w
	}
	return Bin{Label: label, Words: words, Low: math.NaN(), High: math.NaN()}
}

// describe describes the bins from first up to but not with end.
func (c *column) describe(first, end int) Bin {
	b := Bin{Low: math.NaN(), High: math.NaN()}
	switch {
	case first == 0:
		b.Label, b.Empty = "empty", true
		return b
	case c.Kind == category:
		return wordBin([]string{c.word(first)})
	}
	if first > 1 {
		b.Low = c.Cuts[first-2]
	}
	if end-2 < len(c.Cuts) {
		b.High = c.Cuts[end-2]
	}
	switch {
	case math.IsNaN(b.Low) && math.IsNaN(b.High):
		b.Label = "any number"
	case math.IsNaN(b.Low):
		b.Label = "below " + short(b.High)
	case math.IsNaN(b.High):
		b.Label = "from " + short(b.Low)
	default:
		b.Label = short(b.Low) + " to " + short(b.High)
	}
	return b
}

func short(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// Facts are what a model says of itself.
type Facts struct {
	Rows, Positive    int
	LogLoss, BaseLoss float64  // of rows left out of their bag: the model's, and that of foretelling the base rate
	Terms             int      // of one column
	Pairs             []string // names, in the order they were chosen
	Calibrated        bool     // by beta calibration, with these:
	A, B, C           float64
	RecentRows        int // so many of the newest rows set the intercept; 0 = all
	RecentShift       float64
	Bags              int
	Alpha             float64
}

// Facts are what a model says of itself.
func (m *Model) Facts() Facts {
	f := Facts{Rows: m.f.Fitted.Rows, Positive: m.f.Fitted.Positive, LogLoss: m.f.Fitted.LogLoss, Terms: len(m.f.Terms), Bags: m.f.Fitted.Bags, Alpha: m.f.Support.Alpha, A: 1, B: 1}
	p := float64(f.Positive) / float64(f.Rows)
	f.BaseLoss = -float64(p*exact.Log(p)) - float64((1-p)*exact.Log(1-p))
	for _, p := range m.f.Pairs {
		f.Pairs = append(f.Pairs, p.Columns[0]+" × "+p.Columns[1])
	}
	if c := m.f.Calibration; c != nil {
		f.Calibrated, f.A, f.B, f.C = true, c.A, c.B, c.C
	}
	if r := m.f.Recent; r != nil {
		f.RecentRows, f.RecentShift = r.Rows, r.Shift
	}
	return f
}
