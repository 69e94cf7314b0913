package schedule

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// class is visits that can be exchanged for one another: hosts of one profile,
// not before the same time, which earlier batches visit at the same times.
type class struct {
	profile
	notBefore int64
	busy      []span
	visits    []visit // those with the most urgent patches first
	alike     []alike // of the visits, in their order
	follows   []int32 // classes that must be done before, for they have the same hosts
}

// alike is how many visits that follow one another have the same patches.
type alike struct {
	patches []int32 // places in batch.patches
	n       int
}

// visit is what is done on a host at once.
type visit struct {
	host    int32
	list    int32 // of patches
	changes []int32
}

// sorter puts a batch's visits into classes.
type sorter struct {
	p     *planner
	b     *batch
	place []int32 // by patch: its place in the batch
	known map[string]int32
	lists map[string]int32 // of places of patches
	list  [][]int32
	pairs map[[2]int32]bool
	key   []byte
}

// classes makes the batch's classes and the stages of its rings. It comes after
// all earlier batches have taken their places.
func (p *planner) classes(b *batch) {
	s := sorter{p: p, b: b, place: make([]int32, len(p.in.Patches)), known: map[string]int32{}, lists: map[string]int32{}, pairs: map[[2]int32]bool{}}
	for i, patch := range b.patches {
		s.place[patch] = int32(i)
	}
	byHost := func(i, j int32) int {
		x, y := &p.in.Changes[i], &p.in.Changes[j]
		return cmp.Or(cmp.Compare(x.Host, y.Host), cmp.Compare(i, j))
	}
	if !slices.IsSortedFunc(b.changes, byHost) {
		slices.SortFunc(b.changes, byHost)
	}
	for i := 0; i < len(b.changes); {
		host, end := p.in.Changes[b.changes[i]].Host, i+1
		for end < len(b.changes) && p.in.Changes[b.changes[end]].Host == host {
			end++
		}
		s.host(host, b.changes[i:end])
		i = end
	}
	s.finish()
}

// host sorts a host's changes into visits. Those that different holds let begin
// at different times are visits of their own.
func (s *sorter) host(host int32, changes []int32) {
	var previous int32 = -1
	for _, g := range s.split(host, changes) {
		n := s.class(host, g)
		s.b.classes[n].visits = append(s.b.classes[n].visits, visit{host, s.patches(g.changes), g.changes})
		if pair := [2]int32{previous, n}; previous >= 0 && !s.pairs[pair] {
			s.pairs[pair] = true
			s.b.classes[n].follows = append(s.b.classes[n].follows, previous)
		}
		previous = n
	}
}

// held is changes of one host that may begin at the same time.
type held struct {
	first, notBefore int64
	changes          []int32
}

func (s *sorter) split(host int32, changes []int32) []held {
	free := true
	for _, c := range changes {
		free = free && !s.p.in.Changes[c].NotBefore.After(s.p.in.At)
	}
	if free {
		return []held{{changes: changes}}
	}
	pr := &s.p.profiles[s.p.profile[host]]
	cal := s.p.calendar(pr.binding, &asDeclared)
	var list []held
	for _, c := range changes {
		at := max(s.p.at, ceil(s.p.in.Changes[c].NotBefore))
		first, _, ok := cal.first(at, s.p.cutoff, pr.install+pr.rollback)
		if !ok {
			first = at
		}
		i := slices.IndexFunc(list, func(h held) bool { return h.first == first })
		if i < 0 {
			list = append(list, held{first: first})
			i = len(list) - 1
		}
		list[i].notBefore = max(list[i].notBefore, at)
		list[i].changes = append(list[i].changes, c)
	}
	slices.SortFunc(list, func(a, b held) int { return cmp.Compare(a.first, b.first) })
	return list
}

// class finds or makes the class of a visit.
func (s *sorter) class(host int32, g held) int32 {
	p := s.p
	key := binary.LittleEndian.AppendUint32(s.key[:0], uint32(p.profile[host]))
	key = binary.LittleEndian.AppendUint64(key, uint64(g.notBefore))
	for _, busy := range p.busy[host] {
		if busy.end > s.b.start {
			key = binary.LittleEndian.AppendUint64(key, uint64(busy.start))
			key = binary.LittleEndian.AppendUint64(key, uint64(busy.end))
		}
	}
	s.key = key
	n, ok := s.known[string(key)]
	if ok {
		return n
	}
	n = int32(len(s.b.classes))
	s.known[string(key)] = n
	c := class{profile: p.profiles[p.profile[host]], notBefore: g.notBefore}
	for _, busy := range p.busy[host] {
		if busy.end > s.b.start {
			c.busy = append(c.busy, busy)
		}
	}
	s.b.classes = append(s.b.classes, c)
	return n
}

// patches numbers the patches of changes.
func (s *sorter) patches(changes []int32) int32 {
	key := s.key[:0]
	for _, c := range changes {
		key = binary.LittleEndian.AppendUint32(key, uint32(s.place[s.p.in.Changes[c].Patch]))
	}
	s.key = key
	n, ok := s.lists[string(key)]
	if !ok {
		n = int32(len(s.list))
		s.lists[string(key)] = n
		list := make([]int32, len(changes))
		for i, c := range changes {
			list[i] = s.place[s.p.in.Changes[c].Patch]
		}
		slices.Sort(list)
		s.list = append(s.list, list)
	}
	return n
}

// finish orders visits and classes, those with the most urgent patches first
// (patches stand in a batch by deadline), and makes the stages.
func (s *sorter) finish() {
	b, rings := s.b, len(s.p.rings)
	b.of = make([][]int32, len(b.patches))
	lists := make([][]int32, rings+1)
	for i := range b.classes {
		c := &b.classes[i]
		s.group(c)
		for _, a := range c.alike {
			for _, patch := range a.patches {
				if of := b.of[patch]; len(of) == 0 || of[len(of)-1] != int32(i) {
					b.of[patch] = append(of, int32(i))
				}
			}
		}
		r := c.ring
		if r < 0 {
			r = rings
		}
		lists[r] = append(lists[r], int32(i))
	}
	b.rings = make([]stage, rings+1)
	for r, list := range lists {
		slices.SortStableFunc(list, func(i, j int32) int {
			return cmp.Compare(b.classes[i].alike[0].patches[0], b.classes[j].alike[0].patches[0])
		})
		b.rings[r] = s.p.stage(b, list)
	}
}

// group sorts a class's visits.
func (s *sorter) group(c *class) {
	slices.SortFunc(c.visits, func(a, b visit) int {
		return cmp.Or(cmp.Compare(s.list[a.list][0], s.list[b.list][0]), cmp.Compare(a.list, b.list), cmp.Compare(a.host, b.host))
	})
	for i, v := range c.visits {
		if i == 0 || v.list != c.visits[i-1].list {
			c.alike = append(c.alike, alike{patches: s.list[v.list]})
		}
		c.alike[len(c.alike)-1].n++
	}
}
