package policy

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

var noDescription = Check{
	Name: "no-description", Warning: true,
	About: "Reviewers and auditors read titles, not Rego. A package has a title and a description in its METADATA, and each rule that decides a title.",
	find: func(l *linter) {
		l.deciding(func(rule string, r *ast.Rule, _ *ast.Module) {
			if !titledRule(l.set.compiler, r) {
				l.report(r.Location, "%s has no title; a METADATA block above it gives one", rule)
			}
		})
		for _, name := range l.src.names() {
			m := l.src.modules[name]
			if concernOf(m) == "" || strings.HasSuffix(name, "_test.rego") {
				continue
			}
			if missing := undescribed(m); missing != "" {
				l.report(m.Package.Location, "package %s has no %s; the METADATA block above it gives one", strings.TrimPrefix(m.Package.Path.String(), "data."), missing)
			}
		}
	},
}

// titledRule says that a rule, or all rules of its name, have a title.
func titledRule(c *ast.Compiler, r *ast.Rule) bool {
	for _, a := range annotations(c, r) {
		if a.Title != "" {
			return true
		}
	}
	return false
}

// undescribed is what a package's METADATA lacks.
func undescribed(m *ast.Module) string {
	title, description := false, false
	for _, a := range m.Annotations {
		if a.Scope == "package" || a.Scope == "subpackages" {
			title, description = title || a.Title != "", description || a.Description != ""
		}
	}
	switch {
	case !title && !description:
		return "title and no description"
	case !title:
		return "title"
	case !description:
		return "description"
	}
	return ""
}
