package engine

import (
	"io"

	"github.com/ringmaster-dev/ringmaster/engine/ebm"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
)

// ModelFit says how to fit a model to a file: the zero value of all but CSV and
// Label is the default.
type ModelFit struct {
	CSV          string // the file's name, for faults
	Label        string // its columns: what to foretell,
	Split        string // what says "test" of rows that are not to be read,
	Time         string // and when a row happened
	Monotone     map[string]int
	Interactions int
	Seed         uint64
	Former       string     // the name of an earlier model,
	FormerModel  *ebm.Model // and what it holds
}

// FitModel fits a model to examples as CSV. What is wrong with them is told as
// ebm.Faults.
func FitModel(in io.Reader, f ModelFit) (*ebm.Model, error) {
	e, err := ebm.ReadCSV(in, ebm.CSV{Name: f.CSV, Label: f.Label, Split: f.Split, Time: f.Time})
	if err != nil {
		return nil, err
	}
	return ebm.Fit(e.Table, e.Label, ebm.Options{Time: e.Time, Monotone: f.Monotone, Interactions: f.Interactions, Seed: f.Seed, Former: f.FormerModel})
}

// Thresholds is what HEAD's estate makes of a probability of exploitation.
type Thresholds struct {
	DeployRisk float64          `json:"deploy_risk"` // of the change that the rows are for: the usual one
	Learnt     bool             `json:"learnt"`      // it is the rate of the estate's own model, not the rules'
	Currency   string           `json:"currency"`
	Taken      string           `json:"taken"` // for granted, in words
	Rows       []risk.Threshold `json:"thresholds"`
}

// Thresholds works out, for every tier and exposure, above which probability of
// exploitation within 30 days a patch is how urgent.
func (e *Env) Thresholds() (*Thresholds, error) {
	est, err := e.readHead()
	if err != nil {
		return nil, err
	}
	m, err := deploymentOf(est)
	if err != nil {
		return nil, err
	}
	economy := economyOf(est, e.At)
	t := &Thresholds{DeployRisk: risk.Usual(m), Learnt: m != nil, Currency: economy.Currency, Taken: economy.Taken()}
	t.Rows = economy.Thresholds(est.Tiers, t.DeployRisk)
	return t, nil
}
