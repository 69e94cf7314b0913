package main

import (
	"fmt"
	"io"
	"math"

	"github.com/ringmaster-dev/ringmaster/engine/ebm"
)

// movedRows is what a new model changes about the scores of a file's rows.
type movedRows struct {
	Rows  int     `json:"rows"`
	Mean  float64 `json:"mean_change"` // mean absolute change of p
	Most  float64 `json:"most_change"` // the change of p of the row that changed most,
	Row   int     `json:"most_row"`    // and which it is
	Flips []flips `json:"flips"`
}

// flips is how many decisions at a threshold come out otherwise.
type flips struct {
	At   float64 `json:"at"`
	Up   int     `json:"up"`   // below it before, not below it now
	Down int     `json:"down"` //
}

// scoreBoth scores a file's rows by two models.
func scoreBoth(old, fresh *ebm.Model, name string, at []float64) (*movedRows, error) {
	before, err := probabilities(old, name)
	if err != nil {
		return nil, err
	}
	after, err := probabilities(fresh, name)
	if err != nil {
		return nil, err
	}
	m := &movedRows{Rows: len(before), Flips: make([]flips, len(at))}
	for k, x := range at {
		m.Flips[k].At = x
	}
	for i, p := range before {
		by := after[i] - p
		m.Mean += math.Abs(by) / float64(len(before))
		if math.Abs(by) > math.Abs(m.Most) {
			m.Most, m.Row = by, i
		}
		for k := range m.Flips {
			f := &m.Flips[k]
			switch {
			case p < f.At && after[i] >= f.At:
				f.Up++
			case p >= f.At && after[i] < f.At:
				f.Down++
			}
		}
	}
	return m, nil
}

func probabilities(m *ebm.Model, name string) ([]float64, error) {
	in, err := openInput(name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	var out []float64
	err = m.ScoreCSV(in, name, func(_ int, s ebm.Score) error {
		out = append(out, s.P)
		return nil
	})
	return out, err
}

func (m *movedRows) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s scored by both: p changes by %.4f in the mean, most in row %d, by %+.4f\n", count(m.Rows, "row"), m.Mean, m.Row, m.Most)
	for _, f := range m.Flips {
		fmt.Fprintf(w, "at %g: %d up, %d down\n", f.At, f.Up, f.Down)
	}
}
