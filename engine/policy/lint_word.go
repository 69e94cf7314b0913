package policy

import (
	"github.com/open-policy-agent/opa/v1/ast"
)

var unknownWord = Check{
	Name:  "unknown-word",
	About: "An attribute is compared with a word that it never is: the condition never holds, or always.",
	find: func(l *linter) {
		for _, r := range l.program.rules {
			v := l.program.spots[r]
			eachCall(r, func(call []*ast.Term) {
				if len(call) != 3 {
					return
				}
				switch call[0].String() {
				case "eq", "equal", "neq":
					l.checkWord(v, call[1], call[2], call[0])
					l.checkWord(v, call[2], call[1], call[0])
				case "internal.member_2":
					for _, w := range elementsOf(call[2].Value) {
						l.checkWord(v, call[1], ast.NewTerm(w).SetLocation(call[2].Location), call[0])
					}
					l.checkWord(v, call[2], call[1], call[0])
				}
			})
		}
	},
}

// checkWord tells of a constant that an attribute never is.
func (l *linter) checkWord(v spots, at, constant, near *ast.Term) {
	text, ok := constant.Value.(ast.String)
	if !ok {
		return
	}
	h, ok := v.last(at)
	if !ok || h.field == nil || len(h.field.words) == 0 {
		return
	}
	for _, w := range h.field.words {
		if w == string(text) {
			return
		}
	}
	loc := constant.Location
	if loc == nil {
		loc = near.Location
	}
	if loc != nil {
		l.report(loc, "%s is never %q; expected one of %s", h.to.path, string(text), quotedWords(h.field.words))
	}
}
