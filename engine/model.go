package engine

import (
	"io"

	"github.com/ringmaster-dev/ringmaster/engine/ebm"
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
