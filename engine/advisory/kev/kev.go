// Package kev reads CISA's catalogue of known exploited vulnerabilities, in
// either form that CISA publishes: JSON or CSV
// (https://www.cisa.gov/known-exploited-vulnerabilities-catalog).
package kev

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
)

// Catalogue is one edition. The CSV form does not say when it was released:
// Released is then the day on which the newest entry was added.
type Catalogue struct {
	Version  string
	Released time.Time
	Entries  []advisory.Exploited // in the file's order
}

type entry struct {
	CVE        string `json:"cveID"`
	Vendor     string `json:"vendorProject"`
	Product    string `json:"product"`
	Added      string `json:"dateAdded"`
	Due        string `json:"dueDate"`
	Ransomware string `json:"knownRansomwareCampaignUse"`
}

// Parse reads a catalogue. Entries with a problem are left out, except one whose
// dates alone cannot be read: being listed is what counts.
func Parse(data []byte) (Catalogue, []advisory.Problem, error) {
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff")))
	if bytes.HasPrefix(data, []byte("{")) {
		return parseJSON(data)
	}
	return parseCSV(data)
}

func parseJSON(data []byte) (Catalogue, []advisory.Problem, error) {
	var doc struct {
		Version  string   `json:"catalogVersion"`
		Released string   `json:"dateReleased"`
		Count    *int     `json:"count"`
		Entries  *[]entry `json:"vulnerabilities"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return Catalogue{}, nil, fmt.Errorf("not a KEV catalogue: %s", advisory.JSONText(err))
	}
	if doc.Entries == nil {
		return Catalogue{}, nil, errors.New(`not a KEV catalogue: "vulnerabilities" is missing`)
	}
	c := Catalogue{Version: doc.Version}
	var problems []advisory.Problem
	if doc.Count != nil && *doc.Count != len(*doc.Entries) {
		problems = append(problems, advisory.Problem{Message: fmt.Sprintf(`"count" says that there are %d entries; there are %d`, *doc.Count, len(*doc.Entries))})
	}
	for i, e := range *doc.Entries {
		problems = c.add(e, fmt.Sprintf("entry %d", i+1), 0, problems)
	}
	if released, err := time.Parse(time.RFC3339, doc.Released); err == nil {
		c.Released = released.UTC()
	} else if doc.Released != "" {
		problems = append(problems, advisory.Problem{Message: fmt.Sprintf(`"dateReleased": %q is not an RFC 3339 time`, doc.Released)})
	}
	return c, problems, nil
}

func parseCSV(data []byte) (Catalogue, []advisory.Problem, error) {
	r := csv.NewReader(bytes.NewReader(data))
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		return Catalogue{}, nil, fmt.Errorf("not a KEV catalogue: %w", err)
	}
	column := map[string]int{}
	for i, name := range header {
		column[strings.TrimSpace(name)] = i
	}
	for _, name := range []string{"cveID", "dateAdded"} {
		if _, ok := column[name]; !ok {
			return Catalogue{}, nil, fmt.Errorf("not a KEV catalogue: column %q is missing", name)
		}
	}
	cell := func(row []string, name string) string {
		if i, ok := column[name]; ok {
			return row[i]
		}
		return ""
	}
	var c Catalogue
	var problems []advisory.Problem
	for {
		row, err := r.Read()
		if err == io.EOF {
			return c, problems, nil
		}
		if err != nil {
			return Catalogue{}, nil, fmt.Errorf("reading CSV: %w", err)
		}
		line, _ := r.FieldPos(0)
		e := entry{cell(row, "cveID"), cell(row, "vendorProject"), cell(row, "product"), cell(row, "dateAdded"), cell(row, "dueDate"), cell(row, "knownRansomwareCampaignUse")}
		problems = c.add(e, "entry", line, problems)
	}
}

// add takes one entry in, and returns the problems with those it has.
func (c *Catalogue) add(e entry, title string, line int, problems []advisory.Problem) []advisory.Problem {
	fault := func(format string, args ...any) {
		problems = append(problems, advisory.Problem{Line: line, Message: title + ": " + fmt.Sprintf(format, args...)})
	}
	id := strings.Clone(strings.TrimSpace(e.CVE))
	if !advisory.IsCVE(id) {
		fault("%q is not the id of a CVE; it is left out", e.CVE)
		return problems
	}
	x := advisory.Exploited{
		CVE: id, Vendor: strings.Clone(strings.TrimSpace(e.Vendor)), Product: strings.Clone(strings.TrimSpace(e.Product)),
		Ransomware: strings.EqualFold(e.Ransomware, "known"),
	}
	var ok bool
	if x.Added, ok = day(e.Added); !ok {
		fault("%s: \"dateAdded\": %q is not a date; expected YYYY-MM-DD", id, e.Added)
	}
	if x.Due, ok = day(e.Due); !ok {
		fault("%s: \"dueDate\": %q is not a date; expected YYYY-MM-DD", id, e.Due)
	}
	c.Entries = append(c.Entries, x)
	if c.Version == "" && x.Added.After(c.Released) {
		c.Released = x.Added
	}
	return problems
}

func day(text string) (time.Time, bool) {
	if text == "" {
		return time.Time{}, true
	}
	t, err := time.Parse(time.DateOnly, text)
	return t, err == nil
}
