package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// sinceMost is how many lines tell what changed, and sinceNames how many names
// stand in one.
const sinceMost, sinceNames = 20, 4

// Since says in plain lines what a plan that was written again changes for those
// who read it before, what widens it first. It is empty where they would read the
// same.
func Since(before, now *plan.Plan) []string {
	a, b := read(before), read(now)
	var list []string
	say := func(format string, names []string) {
		if len(names) > 0 {
			list = append(list, fmt.Sprintf(format, strings.Join(cut(names, sinceNames), ", ")))
		}
	}
	more, fewer := apart(keys(a.uses), keys(b.uses))
	say("patches that were not in it: %s", more)
	say("patches that left it: %s", fewer)
	more, fewer = apart(hostsOf(a), hostsOf(b))
	say("hosts that were not in it: %s", more)
	say("hosts that left it: %s", fewer)
	list = append(list, times(a, b)...)
	list = append(list, risks(a, b)...)
	more, _ = apart(staying(a.Plan), staying(b.Plan))
	say("what cannot be rolled back: %s", more)
	more, fewer = apart(asked(a.Plan), asked(b.Plan))
	say("approvals that were not asked for: %s", more)
	say("approvals no longer asked for: %s", fewer)
	more, fewer = apart(ruled(a.Plan), ruled(b.Plan))
	say("policy now says: %s", more)
	say("policy no longer says: %s", fewer)
	if n, m := len(a.NotPlanned), len(b.NotPlanned); n != m {
		list = append(list, fmt.Sprintf("changes that wait: %d, and %d before", m, n))
	}
	say("made from other %s", inputs(a.Inputs, b.Inputs))
	if len(list) > sinceMost {
		list = append(list[:sinceMost-1], fmt.Sprintf("and %d differences more", len(list)-sinceMost+1))
	}
	return list
}

// apart is what only b has, and what only a has. Both are sorted.
func apart(a, b []string) (more, fewer []string) {
	for _, x := range b {
		if _, ok := slices.BinarySearch(a, x); !ok {
			more = append(more, x)
		}
	}
	for _, x := range a {
		if _, ok := slices.BinarySearch(b, x); !ok {
			fewer = append(fewer, x)
		}
	}
	return more, fewer
}

func keys[V any](m map[plan.PatchID]V) []string {
	list := make([]string, 0, len(m))
	for id := range m {
		list = append(list, string(id))
	}
	slices.Sort(list)
	return list
}

func hostsOf(s *sheet) []string {
	var list []string
	eachChange(s.Plan, func(_ *plan.Ring, _ *plan.Wave, c *plan.Change) { list = append(list, string(c.Host)) })
	slices.Sort(list)
	return slices.Compact(list)
}

// times are the plan's ends and its deadline, where they moved.
func times(a, b *sheet) []string {
	var list []string
	first, last := ends(a.Plan)
	first2, last2 := ends(b.Plan)
	if !first.Equal(first2) || !last.Equal(last2) {
		list = append(list, fmt.Sprintf("it runs from %s to %s, and before from %s to %s", moment(first2), moment(last2), moment(first), moment(last)))
	}
	if x, y := a.deadline(), b.deadline(); !x.Equal(y) {
		list = append(list, fmt.Sprintf("the first deadline is %s, and was %s", moment(y), moment(x)))
	}
	return list
}

// risks are the patches whose risk reads otherwise, the largest steps first.
func risks(a, b *sheet) []string {
	type step struct {
		id       plan.PatchID
		was, now plan.Risk
	}
	was := map[plan.PatchID]plan.Risk{}
	for _, x := range a.planned {
		was[x.ID] = x.DeployRisk
	}
	var list []step
	for _, x := range b.planned {
		if r, ok := was[x.ID]; ok && risk(r) != risk(x.DeployRisk) {
			list = append(list, step{x.ID, r, x.DeployRisk})
		}
	}
	slices.SortStableFunc(list, func(a, b step) int {
		return cmp.Compare(math.Abs(b.now.P-b.was.P), math.Abs(a.now.P-a.was.P))
	})
	var lines []string
	for i, x := range list {
		if i == sinceNames {
			lines = append(lines, fmt.Sprintf("and the risk of %s more", plural(len(list)-i, "patch")))
			break
		}
		lines = append(lines, fmt.Sprintf("%s may break with %s, and before with %s", x.id, risk(x.now), risk(x.was)))
	}
	return lines
}

// staying are the patches that cannot be rolled back, with why.
func staying(p *plan.Plan) []string {
	var list []string
	for _, x := range p.Patches {
		for _, n := range x.NoRollback {
			list = append(list, fmt.Sprintf("%s (%s)", x.ID, n.Why))
		}
	}
	slices.Sort(list)
	return list
}

func asked(p *plan.Plan) []string {
	var list []string
	for _, a := range p.Approvals {
		list = append(list, fmt.Sprintf("%d of %s", a.Count, a.From))
	}
	slices.Sort(list)
	return list
}

// ruled are the rules that spoke, of patches and of changes.
func ruled(p *plan.Plan) []string {
	rules := map[string]bool{}
	for _, x := range p.Patches {
		for _, d := range x.Decisions {
			rules[d.Rule] = true
		}
	}
	eachChange(p, func(_ *plan.Ring, _ *plan.Wave, c *plan.Change) {
		for i := range c.Decisions {
			rules[c.Decisions[i].Rule] = true
		}
	})
	list := make([]string, 0, len(rules))
	for r := range rules {
		list = append(list, r)
	}
	slices.Sort(list)
	return list
}

// inputs names what a plan was made from that differs.
func inputs(a, b plan.Inputs) []string {
	var list []string
	for _, x := range []struct{ name, a, b string }{
		{"inventory", a.Inventory, b.Inventory}, {"advisories", a.Advisories, b.Advisories}, {"rings", a.Rings, b.Rings},
		{"policies", a.Policies, b.Policies}, {"models", a.Models, b.Models}, {"outcomes", a.Outcomes, b.Outcomes}, {"engine", a.Engine, b.Engine},
	} {
		if x.a != x.b {
			list = append(list, x.name)
		}
	}
	return list
}
