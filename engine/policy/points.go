package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Points are the decision points, from the whole to the single change, and what
// edits the estate.
var Points = []Point{Plan, Wave, Change, Edit}

// sections are those of each point.
var sections = map[Point][]string{
	Change: {"estate", "history", "patch", "host", "service", "tier", "ring"},
	Wave:   {"estate", "history", "plan", "ring", "wave"},
	Plan:   {"estate", "history", "plan"},
	Edit:   {"estate", "edit"},
}

// certain are the sections that every input of a point has: a host may be in no
// service, tier or ring.
var certain = map[Point][]string{
	Change: {"estate", "history", "patch", "host"},
	Wave:   {"estate", "history", "plan", "ring", "wave"},
	Plan:   {"estate", "history", "plan"},
	Edit:   {"estate", "edit"},
}

// scalars are there at every point and belong to no section.
var scalars = []string{"schema", "point", "phase", "at"}

// place finds the points at which a clause is asked: those that have every
// section it reads, narrowed by what its body says of input.point. Only one that
// reads input.edit is asked about edits: a rule that stops whatever comes would
// otherwise stop its own correction.
func (c *clause) place() error {
	var needs []string
	for _, p := range c.reads {
		if len(p) > 0 && !slices.Contains(scalars, p[0]) && !slices.Contains(needs, p[0]) {
			needs = append(needs, p[0])
		}
	}
	has := func(point Point) bool {
		return (point != Edit || slices.Contains(needs, "edit")) && !slices.ContainsFunc(needs, func(name string) bool { return !slices.Contains(sections[point], name) })
	}
	for _, point := range Points {
		if has(point) {
			c.points = append(c.points, point)
		}
	}
	if len(c.points) == 0 {
		return fmt.Errorf("%s reads input.%s, which no decision point has together", c.rule, strings.Join(needs, " and input."))
	}
	for _, only := range said(c.body) {
		if sections[only] == nil {
			return fmt.Errorf(`%s asks for input.point == %q; expected one of "plan", "wave", "change", "edit"`, c.rule, string(only))
		}
		c.points = slices.DeleteFunc(c.points, func(p Point) bool { return p != only })
	}
	if len(c.points) == 0 {
		return fmt.Errorf("%s is never asked: what it reads is not there at the point that it asks for", c.rule)
	}
	return nil
}

var pointRef = ast.MustParseRef("input.point")

// said are the points that a compiled body demands in so many words.
func said(body ast.Body) []Point {
	var list []Point
	for _, x := range body {
		if x.Negated || !x.IsEquality() || len(x.Operands()) != 2 {
			continue
		}
		for i := range 2 {
			ref, isRef := x.Operand(i).Value.(ast.Ref)
			text, isText := x.Operand(1 - i).Value.(ast.String)
			if isRef && isText && ref.Equal(pointRef) {
				list = append(list, Point(text))
			}
		}
	}
	return list
}
