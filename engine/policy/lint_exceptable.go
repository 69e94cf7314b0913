package policy

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

var exceptableUnsaid = Check{
	Name: "exceptable-unsaid", Warning: true,
	About: "Whether a rule yields to a declared exception is a decision; one that denies, holds or requires says so in its METADATA: custom.exceptable, true or false.",
	find: func(l *linter) {
		l.deciding(func(rule string, r *ast.Rule, _ *ast.Module) {
			if strings.HasSuffix(rule, ".warn") {
				return // nothing is loosened by waiving a warning
			}
			for _, a := range annotations(l.set.compiler, r) {
				if _, said := a.Custom["exceptable"]; said {
					return
				}
			}
			l.report(r.Location, "%s does not say whether it yields to an exception; expected custom.exceptable in its METADATA, true or false", rule)
		})
	},
}
