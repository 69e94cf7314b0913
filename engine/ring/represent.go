package ring

import (
	"cmp"
	"container/heap"
	"slices"
)

// worth is how many hosts' worth a host must add to what those taken stand for, to
// be taken before a less critical one that adds nothing.
const worth = 0.5

// represent takes the members that stand best for all: by facility location, the
// sum over all members of how well the best of those taken stands for it, greedily,
// which comes to at least 1 − 1/e of the best there is (Nemhauser, Wolsey and Fisher
// 1978), lazily (Minoux 1978). Least critical tiers come first: a host of a more
// critical one is taken when none before it adds half a host's worth, and one of
// the most critical tier that matches is not taken for that. Whatever room is left
// is filled in the order of free, which is least critical first.
func (f *filling) represent(free []int) {
	if f.stands == nil || len(free) == 0 {
		return
	}
	byRank := map[int][]int{}
	for _, m := range free {
		byRank[f.members[m].Rank] = append(byRank[f.members[m].Rank], m)
	}
	var ranks []int
	for r := range byRank {
		ranks = append(ranks, r)
	}
	slices.SortFunc(ranks, func(a, b int) int { return cmp.Compare(b, a) })
	if n := len(ranks); n > 1 {
		ranks = ranks[:n-1]
	}
	for _, r := range ranks {
		f.tier(byRank[r])
	}
}

// tier takes the hosts of one tier that add most, of each kind in the order of list.
func (f *filling) tier(list []int) {
	q := &gains{}
	first := map[int]*gain{}
	for n, m := range list {
		kind := f.members[m].Kind
		if kind < 0 {
			continue
		}
		if g, ok := first[kind]; ok {
			g.hosts = append(g.hosts, m)
			continue
		}
		g := &gain{kind: kind, order: n, worth: f.stands.adds(kind), hosts: []int{m}}
		first[kind] = g
		*q = append(*q, g)
	}
	heap.Init(q)
	for f.room > 0 && q.Len() > 0 {
		g := (*q)[0]
		if g.worth < worth {
			return
		}
		if now := f.stands.adds(g.kind); now < g.worth { // it can only have become less
			g.worth = now
			heap.Fix(q, 0)
			continue
		}
		taken := false
		for len(g.hosts) > 0 && !taken {
			taken = f.take(g.hosts[0])
			g.hosts = g.hosts[1:]
		}
		if len(g.hosts) == 0 {
			heap.Pop(q)
		}
	}
}

// gain is what a further host of a kind would add.
type gain struct {
	kind  int
	order int // that of its first host
	worth float64
	hosts []int // in the order in which they are taken
}

// gains is a heap: most worth first, then by order.
type gains []*gain

func (q gains) Len() int { return len(q) }
func (q gains) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(q[j].worth, q[i].worth), cmp.Compare(q[i].order, q[j].order)) < 0
}
func (q gains) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *gains) Push(x any)   { *q = append(*q, x.(*gain)) }
func (q *gains) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// stands is how well the hosts taken so far stand for all members.
type stands struct {
	kinds *Kinds
	hosts []float64 // members by kind
	best  []float32 // kind → how like it the most like of those taken is
	apart int       // members of no kind
	alone int       // of them, those that were taken
}

// newStands is nil where nothing is known of what members are like.
func newStands(members []Member, kinds *Kinds) *stands {
	if kinds == nil {
		return nil
	}
	s := &stands{kinds: kinds, hosts: make([]float64, len(kinds.like)), best: make([]float32, len(kinds.like))}
	for _, m := range members {
		if m.Kind < 0 {
			s.apart++
			continue
		}
		s.hosts[m.Kind]++
	}
	return s
}

// adds is how many hosts' worth a further host of the kind would add.
func (s *stands) adds(kind int) float64 {
	sum := 0.0
	for i, n := range s.hosts {
		if n == 0 {
			continue
		}
		if more := s.kinds.like[i][kind] - s.best[i]; more > 0 {
			sum += float64(n * float64(more))
		}
	}
	return sum
}

func (s *stands) take(kind int) {
	if s == nil {
		return
	}
	if kind < 0 {
		s.alone++
		return
	}
	for i := range s.best {
		s.best[i] = max(s.best[i], s.kinds.like[i][kind])
	}
}

// share is how well those taken stand for all members, 0 to 1; -1 where it is not
// known.
func (s *stands) share() float64 {
	if s == nil {
		return -1
	}
	sum, of := float64(s.alone), float64(s.apart)
	for i, n := range s.hosts {
		sum += float64(n * float64(s.best[i]))
		of += n
	}
	if of == 0 {
		return -1
	}
	return sum / of
}
