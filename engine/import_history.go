package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
)

// importedRow is a line of inventory/history.
type importedRow struct {
	at   time.Time
	id   string // the row's whole content, canonical: that is what it is known by
	line []byte // as it stands, or shall stand, in the file
}

// importHistory adds rows to inventory/history: what lies there imported counts
// as imported and trains models, but earns no autonomy. A row is known by all
// that it says, so that importing it again adds nothing. Lines that are there
// stay as they are; all are sorted by time, then content.
func importHistory(o ImportOptions, names []string, root *os.Root, report *ImportReport) error {
	folder := newImportFolder(root)
	if _, err := folder.load("inventory/history", ".jsonl"); err != nil {
		return err
	}
	var rows []importedRow
	var known []importedRow
	var err error
	file := "inventory/history/" + o.Format + ".jsonl"
	count := func(f *ImportFile, _ importedRow) { f.Rows++ }
	if o.Format == "outcomes" {
		known, err = importLines(file, folder.old[file], importedOutcome)
		rows = importEach(o, names, report, importRows(outcome.ParseOutcomesCSV, importedOutcome), count)
	} else {
		known, err = importLines(file, folder.old[file], importedIncident)
		rows = importEach(o, names, report, importRows(outcome.ParseIncidentsCSV, importedIncident), count)
	}
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, k := range known {
		seen[k.id] = true
	}
	for _, r := range rows {
		if seen[r.id] {
			report.Same++
			continue
		}
		seen[r.id] = true
		known = append(known, r)
		report.Added++
	}
	if report.Added == 0 {
		return nil
	}
	slices.SortFunc(known, func(a, b importedRow) int {
		if d := a.at.Compare(b.at); d != 0 {
			return d
		}
		return bytes.Compare(a.line, b.line)
	})
	var b bytes.Buffer
	for _, k := range known {
		b.Write(k.line)
		b.WriteByte('\n')
	}
	folder.put(file, b.Bytes())
	report.Written, err = folder.write()
	return err
}

func importedOutcome(o outcome.Imported) (time.Time, any) { o.At = o.At.UTC(); return o.At, o }

func importedIncident(i outcome.Incident) (time.Time, any) {
	i.Opened = i.Opened.UTC()
	if !i.Closed.IsZero() {
		i.Closed = i.Closed.UTC()
	}
	return i.Opened, i
}

// importRows makes lines of the rows that parse reads.
func importRows[T, P any](parse func(string, []byte) ([]T, []P), at func(T) (time.Time, any)) func(string, []byte) ([]importedRow, []P) {
	return func(name string, data []byte) ([]importedRow, []P) {
		list, problems := parse(name, data)
		rows := make([]importedRow, 0, len(list))
		for _, v := range list {
			when, canonical := at(v)
			line, err := importJSON(canonical)
			if err != nil {
				panic(err) // numbers are finite: the parser refuses others
			}
			rows = append(rows, importedRow{when, string(line), line})
		}
		return rows, problems
	}
}

// importLines reads the lines that are there. All that cannot be read are one
// error, for then nothing is written.
func importLines[T any](file string, data []byte, at func(T) (time.Time, any)) ([]importedRow, error) {
	var rows []importedRow
	var faults []error
	n := 0
	for line := range bytes.Lines(data) {
		n++
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		var v T
		if err := json.Unmarshal(line, &v); err != nil {
			faults = append(faults, fmt.Errorf("%s:%d: %w", file, n, err))
			continue
		}
		when, canonical := at(v)
		id, err := importJSON(canonical)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s:%d: %w", file, n, err))
			continue
		}
		rows = append(rows, importedRow{when, string(id), bytes.Clone(line)})
	}
	return rows, errors.Join(faults...)
}

// importJSON encodes a value on one line, with "<", ">" and "&" as they are.
func importJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}
