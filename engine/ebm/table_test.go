package ebm

import (
	"cmp"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// judged is what a model is worth on rows that it has not seen.
type judged struct{ logLoss, auc, calibration float64 }

// judge compares probabilities with labels. The calibration error is that of 15
// bins of equally many rows.
func judge(p []float64, y []bool) judged {
	at := make([]int, len(p))
	for i := range at {
		at[i] = i
	}
	slices.SortFunc(at, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	var j judged
	var positive, ranks float64
	for i := 0; i < len(at); {
		end := i
		for end < len(at) && p[at[end]] == p[at[i]] {
			end++
		}
		for _, k := range at[i:end] {
			if y[k] {
				positive++
				ranks += float64(i+end+1) / 2
			}
		}
		i = end
	}
	n := float64(len(p))
	j.auc = (ranks - positive*(positive+1)/2) / (positive * (n - positive))
	for i, x := range p {
		if y[i] {
			j.logLoss -= exact.Log(x) / n
		} else {
			j.logLoss -= exact.Log(1-x) / n
		}
	}
	for b := range 15 {
		miss := 0.0
		for _, k := range at[b*len(at)/15 : (b+1)*len(at)/15] {
			miss += p[k]
			if y[k] {
				miss--
			}
		}
		j.calibration += math.Abs(miss) / n
	}
	return j
}

// set is a file of learning's table, read as `model fit` reads it.
type set struct {
	train    *Examples
	test     *Examples
	trainCSV []byte
}

// publicSet reads a public data set, or skips where it is absent.
func publicSet(t testing.TB, name string) set {
	t.Helper()
	data, err := os.ReadFile("../../../shared/data/ml/" + name + ".csv")
	if err != nil {
		t.Skipf("the public data sets are not here: %v", err)
	}
	return set{read(t, data, "test"), read(t, data, "train"), data}
}

// rowsOf is a table's row i.
func rowsOf(t Table, i int, row []Value) []Value {
	row = row[:0]
	for _, c := range t.Columns {
		v := Value{Number: math.NaN()}
		if c.Numbers != nil {
			v.Number = c.Numbers[i]
		} else {
			v.Word = c.Words[i]
		}
		row = append(row, v)
	}
	return row
}

func names(t Table) []string {
	var out []string
	for _, c := range t.Columns {
		out = append(out, c.Name)
	}
	return out
}

// scores are a model's scores of a table.
func scores(t testing.TB, m *Model, tb Table) []Score {
	t.Helper()
	s, err := m.Bind(names(tb))
	if err != nil {
		t.Fatal(err)
	}
	var row []Value
	out := make([]Score, tb.Rows)
	for i := range out {
		row = rowsOf(tb, i, row)
		out[i] = s.Score(row)
	}
	return out
}

func worth(t testing.TB, m *Model, e *Examples) (judged, float64) {
	t.Helper()
	var p []float64
	refused := 0.0
	for _, s := range scores(t, m, e.Table) {
		p = append(p, s.P)
		if s.Abstain {
			refused += 1 / float64(e.Table.Rows)
		}
	}
	return judge(p, e.Label), refused
}
