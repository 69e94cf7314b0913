package estate

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// reference is a name that some other block must have.
type reference struct {
	hclfile.Place
	title string // the block that names it
	typ   string // the type of block that is named
	name  string
}

// checked is a window that is to be checked, with its decoder for the places.
type checked struct {
	d *hclfile.Decoder
	w ring.Window
}

// ref reads an attribute that names a block of a type.
func (r *reader) ref(d *hclfile.Decoder, attr, typ string) string {
	name := d.String(attr)
	if d.Has(attr) {
		r.refs = append(r.refs, reference{d.Place(attr), d.Title(), typ, name})
	}
	return name
}

// services reads patterns of service names. A name without a wildcard must be
// that of a service; a pattern may match none yet.
func (r *reader) services(d *hclfile.Decoder, attr string) []string {
	var list []string
	for _, it := range d.Items(attr) {
		switch {
		case !ring.IsGlob(it.Text):
			r.refs = append(r.refs, reference{it.Place, d.Title(), "service", it.Text})
		case !validPattern(it.Text):
			d.At(it.Place, `%s: attribute %q: %q is not a pattern of service names; "*" stands for any characters, "?" for one`, d.Title(), attr, it.Text)
			continue
		}
		list = append(list, it.Text)
	}
	return list
}

// check looks at everything that takes more than one block to judge, and puts
// what people declared in its order.
func (r *reader) check() {
	for _, ref := range r.refs {
		if _, ok := r.declared[ref.typ][ref.name]; !ok && !r.mentioned[ref.typ][ref.name] {
			r.at(ref.Place, "%s names %q, which is not a %s; %s", ref.title, ref.name, ref.typ,
				hclfile.Expected(ref.name, slices.Sorted(maps.Keys(r.declared[ref.typ]))))
		}
	}
	r.checkWindows()
	r.checkWorkloads()
	e := r.estate
	slices.SortFunc(e.Tiers, func(a, b inventory.Tier) int {
		return cmp.Or(cmp.Compare(a.Rank, b.Rank), strings.Compare(a.Name, b.Name))
	})
	slices.SortFunc(e.Services, func(a, b inventory.Service) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(e.Windows, func(a, b ring.Window) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(e.Freezes, func(a, b ring.Freeze) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(e.Exceptions, func(a, b inventory.Exception) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(e.Rings, func(a, b ring.Ring) int {
		return cmp.Or(cmp.Compare(a.Order, b.Order), strings.Compare(a.Name, b.Name))
	})
	r.cycles()
	r.group()
}

// group resolves each service's group. One that two groups take is a fault.
func (r *reader) group() {
	for i := range r.estate.Services {
		s := &r.estate.Services[i]
		for _, g := range r.estate.Settings.Groups {
			if !slices.ContainsFunc(g.Services, func(p string) bool { return ring.Glob(p, s.Name) }) {
				continue
			}
			if s.Group != "" {
				r.at(r.declared["group"][g.Name], "group %q takes service %q, which group %q takes already; a service is in one group", g.Name, s.Name, s.Group)
				continue
			}
			s.Group = g.Name
		}
		if s.Group == "" {
			s.Group = "main"
		}
	}
}

// cycles reports services that depend on themselves. A shortest cycle through
// each service is named once, from its first name in order; a service on a
// cycle that has been named is not the start of another.
func (r *reader) cycles() {
	needs := map[string][]string{}
	for _, s := range r.estate.Services {
		needs[s.Name] = s.DependsOn
	}
	named := map[string]bool{}
	for _, name := range knotted(needs) {
		if named[name] {
			continue
		}
		cycle := shortestCycle(name, needs)
		path := ""
		for _, step := range cycle {
			named[step] = true
			path += `"` + step + `" → `
		}
		if cycle != nil {
			r.at(r.declared["service"][name], "service %q depends on itself: %s%q", name, path, name)
		}
	}
}

// knotted returns the services that are on a cycle or lean on one, sorted: what
// is left when services whose needs are all met are taken away one by one.
func knotted(needs map[string][]string) []string {
	open := map[string]int{}
	neededBy := map[string][]string{}
	var free []string
	for name, list := range needs {
		for _, n := range list {
			if _, declared := needs[n]; declared {
				open[name]++
				neededBy[n] = append(neededBy[n], name)
			}
		}
		if open[name] == 0 {
			free = append(free, name)
		}
	}
	for len(free) > 0 {
		name := free[len(free)-1]
		free = free[:len(free)-1]
		for _, by := range neededBy[name] {
			if open[by]--; open[by] == 0 {
				free = append(free, by)
			}
		}
	}
	maps.DeleteFunc(open, func(_ string, n int) bool { return n == 0 })
	return slices.Sorted(maps.Keys(open))
}

// shortestCycle returns the services of a shortest cycle through start, start
// first; nil when there is none.
func shortestCycle(start string, needs map[string][]string) []string {
	from := map[string]string{}
	queue := []string{start}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, next := range needs[at] {
			if next == start {
				var back []string
				for ; at != start; at = from[at] {
					back = append(back, at)
				}
				slices.Reverse(back)
				return append([]string{start}, back...)
			}
			if _, seen := from[next]; !seen {
				from[next] = at
				queue = append(queue, next)
			}
		}
	}
	return nil
}
