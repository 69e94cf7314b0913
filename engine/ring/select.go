package ring

import (
	"slices"
	"time"
)

// Matches says whether the selection takes the member. Empty fields match
// everything; patterns are globs ("*" any characters, "?" one). Labels must all
// be there with just these values.
func (s Select) Matches(m Member) bool {
	for name, want := range s.Labels {
		if got, ok := m.Labels[name]; !ok || got != want {
			return false
		}
	}
	return (len(s.Tiers) == 0 || slices.Contains(s.Tiers, m.Tier)) &&
		!slices.Contains(s.ExceptTiers, m.Tier) &&
		(len(s.Hosts) == 0 || globAny(s.Hosts, string(m.Host))) &&
		(len(s.Services) == 0 || slices.ContainsFunc(m.Services, func(name string) bool { return globAny(s.Services, name) }))
}

// Takes says whether the freeze binds what serves the services: whether one of
// its patterns matches one of them. "*" binds everything, also what serves none.
func (f Freeze) Takes(services []string) bool {
	return slices.Contains(f.Services, "*") ||
		slices.ContainsFunc(services, func(name string) bool { return globAny(f.Services, name) })
}

// Unfold returns freezes that come once: in the place of one that comes again and
// again, each time that overlaps [from, to), under its name.
func Unfold(list []Freeze, from, to time.Time) []Freeze {
	if !slices.ContainsFunc(list, func(f Freeze) bool { return f.Every != nil }) {
		return list
	}
	var once []Freeze
	for _, f := range list {
		if f.Every == nil {
			once = append(once, f)
			continue
		}
		for _, i := range f.Every.Between(from, to) {
			each := f
			each.From, each.To, each.Every = i.Start, i.End, nil
			once = append(once, each)
		}
	}
	return once
}

// FleetFor returns the fleet that carries out a member's changes: the last one
// that matches it, false where none does.
func FleetFor(fleets []Fleet, m Member) (Fleet, bool) {
	for _, f := range slices.Backward(fleets) {
		if f.Matches(m) {
			return f, true
		}
	}
	return Fleet{}, false
}

// HealthFor returns how a member's health is measured: the last declaration that
// matches it, false where none does.
func HealthFor(healths []Health, m Member) (Health, bool) {
	for _, h := range slices.Backward(healths) {
		if h.Matches(m) {
			return h, true
		}
	}
	return Health{}, false
}

// IsGlob reports whether a pattern has a wildcard; without one it is a name.
func IsGlob(pattern string) bool {
	for i := range len(pattern) {
		if pattern[i] == '*' || pattern[i] == '?' {
			return true
		}
	}
	return false
}

func globAny(patterns []string, s string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return Glob(p, s) })
}

// Glob reports whether s matches a pattern of "*" (any characters, also none)
// and "?" (one byte). Time is at most the product of the lengths.
func Glob(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
