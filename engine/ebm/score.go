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
	terms   int // of one column

	// What every row needs of these, close together.
	numbers []numberSpot
	words   []wordSpot
	singles [][]adds // by column
	cells   []crossing
	levels  grid // of the interval
}

// bound is a column with all that it adds by itself.
type bound struct {
	*column
	at       int // its place in a row
	category bool
	number   numberSpot
	word     wordSpot
	adds     []adds // by bin
	term     bool   // whether it has an effect of its own
	labels   []string
	why      [3]string // out of support: what Score.Why says
}

// numberSpot is what finding the bin of a number takes.
type numberSpot struct {
	at, column int // in a row, and among the scorer's columns
	grid
}

// wordSpot is what finding the bin of a word takes.
type wordSpot struct {
	at, column int
	table      wordTable
	other      uint8 // the bin of words that are not in the table
	open       bool  // such a word is nothing strange
}

// adds is what a bin or a cell adds to a score.
type adds struct {
	effect float64
	rarity float64 // of a bin -log of its share of rows; of a cell how much rarer it is than its two bins alone, in logs; +Inf out of support
}

const (
	whyBelow = iota
	whyAbove
	whyNew
)

// table is a pair, ready.
type table struct {
	crossing
	name   string
	labels cellLabels
	why    string
}

// crossing is what a pair adds to a score.
type crossing struct {
	a, b  int      // among the scorer's columns
	line  []uint16 // of each bin of a: where its line begins
	place []uint16 // of each bin of b: its place in the line
	adds  []adds   // by cell
}

// of is what the cell of a row's bins adds.
func (c *crossing) of(bins []uint8) *adds {
	return &c.adds[int(c.line[bins[c.a]])+int(c.place[bins[c.b]])]
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
		b := c.bind(at, m.f.Fitted.Rows)
		b.labels = c.labels()
		s.add(b)
		place[c.Name] = len(s.columns) - 1
	}
	if len(absent) > 0 {
		return nil, fmt.Errorf("the model needs columns that are not there: %s", strings.Join(absent, ", "))
	}
	for _, t := range m.f.Terms {
		b := &s.columns[place[t.Column]]
		b.term = true
		s.terms++
		for k, x := range t.spread(b.bins()) {
			b.adds[k].effect = x
		}
	}
	for _, p := range m.f.Pairs {
		t := p.bind(place, m.f.Support.Expected, m.f.Fitted.Rows)
		t.labels = newCellLabels(s.columns[t.a].spots(p.Join[0], len(p.Effects)), s.columns[t.b].spots(p.Join[1], len(p.Effects[0])))
		s.pairs, s.cells = append(s.pairs, t), append(s.cells, t.crossing)
	}
	from := m.f.Interval.From
	s.levels = newGrid(from, from[0], from[len(from)-1])
	return s, nil
}

// add takes a column in.
func (s *Scorer) add(b bound) {
	b.number.column, b.word.column = len(s.columns), len(s.columns)
	if b.category {
		s.words = append(s.words, b.word)
	} else {
		s.numbers = append(s.numbers, b.number)
	}
	s.columns, s.singles = append(s.columns, b), append(s.singles, b.adds)
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
	b := bound{column: c, at: at, category: c.Kind == category, adds: make([]adds, c.bins())}
	// Bins of numbers are as wide as they are to hold equally many rows, so their
	// rarity says little unless values repeat.
	for k, n := range c.Count {
		b.adds[k].rarity = surprise(float64(n), float64(rows))
	}
	if b.category {
		b.why[whyNew] = fmt.Sprintf("%s has a word that was not learnt from", c.Name)
		b.word = wordSpot{at: at, table: newWordTable(c.Words), other: uint8(len(c.Words) + 1), open: c.Open}
		return b
	}
	b.number = numberSpot{at: at, grid: grid{low: math.Inf(1), high: math.Inf(-1)}}
	if c.bins() > 1 {
		b.number.grid = newGrid(c.Cuts, *c.Low, *c.High)
	}
	b.why = [3]string{
		fmt.Sprintf("%s is below %v, the least that was learnt from", c.Name, *c.Low),
		fmt.Sprintf("%s is above %v, the most that was learnt from", c.Name, *c.High),
		fmt.Sprintf("%s is not a number", c.Name),
	}
	return b
}

// surprise is how many times fewer rows there are than of, in logs; half a row
// is added to either, so that none at all is not infinitely few.
func surprise(rows, of float64) float64 { return exact.Log((of + 0.5) / (rows + 0.5)) }

