package policy

import (
	"reflect"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// spot is a part of the input: what it is, and where.
type spot struct {
	kind reflect.Type // without pointers
	path string       // as input.wave.services[].name
	from *hop         // the step that led here
}

func (s spot) known() bool { return s.kind != nil }

var inputSpot = spot{kind: reflect.TypeFor[Input](), path: "input"}

// hop is what a key leads to from a spot.
type hop struct {
	from  spot
	key   string     // "" where it is no constant
	field *attribute // of a section, of the list for an element of words; nil for other elements and labels
	to    spot       // not known where nothing can be there
	wrong bool       // a section that has no such attribute
}

// to follows one key.
func (s spot) to(key *ast.Term) hop {
	st := hop{from: s}
	name, constant := key.Value.(ast.String)
	st.key = string(name)
	switch {
	case s.kind.Kind() == reflect.Slice:
		st.to = spot{kind: bare(s.kind.Elem()), path: s.path + "[]"}
		if s.from != nil && st.to.kind.Kind() == reflect.String {
			st.field = s.from.field // its words are those of the elements
		}
	case s.kind.Kind() == reflect.Map:
		st.to = spot{kind: bare(s.kind.Elem()), path: s.path + word(key)}
	case s.kind.Kind() != reflect.Struct || s.kind == timeType || !constant:
	default:
		a, ok := find(s.kind, st.key)
		if st.wrong = !ok; ok {
			st.field, st.to = &a, spot{kind: bare(s.kind.Field(a.index).Type), path: s.path + "." + st.key}
		}
	}
	if st.to.known() {
		way := st
		st.to.from = &way
	}
	return st
}

func bare(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// spots are the variables of a compiled rule that are one part of the input.
type spots map[ast.Var]spot

// head is where a reference begins.
func (v spots) head(t *ast.Term) spot {
	if t.Equal(ast.InputRootDocument) {
		return inputSpot
	}
	if name, ok := t.Value.(ast.Var); ok {
		return v[name]
	}
	return spot{}
}

// walk calls do for each step of a reference as far as it is the input's, and
// returns where it leads.
func (v spots) walk(ref ast.Ref, do func(hop, *ast.Term)) spot {
	at := v.head(ref[0])
	for _, key := range ref[1:] {
		if !at.known() {
			return spot{}
		}
		st := at.to(key)
		do(st, key)
		at = st.to
	}
	return at
}

// last is the last step of the way to what a term is.
func (v spots) last(t *ast.Term) (h hop, ok bool) {
	switch x := t.Value.(type) {
	case ast.Var:
		return v[x].by()
	case ast.Ref:
		to := v.walk(x, func(each hop, _ *ast.Term) { h = each })
		return h, to.known()
	}
	return hop{}, false
}

// by is the step that led to a spot; ok is false where there was none.
func (s spot) by() (hop, bool) {
	if s.from == nil {
		return hop{}, false
	}
	return *s.from, true
}

// of is the part of the input that a term is.
func (v spots) of(t *ast.Term) spot {
	switch x := t.Value.(type) {
	case ast.Var:
		return v[x]
	case ast.Ref:
		return v.walk(x, func(hop, *ast.Term) {})
	}
	return spot{}
}

// spotsOf finds the variables of a rule that one equation, and no other, binds to
// a part of the input. params are those of a function's arguments.
func spotsOf(r *ast.Rule, params []spot) spots {
	v, equations, twice := spots{}, map[ast.Var]*ast.Term{}, map[ast.Var]bool{}
	for i, t := range r.Head.Args {
		ast.WalkVars(t, func(name ast.Var) bool { twice[name] = true; return false })
		if name, ok := t.Value.(ast.Var); ok && i < len(params) && params[i].known() {
			v[name] = params[i]
		}
	}
	ast.WalkExprs(r, func(x *ast.Expr) bool {
		if !x.IsEquality() || len(x.Operands()) != 2 {
			return false
		}
		for i := range 2 {
			if name, ok := x.Operand(i).Value.(ast.Var); ok {
				twice[name] = twice[name] || x.Negated || equations[name] != nil
				equations[name] = x.Operand(1 - i)
			}
		}
		return false
	})
	for changed := true; changed; {
		changed = false
		for name, t := range equations {
			if s := v.of(t); !twice[name] && !v[name].known() && s.known() {
				v[name], changed = s, true
			}
		}
	}
	return v
}

// program is what all rules of a compiler know of the input.
type program struct {
	compiler *ast.Compiler
	rules    []*ast.Rule          // sorted by place, with every else
	params   map[*ast.Rule][]spot // of functions whose callers agree
	spots    map[*ast.Rule]spots
}

func newProgram(c *ast.Compiler) *program {
	p := &program{compiler: c, params: map[*ast.Rule][]spot{}, spots: map[*ast.Rule]spots{}}
	for _, m := range c.Modules {
		for _, r := range m.Rules {
			for ; r != nil; r = r.Else {
				p.rules = append(p.rules, r)
			}
		}
	}
	slices.SortFunc(p.rules, func(a, b *ast.Rule) int { return a.Location.Compare(b.Location) })
	for range 4 { // as deep as a part is handed from function to function
		for _, r := range p.rules {
			p.spots[r] = spotsOf(r, p.params[r])
		}
		p.handOver()
	}
	return p
}

// handOver works out what the functions' arguments are from all their calls.
func (p *program) handOver() {
	met := map[*ast.Rule]bool{}
	for _, caller := range p.rules {
		eachCall(caller, func(call []*ast.Term) {
			ref, ok := call[0].Value.(ast.Ref)
			if !ok || !ref[0].Equal(ast.DefaultRootDocument) {
				return
			}
			for _, callee := range p.compiler.GetRulesExact(ref) {
				for ; callee != nil; callee = callee.Else {
					p.hand(callee, p.spots[caller], call[1:], met[callee])
					met[callee] = true
				}
			}
		})
	}
}

func (p *program) hand(callee *ast.Rule, from spots, args []*ast.Term, again bool) {
	if p.params[callee] == nil {
		p.params[callee] = make([]spot, len(callee.Head.Args))
	}
	for i := range p.params[callee] {
		var s spot
		if i < len(args) {
			s = from.of(args[i])
		}
		if again && p.params[callee][i].kind != s.kind {
			s = spot{}
		}
		p.params[callee][i] = s
	}
}

// eachCall calls do for each call in a rule: the function, then its arguments.
func eachCall(r *ast.Rule, do func([]*ast.Term)) {
	ast.NewGenericVisitor(func(x any) bool {
		switch x := x.(type) {
		case *ast.Rule:
			return x != r // not the else's
		case *ast.Expr:
			if terms, ok := x.Terms.([]*ast.Term); ok && len(terms) > 0 {
				do(terms)
			}
		case ast.Call:
			do(x)
		}
		return false
	}).Walk(r)
}
