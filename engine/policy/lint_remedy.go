package policy

import "github.com/open-policy-agent/opa/v1/ast"

var noRemedy = Check{
	Name: "no-remedy", Warning: true,
	About: "A decision without a remedy tells people no and leaves them there. Say what would be done about it.",
	find: func(l *linter) {
		l.deciding(func(rule string, r *ast.Rule, _ *ast.Module) {
			answer, ok := answerOf(r)
			if !ok {
				return
			}
			if remedy := answer.Get(ast.StringTerm("remedy")); remedy == nil || remedy.Equal(ast.StringTerm("")) {
				l.report(r.Location, `%s says no "remedy": what would have to be done?`, rule)
			}
		})
	},
}

// answerOf is what a parsed rule says, where it stands there literally: in its
// head, or as the value of the variable in its head.
func answerOf(r *ast.Rule) (ast.Object, bool) {
	switch v := r.Head.Key.Value.(type) {
	case ast.Object:
		return v, true
	case ast.Var:
		for _, x := range r.Body {
			if (x.IsAssignment() || x.IsEquality()) && len(x.Operands()) == 2 && x.Operand(0).Equal(r.Head.Key) {
				o, ok := x.Operand(1).Value.(ast.Object)
				return o, ok
			}
		}
	}
	return nil, false
}
