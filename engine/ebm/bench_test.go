package ebm

import (
	"bytes"
	"encoding/csv"
	"testing"
)

// read reads the rows whose split is not the one given.
func read(t testing.TB, data []byte, not string) *Examples {
	t.Helper()
	records, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	split := -1
	for k, h := range records[0] {
		if h == "split" {
			split = k
		}
	}
	for k, r := range records {
		if k == 0 || r[split] != not {
			if k > 0 {
				r[split] = "rest"
			}
			w.Write(r)
		}
	}
	w.Flush()
	e, err := ReadCSV(&out, CSV{Name: "data.csv", Label: "label", Split: "split"})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// BenchmarkTable is learning's table, our side: what reading a file and fitting
// to it cost, and what the model is worth on the rows of the test split.
func BenchmarkTable(b *testing.B) {
	for _, name := range []string{"adult", "ai4i"} {
		b.Run(name, func(b *testing.B) {
			s := publicSet(b, name)
			var m *Model
			before := cpu()
			for b.Loop() {
				e, err := ReadCSV(bytes.NewReader(s.trainCSV), CSV{Name: name, Label: "label", Split: "split"})
				if err != nil {
					b.Fatal(err)
				}
				if m, err = Fit(e.Table, e.Label, Options{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((cpu()-before).Seconds()/float64(b.N), "cpu-s/op")
			j, refused := worth(b, m, s.test)
			b.ReportMetric(j.logLoss, "logloss")
			b.ReportMetric(j.auc, "auc")
			b.ReportMetric(j.calibration, "calibration-error")
			b.ReportMetric(refused, "refused")
			b.ReportMetric(float64(len(m.Bytes()))/1000, "kB")
			for _, p := range m.f.Pairs {
				b.Log(p.Columns)
			}
			b.Log(m.f.Fitted, m.f.Calibration, m.f.Support)
		})
	}
}

func BenchmarkScore(b *testing.B) {
	s := publicSet(b, "adult")
	m, err := Fit(s.train.Table, s.train.Label, Options{})
	if err != nil {
		b.Fatal(err)
	}
	scorer, err := m.Bind(names(s.test.Table))
	if err != nil {
		b.Fatal(err)
	}
	rows := make([][]Value, s.test.Table.Rows)
	for i := range rows {
		rows[i] = rowsOf(s.test.Table, i, nil)
	}
	// Processor time beside the clock's: the latter is no use on a busy machine.
	run := func(name string, each func(row []Value)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			before := cpu()
			for i := 0; b.Loop(); i++ {
				each(rows[i%len(rows)])
			}
			b.ReportMetric(float64((cpu()-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
		})
	}
	run("score", func(row []Value) { scorer.Score(row) })
	var reasons []Reason
	run("reasons", func(row []Value) {
		scorer.Score(row)
		reasons = scorer.Reasons(reasons[:0], row)
	})
}
