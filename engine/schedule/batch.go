package schedule

import (
	"cmp"
	"math/bits"
	"slices"
)

// batch is patches that pass the rings together.
type batch struct {
	patches []int32 // indices into Input.Patches, by deadline
	start   int64   // the latest of their clocks' starts
	changes []int32 // indices into Input.Changes
	classes []class
	of      [][]int32 // by place in patches: the classes that have it
	rings   []stage   // by ring; the last one is for what no ring takes
	runs    map[string]*trial
}

// group is a batch in the making.
type group struct {
	patches []int32
	start   int64
	tracks  map[int32]int64 // with the bucket that each is first reached in
	hosts   []uint64        // a bit each
}

// batches groups the patches, the most urgent first.
func (p *planner) batches() []*batch {
	changes := p.byPatch()
	order := make([]int32, 0, len(p.in.Patches))
	for i := range p.in.Patches {
		if len(changes[i]) > 0 {
			order = append(order, int32(i))
		}
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(p.deadline(a), p.deadline(b)) })
	var groups []*group
	for _, patch := range order {
		g := p.lone(patch, changes[patch])
		i := slices.IndexFunc(groups, func(o *group) bool { return p.fits(o, g) })
		if i < 0 {
			groups = append(groups, g)
			continue
		}
		groups[i].take(g)
	}
	list := make([]*batch, len(groups))
	of := make([]int32, len(p.in.Patches))
	for i, g := range groups {
		list[i] = &batch{patches: g.patches, start: g.start, runs: map[string]*trial{}}
		for _, patch := range g.patches {
			of[patch] = int32(i)
		}
	}
	for i := range p.in.Changes {
		b := list[of[p.in.Changes[i].Patch]]
		b.changes = append(b.changes, int32(i))
	}
	return list
}

// byPatch lists every patch's changes.
func (p *planner) byPatch() [][]int32 {
	list := make([][]int32, len(p.in.Patches))
	for i := range p.in.Changes {
		patch := p.in.Changes[i].Patch
		list[patch] = append(list[patch], int32(i))
	}
	return list
}

// lone is a patch as a group of its own, at the pace it would have if nothing
// but the clock pressed.
func (p *planner) lone(patch int32, changes []int32) *group {
	g := &group{patches: []int32{patch}, start: p.began(patch), tracks: map[int32]int64{}, hosts: make([]uint64, (len(p.in.Hosts)+63)/64)}
	seen := make([]bool, len(p.tracks))
	for _, c := range changes {
		h := p.in.Changes[c].Host
		g.hosts[h/64] |= 1 << (h % 64)
		seen[p.profiles[p.profile[h]].track] = true
	}
	var tracks []int32
	for t, ok := range seen {
		if ok {
			tracks = append(tracks, int32(t))
		}
	}
	p.alone[patch] = latest(p.ideal(patch, tracks, g.start, 0))
	starts := p.ideal(patch, tracks, g.start, p.idealPace(patch, tracks, g.start))
	for i, t := range tracks {
		g.tracks[t] = p.calendar(p.tracks[t].binding, &asDeclared).bucket(starts[i].begin)
	}
	return g
}

// reached is when a track is begun and when it is soaked, were there lanes for
// everyone.
type reached struct{ begin, healthy int64 }

// awaited says whether later rings wait for a ring with a patch: for a sandbox they
// do where the patch is to be tried in one first.
func (p *planner) awaited(ring int, patch int32) bool {
	return ring >= len(p.rings) || !p.rings[ring].sandbox || p.in.Patches[patch].Test == "sandbox"
}

// alike says whether the same rings are awaited with two patches.
func (p *planner) alike(a, b int32) bool {
	for r := range p.rings {
		if p.awaited(r, a) != p.awaited(r, b) {
			return false
		}
	}
	return true
}

// ideal walks the rings with patches like one, tracks sorted or not, without
// counting lanes.
func (p *planner) ideal(patch int32, tracks []int32, start int64, kept int64) []reached {
	list := make([]reached, len(tracks))
	next := p.at
	for r := range p.rings {
		from, done := max(next, start+p.afterAt(r, kept)), next
		for i, n := range tracks {
			t := p.tracks[n]
			if t.ring != r {
				continue
			}
			begin, _, ok := p.calendar(t.binding, &asDeclared).first(from, p.cutoff, t.need())
			if !ok {
				list[i] = reached{never, never}
				continue
			}
			list[i] = reached{begin, begin + t.install + p.soakAt(r, kept)}
			done = max(done, list[i].healthy)
		}
		if p.awaited(r, patch) {
			next = done
		}
	}
	for i, n := range tracks {
		if p.tracks[n].ring < 0 {
			list[i] = reached{never, never}
		}
	}
	return list
}

// latest is when the last of the tracks is healthy, of those that ever are.
func latest(list []reached) int64 {
	var t int64
	for _, r := range list {
		if r.healthy < never {
			t = max(t, r.healthy)
		}
	}
	return t
}

// idealPace is the part of the declared pace with which the goal is met in
// theory, else the deadline: all, a half, a quarter and so on, else none. The
// steps are large so that patches of nearly the same urgency find one another;
// how much a batch keeps is worked out when it is placed.
func (p *planner) idealPace(patch int32, tracks []int32, start int64) int64 {
	for _, by := range []int64{p.goal(patch), p.deadline(patch)} {
		kept := largest(func(kept int64) bool { return latest(p.ideal(patch, tracks, start, kept)) <= by })
		if kept > 0 {
			return 1 << (bits.Len64(uint64(kept)) - 1)
		}
		if kept == 0 {
			return 0
		}
	}
	return 0
}

// fits says whether g may join o: they wait for the same rings, share a host, reach what they have in
// common in the same windows, and neither makes the other late.
func (p *planner) fits(o, g *group) bool {
	common := false
	for t, bucket := range g.tracks {
		b, ok := o.tracks[t]
		if ok && b != bucket {
			return false
		}
		common = common || ok
	}
	return common && p.alike(o.patches[0], g.patches[0]) && o.shares(g) && p.harmless(o, g)
}

func (g *group) shares(o *group) bool {
	for i, set := range g.hosts {
		if set&o.hosts[i] != 0 {
			return true
		}
	}
	return false
}

func (g *group) take(o *group) {
	g.patches = append(g.patches, o.patches...)
	g.start = max(g.start, o.start)
	for t, b := range o.tracks {
		g.tracks[t] = b
	}
	for i, set := range o.hosts {
		g.hosts[i] |= set
	}
}

// harmless says whether no patch that could meet its deadline alone, at the
// highest pace, would miss it in the company of the others.
func (p *planner) harmless(o, g *group) bool {
	done := latest(p.ideal(o.patches[0], sortedTracks(o.tracks, g.tracks), max(o.start, g.start), 0))
	return !slices.ContainsFunc(slices.Concat(o.patches, g.patches), func(patch int32) bool {
		return p.alone[patch] <= p.deadline(patch) && done > p.deadline(patch)
	})
}

func sortedTracks(sets ...map[int32]int64) []int32 {
	var list []int32
	for _, set := range sets {
		for t := range set {
			list = append(list, t)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
