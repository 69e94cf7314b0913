package risk

import (
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
)

// Cost is what a minute's downtime of a service costs, with that of every service
// that depends on it, directly or not, each counted once.
type Cost struct {
	PerMinute float64  // in the estate's currency; 0: not known
	Dependent []string // the services besides itself that are in it, sorted
	Missing   []string // those whose tier declares no cost, sorted: where there are any, the cost is at least PerMinute
}

// Known says whether the service's own cost is known; without it there is no
// money to speak of, whatever depends on it.
func (c Cost) Known() bool { return c.PerMinute > 0 }

// Costs works out the cost of every service, by its name. A tier that declares no
// cost, or 0, has not said that downtime costs nothing: its cost is not known.
func Costs(services []inventory.Service, tiers []inventory.Tier) map[string]Cost {
	own, needed := map[string]float64{}, map[string][]string{}
	for _, s := range services {
		for _, on := range s.DependsOn {
			needed[on] = append(needed[on], s.Name)
		}
		if i := slices.IndexFunc(tiers, func(t inventory.Tier) bool { return t.Name == s.Tier }); i >= 0 {
			own[s.Name] = tiers[i].DowntimeCostPerMinute
		}
	}
	costs := make(map[string]Cost, len(services))
	for _, s := range services {
		costs[s.Name] = cost(s.Name, own, needed)
	}
	return costs
}

func cost(service string, own map[string]float64, needed map[string][]string) Cost {
	all := dependents(service, needed)
	c := Cost{Dependent: all}
	if !affordable(own[service]) {
		c.Missing = []string{service}
		return c
	}
	c.PerMinute = own[service]
	for _, name := range all {
		if affordable(own[name]) {
			c.PerMinute += own[name]
		} else {
			c.Missing = append(c.Missing, name)
		}
	}
	return c
}

// affordable is a cost that was declared and can be reckoned with.
func affordable(x float64) bool { return x > 0 && x <= 1e12 }

// dependents are the services that need one, directly or not, sorted, without
// itself.
func dependents(service string, needed map[string][]string) []string {
	seen := map[string]bool{service: true}
	var list []string
	for todo := []string{service}; len(todo) > 0; {
		next := todo[0]
		todo = todo[1:]
		for _, name := range needed[next] {
			if !seen[name] {
				seen[name] = true
				list, todo = append(list, name), append(todo, name)
			}
		}
	}
	slices.Sort(list)
	return list
}

// Downtime is how long failed changes have taken a tier's services down.
type Downtime struct {
	Incidents int
	Minutes   float64 // in all
}

// planned is how many incidents the planned length of a failure counts for
// (judgement: lengths of outages differ widely, a few say little).
const planned = 4

// blend is the mean length, of what was seen and of what is planned as if seen in
// 4 incidents.
func (d Downtime) blend(minutes float64) float64 {
	return (float64(planned*minutes) + d.Minutes) / float64(planned+d.Incidents)
}

// PastDowntime adds up, by tier, the incidents that a patch caused and that were
// over at a time: their stated minutes, else from opening to closing. Those of no
// known service, or of no known length, are left out.
func PastDowntime(services []inventory.Service, incidents []outcome.Incident, at time.Time) map[string]Downtime {
	tierOf := map[string]string{}
	for _, s := range services {
		tierOf[s.Name] = s.Tier
	}
	past := map[string]Downtime{}
	for _, i := range incidents {
		tier, minutes := tierOf[i.Service], length(i)
		if i.Patch == "" || tier == "" || minutes < 0 || i.Opened.After(at) || i.Closed.After(at) {
			continue
		}
		d := past[tier]
		past[tier] = Downtime{d.Incidents + 1, d.Minutes + minutes}
	}
	return past
}

// length is an incident's in minutes, below 0 where it is not known.
func length(i outcome.Incident) float64 {
	switch {
	case i.Minutes != nil && *i.Minutes >= 0:
		return *i.Minutes
	case !i.Closed.IsZero() && !i.Closed.Before(i.Opened):
		return i.Closed.Sub(i.Opened).Minutes()
	}
	return -1
}
