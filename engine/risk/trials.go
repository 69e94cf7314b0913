package risk

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Ladder is how far an estate's own history may lead.
type Ladder string

// The rungs: under 3 months of own outcomes, 3 to 6, from 6.
const (
	RulesOnly Ladder = "rules"
	Shadow    Ladder = "shadow"
	Advisory  Ladder = "advisory"
)

// History is how much own and imported history there is.
type History struct {
	Months   float64 // in whole tenths, rounded down; own, real (not sim in an estate with clock = wall) and verified
	Outcomes int     // own
	Imported int
	Ladder   Ladder
}

// Trial is one finished change, own or imported: what the track record counts.
type Trial struct {
	At       time.Time
	Host     inventory.HostID
	Patch    string // patch id
	Vendor   string
	Package  string
	Role     string
	Failed   bool // failed, degraded or rolled back
	Imported bool
	Weight   float64 // 1, less where one host's share is capped; 0 counts as 1

	Decided time.Time // when it was decided; zero: at At
	recall  func() *Known
}

// Known is what was known when the trial was decided. It is read anew at each
// call, since plans count trials and only Learn looks into them.
func (t Trial) Known() *Known {
	if t.recall == nil {
		return &Known{Update: Update{Package: t.Package, Vendor: t.Vendor}, Place: Place{Role: t.Role}}
	}
	return t.recall()
}

// Trials collects finished changes from verified ledgers and imported history,
// sorted by time, then host, then patch. Vendor, package and role come from the
// lines' features, the package else from the patch's id.
//
// A change is one patch on one host in one plan, and counts once, as its last
// verdict says: one that degraded and was rolled back is one failure. In
// imported history a rollback within a week of the failure it answers belongs to
// it. Imported rows of what a ledger has as well are passed over. Lines of the
// simulated fleet count only where sim is true.
//
// One host's summed weight in any package is capped at 20 % of it where five or
// more hosts are there, so that a burst from one host (broken, or somebody
// else's) cannot make a package's record by itself.
func Trials(ledgers map[string][]outcome.Line, imported []outcome.Imported, sim bool) []Trial {
	list := own(ledgers, sim)
	list = append(list, foreign(imported, list)...)
	slices.SortFunc(list, compareTrials)
	capHosts(list)
	return list
}

// compareTrials orders by time, host and patch, and then by the rest, so that
// the order is the same whatever it was before.
func compareTrials(a, b Trial) int {
	// What is later in the list is rarely asked for, and dear.
	if c := a.At.Compare(b.At); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Host, b.Host); c != 0 {
		return c
	}
	return cmp.Or(
		cmp.Compare(a.Patch, b.Patch),
		cmp.Compare(a.Package, b.Package),
		cmp.Compare(a.Vendor, b.Vendor),
		cmp.Compare(a.Role, b.Role),
		compareBool(a.Failed, b.Failed),
		compareBool(a.Imported, b.Imported),
		cmp.Compare(a.Weight, b.Weight),
		a.Decided.Compare(b.Decided),
		compareKnown(a, b),
	)
}

