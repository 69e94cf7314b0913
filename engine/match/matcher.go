package match

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// matcher carries one run. Hosts with the same package list in the same place
// are one class, and everything is worked out by class.
type matcher struct {
	x       *index
	places  *places
	lists   []list
	classes []class
	class   []int32 // host → class, -1 without packages
	tally   *tally
}

// class is hosts that nothing here tells apart.
type class struct {
	place  *place
	list   int32
	hosts  int
	groups []int32
	doubts []classDoubt
}

// classDoubt is a doubt about a package of a class.
type classDoubt struct {
	name string
	doubt
}

func newMatcher(advisories []advisory.Advisory) *matcher {
	x := newIndex(advisories)
	return &matcher{x: x, places: newPlaces(x), tally: newTally(x)}
}

// listKey is a package list in memory: lists that hosts share are read once.
type listKey struct {
	first  *inventory.Package
	length int
}

// classify reads every distinct package list and puts hosts into classes.
func (m *matcher) classify(hosts []inventory.Host) {
	m.class = make([]int32, len(hosts))
	s := newScanner(m.x)
	lists := map[listKey]int32{}
	classes := map[[2]int32]int32{}
	for i := range hosts {
		m.class[i] = -1
		f := hosts[i].Facts
		if f == nil || len(f.Packages) == 0 {
			continue
		}
		key := listKey{&f.Packages[0], len(f.Packages)}
		l, ok := lists[key]
		if !ok {
			l = int32(len(m.lists))
			lists[key] = l
			m.lists = append(m.lists, s.scan(f.Packages))
		}
		p := m.places.of(f.OS)
		c, ok := classes[[2]int32{l, p.id}]
		if !ok {
			c = int32(len(m.classes))
			classes[[2]int32{l, p.id}] = c
			m.classes = append(m.classes, class{place: p, list: l})
		}
		m.classes[c].hosts++
		m.class[i] = c
	}
}

// judge works out the groups and doubts of every class.
func (m *matcher) judge() {
	for i := range m.classes {
		c := &m.classes[i]
		l := &m.lists[c.list]
		for _, id := range l.single {
			m.single(int32(i), c, m.x.installed[id])
		}
		for _, versions := range l.several {
			m.several(int32(i), c, versions)
		}
		m.orphans(c, l)
		m.missing(c, l)
		for _, g := range c.groups {
			m.tally.groups[g].count += c.hosts
		}
	}
}

func (m *matcher) single(number int32, c *class, in *installed) {
	t := &m.x.targets[in.target]
	v := m.x.verdict(c.place, t, in)
	if v == fine {
		return
	}
	if v.groups == nil {
		v.groups = m.tally.count(t, in, v, in.version, v.to, v.platform)
	}
	m.join(number, c, v.groups)
	m.doubt(c, t, v)
}

// several is for a target in several versions that count: all move from the
// oldest one affected to the newest version that any of them needs.
func (m *matcher) several(number int32, c *class, versions []*installed) {
	t := &m.x.targets[versions[0].target]
	from, to, platform := "", "", int32(0)
	for _, in := range versions {
		v := m.x.verdict(c.place, t, in)
		if v.to == "" {
			continue
		}
		if from == "" {
			from, platform = in.version, v.platform
		}
		if narrower(m.x.platforms[v.platform].Platform, m.x.platforms[platform].Platform) {
			platform = v.platform
		}
		if to == "" || newer(t.typ, v.to, to) {
			to = v.to
		}
	}
	for _, in := range versions {
		v := m.x.verdict(c.place, t, in)
		raised := ""
		if v.to != "" {
			raised = to
		}
		m.join(number, c, m.tally.count(t, in, v, from, raised, platform))
		m.doubt(c, t, v)
	}
}

// join puts a class into groups, once for each patch: where a package and its
// source both have it, the older version counts.
func (m *matcher) join(number int32, c *class, groups []int32) {
	for _, g := range groups {
		o := &m.tally.owners[m.tally.groups[g].owner]
		if o.seen != number {
			o.seen, o.at = number, len(c.groups)
			c.groups = append(c.groups, g)
			continue
		}
		if a, b := m.tally.groups[g].from, m.tally.groups[c.groups[o.at]].from; newer(o.typ, b, a) {
			c.groups[o.at] = g
		}
	}
}

