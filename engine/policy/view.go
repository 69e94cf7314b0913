package policy

import (
	"fmt"
	"reflect"
	"slices"
)

// order has the sections that vary least first, so that joins of projections
// share their beginnings. The empty name is the scalars.
var order = []string{"", "estate", "history", "ring", "plan", "tier", "service", "patch", "wave", "host", "edit"}

// view is what the clauses asked at one point read.
type view struct {
	clauses []*clause
	groups  []group // nodes 0 … len(groups)-1
	joins   []join  // the nodes after them
	node    []int   // clause → its node; -1 reads nothing
}

// group is the attributes of one section that some clause reads.
type group struct {
	section int // into order
	getters []getter
}

// join is two nodes read together.
type join struct{ left, right int }

func views(clauses []*clause) map[Point]*view {
	all := map[Point]*view{}
	for _, point := range Points {
		all[point] = viewOf(clauses, point)
	}
	return all
}

func viewOf(clauses []*clause, point Point) *view {
	b := builder{view: &view{}, groups: map[string]int{}, joins: map[join]int{}}
	var groups [][]int // of each clause, by section
	for _, c := range clauses {
		if slices.Contains(c.points, point) {
			b.view.clauses = append(b.view.clauses, c)
			groups = append(groups, b.split(c, point))
		}
	}
	for _, list := range groups { // joins are numbered after all groups
		b.view.node = append(b.view.node, b.joined(list))
	}
	return b.view
}

type builder struct {
	view   *view
	groups map[string]int
	joins  map[join]int
}

// split sorts what a clause reads into groups, at most one a section.
func (b *builder) split(c *clause, point Point) []int {
	by := make([][]trail, len(order))
	for _, p := range c.reads {
		switch {
		case len(p) == 0:
			for _, name := range scalars {
				by[0] = append(by[0], trail{name})
			}
			for i, name := range order {
				if slices.Contains(sections[point], name) {
					by[i] = []trail{{}}
				}
			}
		case slices.Contains(scalars, p[0]):
			by[0] = append(by[0], p)
		default:
			i := slices.Index(order, p[0])
			by[i] = append(by[i], p[1:])
		}
	}
	var list []int
	for i, paths := range by {
		if len(paths) > 0 {
			list = append(list, b.group(i, paths))
		}
	}
	return list
}

func (b *builder) group(section int, paths []trail) int {
	key := fmt.Sprintf("%d %q", section, paths)
	if i, ok := b.groups[key]; ok {
		return i
	}
	g := group{section: section}
	for _, p := range paths {
		get, err := newGetter(sectionType(section), p)
		if err != nil {
			panic("policy: the type checker let input." + order[section] + " " + p.String() + " pass: " + err.Error())
		}
		g.getters = append(g.getters, get)
	}
	b.view.groups = append(b.view.groups, g)
	b.groups[key] = len(b.view.groups) - 1
	return len(b.view.groups) - 1
}

// joined is the node of a clause's groups.
func (b *builder) joined(groups []int) int {
	if len(groups) == 0 {
		return -1
	}
	node := groups[0]
	for _, g := range groups[1:] {
		j := join{node, g}
		at, ok := b.joins[j]
		if !ok {
			at = len(b.view.groups) + len(b.view.joins)
			b.view.joins = append(b.view.joins, j)
			b.joins[j] = at
		}
		node = at
	}
	return node
}

// fields are where Input keeps each section, by its place in order.
var fields = func() []int {
	t := reflect.TypeFor[Input]()
	list := make([]int, len(order))
	for i, name := range order[1:] {
		a, ok := find(t, name)
		if !ok {
			panic("policy: input has no " + name)
		}
		list[i+1] = a.index
	}
	return list
}()

func sectionType(section int) reflect.Type {
	t := reflect.TypeFor[Input]()
	if section == 0 {
		return t
	}
	return t.Field(fields[section]).Type
}
