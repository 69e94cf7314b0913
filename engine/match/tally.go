package match

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// tally collects what verdicts say into patches, unfixed advisories and their
// groups of hosts.
type tally struct {
	x       *index
	owners  []owner
	byKey   map[ownerKey]int32
	groups  []tallied
	byGroup map[groupKey]int32

	seen []mark // by owner: the last class counted, and its place there
}

// ownerKey tells patches, and advisories without a fix, apart. The advisory is
// -1 for patches; source is left out for them, so that a fix of the package and
// one of its source of the same name become one patch.
type ownerKey struct {
	platform   advisory.Platform
	typ        version.Type
	name       string
	stream, to string
	source     bool
	advisory   int32
}

// owner is what groups of hosts belong to.
type owner struct {
	ownerKey
	rules  map[*rule]bool
	groups []int32
}

type groupKey struct {
	owner int32
	from  string
}

// tallied is one group and how many hosts it has.
type tallied struct {
	groupKey
	count int
	hosts []int32
}

func newTally(x *index) *tally {
	return &tally{x: x, byKey: map[ownerKey]int32{}, byGroup: map[groupKey]int32{}}
}

func (y *tally) owner(k ownerKey) int32 {
	id, ok := y.byKey[k]
	if !ok {
		id = int32(len(y.owners))
		y.byKey[k] = id
		y.owners = append(y.owners, owner{ownerKey: k, rules: map[*rule]bool{}})
		y.seen = append(y.seen, mark{round: -1})
	}
	return id
}

func (y *tally) group(owner int32, from string) int32 {
	k := groupKey{owner, from}
	id, ok := y.byGroup[k]
	if !ok {
		id = int32(len(y.groups))
		y.byGroup[k] = id
		y.groups = append(y.groups, tallied{groupKey: k})
		y.owners[owner].groups = append(y.owners[owner].groups, id)
	}
	return id
}

// count returns the groups that a verdict puts hosts into: one of its patch and
// one of each advisory without a fix. from is the version they move from, to
// the one they move to, which another version on the same host may have raised.
func (y *tally) count(t *target, in *installed, v *verdict, from, to string, platform int32) []int32 {
	var groups []int32
	if to != "" {
		k := ownerKey{y.x.platforms[platform].Platform, t.typ, t.name, in.module.stream, to, false, -1}
		id := y.owner(k)
		for _, r := range v.fixed {
			y.owners[id].rules[r] = true
		}
		groups = append(groups, y.group(id, from))
	}
	for _, r := range v.unfixed {
		k := ownerKey{y.x.platforms[r.platform].Platform, t.typ, t.name, in.module.stream, "", t.source, r.advisory}
		id := y.owner(k)
		y.owners[id].rules[r] = true
		groups = append(groups, y.group(id, in.version))
	}
	return groups
}

// results turns owners into patches and unfixed advisories.
func (y *tally) results() (patches []Patch, unfixed []Unfixed) {
	for i := range y.owners {
		o := &y.owners[i]
		groups := y.sorted(o)
		if len(groups) == 0 {
			continue
		}
		if o.advisory < 0 {
			patches = append(patches, y.patch(o, groups))
			continue
		}
		unfixed = append(unfixed, Unfixed{o.platform, o.typ, o.name, o.source, o.stream, o.advisory, groups})
	}
	slices.SortFunc(patches, func(a, b Patch) int {
		return cmp.Or(strings.Compare(string(a.ID), string(b.ID)), comparePlatforms(a.Platform, b.Platform), strings.Compare(a.Module, b.Module))
	})
	slices.SortFunc(unfixed, func(a, b Unfixed) int {
		return cmp.Or(strings.Compare(a.Package, b.Package), y.x.byID(a.Advisory, b.Advisory), comparePlatforms(a.Platform, b.Platform),
			strings.Compare(string(a.Type), string(b.Type)), strings.Compare(a.Module, b.Module), cmp.Compare(b2i(a.Source), b2i(b.Source)))
	})
	return patches, unfixed
}

func (y *tally) patch(o *owner, groups []Group) Patch {
	p := Patch{
		ID:       plan.PatchID(string(o.typ) + ":" + o.name + "@" + o.to),
		Platform: o.platform, Type: o.typ, Package: o.name, Module: o.stream, To: o.to, Groups: groups,
	}
	var last *advisory.Advisory // the newest, those that name this version before others
	exact := false
	for r := range o.rules {
		p.Source = p.Source || r.fix.Source
		p.Advisories = append(p.Advisories, r.advisory)
		a := &y.x.advisories[r.advisory]
		if a.Vendor == "" {
			continue
		}
		names := version.Compare(o.typ, r.fix.Fixed, o.to) == 0
		if last == nil || names && !exact || names == exact && laterThan(a, last) {
			last, exact = a, names
		}
	}
	if last != nil {
		p.Vendor = last.Vendor
	}
	slices.SortFunc(p.Advisories, y.x.byID)
	p.Advisories = slices.Compact(p.Advisories)
	return p
}

func laterThan(a, b *advisory.Advisory) bool {
	return cmp.Or(a.Published.Compare(b.Published), strings.Compare(a.ID, b.ID), strings.Compare(a.Vendor, b.Vendor)) > 0
}

// sorted returns the owner's groups that hold hosts.
func (y *tally) sorted(o *owner) []Group {
	var groups []Group
	for _, id := range o.groups {
		if g := &y.groups[id]; len(g.hosts) > 0 {
			groups = append(groups, Group{g.from, g.hosts})
		}
	}
	slices.SortFunc(groups, func(a, b Group) int {
		return cmp.Or(version.Compare(o.typ, a.From, b.From), strings.Compare(a.From, b.From))
	})
	return groups
}

func comparePlatforms(a, b advisory.Platform) int {
	return cmp.Or(strings.Compare(a.OS, b.OS), strings.Compare(a.Version, b.Version))
}

// byID orders advisories, given by index.
func (x *index) byID(a, b int32) int {
	p, q := &x.advisories[a], &x.advisories[b]
	return cmp.Or(strings.Compare(p.ID, q.ID), strings.Compare(p.File, q.File), cmp.Compare(a, b))
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
