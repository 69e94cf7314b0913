package policy

import (
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// refs are the references that an expression itself reads: those of its
// closures are come to in queries of their own.
func refs(x *ast.Expr) []ast.Ref {
	var list []ast.Ref
	add := func(t *ast.Term) {
		ast.NewGenericVisitor(func(n any) bool {
			switch n := n.(type) {
			case ast.Ref:
				list = append(list, n)
				return true
			case *ast.ArrayComprehension, *ast.SetComprehension, *ast.ObjectComprehension:
				return true
			}
			return false
		}).Walk(t)
	}
	switch terms := x.Terms.(type) {
	case *ast.Term:
		add(terms)
	case []*ast.Term:
		for _, t := range terms[1:] {
			add(t)
		}
	case *ast.Every:
		add(terms.Domain)
	}
	return list
}

// follow goes along a reference as far as the input has it, and keeps what is
// absent. Variables that are not bound yet go everywhere.
func (w *watch) follow(ref ast.Ref, e *topdown.Event) {
	if ref[0].Equal(ast.InputRootDocument) {
		w.descend(w.input.Value, ref[1:], e)
		return
	}
	if at := bound(ref[0], e); at != nil {
		w.descend(at.Value, ref[1:], e)
	}
}

// bound is what a variable holds, nil when it holds nothing yet or is none. It is
// asked of the event at once: OPA would otherwise copy every variable at every step.
func bound(v *ast.Term, e *topdown.Event) *ast.Term {
	if _, ok := v.Value.(ast.Var); !ok {
		return nil
	}
	x := e.Plug(v)
	if _, open := x.Value.(ast.Var); open {
		return nil
	}
	return x
}

func (w *watch) descend(v ast.Value, rest []*ast.Term, e *topdown.Event) {
	if len(rest) == 0 {
		return
	}
	key := rest[0]
	if _, ok := key.Value.(ast.Var); ok {
		if key = bound(key, e); key == nil {
			w.everywhere(v, rest[1:], e)
			return
		}
	}
	switch v := v.(type) {
	case ast.Object:
		at, ours := w.paths[v]
		if next := v.Get(key); next != nil {
			w.descend(next.Value, rest[1:], e)
		} else if ours {
			w.found = append(w.found, at+word(key))
		}
	case *ast.Array:
		if next := v.Get(key); next != nil {
			w.descend(next.Value, rest[1:], e)
		}
	}
}

func (w *watch) everywhere(v ast.Value, rest []*ast.Term, e *topdown.Event) {
	switch v := v.(type) {
	case ast.Object:
		v.Foreach(func(_, x *ast.Term) { w.descend(x.Value, rest, e) })
	case *ast.Array:
		v.Foreach(func(x *ast.Term) { w.descend(x.Value, rest, e) })
	case ast.Set:
		v.Foreach(func(x *ast.Term) { w.descend(x.Value, rest, e) })
	}
}

// settledRules are the rules of which a default or a following else says what it
// means that their body is undefined.
func settledRules(c *ast.Compiler) map[*ast.Rule]bool {
	found := map[*ast.Rule]bool{}
	for _, m := range c.Modules {
		for _, r := range m.Rules {
			byDefault := false
			for _, other := range c.GetRulesExact(r.Ref().GroundPrefix()) {
				byDefault = byDefault || other.Default
			}
			for ; r != nil; r = r.Else {
				found[r] = byDefault || r.Else != nil
			}
		}
	}
	return found
}
