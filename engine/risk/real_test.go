package risk

import (
	"encoding/csv"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

// update is one published security update: when it came out, and when it was
// known whether it had to be fixed again.
type update struct {
	published time.Time
	trial     Trial
}

// realUpdates reads ../shared/data/regressions, skipping where it is not there.
func realUpdates(t *testing.T, file, name, vendor string) []update {
	f, err := os.Open("../../../shared/data/regressions/" + file)
	if err != nil {
		t.Skip("needs ../shared/data/regressions: ", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	get := func(r []string, column string) string { return r[slices.Index(rows[0], column)] }
	var list []update
	for _, r := range rows[1:] {
		at, err := time.Parse(time.DateOnly, get(r, "date"))
		if err != nil {
			t.Fatal(err)
		}
		lag, _ := strconv.Atoi(get(r, "days_to_regression"))
		list = append(list, update{at, Trial{At: at.AddDate(0, 0, lag), Patch: get(r, "advisory"), Host: "all", Vendor: vendor,
			Package: get(r, name), Failed: get(r, "regressed") == "1", Weight: 1}})
	}
	slices.SortStableFunc(list, func(a, b update) int { return a.published.Compare(b.published) })
	return list
}

// The track record of real updates, refitted as time goes by: each update of the
// second half is scored by what was known the day before it came out. On Ubuntu's
// the record orders regressions, on Debian's there is nothing to order by, and
// the fit says so by shrinking harder; both stay calibrated.
func TestTrackRecordOnRealRegressions(t *testing.T) {
	every := 240 // updates between two fits
	if os.Getenv("RINGMASTER_LONG") != "" {
		every = 60
	}
	for _, c := range []struct {
		file, name, vendor string
		auc                float64 // at least
	}{
		{"ubuntu_regressions.csv", "component", "Ubuntu", 0.6},
		{"debian_regressions.csv", "package", "Debian", 0.45},
	} {
		updates := realUpdates(t, c.file, c.name, c.vendor)
		var trials []Trial
		for _, u := range updates {
			trials = append(trials, u.trial)
		}
		var m *TrackRecord
		var list []guess
		for i := len(updates) / 2; i < len(updates); i++ {
			if m == nil || i%every == 0 {
				var err error
				if m, err = Fit(trials, updates[i].published.Add(-time.Second)); err != nil {
					t.Fatal(err)
				}
			}
			k := updates[i].trial
			list = append(list, guess{m.about(k.Package, k.Vendor, "").p, k.Failed})
		}
		auc, expected, seen := judged(list)
		t.Logf("%s: %d updates scored: AUC %.3f, %.1f failures expected, %v seen; strengths %+v", c.vendor, len(list), auc, expected, seen, m.Strengths)
		if auc < c.auc || expected < seen*0.7 || expected > seen*1.4 {
			t.Errorf("%s: AUC %.3f, expected %.1f, seen %v", c.vendor, auc, expected, seen)
		}
	}
}

// guess is a probability and what came true.
type guess struct {
	p    float64
	true bool
}

// judged is the area under the ROC curve, how many were expected, and how many
// came true.
func judged(list []guess) (auc, expected, seen float64) {
	var wins, pairs float64
	for _, a := range list {
		expected += a.p
		if !a.true {
			continue
		}
		seen++
		for _, b := range list {
			switch {
			case b.true:
				continue
			case a.p > b.p:
				wins++
			case a.p == b.p:
				wins += 0.5
			}
			pairs++
		}
	}
	return wins / pairs, expected, seen
}
