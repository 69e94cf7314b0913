package policy

import (
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

var unknownInTest = Check{
	Name:  "unknown-in-test",
	About: "A test hands its rule an attribute that no input has: it proves something about a misspelling.",
	find: func(l *linter) {
		for _, m := range l.tests() {
			ast.WalkWiths(m, func(w *ast.With) bool {
				ref, ok := w.Target.Value.(ast.Ref)
				if !ok || !ref[0].Equal(ast.InputRootDocument) {
					return false
				}
				at := spots{}.walk(ref, func(h hop, key *ast.Term) { l.unknown(h, key, w.Location) })
				l.given(at, w.Value, w.Location)
				return false
			})
		}
	},
}

// tests are the parsed test files, by name.
func (l *linter) tests() []*ast.Module {
	var list []*ast.Module
	for name, text := range l.files {
		if strings.HasSuffix(name, "_test.rego") {
			if m, err := ast.ParseModuleWithOpts(name, string(text), ast.ParserOptions{RegoVersion: ast.RegoV1}); err == nil {
				list = append(list, m)
			}
		}
	}
	slices.SortFunc(list, func(a, b *ast.Module) int { return strings.Compare(a.Package.Location.File, b.Package.Location.File) })
	return list
}

// given looks through what stands for a part of the input, as far as it stands
// there literally.
func (l *linter) given(at spot, value *ast.Term, near *ast.Location) {
	if !at.known() {
		return
	}
	switch v := value.Value.(type) {
	case ast.Object:
		v.Foreach(func(key, x *ast.Term) {
			h := at.to(key)
			l.unknown(h, key, near)
			l.given(h.to, x, near)
		})
	case *ast.Array:
		v.Foreach(func(x *ast.Term) { l.given(at.to(ast.InternedTerm(0)).to, x, near) })
	}
}

func (l *linter) unknown(h hop, key *ast.Term, near *ast.Location) {
	if !h.wrong {
		return
	}
	if key.Location != nil {
		near = key.Location
	}
	l.report(near, "%s", h.misspelt())
}
