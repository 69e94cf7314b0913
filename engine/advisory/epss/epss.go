// Package epss reads the daily files of FIRST's Exploit Prediction Scoring
// System in the three forms they have had (https://www.first.org/epss):
//
//	cve,epss                                    from April 2021
//	cve,epss,percentile                         from September 2021
//	#model_version:…,score_date:…               from February 2022
//	cve,epss,percentile
//
// and tables of the same columns under other headings ("CVE,CVSS3,EPSS,EPSS
// Percentile,…"), in which people hand extracts around. A daily file has more
// than 250,000 rows and is read at every plan, so its rows are not taken for
// general CSV.
package epss

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
)

// Scores is one day's file. At is zero where the file does not say: see DateIn.
type Scores struct {
	Model     string
	At        time.Time
	Forecasts []advisory.Forecast // in the file's order
}

// Parse reads one file. Rows with a problem are left out; after ten problems
// their number alone is told.
func Parse(data []byte) (Scores, []advisory.Problem, error) {
	var s Scores
	line := 1
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	for bytes.HasPrefix(data, []byte("#")) {
		var comment []byte
		comment, data, _ = bytes.Cut(data, []byte{'\n'})
		s.comment(string(bytes.TrimSpace(comment[1:])))
		line++
	}
	header, rows, _ := bytes.Cut(data, []byte{'\n'})
	columns, err := columnsOf(string(bytes.TrimSpace(header)))
	if err != nil {
		return Scores{}, nil, err
	}
	if !columns.plain() {
		problems, err := s.table(data, columns, line)
		return s, problems, err
	}
	return s, s.rows(rows, columns.percentile == 2, line+1), nil
}

// Header reports whether a line is the heading of a file of scores.
func Header(line string) bool {
	_, err := columnsOf(line)
	return err == nil
}

// columns is where what is read stands; percentile is -1 where there is none.
type columns struct{ cve, epss, percentile, count int }

// plain reports a daily file's own columns.
func (c columns) plain() bool {
	return c.cve == 0 && c.epss == 1 && (c.count == 2 || c.count == 3 && c.percentile == 2)
}

func columnsOf(header string) (columns, error) {
	c := columns{-1, -1, -1, 0}
	for i, name := range strings.Split(header, ",") {
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "cve":
			c.cve = i
		case "epss":
			c.epss = i
		case "percentile", "epss percentile":
			c.percentile = i
		}
		c.count++
	}
	if c.cve < 0 || c.epss < 0 {
		return c, errors.New(`not a file of EPSS scores: expected a heading with the columns "cve" and "epss"`)
	}
	return c, nil
}

// comment reads "model_version:v2022.01.01,score_date:2022-02-04T00:00:00+0000".
func (s *Scores) comment(text string) {
	for field := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(field, ":")
		switch strings.TrimSpace(name) {
		case "model_version":
			s.Model = value
		case "score_date":
			for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700", time.DateOnly} {
				if at, err := time.Parse(layout, value); err == nil {
					s.At = at.UTC()
				}
			}
		}
	}
}

// rows reads a daily file. The ids of all rows share one string.
func (s *Scores) rows(data []byte, percentiles bool, line int) []advisory.Problem {
	n := bytes.Count(data, []byte{'\n'}) + 1
	s.Forecasts = make([]advisory.Forecast, 0, n)
	ids := make([]byte, 0, n*len("CVE-2024-12345"))
	ends := make([]int, 0, n)
	var skipped skipped
	for ; len(data) > 0; line++ {
		var row []byte
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			row, data = data[:i], data[i+1:]
		} else {
			row, data = data, nil
		}
		if row = bytes.TrimSuffix(row, []byte{'\r'}); len(row) == 0 {
			continue
		}
		id, score, _ := bytes.Cut(row, []byte{','})
		var percentile []byte
		if percentiles {
			score, percentile, _ = bytes.Cut(score, []byte{','})
		}
		f, text := forecast(score, percentile)
		if text == "" && !advisory.IsCVE(string(id)) {
			text = fmt.Sprintf("%q is not the id of a CVE", id)
		}
		if text != "" {
			skipped.add(line, text)
			continue
		}
		f.At = s.At
		s.Forecasts = append(s.Forecasts, f)
		ids = append(ids, id...)
		ends = append(ends, len(ids))
	}
	all, start := string(ids), 0
	for i, end := range ends {
		s.Forecasts[i].CVE = all[start:end]
		start = end
	}
	return skipped.problems()
}

