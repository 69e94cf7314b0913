package policy

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

var hiddenRule = Check{
	Name: "hidden-rule", Warning: true,
	About: "A rule that never speaks without a stronger one beside it adds nothing, and two rules of one effect with the same words cannot be told apart.",
	find: func(l *linter) {
		byPackage := map[string][]spoken{}
		var packages []string
		l.deciding(func(rule string, r *ast.Rule, m *ast.Module) {
			pkg := m.Package.Path.String()
			if byPackage[pkg] == nil {
				packages = append(packages, pkg)
			}
			byPackage[pkg] = append(byPackage[pkg], newSpoken(rule, r))
		})
		for _, pkg := range packages {
			for i, a := range byPackage[pkg] {
				for _, b := range byPackage[pkg][:i] {
					l.compare(a, b)
					l.compare(b, a)
					l.sameWords(a, b)
				}
			}
		}
	},
}

// spoken is a rule as the check compares it.
type spoken struct {
	rule       string
	parsed     *ast.Rule
	strength   int
	conditions []string // as they are written
	words      string   // the message as it is written, "" where it is worked out
	facts      string
}

func newSpoken(rule string, r *ast.Rule) spoken {
	effect, _ := effectOf(r)
	s := spoken{rule: rule, parsed: r, strength: strength(effect)}
	for _, x := range r.Body {
		s.conditions = append(s.conditions, x.String())
	}
	if answer, ok := answerOf(r); ok {
		if msg := answer.Get(ast.StringTerm("msg")); msg != nil {
			s.words = msg.String()
		}
		if facts := answer.Get(ast.StringTerm("facts")); facts != nil {
			s.facts = facts.String()
		}
	}
	return s
}

// compare tells of a rule whose conditions are all among a weaker one's.
func (l *linter) compare(strong, weak spoken) {
	if strong.strength >= weak.strength || len(strong.parsed.Body) == 0 || always(strong.parsed) {
		return
	}
	for _, x := range strong.conditions {
		if !slices.Contains(weak.conditions, x) {
			return
		}
	}
	l.report(weak.parsed.Location, "%s never speaks without %s of line %d, which is stronger and has no condition that this one lacks", weak.rule, strong.rule, strong.parsed.Location.Row)
}

// always says that a rule has no condition.
func always(r *ast.Rule) bool {
	return len(r.Body) == 1 && r.Body[0].Equal(ast.NewExpr(ast.BooleanTerm(true)))
}

// sameWords tells of two rules of one effect that say the same.
func (l *linter) sameWords(later, earlier spoken) {
	switch {
	case later.rule != earlier.rule || later.words == "" || later.words != earlier.words:
	case later.facts == earlier.facts:
		l.report(later.parsed.Location, "%s says the same words on the same facts as the one of line %d: where both hold, one of them is not seen", later.rule, earlier.parsed.Location.Row)
	case isLiteral(later.parsed):
		l.report(later.parsed.Location, "%s says the same words as the one of line %d: readers cannot tell which of them spoke", later.rule, earlier.parsed.Location.Row)
	}
}

// isLiteral says that a rule's message is a text that stands there.
func isLiteral(r *ast.Rule) bool {
	answer, ok := answerOf(r)
	if !ok {
		return false
	}
	_, ok = answer.Get(ast.StringTerm("msg")).Value.(ast.String)
	return ok
}
