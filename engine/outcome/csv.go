package outcome

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// readCSV reads a table whose first line names its columns. A row with faults is
// reported, all of them with its line, and left out.
func readCSV[T any](name string, data []byte, needed, columns []string, take func(*row) T) ([]T, []inventory.Problem) {
	p := &inventory.Problems{File: name}
	text, ok := csvText(data, p)
	if !ok {
		return nil, p.List
	}
	c := csv.NewReader(bytes.NewReader(text))
	c.Comma = separator(text, columns)
	c.FieldsPerRecord = -1
	header, ok := columnsOf(c, needed, columns, p)
	if !ok {
		return nil, p.List
	}
	var list []T
	for {
		cells, err := c.Read()
		if errors.Is(err, io.EOF) {
			return list, p.List
		}
		if e, ok := errors.AsType[*csv.ParseError](err); ok {
			p.List = append(p.List, inventory.Problem{File: name, Line: e.StartLine, Message: "row left out: " + e.Err.Error()})
			continue
		}
		if err != nil {
			p.Lost("", "%v", err)
			return list, p.List
		}
		line, _ := c.FieldPos(0)
		v, faults := readRow(header, cells, needed, take)
		for _, f := range faults {
			p.List = append(p.List, inventory.Problem{File: name, Line: line, Message: f})
		}
		if len(faults) == 0 {
			list = append(list, v)
		}
	}
}

func readRow[T any](header, cells, needed []string, take func(*row) T) (v T, faults []string) {
	if len(cells) != len(header) {
		return v, []string{fmt.Sprintf("the row has %d cells, the first line names %d columns", len(cells), len(header))}
	}
	r := &row{cells: map[string]string{}, needed: needed}
	for i, column := range header {
		r.cells[column] = strings.TrimSpace(cells[i])
	}
	v = take(r)
	return v, r.faults
}

// columnsOf reads the first line: lower-case names of columns. It is an error
// where a needed one is missing, or one of ours stands there twice.
func columnsOf(c *csv.Reader, needed, columns []string, p *inventory.Problems) ([]string, bool) {
	header, err := c.Read()
	if err != nil {
		p.Lost("", "the first line does not name columns: %v", err)
		return nil, false
	}
	for i := range header {
		header[i] = strings.ToLower(strings.TrimSpace(header[i]))
	}
	before := len(p.List)
	for _, n := range needed {
		if !slices.Contains(header, n) {
			p.List = append(p.List, inventory.Problem{File: p.File, Line: 1, Message: fmt.Sprintf("column %q is missing; needed are %s", n, strings.Join(needed, ", "))})
		}
	}
	for i, h := range header {
		if slices.Contains(columns, h) && slices.Index(header, h) != i {
			p.List = append(p.List, inventory.Problem{File: p.File, Line: 1, Message: fmt.Sprintf("column %q stands there twice", h)})
		}
	}
	return header, len(p.List) == before
}

// csvText strips a byte order mark and refuses what is no text.
func csvText(data []byte, p *inventory.Problems) ([]byte, bool) {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		p.Lost("", "the file is UTF-16; save it as CSV in UTF-8")
		return nil, false
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		p.Lost("", "the file is a workbook or an archive; save it as CSV")
		return nil, false
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		p.Lost("", "the file is empty; its first line must name the columns")
	case !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0:
		p.Lost("", "the file is not UTF-8 text; save it as CSV in UTF-8")
	default:
		return data, true
	}
	return nil, false
}

// separator is what separates the columns: whichever of comma, semicolon and tab
// finds most of our columns in the first line, the comma where none does.
func separator(text []byte, columns []string) rune {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	best, most := ',', 0
	for _, sep := range []rune{',', ';', '\t'} {
		found := 0
		for cell := range strings.SplitSeq(string(line), string(sep)) {
			if slices.Contains(columns, strings.ToLower(strings.Trim(cell, " \"\r"))) {
				found++
			}
		}
		if found > most {
			best, most = sep, found
		}
	}
	return best
}