// table reads general CSV.
func (s *Scores) table(data []byte, c columns, line int) ([]advisory.Problem, error) {
	r := csv.NewReader(bytes.NewReader(data))
	r.ReuseRecord = true
	if _, err := r.Read(); err != nil {
		return nil, fmt.Errorf("reading CSV: %w", err)
	}
	var skipped skipped
	for {
		row, err := r.Read()
		if err == io.EOF {
			return skipped.problems(), nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading CSV: %w", err)
		}
		at, _ := r.FieldPos(0)
		var percentile []byte
		if c.percentile >= 0 {
			percentile = []byte(row[c.percentile])
		}
		f, text := forecast([]byte(row[c.epss]), percentile)
		if text == "" && !advisory.IsCVE(row[c.cve]) {
			text = fmt.Sprintf("%q is not the id of a CVE", row[c.cve])
		}
		if text != "" {
			skipped.add(line+at-1, text)
			continue
		}
		f.CVE, f.At = strings.Clone(row[c.cve]), s.At
		s.Forecasts = append(s.Forecasts, f)
	}
}

// forecast reads the numbers of one row, and says what is wrong with them.
func forecast(score, percentile []byte) (advisory.Forecast, string) {
	p, ok := fraction(score)
	if !ok {
		return advisory.Forecast{}, fmt.Sprintf("score %q is not a number from 0 to 1", score)
	}
	f := advisory.Forecast{P: p}
	if len(percentile) > 0 {
		if f.Percentile, ok = fraction(percentile); !ok {
			return f, fmt.Sprintf("percentile %q is not a number from 0 to 1", percentile)
		}
	}
	return f, ""
}

// fraction reads a number from 0 to 1. Plain decimals, which is what daily files
// have, are exact as whole numbers, so that one division rounds them correctly.
func fraction(s []byte) (float64, bool) {
	if len(s) >= 3 && len(s) <= 2+15 && s[0] == '0' && s[1] == '.' {
		n, unit := 0, 1
		for _, c := range s[2:] {
			if c < '0' || c > '9' {
				break
			}
			n, unit = 10*n+int(c-'0'), 10*unit
		}
		if unit == powers[len(s)-2] {
			return float64(n) / float64(unit), true
		}
	}
	x, err := strconv.ParseFloat(string(s), 64)
	return x, err == nil && x >= 0 && x <= 1
}

// powers are the powers of ten.
var powers = func() (p [16]int) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = 10 * p[i-1]
	}
	return p
}()

// skipped counts rows that are left out.
type skipped struct {
	first []advisory.Problem
	n     int
}

func (s *skipped) add(line int, text string) {
	if s.n++; s.n <= 10 {
		s.first = append(s.first, advisory.Problem{Line: line, Message: text + "; the row is left out"})
	}
}

func (s *skipped) problems() []advisory.Problem {
	if s.n > len(s.first) {
		return append(s.first, advisory.Problem{Message: fmt.Sprintf("%d rows are left out in all", s.n)})
	}
	return s.first
}

// DateIn returns the day in the name of a daily file, epss_scores-2021-04-14.csv;
// the oldest files say it nowhere else. It is zero where there is none.
func DateIn(name string) time.Time {
	for i := 0; i+len(time.DateOnly) <= len(name); i++ {
		if at, err := time.Parse(time.DateOnly, name[i:i+len(time.DateOnly)]); err == nil {
			return at
		}
	}
	return time.Time{}
}
