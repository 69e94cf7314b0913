package match

import (
	"cmp"
	"encoding/binary"
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
	scanner *scanner
	classes []class
	class   []int32 // host → class, -1 without packages
	tally   *tally
	joined  []int32 // the groups of the class at work
	room    []int32 // for the classes' groups
}

// class is hosts that nothing here tells apart.
type class struct {
	place  *place
	kinds  kinds
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
	return &matcher{x: x, places: newPlaces(x), scanner: newScanner(x), tally: newTally(x)}
}

// classKey is a package list in a place: lists that hosts share are read once.
type classKey struct {
	list  *inventory.List
	place int32
}

// classify puts hosts into classes and works out each when it is first met.
func (m *matcher) classify(hosts []inventory.Host) {
	m.class = make([]int32, len(hosts))
	m.classes = make([]class, 0, len(hosts))
	classes := map[classKey]int32{}
	for i := range hosts {
		m.class[i] = -1
		h := &hosts[i]
		if h.Packages.Len() == 0 {
			continue
		}
		p := m.places.of(systemOf(h))
		key := classKey{h.Packages, p.id}
		c, ok := classes[key]
		if !ok {
			c = int32(len(m.classes))
			classes[key] = c
			m.classes = append(m.classes, class{place: p})
			m.judge(c, h.Packages)
		}
		m.classes[c].hosts++
		m.class[i] = c
	}
	for i := range m.classes {
		for _, g := range m.classes[i].groups {
			m.tally.groups[g].count += m.classes[i].hosts
		}
	}
}

// systemOf is a host's operating system, nil where it is not known.
func systemOf(h *inventory.Host) *inventory.OS {
	if h.Facts == nil {
		return nil
	}
	return h.Facts.OS
}

// judge works out the groups and doubts of a class.
func (m *matcher) judge(number int32, packages *inventory.List) {
	c := &m.classes[number]
	l := m.scanner.scan(packages)
	c.kinds = l.kinds
	m.joined = m.joined[:0]
	for i := range l.firsts {
		f := &l.firsts[i]
		if f.several {
			m.several(number, c, m.scanner.several(f))
			continue
		}
		m.single(number, c, f.version)
	}
	c.groups = m.keep(m.joined)
	m.orphans(c, l)
	m.missing(c, l)
}

// chunk is how many groups room is made for at once.
const chunk = 1 << 14

// keep copies groups into room that is begun anew when it is full, never moved.
func (m *matcher) keep(groups []int32) []int32 {
	if cap(m.room)-len(m.room) < len(groups) {
		m.room = make([]int32, 0, max(len(groups), chunk))
	}
	start := len(m.room)
	m.room = append(m.room, groups...)
	return m.room[start:len(m.room):len(m.room)]
}

// joining is all that most verdicts come to: the hosts of a place that have a
// version join one group, or none.
type joining struct {
	what         what
	group, owner int32
}

type what int32

const (
	unknown what = iota
	nothing
	oneGroup
	more // several groups, or doubts
)

// single is for a target in one version that counts.
func (m *matcher) single(number int32, c *class, id int32) {
	if int(id) >= len(c.place.joins) || c.place.joins[id].what == unknown {
		m.settle(c.place, id)
	}
	switch j := &c.place.joins[id]; j.what {
	case oneGroup:
		m.join(number, j.group, j.owner)
	case more:
		v := c.place.verdicts[id]
		m.joinAll(number, v.groups)
		m.doubt(c, id, v)
	}
}

// settle works out what having a version comes to in a place.
func (m *matcher) settle(p *place, id int32) {
	in := m.x.installed[id]
	v := m.x.verdict(p, in)
	j := &p.joins[id]
	if v == fine {
		j.what = nothing
		return
	}
	v.groups = m.tally.count(&m.x.targets[in.target], in, v, in.version, v.to, v.platform)
	j.what = more
	if len(v.groups) == 1 && len(v.doubts) == 0 {
		*j = joining{oneGroup, v.groups[0], m.tally.groups[v.groups[0]].owner}
	}
}

// several is for a target in several versions that count.
func (m *matcher) several(number int32, c *class, versions []int32) {
	key := make([]byte, 0, 64)
	for _, id := range versions {
		key = binary.LittleEndian.AppendUint32(key, uint32(id))
	}
	groups, ok := c.place.several[string(key)]
	if !ok {
		groups = m.together(c.place, versions)
		c.place.several[string(key)] = groups
	}
	m.joinAll(number, groups)
	for _, id := range versions {
		m.doubt(c, id, m.x.verdict(c.place, m.x.installed[id]))
	}
}

// together is the groups of several versions: all move from the oldest one
// affected to the newest version that any of them needs.
func (m *matcher) together(p *place, versions []int32) []int32 {
	t := &m.x.targets[m.x.installed[versions[0]].target]
	from, to, platform := "", "", int32(0)
	for _, id := range versions {
		in := m.x.installed[id]
		v := m.x.verdict(p, in)
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
	var groups []int32
	for _, id := range versions {
		in := m.x.installed[id]
		v := m.x.verdict(p, in)
		raised := ""
		if v.to != "" {
			raised = to
		}
		groups = append(groups, m.tally.count(t, in, v, from, raised, platform)...)
	}
	return groups
}

// join puts a class into a group, once for each patch: where a package and its
// source both have it, the older version counts.
func (m *matcher) join(number, group, owner int32) {
	o := &m.tally.seen[owner]
	if o.round != number {
		*o = mark{number, int32(len(m.joined))}
		m.joined = append(m.joined, group)
		return
	}
	if a, b := m.tally.groups[group].from, m.tally.groups[m.joined[o.at]].from; newer(m.tally.owners[owner].typ, b, a) {
		m.joined[o.at] = group
	}
}

func (m *matcher) joinAll(number int32, groups []int32) {
	for _, g := range groups {
		m.join(number, g, m.tally.groups[g].owner)
	}
}

func (m *matcher) doubt(c *class, id int32, v *verdict) {
	for _, d := range v.doubts {
		c.doubts = append(c.doubts, classDoubt{m.x.targets[m.x.installed[id].target].name, d})
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
		if c >= 0 && !m.classes[c].place.covers(m.classes[c].kinds) {
			all = append(all, int32(h))
		}
	}
	return all
}
