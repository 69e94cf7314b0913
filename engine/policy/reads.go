package policy

import (
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// trail is an attribute of input, a word a step; the empty path is input itself.
type trail []string

func (p trail) String() string {
	return strings.Join(append([]string{"input"}, p...), ".")
}

// RuleReads is what one rule reads, for authors.
type RuleReads struct {
	Rule       string
	Title      string
	File       string
	Line       int
	Exceptable bool
	Points     []Point
	Attributes []string // "input.host.exposed"; what lies below one counts too
}

// Reads says for each rule what it reads and at which points it is asked,
// sorted by rule and place.
func (s *Set) Reads() []RuleReads {
	var list []RuleReads
	for _, c := range s.clauses {
		list = append(list, c.about())
	}
	return list
}

func (c *clause) about() RuleReads {
	r := RuleReads{Rule: c.rule, Title: c.title, File: c.file, Line: c.line, Exceptable: c.exceptable, Points: c.points}
	for _, p := range c.reads {
		r.Attributes = append(r.Attributes, p.String())
	}
	return r
}

// reads are the paths that a rule reads, itself and through what it calls.
func reads(c *ast.Compiler, r *ast.Rule) []trail {
	var all []trail
	closure(c, r, func(r *ast.Rule) { all = append(all, ownReads(r)...) })
	return shortest(all)
}

// closure calls do for a rule and for everything that it leans on, once each.
func closure(c *ast.Compiler, r *ast.Rule, do func(*ast.Rule)) {
	seen := map[*ast.Rule]bool{}
	var follow func(*ast.Rule)
	follow = func(r *ast.Rule) {
		if seen[r] {
			return
		}
		seen[r] = true
		do(r)
		for dep := range c.Graph.Dependencies(r) {
			follow(dep.(*ast.Rule))
		}
	}
	follow(r)
}

// shortest sorts paths and drops those that lie below another.
func shortest(all []trail) []trail {
	slices.SortFunc(all, func(a, b trail) int { return slices.Compare(a, b) })
	var kept []trail
	for _, p := range all {
		if n := len(kept); n == 0 || !p.under(kept[n-1]) {
			kept = append(kept, p)
		}
	}
	return kept
}

func (p trail) under(q trail) bool {
	return len(p) >= len(q) && slices.Equal(p[:len(q)], q)
}

// reader collects the reads of one rule.
type reader struct {
	aliases map[ast.Var]trail // variables that are one attribute and nothing else
	found   []trail
	visitor *ast.GenericVisitor
}

func ownReads(r *ast.Rule) []trail {
	rd := &reader{aliases: aliases(r)}
	rd.visitor = ast.NewGenericVisitor(rd.visit)
	rd.visitor.Walk(r)
	return rd.found
}

// aliases are the variables of a compiled rule that are bound by one equation
// with an attribute, as `__local1__ = input.host`: OPA makes them out of what is
// handed to a built-in.
func aliases(r *ast.Rule) map[ast.Var]trail {
	found := map[ast.Var]trail{}
	twice := map[ast.Var]bool{}
	ast.WalkExprs(r, func(x *ast.Expr) bool {
		if v, p, ok := definition(x); ok {
			if _, again := found[v]; again {
				twice[v] = true
			}
			found[v] = p
		}
		return false
	})
	for v := range twice {
		delete(found, v)
	}
	return found
}

// definition takes `v = input.a.b` apart.
func definition(x *ast.Expr) (ast.Var, trail, bool) {
	if x.Negated || !x.IsEquality() || len(x.Operands()) != 2 {
		return "", nil, false
	}
	for i := range 2 {
		v, isVar := x.Operand(i).Value.(ast.Var)
		ref, isRef := x.Operand(1 - i).Value.(ast.Ref)
		if isVar && isRef && ref[0].Equal(ast.InputRootDocument) {
			if p := constant(ref[1:]); len(p) == len(ref)-1 {
				return v, p, true
			}
		}
	}
	return "", nil, false
}

// constant are the leading words of a reference.
func constant(terms []*ast.Term) trail {
	var p trail
	for _, t := range terms {
		s, ok := t.Value.(ast.String)
		if !ok {
			break
		}
		p = append(p, string(s))
	}
	return p
}

func (rd *reader) visit(x any) bool {
	switch x := x.(type) {
	case *ast.Expr:
		if v, _, ok := definition(x); ok {
			if _, alias := rd.aliases[v]; alias {
				return true
			}
		}
		if terms, ok := x.Terms.([]*ast.Term); ok {
			return rd.get(terms)
		}
	case ast.Call:
		return rd.get(x)
	case ast.Ref:
		rd.ref(x)
		return true
	case ast.Var:
		if p, ok := rd.aliases[x]; ok {
			rd.found = append(rd.found, p)
		}
	}
	return false
}

// ref collects what a reference reads, and what its brackets do.
func (rd *reader) ref(ref ast.Ref) {
	base, isAlias := trail(nil), false
	if v, ok := ref[0].Value.(ast.Var); ok {
		base, isAlias = rd.aliases[v]
	}
	if isAlias || ref[0].Equal(ast.InputRootDocument) {
		rd.found = append(rd.found, slices.Concat(base, constant(ref[1:])))
	}
	for _, t := range ref[1:] {
		rd.visitor.Walk(t)
	}
}

// get collects what object.get with a constant key reads; ok is false for every
// other call.
func (rd *reader) get(call []*ast.Term) (ok bool) {
	if len(call) < 4 || !call[0].Equal(objectGet) {
		return false
	}
	base, isInput := rd.whole(call[1])
	if !isInput {
		return false
	}
	switch key := call[2].Value.(type) {
	case ast.String:
		base = slices.Concat(base, trail{string(key)})
	case *ast.Array:
		var terms []*ast.Term
		key.Foreach(func(t *ast.Term) { terms = append(terms, t) })
		base = slices.Concat(base, constant(terms))
	default:
		return false
	}
	rd.found = append(rd.found, base)
	for _, t := range call[2:] {
		rd.visitor.Walk(t)
	}
	return true
}

var objectGet = ast.NewTerm(ast.ObjectGet.Ref())

// whole is the attribute that a term is.
func (rd *reader) whole(t *ast.Term) (trail, bool) {
	switch v := t.Value.(type) {
	case ast.Var:
		p, ok := rd.aliases[v]
		return p, ok
	case ast.Ref:
		if v[0].Equal(ast.InputRootDocument) {
			if p := constant(v[1:]); len(p) == len(v)-1 {
				return p, true
			}
		}
	}
	return nil, false
}
