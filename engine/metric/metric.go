// Package metric says how good predictions were, once it is known what happened.
//
// A Set is made once from predictions and outcomes, checked and put in order, and
// is then asked: proper scores (log loss, Brier), ranking (AUC, average
// precision), what a threshold or a top k would have caught (Flagged), and
// whether one in ten was right about one time in ten (Curve, CalibrationError).
//
// Answers do not depend on the order of rows, nor on the machine. What has no
// answer (no rows, no failures among them, none that was flagged) is ok = false,
// never a zero. Letters: row i has the prediction p, the outcome y (1 = bad) and
// the weight w; W is the sum of all w.
package metric

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// Row is one prediction and what came of it.
type Row struct {
	Name   string  // of what it was about: decides between equal predictions where only some are taken
	P      float64 // predicted probability of a failure, 0 to 1
	Bad    bool    // it failed
	Weight float64 // 1 where it is 0
}

// Set is rows from the least to the most likely to fail.
type Set struct {
	rows []Row
	w    float64 // summed weight
	bad  float64 // summed weight of failures
}

// Of puts rows in order; the slice stays as it is. Predictions that are not
// between 0 and 1 and weights that are negative or not finite are an error, all
// of them at once.
func Of(rows []Row) (Set, error) {
	var faults []error
	s := Set{rows: slices.Clone(rows)}
	for i, r := range rows {
		if !(r.P >= 0 && r.P <= 1) {
			faults = append(faults, fmt.Errorf("row %d %q: prediction %v is not between 0 and 1", i, r.Name, r.P))
		}
		if !(r.Weight >= 0) || math.IsInf(r.Weight, 1) {
			faults = append(faults, fmt.Errorf("row %d %q: weight %v is not a finite number from 0", i, r.Name, r.Weight))
		}
		if r.Weight == 0 {
			s.rows[i].Weight = 1
		}
	}
	if len(faults) > 0 {
		return Set{}, joined(faults)
	}
	slices.SortFunc(s.rows, compare)
	for _, r := range s.rows {
		s.w += r.Weight
		if r.Bad {
			s.bad += r.Weight
		}
	}
	return s, nil
}

// joined is at most ten faults as one error.
func joined(faults []error) error {
	text := "scoring predictions: "
	for i, f := range faults[:min(len(faults), 10)] {
		if i > 0 {
			text += "; "
		}
		text += f.Error()
	}
	if more := len(faults) - 10; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return errors.New(text)
}

// compare orders rows by prediction. Among equals the first name comes last, so
// that a top k read from the end takes names in order; of equal names a failure
// comes first, so that a tie flatters no one.
func compare(a, b Row) int {
	return cmp.Or(
		cmp.Compare(a.P, b.P),
		cmp.Compare(b.Name, a.Name),
		-compareBool(a.Bad, b.Bad),
		cmp.Compare(a.Weight, b.Weight),
	)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// Len is the number of rows.
func (s Set) Len() int { return len(s.rows) }

// BaseRate is the share of failures; not ok without rows.
func (s Set) BaseRate() (float64, bool) { return ratio(s.bad, s.w) }

// ratio is part/whole, and not ok where there is no whole.
func ratio(part, whole float64) (float64, bool) {
	if !(whole > 0) {
		return math.NaN(), false
	}
	return part / whole, true
}

// surest is how near to 0 or 1 a prediction counts in LogLoss: a certainty that
// was wrong would else be infinitely bad. It is scikit-learn's bound.
const surest = 1e-15

// LogLoss is −Σ w (y ln p + (1−y) ln(1−p)) / W, predictions held within 1e-15 of
// 0 and 1; not ok without rows.
func (s Set) LogLoss() (float64, bool) {
	var sum float64
	for _, r := range s.rows {
		p := min(max(r.P, surest), 1-surest)
		if !r.Bad {
			p = 1 - p
		}
		sum -= float64(r.Weight * exact.Log(p))
	}
	return ratio(sum, s.w)
}

// Brier is Σ w (p−y)² / W (Brier 1950); not ok without rows.
func (s Set) Brier() (float64, bool) {
	var sum float64
	for _, r := range s.rows {
		miss := r.P
		if r.Bad {
			miss = 1 - r.P
		}
		sum += float64(r.Weight * float64(miss*miss))
	}
	return ratio(sum, s.w)
}

// AUC is the probability that a failure was predicted above a success, equals
// counting half (Mann and Whitney 1947); not ok without both.
func (s Set) AUC() (float64, bool) {
	var won, below float64 // below: weight of successes predicted lower
	for g := range s.equals() {
		won += float64(g.bad * (below + g.good/2))
		below += g.good
	}
	return ratio(won, float64(s.bad*(s.w-s.bad)))
}

// AveragePrecision is Σ (R_k − R_{k−1}) P_k over the thresholds from the highest
// down, with recall R and precision P at each, equal predictions at once: the
// step-wise sum, with no line drawn between points (Davis and Goadrich 2006). A
// ranking without skill has the base rate. Not ok without failures.
func (s Set) AveragePrecision() (float64, bool) {
	bad, w := s.bad, s.w // at or above the threshold
	var sum float64
	for g := range s.equals() {
		sum += float64(g.bad * (bad / w))
		bad -= g.bad
		w -= g.bad + g.good
	}
	return ratio(sum, s.bad)
}

// tie is the weight of rows with one and the same prediction.
type tie struct {
	p         float64
	good, bad float64
	squares   float64 // Σ w²
	rows      int
}

// equals goes through the predictions, rising, rows with equal ones together.
func (s Set) equals() func(func(tie) bool) {
	return func(yield func(tie) bool) {
		for i := 0; i < len(s.rows); {
			g := tie{p: s.rows[i].P}
			for ; i < len(s.rows) && s.rows[i].P == g.p; i++ {
				r := s.rows[i]
				if r.Bad {
					g.bad += r.Weight
				} else {
					g.good += r.Weight
				}
				g.squares += float64(r.Weight * r.Weight)
				g.rows++
			}
			if !yield(g) {
				return
			}
		}
	}
}
