package ebm

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// CSV says which columns of a file have a meaning of their own. They are no
// inputs of the model.
type CSV struct {
	Name  string // of the file, for faults
	Label string // 0 or 1; needed
	Split string // rows in which it is "test" are not read; "" = there is none
	Time  string // a number, an RFC 3339 time or a date; "" = there is none
}

// Examples are the rows of a file.
type Examples struct {
	Table Table
	Label []bool
	Time  []float64 // nil without CSV.Time; NaN where empty
}

// mostFaults is how many faults of a file are named.
const mostFaults = 20

// mostCells is how large a file may be: beyond it, a model is fitted to a sample
// of the rows to the same effect.
const mostCells = 400_000_000

// Faults are what is wrong with a file, in its order, each with its place.
type Faults []string

func (f Faults) Error() string { return strings.Join(f, "\n") }

// reader reads a file row by row, gathering faults.
type reader struct {
	name   string
	csv    *csv.Reader
	header []string
	faults Faults
	more   int
}

func newReader(in io.Reader, name string) (*reader, error) {
	r := &reader{name: name, csv: csv.NewReader(skipMark(in))}
	r.csv.ReuseRecord = true
	header, err := r.csv.Read()
	if errors.Is(err, io.EOF) {
		return nil, Faults{name + ":1:1: the file is empty; expected a header"}
	}
	if err != nil {
		return nil, Faults{r.place(err)}
	}
	r.header = slices.Clone(header)
	seen := map[string]bool{}
	for k, h := range r.header {
		r.header[k] = strings.Clone(h)
		switch {
		case h == "":
			r.fault(k, "a column without a name")
		case seen[h]:
			r.fault(k, "column %q is there twice", h)
		case !utf8.ValidString(h):
			r.fault(k, "column %q is not named in UTF-8", h)
		}
		seen[h] = true
	}
	return r, nil
}

// skipMark passes over the byte order mark that spreadsheets write.
func skipMark(in io.Reader) io.Reader {
	var first [3]byte
	n, err := io.ReadFull(in, first[:])
	if n == 3 && string(first[:]) == "\ufeff" {
		return in
	}
	rest := in
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		rest = broken{err}
	}
	return io.MultiReader(strings.NewReader(string(first[:n])), rest)
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// place words what the csv package says.
func (r *reader) place(err error) string {
	var p *csv.ParseError
	if errors.As(err, &p) {
		return fmt.Sprintf("%s:%d:%d: %v", r.name, p.Line, p.Column, p.Err)
	}
	return fmt.Sprintf("%s: %v", r.name, err)
}

// fault notes what is wrong with a field of the row being read.
func (r *reader) fault(field int, format string, args ...any) {
	if len(r.faults) == mostFaults {
		r.more++
		return
	}
	line, column := r.csv.FieldPos(field)
	r.faults = append(r.faults, fmt.Sprintf("%s:%d:%d: %s", r.name, line, column, fmt.Sprintf(format, args...)))
}

// next is the next row, valid until the one after; nil at the end. Ragged rows
// are faults and passed over; a quote that makes the rest unreadable ends it.
func (r *reader) next() []string {
	for {
		row, err := r.csv.Read()
		switch {
		case err == nil:
			return row
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, csv.ErrFieldCount):
			r.fault(0, "%d fields; the header has %d", len(row), len(r.header))
		default:
			r.faults = append(r.faults, r.place(err))
			return nil
		}
	}
}

func (r *reader) err() error {
	switch {
	case len(r.faults) == 0:
		return nil
	case r.more > 0:
		return append(slices.Clone(r.faults), fmt.Sprintf("%s: … and %d more like these", r.name, r.more))
	}
	return r.faults
}

// find is where a column is that must be there.
func (r *reader) find(what, name string) int {
	if name == "" {
		return -1
	}
	k := slices.Index(r.header, name)
	if k < 0 {
		r.faults = append(r.faults, fmt.Sprintf("%s:1:1: no column %q for the %s; there are %s", r.name, name, what, quoted(r.header)))
	}
	return k
}

// time reads when a row happened; NaN where it does not say.
func (r *reader) time(field int, text string) float64 {
	if text == "" {
		return math.NaN()
	}
	if x, ok := Number(text); ok {
		return x
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly, time.DateTime} {
		if at, err := time.Parse(layout, text); err == nil {
			return float64(at.UnixMilli()) / 1000
		}
	}
	r.fault(field, "time %q; expected a number, a date or an RFC 3339 time", text)
	return math.NaN()
}

func quoted(list []string) string {
	out := make([]string, 0, len(list))
	for k, s := range list {
		if k == mostFaults {
			out = append(out, fmt.Sprintf("%d more", len(list)-k))
			break
		}
		out = append(out, strconv.Quote(s))
	}
	return strings.Join(out, ", ")
}

