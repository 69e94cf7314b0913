package engine

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
)

// bound fills in what a plan's waves bring to each of its services that has
// compliance tags: the others pay nothing for what is asked of those. About
// tells of a patch all but its end and whether it was tested.
func (d *decider) bound(services []policy.PlanService, rings []plan.Ring, about func(plan.PatchID) policy.ServicePatch) {
	at := map[string]int{}
	for i := range services {
		services[i].Patches = []policy.ServicePatch{}
		if len(services[i].Compliance) > 0 {
			at[services[i].Name] = i
		}
	}
	if len(at) == 0 {
		return
	}
	b := bringing{decider: d, tagged: at, about: about, found: map[arrival]*policy.ServicePatch{}, before: map[plan.PatchID]bool{}}
	for i := range rings {
		b.ring(&rings[i])
	}
	for a, p := range b.found {
		services[a.service].Patches = append(services[a.service].Patches, *p)
	}
	for _, i := range at {
		slices.SortFunc(services[i].Patches, func(a, b policy.ServicePatch) int { return strings.Compare(a.ID, b.ID) })
	}
}

// arrival is a patch at a service, by its place in the plan's list.
type arrival struct {
	service int
	patch   plan.PatchID
}

// bringing walks a plan's rings, the lowest first.
type bringing struct {
	*decider
	tagged map[string]int // service with compliance tags → place
	about  func(plan.PatchID) policy.ServicePatch
	found  map[arrival]*policy.ServicePatch
	before map[plan.PatchID]bool // patches of lower rings
}

func (b *bringing) ring(r *plan.Ring) {
	here := map[plan.PatchID]bool{}
	for w := range r.Waves {
		wave := &r.Waves[w]
		var host *inventory.Host
		for i := range wave.Changes {
			c := &wave.Changes[i]
			here[c.Patch] = true
			if host == nil || host.ID != c.Host {
				host = b.hostOf(c.Host)
			}
			if host != nil {
				b.arrive(host, c.Patch, wave.End)
			}
		}
	}
	for id := range here {
		b.before[id] = true
	}
}

func (b *bringing) arrive(host *inventory.Host, id plan.PatchID, end time.Time) {
	for _, name := range host.Services {
		s, tagged := b.tagged[name]
		if !tagged {
			continue
		}
		p := b.found[arrival{s, id}]
		if p == nil {
			one := b.about(id)
			one.Tested = b.before[id] || b.proven(id)
			p = &one
			b.found[arrival{s, id}] = p
		}
		if end.After(p.Ends) {
			p.Ends = end
		}
	}
}

// proven says whether a patch is healthy on a host of an earlier plan.
func (d *decider) proven(id plan.PatchID) bool {
	for _, t := range d.peers[string(id)] {
		if !t.Imported && !t.Failed {
			return true
		}
	}
	return false
}

// boundPatch is a patch of the draft on its way to a service.
func (dr *draft) boundPatch(id plan.PatchID) policy.ServicePatch {
	i, ok := slices.BinarySearchFunc(dr.patches, id, func(p *patchDraft, id plan.PatchID) int { return cmp.Compare(p.id, id) })
	if !ok {
		panic("engine: a wave holds a patch that its draft does not: " + string(id))
	}
	p := dr.patches[i]
	return policy.ServicePatch{ID: string(id), Kind: p.kind(), Class: string(p.verdict.Class), Published: p.published(), Deadline: p.verdict.Deadline, KnownExploited: p.verdict.KnownExploited}
}

// leaning are the services that lean on one, directly or through others, sorted
// by name.
func (d *decider) leaning(on string) []policy.Dependent {
	list := []policy.Dependent{}
	seen := map[string]bool{on: true}
	for todo := []string{on}; len(todo) > 0; todo = todo[1:] {
		for _, s := range d.needed[todo[0]] {
			if seen[s.Name] {
				continue
			}
			seen[s.Name] = true
			todo = append(todo, s.Name)
			out := policy.Dependent{Name: s.Name, Owner: s.Owner, Rank: lastRank}
			if t := d.tiers[s.Tier]; t != nil {
				out.Rank = t.Rank
			}
			list = append(list, out)
		}
	}
	slices.SortFunc(list, func(a, b policy.Dependent) int { return strings.Compare(a.Name, b.Name) })
	return list
}
