package policy

import "github.com/open-policy-agent/opa/v1/ast"

var unusedRule = Check{
	Name: "unused-rule", Warning: true,
	About: "A rule or function that no decision leans on is never evaluated. Use it, or delete it with its tests.",
	find: func(l *linter) {
		reached := map[string]bool{}
		for r := range l.reached {
			reached[nameOf(r)] = true
		}
		told := map[string]bool{}
		for _, r := range l.program.rules { // by place
			if name := nameOf(r); !reached[name] && !told[name] {
				told[name] = true
				l.report(r.Location, "%s: no decision leans on it", describeRule(r, name))
			}
		}
	},
}

func describeRule(r *ast.Rule, name string) string {
	if len(r.Head.Args) > 0 {
		return "function " + name
	}
	return "rule " + name
}
