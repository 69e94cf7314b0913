package main

import (
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/risk/regression"
)

// What a model is trained on is what was known on that day: not the update of
// yesterday, not the regression of tomorrow.
func TestLabelKnowsNothingOfTheFuture(t *testing.T) {
	at := day("2020-01-01")
	fine := row{At: at, Settled: at.AddDate(0, 0, 60)}
	bad := row{At: at, Settled: at.AddDate(0, 0, 60), Regressed: true, Noticed: at.AddDate(0, 0, 10)}
	late := row{At: at, Settled: at.AddDate(0, 0, 60), Regressed: true, Noticed: at.AddDate(0, 0, 90)}
	for _, c := range []struct {
		name    string
		row     row
		days    int
		bad, ok bool
	}{
		{"before it was published", bad, -1, false, false},
		{"too early to tell", fine, 59, false, false},
		{"settled", fine, 61, false, true},
		{"regressed, not noticed yet", bad, 10, false, false},
		{"noticed", bad, 11, true, true},
		{"counted as fine until noticed", late, 61, false, true},
		{"noticed late", late, 91, true, true},
	} {
		if b, ok := c.row.label(at.AddDate(0, 0, c.days)); b != c.bad || ok != c.ok {
			t.Errorf("%s: label = %v, %v; want %v, %v", c.name, b, ok, c.bad, c.ok)
		}
	}
}

// Rows of the future change nothing in a model of the past.
func TestFitReadsNothingLater(t *testing.T) {
	rows := made(600)
	cut := rows[400].At
	past, err := fit(rows[:401], cut, everything)
	if err != nil {
		t.Fatal(err)
	}
	all, err := fit(rows, cut, everything)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := past.Bytes()
	b, _ := all.Bytes()
	if string(a) != string(b) {
		t.Error("a model is another one where later updates are known")
	}
}

// A planted package that regresses every third time is found, and a mere count
// of CVEs that means nothing is not.
func TestPlantedPackageIsFound(t *testing.T) {
	rows := made(1500)
	m, err := fit(rows, rows[len(rows)-1].At.AddDate(1, 0, 0), everything)
	if err != nil {
		t.Fatal(err)
	}
	if w := m.Weights["package shaky"]; w < 0.5 {
		t.Errorf("the planted package weighs %v, want over 0.5", w)
	}
	if w := m.Weights["cves"]; w > 0.4 || w < -0.4 {
		t.Errorf("the number of CVEs weighs %v, want about 0", w)
	}
}

// made are updates of 20 packages, one a day, in which "shaky" regresses every
// third time and the others every fiftieth.
func made(n int) []row {
	var rows []row
	shaky := 0
	for i := range n {
		at := day("2015-01-01").Add(time.Duration(i) * 24 * time.Hour)
		r := row{At: at, Settled: at.AddDate(0, 0, 60), Noticed: at.AddDate(0, 0, 5)}
		r.Update = regression.Update{Type: "deb", Distribution: "Debian", Package: string(rune('a' + i%19)), CVEs: 1 + i%7, Releases: 2}
		r.Regressed = i%50 == 7
		if i%20 == 3 {
			r.Package, r.Regressed = "shaky", shaky%3 == 0
			shaky++
		}
		rows = append(rows, r)
	}
	return rows
}

func TestStrengthFindsTheSpread(t *testing.T) {
	// Cells of 40 with 0 or 8 regressions where 4 are foretold: rates 0 and 0.2
	// about 0.1 are far apart, as if worth few changes; 4 of 40 everywhere are not.
	cells := func(bad [2]int) []prediction {
		var list []prediction
		for f := range 30 {
			for i := range 40 {
				list = append(list, prediction{family: string(rune('a' + f)), bad: i < bad[f%2], p: 0.1, base: 0.1})
			}
		}
		return list
	}
	apart, _ := strength(cells([2]int{0, 8}))
	alike, least := strength(cells([2]int{4, 4}))
	if apart > 15 || alike < 500 || least > alike {
		t.Errorf("strength = %v where rates differ and %v (at least %v) where they do not; want at most 15 and at least 500", apart, alike, least)
	}
}

func TestSlope(t *testing.T) {
	var list []prediction
	for i := range 4000 {
		p := prediction{shift: 1, bad: i%100 < 27} // odds e times those of 12 %: 27 %
		if i%2 == 0 {
			p.shift, p.bad = 0, i%100 < 12
		}
		list = append(list, p)
	}
	if s := slope(list); s < 0.8 || s > 1.2 {
		t.Errorf("slope = %v, want about 1", s)
	}
}