// ReadCSV reads the rows to fit to. A column that is all numbers or empty is one
// of numbers, any other a category. Rows of the test split count for nothing in
// that either: only their number of fields is looked at. All faults are told at
// once, as Faults.
func ReadCSV(in io.Reader, c CSV) (*Examples, error) {
	r, err := newReader(in, c.Name)
	if err != nil {
		return nil, err
	}
	label, split, when := r.find("label", c.Label), r.find("split", c.Split), r.find("time", c.Time)
	if c.Label == "" {
		return nil, errors.New("no label column is named")
	}
	var cells []*cellReader
	for k, h := range r.header {
		if k != label && k != split && k != when {
			cells = append(cells, &cellReader{at: k, name: h})
		}
	}
	if len(r.faults) > 0 {
		return nil, r.err()
	}
	out := new(Examples)
	for row := r.next(); row != nil; row = r.next() {
		if split >= 0 && row[split] == "test" {
			continue
		}
		switch row[label] {
		case "0", "1":
			out.Label = append(out.Label, row[label] == "1")
		default:
			r.fault(label, "label %q; expected 0 or 1", row[label])
			continue
		}
		if when >= 0 {
			out.Time = append(out.Time, r.time(when, row[when]))
		}
		for _, c := range cells {
			if !c.add(row[c.at]) {
				r.fault(c.at, "%q is not UTF-8", row[c.at])
			}
		}
		if len(out.Label)*(len(cells)+1) > mostCells {
			return nil, fmt.Errorf("%s: over %d million cells; fit to a sample of the rows", c.Name, mostCells/1_000_000)
		}
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	out.Table.Rows = len(out.Label)
	for _, c := range cells {
		out.Table.Columns = append(out.Table.Columns, c.column())
	}
	return out, nil
}

// cellReader gathers one column. It takes it for numbers until it meets a word;
// what a word's column needs of the numbers before, their text, is kept only
// where it is not how the number would be written.
type cellReader struct {
	at      int
	name    string
	numbers []float64
	odd     map[int]string // row → text, of numbers written unusually
	words   []string       // once it is a category
	known   map[string]string
}

// add adds a cell; it is false where the text is not UTF-8.
func (c *cellReader) add(text string) bool {
	if c.words != nil {
		return c.addWord(text)
	}
	x, ok := Number(text)
	if !ok && text != "" {
		c.becomeWords()
		return c.addWord(text)
	}
	if ok && !plainNumber(text) {
		if c.odd == nil {
			c.odd = map[int]string{}
		}
		c.odd[len(c.numbers)], _ = c.keep(text)
	}
	c.numbers = append(c.numbers, x)
	return true
}

func (c *cellReader) addWord(text string) bool {
	w, ok := c.keep(text)
	c.words = append(c.words, w)
	return ok
}

// keep is text in memory of its own, once for every different one, and whether
// it is UTF-8.
func (c *cellReader) keep(text string) (string, bool) {
	if c.known == nil {
		c.known = map[string]string{}
	}
	if s, ok := c.known[text]; ok {
		return s, true
	}
	if !utf8.ValidString(text) {
		return "", false
	}
	s := strings.Clone(text)
	c.known[s] = s
	return s, true
}

func (c *cellReader) becomeWords() {
	c.words = make([]string, len(c.numbers), max(64, 2*len(c.numbers)))
	for i, x := range c.numbers {
		switch text, odd := c.odd[i]; {
		case odd:
			c.words[i] = text
		case !math.IsNaN(x):
			c.words[i], _ = c.keep(strconv.FormatFloat(x, 'f', -1, 64))
		}
	}
	c.numbers, c.odd = nil, nil
}

func (c *cellReader) column() Column {
	if c.words != nil {
		return Column{Name: c.name, Words: c.words}
	}
	if c.numbers == nil {
		c.numbers = []float64{}
	}
	return Column{Name: c.name, Numbers: c.numbers}
}

// Number reads a decimal number as files have it: 12, -0.5, 1e6. Words that Go
// would take for one (inf, nan, 0x1p4, 1_000) are words, and so are numbers beyond
// ±1e150. It is NaN where ok is
// false.
func Number(text string) (x float64, ok bool) {
	if text == "" {
		return math.NaN(), false
	}
	for k := range len(text) {
		switch c := text[k]; {
		case c >= '0' && c <= '9', c == '.', c == '-', c == '+', k > 0 && (c == 'e' || c == 'E'):
		default:
			return math.NaN(), false
		}
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || math.Abs(x) > farthest {
		return math.NaN(), false
	}
	return x, true
}

// plainNumber says whether a number is written as FormatFloat would write it.
func plainNumber(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	whole, part, dot := strings.Cut(digits, ".")
	switch {
	case len(digits) > 15 || whole == "" || len(whole) > 1 && whole[0] == '0':
		return false
	case dot && (part == "" || part[len(part)-1] == '0'):
		return false
	case strings.ContainsAny(text, "+eE"), text == "-0":
		return false
	}
	return true
}

// ScoreCSV scores the rows of a file, handing each score on with its row's
// number, from 0. A word in a column of numbers is a reason to abstain, a column
// that the model needs and the file lacks a fault, as ragged rows are.
func (m *Model) ScoreCSV(in io.Reader, name string, each func(row int, s Score) error) error {
	r, err := newReader(in, name)
	if err != nil {
		return err
	}
	if len(r.faults) > 0 {
		return r.err()
	}
	s, err := m.Bind(r.header)
	if err != nil {
		return fmt.Errorf("%s:1:1: %w", name, err)
	}
	values := make([]Value, len(r.header))
	n := 0
	for row := r.next(); row != nil; row = r.next() {
		if len(r.faults) > 0 {
			break
		}
		for k := range s.columns {
			b := &s.columns[k]
			v := Value{Word: row[b.at], Number: math.NaN()}
			if b.Kind == number {
				if x, ok := Number(v.Word); ok {
					v.Number = x
				}
			}
			values[b.at] = v
		}
		if err := each(n, s.Score(values)); err != nil {
			return err
		}
		n++
	}
	return r.err()
}