func (p *joint) bind(place map[string]int, expected float64, rows int) table {
	n, m := len(p.Effects), len(p.Effects[0])
	t := table{crossing: crossing{a: place[p.Columns[0]], b: place[p.Columns[1]]}, name: p.Columns[0] + " × " + p.Columns[1]}
	t.why = fmt.Sprintf("%s and %s: none like it was learnt from", p.Columns[0], p.Columns[1])
	for _, i := range p.Join[0] {
		t.line = append(t.line, uint16(i*m))
	}
	for _, k := range p.Join[1] {
		t.place = append(t.place, uint16(k))
	}
	first, second := p.sums()
	for i := range n {
		for k := range m {
			alone := float64(first[i]) * float64(second[k]) / float64(rows)
			cell := adds{p.Effects[i][k], surprise(float64(p.Count[i][k]), alone)}
			if p.Count[i][k] == 0 && alone >= expected {
				cell.rarity = math.Inf(1)
			}
			t.adds = append(t.adds, cell)
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
	if b.category {
		if v.Word == "" {
			return 0, -1
		}
		if k := b.word.table.find(v.Word); k > 0 {
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
	case x < b.number.low:
		return 1, whyBelow
	case x > b.number.high:
		return len(b.Cuts) + 1, whyAbove
	}
	return b.number.grid.place(x), -1
}

// mostPlaced is how many columns' bins are kept on the stack.
const mostPlaced = 128

// place finds a row's bins. It says whether some value is out of support.
func (s *Scorer) place(bins []uint8, row []Value) (strange bool) {
	for k := range s.numbers {
		n := &s.numbers[k]
		if x := row[n.at].Number; x >= n.low && x <= n.high {
			bins[n.column] = uint8(n.grid.place(x))
			continue
		}
		bin, why := s.columns[n.column].bin(&row[n.at])
		bins[n.column] = uint8(bin)
		strange = strange || why >= 0
	}
	for k := range s.words {
		n := &s.words[k]
		w := row[n.at].Word
		bin := uint8(n.table.find(w))
		if bin == 0 && w != "" {
			bin = n.other
			strange = strange || !n.open
		}
		bins[n.column] = bin
	}
	return strange
}

// Score scores a row. It does not allocate, for models of up to 128 columns.
func (s *Scorer) Score(row []Value) Score { return s.ScoreFrom(0, row) }

// ScoreFrom is Score on top of log-odds known beforehand (Options.Offset), which
// are part of the Logit.
func (s *Scorer) ScoreFrom(offset float64, row []Value) Score {
	var room [mostPlaced]uint8
	bins := room[:]
	if len(s.columns) > len(room) {
		bins = make([]uint8, len(s.columns))
	}
	strange := s.place(bins, row)
	logit, rarity := s.m.f.Intercept+offset, 0.0
	for k, list := range s.singles {
		c := &list[bins[k]]
		logit += c.effect
		rarity += c.rarity
	}
	for k := range s.cells {
		c := s.cells[k].of(bins)
		logit += c.effect
		rarity += c.rarity
	}
	out := Score{Logit: logit}
	if strange || rarity > s.m.f.Support.Novelty {
		out.Abstain, out.Why = true, s.why(bins, row)
	}
	out.P, out.Low, out.High = s.m.f.probability(logit, s.level(logit))
	return out
}

// why is the first reason to abstain from a row: one of its values, else a cell
// that nothing was in, else the row as a whole.
func (s *Scorer) why(bins []uint8, row []Value) string {
	for k := range s.columns {
		b := &s.columns[k]
		if _, why := b.bin(&row[b.at]); why >= 0 {
			return b.why[why]
		}
	}
	for k := range s.pairs {
		t := &s.pairs[k]
		if math.IsInf(t.of(bins).rarity, 1) {
			return t.why
		}
	}
	return "nothing like this row as a whole was learnt from"
}

// level is which of the interval's levels a logit is in.
func (s *Scorer) level(logit float64) int {
	if logit >= s.levels.low && logit <= s.levels.high {
		return s.levels.place(logit) - 2
	}
	return s.m.f.Interval.level(logit)
}

// level is which level a logit is in.
func (v *interval) level(logit float64) int { return max(0, search(v.From, logit)-2) }

// probability is the calibrated probability at a logit, and its interval.
func (f *file) probability(logit float64, level int) (p, low, high float64) {
	p = max(0.00001, min(0.99999, exact.Round5(exact.Expit(f.Calibration.logit(logit)))))
	return p, min(p, f.Interval.Low[level]), max(p, f.Interval.High[level])
}

// Probability is the calibrated probability of a logit and its interval.
func (m *Model) Probability(logit float64) (p, low, high float64) {
	return m.f.probability(logit, m.f.Interval.level(logit))
}
