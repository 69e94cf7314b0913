package policy

import (
	"reflect"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Watching an evaluation for absent attributes makes it several times as dear,
// and most lists of the input miss nothing that a rule asks for. lookups are
// what a rule may look up inside values, and a shape is what a value has, so
// that what cannot come to anything absent is not watched.

// lookups are the words that a rule looks up, itself and through what it calls.
type lookups struct {
	known map[string]bool // in values whose type follows from the input's
	loose map[string]bool // in all others
	open  bool            // something that is not constant, in what may be an object
}

// shape is an object of the input: its type, and the attributes of it that are
// absent, joined.
type shape struct {
	kind   reflect.Type
	absent string
}

// complete says that a rule which looks into values of these shapes comes to
// nothing absent there.
func (l *lookups) complete(shapes []shape) bool {
	for _, s := range shapes {
		if l.open || !l.within(s) {
			return false
		}
	}
	return true
}

func (l *lookups) within(s shape) bool {
	has := 0
	absent := strings.Fields(s.absent)
	for _, a := range attributes(s.kind) {
		switch {
		case slices.Contains(absent, a.name):
			if l.known[a.name] {
				return false
			}
		case l.loose[a.name]:
			has++
		}
	}
	return has == len(l.loose)
}

// lookupsOf collects those of a rule and of all that it leans on.
func lookupsOf(c *ast.Compiler, r *ast.Rule) *lookups {
	l := &lookups{known: map[string]bool{}, loose: map[string]bool{}}
	closure(c, r, func(r *ast.Rule) {
		kinds := kindsOf(r)
		ast.WalkRefs(r, func(ref ast.Ref) bool {
			l.add(ref, kinds)
			return false
		})
	})
	return l
}

// add notes what a reference looks up. What data has is never the input's, and
// neither is a function.
func (l *lookups) add(ref ast.Ref, kinds map[ast.Var]reflect.Type) {
	if ref[0].Equal(ast.DefaultRootDocument) || ast.BuiltinMap[ref.String()] != nil {
		return
	}
	t := kindOfHead(ref, kinds)
	for _, key := range ref[1:] {
		name, constant := key.Value.(ast.String)
		switch {
		case t != nil && t.Kind() == reflect.Slice:
		case !constant:
			l.open = true
		case t == nil:
			l.loose[string(name)] = true
		case t.Kind() == reflect.Struct:
			_, found := find(t, string(name))
			l.known[string(name)], l.open = true, l.open || !found
		}
		t = below(t, key)
	}
}

// kindOfHead is the type that a reference begins with, nil where it is unknown.
func kindOfHead(ref ast.Ref, kinds map[ast.Var]reflect.Type) reflect.Type {
	if ref[0].Equal(ast.InputRootDocument) {
		return reflect.TypeFor[Input]()
	}
	v, ok := ref[0].Value.(ast.Var)
	if !ok {
		return nil
	}
	return kinds[v]
}

// below is the type of what a key leads to, nil where that is unknown.
func below(t reflect.Type, key *ast.Term) reflect.Type {
	if t == nil {
		return nil
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Map:
		return element(t.Elem())
	case reflect.Struct:
		name, ok := key.Value.(ast.String)
		if a, found := find(t, string(name)); ok && found {
			return element(t.Field(a.index).Type)
		}
	}
	return nil
}

// element is what a pointer points to, nil for what has nothing below it.
func element(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Map:
		return t
	case reflect.Struct:
		if t != timeType {
			return t
		}
	}
	return nil
}

// kindsOf are the types of a compiled rule's variables that one equation, and
// no other, binds to a part of the input: `__local0__ = input.wave.services[i]`.
func kindsOf(r *ast.Rule) map[ast.Var]reflect.Type {
	equations := map[ast.Var][]ast.Ref{}
	twice := map[ast.Var]bool{}
	for _, t := range r.Head.Args {
		ast.WalkVars(t, func(v ast.Var) bool { twice[v] = true; return false })
	}
	ast.WalkExprs(r, func(x *ast.Expr) bool {
		if !x.IsEquality() || len(x.Operands()) != 2 {
			return false
		}
		for i := range 2 {
			v, isVar := x.Operand(i).Value.(ast.Var)
			if !isVar {
				continue
			}
			ref, isRef := x.Operand(1 - i).Value.(ast.Ref)
			twice[v] = twice[v] || !isRef || x.Negated || len(equations[v]) > 0
			equations[v] = append(equations[v], ref)
		}
		return false
	})
	kinds := map[ast.Var]reflect.Type{}
	for changed := true; changed; {
		changed = false
		for v, refs := range equations {
			if kinds[v] != nil || twice[v] {
				continue
			}
			if t := kindOf(refs[0], kinds); t != nil {
				kinds[v], changed = t, true
			}
		}
	}
	return kinds
}

// kindOf is the type of what a reference leads to, nil where that is unknown.
func kindOf(ref ast.Ref, kinds map[ast.Var]reflect.Type) reflect.Type {
	t := kindOfHead(ref, kinds)
	for _, key := range ref[1:] {
		t = below(t, key)
	}
	return t
}

// look collects the shapes of the objects inside a value; ok is false where a
// value may lack anything, as what people name themselves may.
func (v *groupValue) look(x ast.Value, t reflect.Type) (ok bool) {
	switch x := x.(type) {
	case ast.Object:
		if t == nil || t.Kind() != reflect.Struct {
			return false
		}
		return v.object(x, t)
	case *ast.Array:
		if t == nil || t.Kind() != reflect.Slice {
			return !composite(ast.NewTerm(x))
		}
		t = element(t.Elem())
		return !x.Until(func(e *ast.Term) bool { return !v.look(e.Value, t) })
	}
	return true
}

func (v *groupValue) object(x ast.Object, t reflect.Type) bool {
	var absent []string
	for _, a := range attributes(t) {
		kid := x.Get(a.term)
		if kid == nil {
			absent = append(absent, a.name)
		} else if !v.look(kid.Value, element(t.Field(a.index).Type)) {
			return false
		}
	}
	if s := (shape{t, strings.Join(absent, " ")}); !slices.Contains(v.shapes, s) {
		v.shapes = append(v.shapes, s)
	}
	return true
}
