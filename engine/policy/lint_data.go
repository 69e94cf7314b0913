package policy

import (
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

var unreadData = Check{
	Name: "unread-data", Warning: true,
	About: "A threshold in a data.json that no rule reads does nothing, however it is set. It may be misspelt.",
	find: func(l *linter) {
		read := dataReads(l.set.compiler)
		var look func(at []string, v any)
		look = func(at []string, v any) {
			below, whole := readsBelow(read, at)
			doc, ok := v.(map[string]any)
			switch {
			case whole:
			case len(below) == 0:
				l.unread(at, read)
			case ok:
				for _, k := range slices.Sorted(maps.Keys(doc)) {
					look(append(slices.Clone(at), k), doc[k])
				}
			}
		}
		for _, k := range slices.Sorted(maps.Keys(l.src.data)) {
			look([]string{k}, l.src.data[k])
		}
	},
}

// unread tells of one, with the nearest that is read beside it and not there.
func (l *linter) unread(at []string, read [][]string) {
	file, line, column := l.src.placeOf(at)
	last := at[len(at)-1]
	l.reportAt(file, line, column, "data.%s is read by no rule that decides%s", strings.Join(at, "."), orNear(last, at[:len(at)-1], read, l.src))
}

// orNear is "; did you mean …?" where a rule reads something like it that no
// data.json has.
func orNear(word string, above []string, read [][]string, src *source) string {
	var right []string
	for _, p := range read {
		if len(p) > len(above) && slices.Equal(p[:len(above)], above) && !src.has(p) {
			right = append(right, p[len(above)])
		}
	}
	if len(right) == 0 {
		return ""
	}
	near := nearest(word, right)
	if !strings.HasPrefix(near, "did you mean") {
		return ""
	}
	return "; " + near
}

// dataReads are the constant beginnings of all references to data, with the keys
// of object.get.
func dataReads(c *ast.Compiler) [][]string {
	var list [][]string
	for _, m := range c.Modules {
		for _, r := range m.Rules {
			list = append(list, dataReadsOf(r)...)
		}
	}
	return list
}

func dataReadsOf(r *ast.Rule) (list [][]string) {
	named := map[ast.Var][]string{} // what object.get is handed, OPA keeps in a variable first
	var visitor *ast.GenericVisitor
	get := func(call []*ast.Term) bool {
		if len(call) < 4 || !call[0].Equal(objectGet) {
			return false
		}
		base, ok := named[headVar(call[1])]
		key, isWord := call[2].Value.(ast.String)
		if !ok || !isWord {
			return false
		}
		list = append(list, append(slices.Clone(base), string(key)))
		for _, t := range call[3:] {
			visitor.Walk(t)
		}
		return true
	}
	visitor = ast.NewGenericVisitor(func(x any) bool {
		switch x := x.(type) {
		case *ast.Expr:
			if v, p, ok := dataDefinition(x); ok && named[v] != nil {
				return slices.Equal(named[v], p)
			}
			terms, ok := x.Terms.([]*ast.Term)
			return ok && get(terms)
		case ast.Call:
			return get(x)
		case ast.Var:
			if p, ok := named[x]; ok {
				list = append(list, p)
			}
		case ast.Ref:
			if x[0].Equal(ast.DefaultRootDocument) {
				list = append(list, constant(x[1:]))
			}
		}
		return false
	})
	ast.WalkExprs(r, func(x *ast.Expr) bool {
		if v, p, ok := dataDefinition(x); ok {
			named[v] = p
		}
		return false
	})
	visitor.Walk(r)
	return list
}

// dataDefinition takes `v = data.a.b` apart.
func dataDefinition(x *ast.Expr) (ast.Var, []string, bool) {
	if x.Negated || !x.IsEquality() || len(x.Operands()) != 2 {
		return "", nil, false
	}
	for i := range 2 {
		v, isVar := x.Operand(i).Value.(ast.Var)
		ref, isRef := x.Operand(1 - i).Value.(ast.Ref)
		if isVar && isRef && ref[0].Equal(ast.DefaultRootDocument) {
			if p := constant(ref[1:]); len(p) > 0 && len(p) == len(ref)-1 {
				return v, p, true
			}
		}
	}
	return "", nil, false
}

// readsBelow are the reads at or below a path; whole says that one of them takes
// all of it.
func readsBelow(read [][]string, at []string) (below [][]string, whole bool) {
	for _, p := range read {
		switch {
		case len(p) <= len(at) && slices.Equal(at[:len(p)], p):
			return nil, true
		case len(p) > len(at) && slices.Equal(p[:len(at)], at):
			below = append(below, p)
		}
	}
	return below, false
}
