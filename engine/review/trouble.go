package review

import (
	"github.com/ringmaster-dev/ringmaster/engine/exact"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Trouble is what went wrong in the span.
type Trouble struct {
	RolledBack   int      `json:"rolled_back"`
	Minutes      *float64 `json:"median_minutes"` // from being applied to being rolled back
	Cost         *float64 `json:"cost"`           // those minutes at the downtime cost of the hosts' tiers: an upper bound, since a degraded host is not down
	Unpriced     int      `json:"unpriced"`       // rolled back on hosts without a declared downtime cost
	ByPatch      int      `json:"incidents_by_patch"`
	Other        int      `json:"incidents_other"` // incidents that no patch caused
	NeverApplied int      `json:"failed_to_install"`
}

func trouble(done []change, in Input) Trouble {
	var t Trouble
	var minutes []float64
	cost, priced := 0.0, false
	for i := range done {
		c := &done[i]
		switch {
		case !c.failed:
			continue
		case c.minutes == 0:
			t.NeverApplied++
			continue
		}
		t.RolledBack++
		minutes = append(minutes, c.minutes)
		if perMinute, ok := in.cost(c.host); ok {
			cost += float64(perMinute * c.minutes)
			priced = true
		} else {
			t.Unpriced++
		}
	}
	t.Minutes = median(minutes)
	t.Cost = known(cost, priced)
	for _, x := range in.Incidents {
		switch {
		case x.Opened.Before(in.From) || !x.Opened.Before(in.To):
		case x.Patch != "":
			t.ByPatch++
		default:
			t.Other++
		}
	}
	return t
}

func (in *Input) cost(h inventory.HostID) (float64, bool) {
	if in.Cost == nil {
		return 0, false
	}
	return in.Cost(h)
}

// meanCost is the mean downtime cost per minute over changes, ok false where no
// host has one.
func (in *Input) meanCost(done []change) (float64, bool) {
	sum, n := 0.0, 0
	for i := range done {
		if c, ok := in.cost(done[i].host); ok {
			sum += c
			n++
		}
	}
	if n == 0 {
		return 0, false
	}
	return exact.Round5(sum / float64(n)), true
}
