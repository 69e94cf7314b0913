package estate

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// join makes the hosts: those of host blocks, those with facts, and those that
// a service names outright.
func (r *reader) join() {
	ids := map[inventory.HostID]bool{}
	for id := range r.hosts {
		ids[id] = true
	}
	for id := range r.lines {
		ids[id] = true
	}
	for _, s := range r.estate.Services {
		for _, p := range s.Hosts {
			if !isGlob(p) {
				ids[inventory.HostID(p)] = true
			}
		}
	}
	sorted := slices.Sorted(maps.Keys(ids))
	hosts := make([]inventory.Host, len(sorted))
	for i, id := range sorted {
		hosts[i] = r.joined(id)
	}
	r.serve(hosts, sorted)
	r.estate.Hosts = hosts
}

// joined is a host without its services.
func (r *reader) joined(id inventory.HostID) inventory.Host {
	h := inventory.Host{ID: id}
	declared, ok := r.hosts[id]
	if ok {
		h.Declared, h.Window, h.Labels = true, declared.window, declared.labels
	}
	line, ok := r.lines[id]
	if !ok {
		return h
	}
	h.Facts = line.facts
	switch {
	case len(declared.labels) == 0:
		h.Labels = line.facts.Labels
	case len(line.facts.Labels) > 0:
		h.Labels = maps.Clone(line.facts.Labels)
		maps.Copy(h.Labels, declared.labels)
	}
	return h
}

// serve resolves which services each host serves. Services are gone through by
// rank, then name, so that every host's list is in that order.
func (r *reader) serve(hosts []inventory.Host, ids []inventory.HostID) {
	ranks := map[string]int{}
	for _, t := range r.estate.Tiers {
		ranks[t.Name] = t.Rank
	}
	services := slices.Clone(r.estate.Services)
	slices.SortFunc(services, func(a, b inventory.Service) int {
		if d := rank(ranks, a.Tier) - rank(ranks, b.Tier); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	for _, s := range services {
		for _, pattern := range s.Hosts {
			from, to := matches(pattern, ids)
			for i := from; i < to; i++ {
				h := &hosts[i]
				if n := len(h.Services); n > 0 && h.Services[n-1] == s.Name {
					continue
				}
				if glob(pattern, string(h.ID)) {
					h.Services = append(h.Services, s.Name)
				}
			}
		}
	}
}

// rank is a tier's rank; one that is not declared comes last.
func rank(ranks map[string]int, tier string) int {
	if n, ok := ranks[tier]; ok {
		return n
	}
	return math.MaxInt32
}
