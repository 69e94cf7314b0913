package replay

import (
	"encoding/json"
	"fmt"
)

// A report that was made where policies of anybody were evaluated is handed to where
// there is a token as a file, and nothing in that file is believed: it is read into a
// Report, of which Markdown shows so much, and every text as a text.

// MostSaved is the longest file that Read takes, in bytes.
const MostSaved = 32 << 20

// Brief is a report without the list of every flip, which Markdown does not show.
func (r *Report) Brief() *Report {
	b := *r
	b.Flips, b.Gates.Flips = []Flip{}, []GateFlip{}
	return &b
}

// Read reads a saved report.
func Read(data []byte) (*Report, error) {
	if len(data) > MostSaved {
		return nil, fmt.Errorf("it has %d bytes; at most %d are read", len(data), MostSaved)
	}
	var r Report
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("it is no report: %w", err)
	}
	if r.Schema != Schema {
		return nil, fmt.Errorf("its schema is %q; expected %q", r.Schema, Schema)
	}
	return &r, nil
}
