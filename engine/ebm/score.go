package ebm

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// Scorer scores rows whose values come in a known order. It may be used by many
// goroutines at once.
type Scorer struct {
	m       *Model
	columns []bound
	pairs   []table
	reasons int
}

// bound is a column with all that it adds by itself.
type bound struct {
	*column
	at     int       // its place in a row
	effect []float64 // of each bin; nil when only pairs need it
	rarity []float64 // of each bin: -log of its share of rows
	word   wordTable
	why    [3]string // out of support: what Score.Why says
}

const (
	whyBelow = iota
	whyAbove
	whyNew
)

// table is a pair, ready.
type table struct {
	a, b   int // among the scorer's columns
	name   string
	line   []int32 // of each bin of a: where its line begins
	place  []int32 // of each bin of b: its place in the line
	effect []float64
	rarity []float64 // of each cell: how much rarer than the two alone, in logs
	empty  []bool    // out of support
	why    string
}

// Bind readies a model for rows whose values come in the order of columns;
// columns that the model does not know are passed over, and ones that it needs
// and does not get are an error.
func (m *Model) Bind(columns []string) (*Scorer, error) {
	s := &Scorer{m: m}
	place := map[string]int{}
	var absent []string
	for k := range m.f.Columns {
		c := &m.f.Columns[k]
		at := slices.Index(columns, c.Name)
		if at < 0 {
			absent = append(absent, fmt.Sprintf("%q", c.Name))
			continue
		}
		place[c.Name] = len(s.columns)
		s.columns = append(s.columns, c.bind(at, m.f.Fitted.Rows))
	}
	if len(absent) > 0 {
		return nil, fmt.Errorf("the model needs columns that are not there: %s", strings.Join(absent, ", "))
	}
	for _, t := range m.f.Terms {
		b := &s.columns[place[t.Column]]
		b.effect = t.spread(b.bins())
		s.reasons++
	}
	for _, p := range m.f.Pairs {
		s.pairs = append(s.pairs, p.bind(place, m.f.Support.Expected, m.f.Fitted.Rows))
		s.reasons++
	}
	return s, nil
}

// spread is a term's effect in every bin.
func (t *single) spread(bins int) []float64 {
	out := make([]float64, bins)
	run := 0
	for k := range out {
		for run+1 < len(t.From) && t.From[run+1] <= k {
			run++
		}
		out[k] = t.Effects[run]
	}
	return out
}

func (c *column) bind(at, rows int) bound {
	b := bound{column: c, at: at, rarity: c.rarities(rows)}
	switch c.Kind {
	case number:
		b.why = [3]string{
			fmt.Sprintf("%s is below %v, the least that was learnt from", c.Name, *c.Low),
			fmt.Sprintf("%s is above %v, the most that was learnt from", c.Name, *c.High),
			fmt.Sprintf("%s is not a number", c.Name),
		}
	case category:
		b.why[whyNew] = fmt.Sprintf("%s has a word that was not learnt from", c.Name)
		b.word = newWordTable(c.Words)
	}
	return b
}

// rarities is -log of every bin's share of rows. Bins of numbers are as wide as
// they are to hold equally many rows, so it says little there unless values repeat.
func (c *column) rarities(rows int) []float64 {
	out := make([]float64, c.bins())
	for k, n := range c.Count {
		out[k] = surprise(float64(n), float64(rows))
	}
	return out
}

// surprise is how many times fewer rows there are than of, in logs; half a row
// is added to either, so that none at all is not infinitely few.
func surprise(rows, of float64) float64 { return exact.Log((of + 0.5) / (rows + 0.5)) }

func (p *joint) bind(place map[string]int, expected float64, rows int) table {
	n, m := len(p.Effects), len(p.Effects[0])
	t := table{a: place[p.Columns[0]], b: place[p.Columns[1]], name: p.Columns[0] + " × " + p.Columns[1]}
	t.why = fmt.Sprintf("%s and %s: none like it was learnt from", p.Columns[0], p.Columns[1])
	for _, i := range p.Join[0] {
		t.line = append(t.line, int32(i*m))
	}
	for _, k := range p.Join[1] {
		t.place = append(t.place, int32(k))
	}
	first, second := p.sums()
	for i := range n {
		for k := range m {
			t.effect = append(t.effect, p.Effects[i][k])
			alone := float64(first[i]) * float64(second[k]) / float64(rows)
			t.rarity = append(t.rarity, surprise(float64(p.Count[i][k]), alone))
			t.empty = append(t.empty, p.Count[i][k] == 0 && alone >= expected)
		}
	}
	return t
}

