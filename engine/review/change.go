package review

import (
	"cmp"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// change is one patch on one host in one plan: what was said of it, and what
// became of it.
type change struct {
	plan      string
	at        time.Time // when the plan was made
	host      inventory.HostID
	patch     *plan.Patch
	predicted plan.Risk
	applied   time.Time // zero: never
	ended     time.Time // its last verdict; zero: none yet
	failed    bool
	minutes   float64 // from being applied to being rolled back; 0 where it was not
}

// changes joins every planned change with its verdict, sorted by plan, host and
// patch.
func changes(deeds []Deed) []change {
	var list []change
	for _, d := range deeds {
		list = append(list, joined(d)...)
	}
	slices.SortFunc(list, func(a, b change) int {
		return cmp.Or(cmp.Compare(a.plan, b.plan), cmp.Compare(a.host, b.host), cmp.Compare(a.patch.ID, b.patch.ID))
	})
	return list
}

func joined(d Deed) []change {
	type key struct {
		host  inventory.HostID
		patch plan.PatchID
	}
	patches := map[plan.PatchID]*plan.Patch{}
	for i := range d.Plan.Patches {
		patches[d.Plan.Patches[i].ID] = &d.Plan.Patches[i]
	}
	var list []change
	place := map[key]int{}
	for _, r := range d.Plan.Rings {
		for _, w := range r.Waves {
			for _, c := range w.Changes {
				if patches[c.Patch] == nil {
					patches[c.Patch] = &plan.Patch{ID: c.Patch} // of a plan taken back, only the ledger tells
				}
				place[key{c.Host, c.Patch}] = len(list)
				list = append(list, change{plan: d.Plan.ID, at: d.Plan.At, host: c.Host, patch: patches[c.Patch], predicted: c.DeployRisk})
			}
		}
	}
	for _, l := range d.Lines {
		if i, ok := place[key{l.Host, l.Patch}]; ok {
			list[i].read(l)
		}
	}
	return list
}

// read takes in one line of the ledger, in the ledger's order.
func (c *change) read(l outcome.Line) {
	switch l.Event {
	case outcome.Applied:
		c.applied = l.At
	case outcome.Healthy:
		c.ended, c.failed = l.At, false
	case outcome.Failed, outcome.Degraded:
		c.ended, c.failed = l.At, true
	case outcome.RolledBack:
		c.ended, c.failed = l.At, true
		if c.minutes == 0 && !c.applied.IsZero() && l.At.After(c.applied) {
			c.minutes = l.At.Sub(c.applied).Minutes()
		}
	}
}

// healthy says whether a change had ended well before a time.
func (c *change) healthy(before time.Time) bool {
	return !c.ended.IsZero() && !c.failed && c.ended.Before(before)
}

// within are the changes that ended in a span.
func within(all []change, from, to time.Time) []change {
	return slices.DeleteFunc(slices.Clone(all), func(c change) bool {
		return c.ended.IsZero() || c.ended.Before(from) || !c.ended.Before(to)
	})
}
