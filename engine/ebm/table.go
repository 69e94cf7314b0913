package ebm

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// Column is one input of every row: numbers or words, never both.
type Column struct {
	Name    string
	Numbers []float64 // NaN = empty; nil when the column is a category
	Words   []string  // "" = empty; nil when the column is numbers
}

// Table is what a model is fitted to, column by column.
type Table struct {
	Columns []Column
	Rows    int
}

// Options say how to fit. The zero value is the default configuration, the one
// whose figures are reported; nothing in it was tuned to one data set.
type Options struct {
	Weight       []float64      // how much each row counts, > 0 and finite; nil = 1 each
	Offset       []float64      // log-odds known beforehand, e.g. an industry prior; nil = 0
	Time         []float64      // when each row happened, any unit; where given, the intercept is that of the newest rows. NaN = unknown
	Held         []bool         // rows that are never read for fitting; nil = none
	Group        []string       // rows of one group are in the same bag; nil = each row alone, "" = alone
	Monotone     map[string]int // column → +1 (never falls) or -1 (never rises); numbers only
	Interactions int            // pairs at most; 0 = 10, negative = none
	Bags         int            // outer bags; 0 = 8
	Seed         uint64         // another seed, other bags
	Former       *Model         // its cuts are used again, so that the two can be compared bin by bin
}

// Value is one cell of a row to be scored. Which of the two counts is the
// column's matter. In a column of numbers, NaN is empty (and a Word beside it is
// something that is not a number); in a category, "" is empty.
type Value struct {
	Number float64
	Word   string
}

// Score is what a model says of one row.
type Score struct {
	P         float64 // probability of label 1, calibrated, 5 decimals, never 0 or 1
	Low, High float64 // the Venn–Abers interval; it holds P
	Logit     float64 // the sum of intercept and effects, before calibration
	Abstain   bool    // the row is unlike what the model was fitted to
	Why       string  // why it abstains, "" where it does not
}

// Reason is one term's part in a score.
type Reason struct {
	Term   string  // "age" or "age × sex"
	Value  string  // the bin or bins the row falls into, as people read them
	Effect float64 // in log-odds; all effects and the intercept add up to Score.Logit
}

// farthest is how far from 0 a number may be: squares of it are still summed up
// without overflow.
const farthest = 1e150

// check says which value of a column cannot be fitted to, or not be written in
// a model's file.
func (c Column) check() error {
	for i, x := range c.Numbers {
		if math.Abs(x) > farthest {
			return fmt.Errorf("row %d is %v; expected a number between %v and %v", i, x, -farthest, farthest)
		}
	}
	for i, w := range c.Words {
		if !utf8.ValidString(w) {
			return fmt.Errorf("row %d: %q is not UTF-8", i, w)
		}
	}
	if !utf8.ValidString(c.Name) {
		return errors.New("its name is not UTF-8")
	}
	return nil
}

// check says what is wrong with a table and its options.
func check(t Table, label []bool, o Options) error {
	if len(label) != t.Rows {
		return fmt.Errorf("%d labels for %d rows", len(label), t.Rows)
	}
	names := map[string]bool{}
	words := map[string]bool{}
	for _, c := range t.Columns {
		if (c.Numbers == nil) == (c.Words == nil) && t.Rows > 0 {
			return fmt.Errorf("column %q: expected either numbers or words", c.Name)
		}
		if n := len(c.Numbers) + len(c.Words); n != t.Rows {
			return fmt.Errorf("column %q has %d values for %d rows", c.Name, n, t.Rows)
		}
		if names[c.Name] {
			return fmt.Errorf("column %q is there twice", c.Name)
		}
		names[c.Name], words[c.Name] = true, c.Words != nil
		if err := c.check(); err != nil {
			return fmt.Errorf("column %q: %w", c.Name, err)
		}
	}
	for what, n := range map[string]int{"weights": len(o.Weight), "offsets": len(o.Offset), "times": len(o.Time), "held": len(o.Held), "groups": len(o.Group)} {
		if n != 0 && n != t.Rows {
			return fmt.Errorf("%d %s for %d rows", n, what, t.Rows)
		}
	}
	for i, w := range o.Weight {
		if !(w > 0) || math.IsInf(w, 1) {
			return fmt.Errorf("the weight of row %d is %v; expected a positive number", i, w)
		}
	}
	for i, x := range o.Offset {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("the offset of row %d is %v; expected a finite number", i, x)
		}
	}
	for name, way := range o.Monotone {
		if !names[name] {
			return fmt.Errorf("monotone column %q is not in the table", name)
		}
		if words[name] {
			return fmt.Errorf("monotone column %q is a category; expected numbers", name)
		}
		if way != 1 && way != -1 {
			return fmt.Errorf("monotone column %q: way %d; expected 1 or -1", name, way)
		}
	}
	return nil
}
