package replay

import (
	"cmp"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Fates are what became of a plan's changes, from its ledger: the last verdict
// counts, so that what degraded and was rolled back is one failure. Changes
// without a verdict are left out. They are sorted by host, then patch.
func Fates(lines []outcome.Line) []Fate {
	var list []Fate
	for _, l := range lines {
		if l.Host == "" || l.Patch == "" {
			continue
		}
		switch l.Event {
		case outcome.Healthy, outcome.Failed, outcome.Degraded, outcome.RolledBack:
			list = append(list, Fate{Host: l.Host, Patch: l.Patch, Event: l.Event, At: l.At})
		}
	}
	slices.SortStableFunc(list, func(a, b Fate) int { return compareWork(a.Host, a.Patch, b.Host, b.Patch) })
	last := list[:0]
	for i, f := range list {
		if i+1 == len(list) || compareWork(f.Host, f.Patch, list[i+1].Host, list[i+1].Patch) != 0 {
			last = append(last, f)
		}
	}
	return slices.Clip(last)
}

func compareWork(h1 inventory.HostID, p1 plan.PatchID, h2 inventory.HostID, p2 plan.PatchID) int {
	return cmp.Or(cmp.Compare(h1, h2), cmp.Compare(p1, p2))
}

// fateOf finds a change's fate, nil where it has none.
func fateOf(list []Fate, host inventory.HostID, patch plan.PatchID) *Fate {
	i, ok := slices.BinarySearchFunc(list, Fate{}, func(f, _ Fate) int { return compareWork(f.Host, f.Patch, host, patch) })
	if !ok {
		return nil
	}
	return &list[i]
}

// work is a patch on a host.
type work struct {
	host  inventory.HostID
	patch plan.PatchID
}

// healthyOn are the times at which patches became healthy on hosts, in any plan,
// of those that are asked for, in order.
func healthyOn(fates map[string][]Fate, wanted map[work]bool) map[work][]time.Time {
	found := map[work][]time.Time{}
	if len(wanted) == 0 {
		return found
	}
	for _, list := range fates {
		for _, f := range list {
			if w := (work{f.Host, f.Patch}); f.Event == outcome.Healthy && wanted[w] {
				found[w] = append(found[w], f.At)
			}
		}
	}
	for _, times := range found {
		slices.SortFunc(times, time.Time.Compare)
	}
	return found
}

// firstFrom is the first of sorted times that is not before another, zero where
// none is.
func firstFrom(times []time.Time, from time.Time) time.Time {
	for _, t := range times {
		if !t.Before(from) {
			return t
		}
	}
	return time.Time{}
}