// sums are how many rows each line and each place of a pair has.
func (p *joint) sums() (first, second []int) {
	first, second = make([]int, len(p.Count)), make([]int, len(p.Count[0]))
	for i, line := range p.Count {
		for k, c := range line {
			first[i] += c
			second[k] += c
		}
	}
	return first, second
}

// bin is the bin of a value, and which reason there is to abstain, -1 for none.
func (b *bound) bin(v *Value) (bin, why int) {
	if b.Kind == category {
		if v.Word == "" {
			return 0, -1
		}
		if k := b.word.find(v.Word); k > 0 {
			return k, -1
		}
		if b.Open {
			return len(b.Words) + 1, -1
		}
		return len(b.Words) + 1, whyNew
	}
	x := v.Number
	switch {
	case math.IsNaN(x) && v.Word != "":
		return 0, whyNew
	case math.IsNaN(x) || len(b.Count) == 1:
		return 0, -1
	case x < *b.Low:
		return 1, whyBelow
	case x > *b.High:
		return len(b.Cuts) + 1, whyAbove
	}
	return search(b.Cuts, x), -1
}

// search is place without branches that a processor could guess wrongly.
func search(cuts []float64, x float64) int {
	base, n := 0, len(cuts)
	for n > 1 {
		half := n >> 1
		if cuts[base+half-1] <= x {
			base += half
		}
		n -= half
	}
	if n == 1 && cuts[base] <= x {
		base++
	}
	return base + 1
}

// Score scores a row. It does not allocate.
func (s *Scorer) Score(row []Value) Score { return s.ScoreFrom(0, row) }

// ScoreFrom is Score on top of log-odds known beforehand (Options.Offset), which
// are part of the Logit.
func (s *Scorer) ScoreFrom(offset float64, row []Value) Score {
	var bins [64]uint16
	var out Score
	logit, rarity := s.m.f.Intercept+offset, 0.0
	for k := range s.columns {
		b := &s.columns[k]
		bin, why := b.bin(&row[b.at])
		if why >= 0 && !out.Abstain {
			out.Abstain, out.Why = true, b.why[why]
		}
		if k < len(bins) {
			bins[k] = uint16(bin)
		}
		if b.effect != nil {
			logit += b.effect[bin]
		}
		rarity += b.rarity[bin]
	}
	for k := range s.pairs {
		t := &s.pairs[k]
		c := t.line[s.binOf(&bins, t.a, row)] + t.place[s.binOf(&bins, t.b, row)]
		logit += t.effect[c]
		rarity += t.rarity[c]
		if t.empty[c] && !out.Abstain {
			out.Abstain, out.Why = true, t.why
		}
	}
	if rarity > s.m.f.Support.Novelty && !out.Abstain {
		out.Abstain, out.Why = true, "nothing like this row as a whole was learnt from"
	}
	out.Logit = logit
	out.P, out.Low, out.High = s.m.f.probability(logit)
	return out
}

// binOf is the bin of a column, found anew where it is one of more than 64.
func (s *Scorer) binOf(bins *[64]uint16, k int, row []Value) int {
	if k < len(bins) {
		return int(bins[k])
	}
	b := &s.columns[k]
	bin, _ := b.bin(&row[b.at])
	return bin
}

// probability is the calibrated probability at a logit, and its interval.
func (f *file) probability(logit float64) (p, low, high float64) {
	p = math.Max(0.00001, math.Min(0.99999, exact.Round5(exact.Expit(f.Calibration.logit(logit)))))
	k := max(0, search(f.Interval.From, logit)-2)
	return p, math.Min(p, f.Interval.Low[k]), math.Max(p, f.Interval.High[k])
}

// Reasons appends a row's reasons to dst, the strongest first: one for every term
// and pair, those without effect here too. They and the Intercept (and an
// offset) add up to the Logit.
func (s *Scorer) Reasons(dst []Reason, row []Value) []Reason {
	from := len(dst)
	for k := range s.columns {
		b := &s.columns[k]
		if b.effect == nil {
			continue
		}
		bin, _ := b.bin(&row[b.at])
		dst = append(dst, Reason{b.Name, b.label(bin), b.effect[bin]})
	}
	for k := range s.pairs {
		t := &s.pairs[k]
		a, b := &s.columns[t.a], &s.columns[t.b]
		i, _ := a.bin(&row[a.at])
		j, _ := b.bin(&row[b.at])
		dst = append(dst, Reason{t.name, a.label(i) + ", " + b.label(j), t.effect[t.line[i]+t.place[j]]})
	}
	slices.SortStableFunc(dst[from:], func(x, y Reason) int {
		switch a, b := math.Abs(x.Effect), math.Abs(y.Effect); {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
	return dst
}

// Probability is the calibrated probability of a logit and its interval.
func (m *Model) Probability(logit float64) (p, low, high float64) { return m.f.probability(logit) }