func (m *matcher) doubt(c *class, t *target, v *verdict) {
	for _, d := range v.doubts {
		c.doubts = append(c.doubts, classDoubt{t.name, d})
	}
}

// orphans tells of packages that may be built from a source that advisories
// name: without knowing the source, nobody can say.
func (m *matcher) orphans(c *class, l *list) {
	var names []string
	for _, o := range l.sourceless {
		if o.kind&c.place.sources != 0 {
			names = append(names, o.name)
		}
	}
	if len(names) == 0 {
		return
	}
	slices.Sort(names)
	names = slices.Compact(names)
	shown := strings.Join(names[:min(5, len(names))], ", ")
	if more := len(names) - 5; more > 0 {
		shown += fmt.Sprintf(" and %d more", more)
	}
	c.doubts = append(c.doubts, classDoubt{"", doubt{-1, "the facts do not say which source package these are built from: " + shown}})
}

// missing tells of updates that a Windows host has not, nor one that replaces
// them. Without a version there is nothing that a plan could move it to.
func (m *matcher) missing(c *class, l *list) {
	if l.kinds&kindWindows == 0 {
		return
	}
	for _, u := range m.x.updates {
		if !c.place.on[u.platform] || m.has(l, u) {
			continue
		}
		name := m.x.targets[u.target].name
		why := name + ` is not installed; an update without a version cannot be planned: give the build that it brings as "to"`
		c.doubts = append(c.doubts, classDoubt{name, doubt{u.advisory, why}})
	}
}

func (m *matcher) has(l *list, u update) bool {
	return slices.ContainsFunc(m.x.updates, func(o update) bool {
		return (o == u || m.x.replaces(o.advisory, u.advisory)) && slices.Contains(l.updates, o.target)
	})
}

// fill writes the hosts into their groups, in order.
func (m *matcher) fill() {
	total := 0
	for i := range m.tally.groups {
		total += m.tally.groups[i].count
	}
	room := make([]int32, total)
	for i := range m.tally.groups {
		g := &m.tally.groups[i]
		g.hosts, room = room[:0:g.count], room[g.count:]
	}
	for h, c := range m.class {
		if c < 0 {
			continue
		}
		for _, id := range m.classes[c].groups {
			g := &m.tally.groups[id]
			g.hosts = append(g.hosts, int32(h))
		}
	}
}

func (m *matcher) undecided(hosts []inventory.Host) []Undecided {
	for i := range m.classes {
		slices.SortFunc(m.classes[i].doubts, m.compareDoubts)
		m.classes[i].doubts = slices.CompactFunc(m.classes[i].doubts, func(a, b classDoubt) bool {
			return a.name == b.name && a.advisory == b.advisory
		})
	}
	var all []Undecided
	for h, c := range m.class {
		if c < 0 {
			continue
		}
		for _, d := range m.classes[c].doubts {
			u := Undecided{Host: hosts[h].ID, Package: d.name, Why: d.why}
			if d.advisory >= 0 {
				u.Advisory = m.x.advisories[d.advisory].ID
			}
			all = append(all, u)
		}
	}
	slices.SortStableFunc(all, func(a, b Undecided) int { return strings.Compare(string(a.Host), string(b.Host)) })
	return all
}

func (m *matcher) compareDoubts(a, b classDoubt) int {
	if c := strings.Compare(a.name, b.name); c != 0 || a.advisory < 0 || b.advisory < 0 {
		return cmp.Or(c, cmp.Compare(a.advisory, b.advisory))
	}
	return cmp.Or(m.x.byID(a.advisory, b.advisory), strings.Compare(a.why, b.why))
}

func (m *matcher) uncovered() []int32 {
	var all []int32
	for h, c := range m.class {
		if c >= 0 && !m.classes[c].place.covers(m.lists[m.classes[c].list].kinds) {
			all = append(all, int32(h))
		}
	}
	return all
}
