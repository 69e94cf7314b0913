// Package ebm fits and scores explainable boosting machines: additive models
// whose every part a person can look at.
//
// The log-odds of a row x are
//
//	F(x) = intercept + Σj fj(xj) + Σjk fjk(xj, xk)
//
// where each fj is a step function over bins of one column, and each fjk a table
// over bins of two (Lou, Caruana, Gehrke and Hooker 2013). Nothing else enters a
// score, so the reasons for it are its own summands.
package ebm

import "errors"

// Model is a fitted model. It is immutable.
type Model struct{}

// Scorer scores rows whose values come in a known order. It may be used by many
// goroutines at once.
type Scorer struct{}

// Term is one summand of a model, for people to look at.
type Term struct {
	Name       string   // "age" or "age × sex"
	Columns    []string // one or two
	Importance float64  // mean absolute effect over the rows fitted to, in log-odds
}

var errEarly = errors.New("fitting models: not in this build")

// Fit fits a model to the rows of t that are not held.
func Fit(t Table, label []bool, o Options) (*Model, error) {
	if err := check(t, label, o); err != nil {
		return nil, err
	}
	return nil, errEarly
}

// Bytes is the model's file.
func (m *Model) Bytes() []byte { return nil }

// Parse reads a model's file.
func Parse(data []byte) (*Model, error) { return nil, errEarly }

// Bind readies a model for rows whose values come in the order of columns;
// columns that the model does not know are passed over, and one that it needs
// and does not get is an error.
func (m *Model) Bind(columns []string) (*Scorer, error) { return nil, errEarly }

// Score scores a row. It does not allocate.
func (s *Scorer) Score(row []Value) Score { return s.ScoreFrom(0, row) }

// ScoreFrom is Score on top of log-odds known beforehand (Options.Offset), which
// are part of the Logit.
func (s *Scorer) ScoreFrom(offset float64, row []Value) Score { return Score{} }

// Reasons appends a row's reasons to dst, the strongest first.
func (s *Scorer) Reasons(dst []Reason, row []Value) []Reason { return dst }

// Terms are the model's terms, the most important first.
func (m *Model) Terms() []Term { return nil }

// Intercept is the log-odds that every score begins with.
func (m *Model) Intercept() float64 { return 0 }