// compareKnown orders trials by what was known, where there is nothing else to
// order them by.
func compareKnown(a, b Trial) int {
	if a.recall == nil || b.recall == nil || a.At != b.At || a.Host != b.Host || a.Patch != b.Patch {
		return compareBool(a.recall != nil, b.recall != nil)
	}
	return bytes.Compare(canonical(a.Known().Features()), canonical(b.Known().Features()))
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

// verdict says whether an event ends a trial, and how.
func verdict(e outcome.Event) (failed, ends bool) {
	switch e {
	case outcome.Healthy:
		return false, true
	case outcome.Failed, outcome.Degraded, outcome.RolledBack:
		return true, true
	}
	return false, false
}

// own makes one trial of each plan, host and patch.
func own(ledgers map[string][]outcome.Line, sim bool) []Trial {
	type change struct {
		plan  string
		host  inventory.HostID
		patch plan.PatchID
	}
	found := map[change]Trial{}
	decided := map[change]outcome.Line{} // the first line of each, which says what was known when it began
	for id, lines := range ledgers {
		for _, l := range lines {
			if l.Host == "" || l.Patch == "" || l.Fleet == "sim" && !sim {
				continue
			}
			key := change{id, l.Host, l.Patch}
			if _, ok := decided[key]; !ok {
				decided[key] = l
			}
			failed, ends := verdict(l.Event)
			if !ends {
				continue
			}
			t := Trial{
				At: l.At, Host: l.Host, Patch: string(l.Patch), Vendor: feature(l, "vendor"),
				Package: cmp.Or(feature(l, "package"), packageOf(string(l.Patch))), Role: feature(l, "role"),
				Failed: failed, Weight: 1,
			}
			// A rollback's line may not repeat what the first one said.
			before := found[key]
			t.Vendor, t.Role = cmp.Or(t.Vendor, before.Vendor), cmp.Or(t.Role, before.Role)
			found[key] = t
		}
	}
	list := make([]Trial, 0, len(found))
	for key, t := range found {
		first := decided[key]
		t.Decided = first.At
		t.recall = func() *Known {
			k := knownOf(first)
			fill(&k.Vendor, t.Vendor)
			fill(&k.Role, t.Role)
			return k
		}
		list = append(list, t)
	}
	return list
}

func feature(l outcome.Line, name string) string {
	s, _ := l.Features[name].(string)
	return s
}

// packageOf is the package in a patch's id, "" where it is none.
func packageOf(patch string) string {
	_, name, _, _ := plan.PatchID(patch).Parts()
	return name
}

const week = 7 * 24 * time.Hour

// foreign makes trials of imported rows, apart from those that a ledger has.
func foreign(rows []outcome.Imported, own []Trial) []Trial {
	type change struct {
		host  inventory.HostID
		patch string
	}
	known := map[change]bool{}
	for _, t := range own {
		known[change{t.Host, t.Patch}] = true
	}
	rows = slices.Clone(rows)
	slices.SortFunc(rows, compareRows)
	last := map[change]outcome.Imported{} // the row before, of the same change
	var list []Trial
	for _, r := range rows {
		key := change{r.Host, r.Patch}
		failed, ends := verdict(r.Event)
		if !ends || known[key] {
			continue
		}
		before, again := last[key]
		wrong, _ := verdict(before.Event)
		last[key] = r
		if again && wrong && r.Event == outcome.RolledBack && r.At.Sub(before.At) <= week {
			continue
		}
		list = append(list, Trial{
			At: r.At, Host: r.Host, Patch: r.Patch, Vendor: r.Vendor, Package: cmp.Or(r.Package, packageOf(r.Patch)), Role: r.Role,
			Failed: failed, Imported: true, Weight: 1, Decided: r.At, recall: func() *Known { return knownOfRow(r) },
		})
	}
	return list
}

// compareRows orders imported rows by time; of two at once the rollback is last.
func compareRows(a, b outcome.Imported) int {
	return cmp.Or(
		a.At.Compare(b.At),
		cmp.Compare(a.Host, b.Host),
		cmp.Compare(a.Patch, b.Patch),
		compareBool(a.Event == outcome.RolledBack, b.Event == outcome.RolledBack),
		strings.Compare(string(a.Event), string(b.Event)),
		cmp.Compare(a.Package, b.Package),
		cmp.Compare(a.Vendor, b.Vendor),
		cmp.Compare(a.Role, b.Role),
	)
}

// capHosts sets weights so that no host has more than a fifth of a package.
func capHosts(list []Trial) {
	counts := map[string]map[inventory.HostID]int{}
	for _, t := range list {
		if counts[t.Package] == nil {
			counts[t.Package] = map[inventory.HostID]int{}
		}
		counts[t.Package][t.Host]++
	}
	limits := map[string]float64{}
	for name, hosts := range counts {
		limits[name] = limit(hosts)
	}
	for i, t := range list {
		n := float64(counts[t.Package][t.Host])
		list[i].Weight = min(1, limits[t.Package]/n)
	}
}

// limit is the largest weight c that a host may have so that c is at most a
// fifth of what all have together: with the k largest hosts cut to c and S what
// the others have, c = (S + k·c)/5.
func limit(hosts map[inventory.HostID]int) float64 {
	const parts = 5
	if len(hosts) < parts {
		return math.Inf(1)
	}
	sizes := make([]int, 0, len(hosts))
	rest := 0
	for _, n := range hosts {
		sizes = append(sizes, n)
		rest += n
	}
	slices.SortFunc(sizes, func(a, b int) int { return b - a })
	for k := range parts {
		if c := float64(rest) / float64(parts-k); float64(sizes[k]) <= c {
			return c
		}
		rest -= sizes[k]
	}
	return float64(sizes[parts-1])
}

// Before an estate's own history is this long, it may not lead.
const (
	shadowMonths   = 3
	advisoryMonths = 6
	enough         = 20 // outcomes, own for the ladder, of any kind to fit a record
	month          = 30.44 * 24 * float64(time.Hour)
)

// Measure says how much history there is at a time. Imported history trains and
// is counted apart: it moves nobody up the ladder.
func Measure(trials []Trial, at time.Time) History {
	var h History
	var first time.Time
	for _, t := range trials {
		switch {
		case t.At.After(at):
		case t.Imported:
			h.Imported++
		default:
			h.Outcomes++
			if first.IsZero() || t.At.Before(first) {
				first = t.At
			}
		}
	}
	if h.Outcomes > 0 {
		h.Months = math.Floor(10*float64(at.Sub(first))/month) / 10
	}
	h.Ladder = RulesOnly
	if h.Outcomes >= enough && h.Months >= shadowMonths {
		h.Ladder = Shadow
		if h.Months >= advisoryMonths {
			h.Ladder = Advisory
		}
	}
	return h
}
