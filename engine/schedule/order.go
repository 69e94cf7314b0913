package schedule

import "slices"

// stage is a ring's classes and the order that dependencies demand of them.
type stage struct {
	classes []int32
	sets    []set   // the distinct sets of services among them
	setOf   []int32 // by place in classes
}

// set is classes whose hosts serve the same services. It begins when those
// that it waits for are done.
type set struct {
	services []int
	size     int // classes
	waits    int
	next     []int32 // sets that wait for this one
}

func (p *planner) stage(b *batch, classes []int32) stage {
	s := stage{classes: classes, setOf: make([]int32, len(classes))}
	known := map[int]int32{}
	for i, n := range classes {
		id := b.classes[n].set
		k, ok := known[id]
		if !ok {
			k = int32(len(s.sets))
			known[id] = k
			s.sets = append(s.sets, set{services: p.sets[id]})
		}
		s.sets[k].size++
		s.setOf[i] = k
	}
	s.relate(p)
	return s
}

// relate makes sets wait for one another: dependents for what they depend on,
// or, within a circle, the later in order for the earlier.
func (s *stage) relate(p *planner) {
	serving := map[int][]int32{}
	for i := range s.sets {
		for _, service := range s.sets[i].services {
			serving[service] = append(serving[service], int32(i))
		}
	}
	after := make([][]int32, len(s.sets)) // what each depends on
	seen := make([]int, len(p.depends))
	for i := range s.sets {
		after[i] = p.before(int32(i), s.sets[i].services, serving, seen)
	}
	position := order(after)
	for i, list := range after {
		for _, j := range list {
			early, late := j, int32(i)
			if position[early] > position[late] {
				if _, both := slices.BinarySearch(after[j], int32(i)); both {
					continue // said once, the other way round
				}
				early, late = late, early
			}
			s.sets[early].next = append(s.sets[early].next, late)
			s.sets[late].waits++
		}
	}
}

// before returns the sets that serve what the services depend on, also through
// others.
func (p *planner) before(i int32, services []int, serving map[int][]int32, seen []int) []int32 {
	var list []int32
	mark := int(i) + 1
	todo := slices.Clone(services)
	for len(todo) > 0 {
		service := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, on := range p.depends[service] {
			if seen[on] == mark {
				continue
			}
			seen[on] = mark
			todo = append(todo, on)
			for _, j := range serving[on] {
				if j != i {
					list = append(list, j)
				}
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// order numbers the sets so that each comes after those it depends on; the sets
// of a circle stand together, as they came. (Tarjan, Depth-first search and
// linear graph algorithms, 1972.)
func order(after [][]int32) []int {
	o := circles{after: after, index: make([]int, len(after)), low: make([]int, len(after)), position: make([]int, len(after))}
	for i := range after {
		o.position[i] = -1
	}
	for i := range after {
		if o.index[i] == 0 {
			o.visit(int32(i))
		}
	}
	return o.position
}

// circles finds sets that depend on one another.
type circles struct {
	after      [][]int32
	index, low []int // from 1
	position   []int
	stack      []int32
	seen, done int
}

func (o *circles) visit(i int32) {
	o.seen++
	o.index[i], o.low[i] = o.seen, o.seen
	o.stack = append(o.stack, i)
	for _, j := range o.after[i] {
		switch {
		case o.index[j] == 0:
			o.visit(j)
			o.low[i] = min(o.low[i], o.low[j])
		case o.position[j] < 0:
			o.low[i] = min(o.low[i], o.index[j])
		}
	}
	if o.low[i] != o.index[i] {
		return
	}
	from := len(o.stack) - 1
	for o.stack[from] != i {
		from--
	}
	circle := o.stack[from:]
	slices.Sort(circle)
	for _, j := range circle {
		o.position[j] = o.done
		o.done++
	}
	o.stack = o.stack[:from]
}

// numbers is a heap of numbers, the smallest first.
type numbers []int32

func (n numbers) Len() int           { return len(n) }
func (n numbers) Less(i, j int) bool { return n[i] < n[j] }
func (n numbers) Swap(i, j int)      { n[i], n[j] = n[j], n[i] }
func (n *numbers) Push(x any)        { *n = append(*n, x.(int32)) }
func (n *numbers) Pop() any {
	last := len(*n) - 1
	x := (*n)[last]
	*n = (*n)[:last]
	return x
}
