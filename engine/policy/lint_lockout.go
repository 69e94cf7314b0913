package policy

import (
	"maps"
	"slices"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

var lockOut = Check{
	Name: "lock-out", Warning: true,
	About: "What edits policies/ is judged by the policies before it. Rules that deny or hold such an edit even where somebody of every team approved it may never be changed again: let them require people, or say when they stop.",
	find: func(l *linter) {
		v := l.set.views[Edit]
		in := edited(l.constants())
		for i, c := range v.clauses {
			for _, d := range l.set.alone(v, i, in) {
				if d.Effect == plan.Deny || d.Effect == plan.Hold {
					l.report(c.compiled.Location, "%s stops an edit of policies/ that somebody of every team approved (%s): could anybody change it again?", c.rule, d.Message)
					break
				}
			}
		}
	},
}

// alone is what one clause of a view says of an input.
func (s *Set) alone(v *view, at int, in *Input) []plan.Decision {
	one := Set{s.set}
	one.views = maps.Clone(s.views)
	one.views[in.Point] = viewOf(v.clauses[at:at+1], in.Point)
	return one.Decide(in, nil)
}

// edited is an edit of one policy that somebody of each team approved.
func edited(teams []string) *Input {
	return &Input{
		Schema: Schema, Point: Edit, Phase: "plan", At: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC),
		Estate: Estate{Name: "estate", Clock: "wall", Review: "required", Owners: []string{DefaultTeam}, Tiers: 1},
		Edit: &EditInput{
			Branch: "policies", Author: "somebody", AuthorTeams: []string{}, Kinds: []string{"policy"},
			Paths:      []EditPath{{Path: "policies/x/x.rego", Kinds: []string{"policy"}}},
			Approvals:  []EditApproval{{By: "somebody else", Teams: teams}, {By: "a third", Teams: teams}, {By: "a fourth", Teams: teams}},
			Exceptions: []EditException{}, Overrides: []EditOverride{},
		},
	}
}

// constants are the texts that policies and their data hold, of which some are
// names of teams.
func (l *linter) constants() []string {
	words := map[string]bool{DefaultTeam: true}
	for _, m := range l.src.modules {
		ast.WalkTerms(m, func(t *ast.Term) bool {
			if s, ok := t.Value.(ast.String); ok {
				words[string(s)] = true
			}
			return false
		})
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			words[v] = true
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(l.src.data)
	return slices.Sorted(maps.Keys(words))
}
