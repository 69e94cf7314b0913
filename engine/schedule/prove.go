package schedule

import (
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// constraint is what may stand against a patch's clock. Relax takes it away.
type constraint struct {
	kind  string
	index int // of a window or freeze
	relax func(*rules)
}

// conflict is the constraints of a batch and which of them are in force. A
// batch's last constraint is the clock, which no rule knows: it is judged.
type conflict struct {
	p    *planner
	b    *batch
	i    int // the patch's place in the batch
	list []constraint
	in   []bool
	ends []int // where groups end that are taken away together first
}

// prove says why a patch misses its clock, and what would help. A patch that
// meets it gets the zero Proof.
func (p *planner) prove(b *batch, t *trial, i int) Proof {
	if p.met(b, t, i) {
		return Proof{}
	}
	c := p.conflict(b, i)
	c.minimise()
	return Proof{Conflict: c.tell(t), WaysOut: p.ways(c, t)}
}

// conflict is all constraints that bind the batch. What is found first to be
// superfluous is left out of the minimal set, so what explains best comes last.
func (p *planner) conflict(b *batch, i int) *conflict {
	c := &conflict{p: p, b: b, i: i, list: []constraint{
		{"after", -1, func(r *rules) { r.noAfter = true }},
		{"availability", -1, func(r *rules) { r.noAvailability = true }},
		{"capacity", -1, func(r *rules) { r.noCapacity = true }},
		{"order", -1, func(r *rules) { r.noOrder = true }},
		{"soak", -1, func(r *rules) { r.noSoak = true }},
	}}
	c.ends = append(c.ends, len(c.list))
	windows, freezes := p.bound(b, -1)
	for _, f := range freezes {
		if p.freezes[f].end <= p.at || p.freezes[f].start >= p.latest(b) {
			continue // what begins after all deadlines is in nobody's way
		}
		c.list = append(c.list, constraint{"freeze", f, func(r *rules) {
			if r.noFreeze == nil {
				r.noFreeze = make([]bool, len(p.freezes))
			}
			r.noFreeze[f] = true
		}})
	}
	c.ends = append(c.ends, len(c.list))
	for _, w := range windows {
		c.list = append(c.list, constraint{"window", w, func(r *rules) {
			if r.noWindow == nil {
				r.noWindow = make([]bool, len(p.windows))
			}
			r.noWindow[w] = true
		}})
	}
	c.ends = append(c.ends, len(c.list), len(c.list)+1)
	c.list = append(c.list, constraint{"clock", -1, func(*rules) {}})
	c.in = make([]bool, len(c.list))
	for i := range c.in {
		c.in[i] = true
	}
	return c
}

// latest is the last deadline of a batch.
func (p *planner) latest(b *batch) int64 {
	var last int64
	for _, patch := range b.patches {
		last = max(last, p.deadline(patch))
	}
	return last
}

// bound returns the windows and freezes of a patch's hosts, of the whole
// batch's for -1, sorted.
func (p *planner) bound(b *batch, i int) (windows, freezes []int) {
	seen := map[int]bool{}
	for _, c := range b.having(i) {
		if seen[c.binding] {
			continue
		}
		seen[c.binding] = true
		windows = append(windows, p.bindings[c.binding].windows...)
		freezes = append(freezes, p.bindings[c.binding].freezes...)
	}
	slices.Sort(windows)
	slices.Sort(freezes)
	return slices.Compact(windows), slices.Compact(freezes)
}

// having returns the classes with a patch, all for -1.
func (b *batch) having(i int) []*class {
	var list []*class
	if i < 0 {
		for n := range b.classes {
			list = append(list, &b.classes[n])
		}
		return list
	}
	for _, n := range b.of[i] {
		list = append(list, &b.classes[n])
	}
	return list
}

// rules leaves out what is not in force.
func (c *conflict) rules() (*rules, string) {
	r, name := &rules{}, make([]byte, 0, len(c.in)+1)
	name = append(name, '=')
	for k, in := range c.in[:len(c.in)-1] {
		if !in {
			c.list[k].relax(r)
		}
		name = append(name, yes(in))
	}
	return r, string(name)
}

// impossible says whether the constraints in force cannot hold together.
func (c *conflict) impossible() bool {
	r, name := c.rules()
	t := c.p.trial(c.b, name, r)
	if !c.in[len(c.in)-1] {
		return t.unplaced[c.i] > 0
	}
	return !c.p.met(c.b, t, c.i)
}

// minimise takes constraints away, groups of them first, as long as what is
// left is impossible. Placing is greedy, so that fewer constraints may, rarely,
// end later; the last pass makes sure that every member is needed.
func (c *conflict) minimise() {
	from := 0
	for _, to := range c.ends {
		c.drop(from, to)
		from = to
	}
	for again := true; again; {
		again = false
		for k, in := range c.in {
			if in && c.without(k, k+1) {
				again = true
			}
		}
	}
}

// drop takes away what it can of a group.
func (c *conflict) drop(from, to int) {
	if from == to || c.without(from, to) || to-from == 1 {
		return
	}
	half := (from + to) / 2
	c.drop(from, half)
	c.drop(half, to)
}

// without takes a group away if the rest is still impossible.
func (c *conflict) without(from, to int) bool {
	before := slices.Clone(c.in[from:to])
	for k := from; k < to; k++ {
		c.in[k] = false
	}
	if c.impossible() {
		return true
	}
	copy(c.in[from:to], before)
	return false
}

// tell is the minimal set for people, the clock first and the others by how
// much they explain.
func (c *conflict) tell(t *trial) []plan.Constraint {
	var list []plan.Constraint
	for k := len(c.list) - 1; k >= 0; k-- {
		if c.in[k] {
			list = append(list, c.say(c.list[k], t))
		}
	}
	// Windows and freezes were met from behind; names are read from the front.
	slices.SortStableFunc(list, func(a, b plan.Constraint) int {
		if a.Kind != b.Kind {
			return 0
		}
		return slices.Compare([]byte(a.Name), []byte(b.Name))
	})
	return list
}
