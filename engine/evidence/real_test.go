package evidence

import (
	"encoding/csv"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const regressions = "../../../shared/data/regressions"

// update is one published security update.
type update struct {
	date, pkg string
	regressed bool
}

func updates(t *testing.T, file, pkg string) []update {
	t.Helper()
	f, err := os.Open(filepath.Join(regressions, file))
	if err != nil {
		t.Skipf("the real data is absent: %v", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := func(column string) int { return slices.Index(rows[0], column) }
	var list []update
	for _, r := range rows[1:] {
		list = append(list, update{r[at("date")], r[at(pkg)], r[at("regressed")] == "1"})
	}
	slices.SortStableFunc(list, func(a, b update) int { return strings.Compare(a.date, b.date) })
	return list
}

// monthly are blocks of a month: updates of one package, and of all others.
func monthly(list []update, pkg string) []Block {
	var blocks []Block
	month := ""
	for _, u := range list {
		if u.date[:7] != month {
			month = u.date[:7]
			blocks = append(blocks, Block{})
		}
		b := &blocks[len(blocks)-1]
		c := &b.Peers
		if u.pkg == pkg {
			c = &b.Own
		}
		c.N++
		if u.regressed {
			c.Bad++
		}
	}
	return blocks
}

// Of all packages with ten updates or more, watched at once beside the others of
// the same month, Ubuntu's Firefox alone regresses more often, and is seen within
// its first dozen updates; on Debian, where a package's record says nothing of its
// future, none does.
func TestRealRegressions(t *testing.T) {
	for _, c := range []struct {
		file, column string
		want         []string
	}{
		{"ubuntu_regressions.csv", "component", []string{"firefox"}},
		{"debian_regressions.csv", "package", nil},
	} {
		list := updates(t, c.file, c.column)
		count := map[string]int{}
		for _, u := range list {
			count[u.pkg]++
		}
		maps.DeleteFunc(count, func(_ string, n int) bool { return n < 10 })
		var found []string
		for _, pkg := range slices.Sorted(maps.Keys(count)) {
			a := OverPeers(monthly(list, pkg), Alpha/float64(len(count)))
			if !a.Fired {
				continue
			}
			found = append(found, pkg)
			t.Logf("%s: %s: %d of %d updates regressed, %.1f expected, evidence %.0f", c.file, pkg, a.Bad, a.N, a.Expected, a.E)
			if a.N > 12 {
				t.Errorf("%s: %s is found after %d updates, want 12", c.file, pkg, a.N)
			}
		}
		if !slices.Equal(found, c.want) {
			t.Errorf("%s: of %d packages %v regress more often, want %v", c.file, len(count), found, c.want)
		}
	}
}
