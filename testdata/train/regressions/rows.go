package main

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/risk/regression"
)

// row is a published update and what became of it.
type row struct {
	regression.Update
	At        time.Time // published
	Regressed bool
	Noticed   time.Time // when it was known that it regressed
	Settled   time.Time // from when on one that did not counts as fine
}

// settling is how long an update is watched before it counts as fine; updates
// less than that before the end of the source are not in the data.
var settling = map[string]int{"Debian": 60, "Ubuntu": 42}

// label is what was known of an update on a day; ok is false where nothing was.
func (r row) label(day time.Time) (regressed, ok bool) {
	if r.Regressed && r.Noticed.Before(day) {
		return true, true
	}
	return false, r.Settled.Before(day)
}

// source is one of the two files.
type source struct {
	file, distribution, name, releases string
}

var sources = []source{
	{"debian_regressions.csv", "Debian", "package", "n_suites"},
	{"ubuntu_regressions.csv", "Ubuntu", "component", "n_releases"},
}

// read reads both files; rows are sorted by day, distribution and advisory.
func read(dir string) ([]row, error) {
	var all []row
	for _, s := range sources {
		list, err := s.read(filepath.Join(dir, s.file))
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	slices.SortStableFunc(all, func(a, b row) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Distribution, b.Distribution))
	})
	return all, nil
}

func (s source) read(file string) ([]row, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("reading %s: it is empty", file)
	}
	var list []row
	for i, line := range lines[1:] {
		cells := map[string]string{}
		for k, column := range lines[0] {
			cells[column] = line[k]
		}
		r, err := s.row(cells)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, i+2, err)
		}
		list = append(list, r)
	}
	return list, nil
}

func (s source) row(cells map[string]string) (row, error) {
	at, err := time.Parse(time.DateOnly, cells["date"])
	if err != nil {
		return row{}, fmt.Errorf("date: %w", err)
	}
	r := row{At: at, Settled: at.AddDate(0, 0, settling[s.distribution]), Regressed: cells["regressed"] == "1"}
	r.Update = regression.Update{Type: "deb", Distribution: s.distribution, Package: cells[s.name]}
	if r.CVEs, err = strconv.Atoi(cells["n_cves"]); err != nil {
		return row{}, fmt.Errorf("n_cves: %w", err)
	}
	if r.Releases, err = strconv.Atoi(cells[s.releases]); err != nil {
		return row{}, fmt.Errorf("%s: %w", s.releases, err)
	}
	if r.Regressed {
		days, err := strconv.Atoi(cells["days_to_regression"])
		if err != nil {
			return row{}, fmt.Errorf("days_to_regression: %w", err)
		}
		r.Noticed = at.AddDate(0, 0, days)
	}
	return r, nil
}
