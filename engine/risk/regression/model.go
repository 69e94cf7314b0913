package regression

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Schema is the value of Model.Schema.
const Schema = "ringmaster/regression-prior/v1"

// Model is model.json. Its numbers have 5 decimals and are used as they stand.
type Model struct {
	Schema        string                        `json:"schema"`
	At            time.Time                     `json:"at"`            // nothing that became known later is in it
	Penalty       float64                       `json:"penalty"`       // ridge, in units of summed log loss
	Strength      float64                       `json:"strength"`      // the changes a shift counts for
	Distributions map[string]Distribution       `json:"distributions"` // by lower-case name
	Weights       map[string]float64            `json:"weights"`       // by feature; see Features
	Records       map[string]map[string]Updates `json:"records"`       // family → distribution → what it showed
	HeldOut       map[string]map[string]Figures `json:"held_out"`      // distribution → model → how it did on later updates
}

// Distribution is what is usual in one.
type Distribution struct {
	Updates
	Rate    float64 `json:"rate"`    // share that had to be fixed again
	Typical float64 `json:"typical"` // log-odds of an update of two CVEs, of a package without a record, for an average number of releases
	Scale   float64 `json:"scale"`   // of the weights: what they were worth on held-out updates, at most 1; 0 = silent
	First   string  `json:"first"`   // day of the first update and of the last
	Last    string  `json:"last"`
}

// Updates counts.
type Updates struct {
	Updates   int `json:"updates"`
	Regressed int `json:"regressed"`
}

// Figures are results on updates that were published after those trained on.
type Figures struct {
	Updates
	AUC     Estimate `json:"auc"`
	AP      Estimate `json:"average_precision"` // of no skill: the base rate
	Gain    Estimate `json:"gain"`              // log loss of the base rate less that of the model: above 0 is better
	LogLoss float64  `json:"log_loss"`
	Error   float64  `json:"calibration_error"` // 15 bins of equal mass
}

// Row is the figures as a line of the data card's table.
func (f Figures) Row(distribution, name string) string {
	return fmt.Sprintf("| %s | %s | %d | %d | %s | %s | %.4f | %+.4f (%+.4f to %+.4f) | %.4f |", title(distribution), name, f.Updates.Updates, f.Regressed,
		f.AUC, f.AP, f.LogLoss, f.Gain.V, f.Gain.Low, f.Gain.High, f.Error)
}

// Estimate is a figure with its 90 % interval from bootstrap samples of packages.
type Estimate struct {
	V    float64 `json:"v"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

func (e Estimate) String() string { return fmt.Sprintf("%.3f (%.3f–%.3f)", e.V, e.Low, e.High) }

// Parse reads a model's file; unknown fields are passed over.
func Parse(data []byte) (*Model, error) {
	var m Model
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("regression prior: %w", err)
	}
	if m.Schema != Schema {
		return nil, fmt.Errorf("regression prior: schema %q; expected %q", m.Schema, Schema)
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("regression prior: %w", err)
	}
	return &m, nil
}

func (m *Model) check() error {
	if !(m.Strength > 0 && m.Strength <= 1000) {
		return fmt.Errorf("strength %v; expected a number above 0 and up to 1000", m.Strength)
	}
	for _, name := range order(m.Distributions) {
		d := m.Distributions[name]
		if name == "" || !(d.Rate > 0 && d.Rate < 1) || !(d.Scale >= 0 && d.Scale <= 1) || !(math.Abs(d.Typical) < 20) {
			return fmt.Errorf("distribution %q: rate %v, scale %v, typical %v; expected a rate between 0 and 1, a scale from 0 to 1 and log-odds below 20", name, d.Rate, d.Scale, d.Typical)
		}
	}
	for _, name := range order(m.Weights) {
		if w := m.Weights[name]; !(math.Abs(w) < 20) || exact.Round5(w) != w {
			return fmt.Errorf("weight of %q: %v; expected a number of 5 decimals below 20", name, w)
		}
	}
	return nil
}

// Bytes are the canonical bytes of a model: members sorted, a line for each entry
// of its tables, and a newline at the end.
func (m *Model) Bytes() ([]byte, error) {
	var members map[string]any
	flat, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("writing the regression prior: %w", err)
	}
	if err := json.Unmarshal(flat, &members); err != nil {
		return nil, fmt.Errorf("writing the regression prior: %w", err)
	}
	var b bytes.Buffer
	b.WriteString("{")
	for i, name := range order(members) {
		fmt.Fprintf(&b, "%s\n  %q: ", comma(i), name)
		table, ok := members[name].(map[string]any)
		if !ok {
			line, err := plan.Canonical(members[name])
			if err != nil {
				return nil, fmt.Errorf("writing the regression prior: %s: %w", name, err)
			}
			b.Write(line)
			continue
		}
		b.WriteString("{")
		for k, key := range order(table) {
			label, err := plan.Canonical(key)
			if err != nil {
				return nil, fmt.Errorf("writing the regression prior: %s: %w", name, err)
			}
			line, err := plan.Canonical(table[key])
			if err != nil {
				return nil, fmt.Errorf("writing the regression prior: %s: %s: %w", name, key, err)
			}
			fmt.Fprintf(&b, "%s\n    %s: %s", comma(k), label, line)
		}
		b.WriteString("\n  }")
	}
	b.WriteString("\n}\n")
	return b.Bytes(), nil
}

func comma(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}
