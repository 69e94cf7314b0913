package estate

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
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
			if !ring.IsGlob(p) {
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
	r.inherit(hosts)
	r.minimums(hosts)
	r.estate.Hosts = hosts
}

// inherit gives hosts the labels of their services, where neither their facts
// nor their own block say otherwise; of several services the primary one counts.
func (r *reader) inherit(hosts []inventory.Host) {
	labels := map[string]map[string]string{}
	for _, s := range r.estate.Services {
		if len(s.Labels) > 0 {
			labels[s.Name] = s.Labels
		}
	}
	if len(labels) == 0 {
		return
	}
	for i := range hosts {
		h := &hosts[i]
		shared := true // the map is that of a service, of facts or of a block
		for _, name := range h.Services {
			h.Labels, shared = overlaid(labels[name], h.Labels, shared)
		}
	}
}

// overlaid adds to labels what it lacks of those below. A map that is shared is
// copied before it is changed.
func overlaid(below, labels map[string]string, shared bool) (map[string]string, bool) {
	if len(labels) == 0 {
		return below, true
	}
	for name, value := range below {
		if _, said := labels[name]; said {
			continue
		}
		if shared {
			labels, shared = maps.Clone(labels), false
		}
		labels[name] = value
	}
	return labels, shared
}

// minimums reports services of which more hosts must be available than they
// have. One without any host is not judged: its hosts may yet report.
func (r *reader) minimums(hosts []inventory.Host) {
	have := map[string]int{}
	for _, h := range hosts {
		for _, s := range h.Services {
			have[s]++
		}
	}
	for _, s := range r.estate.Services {
		need, err := strconv.Atoi(s.MinAvailable)
		if n := have[s.Name]; err == nil && n > 0 && need > n {
			r.at(r.minimum[s.Name], "service %q: attribute \"min_available\" is %q, but it has %s; expected at most %q, or a share such as \"60%%\"",
				s.Name, s.MinAvailable, hostsText(n), strconv.Itoa(n-1))
		}
	}
}

func hostsText(n int) string {
	if n == 1 {
		return "1 host"
	}
	return strconv.Itoa(n) + " hosts"
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
	h.Facts, h.Packages = line.facts, line.packages
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
				if ring.Glob(pattern, string(h.ID)) {
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
