package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

var unhandledAbsence = Check{
	Name: "unhandled-absence", Warning: true,
	About: "The rule reads what may be absent and does not say what absence means: engine.missing would hold the change. object.get names a value; not, a default or an else say what it means.",
	find: func(l *linter) {
		for _, c := range l.set.clauses {
			t := &taking{linter: l, clause: c, seen: map[visited]bool{}, handled: map[string]bool{}}
			t.rule(c.compiled, false, 0)
			for _, read := range t.open {
				if !t.handled[read.path] {
					l.report(read.at, "%s reads %s, which may be absent (%s), so that engine.missing would hold; say what absence means: %s", c.rule, read.path, read.why, read.fix)
				}
			}
		}
	},
}

// taking follows a clause through all that it calls, as an evaluation would, and
// takes down what may be absent there.
type taking struct {
	*linter
	clause  *clause
	seen    map[visited]bool
	handled map[string]bool // attributes whose absence the clause speaks of somewhere
	open    []openRead
}

// visited is a rule under an even or odd number of nots, its absence settled or
// not.
type visited struct {
	rule    *ast.Rule
	settled bool
	odd     bool
}

// openRead is a read of what may be absent.
type openRead struct {
	path, why, fix string
	at             *ast.Location
}

func (t *taking) rule(r *ast.Rule, settled bool, nots int) {
	settled = settled || t.set.settled[r]
	key := visited{r, settled, nots%2 == 1}
	if t.seen[key] {
		return
	}
	t.seen[key] = true
	if r.Head.Key != nil {
		t.terms(r, r.Head.Key, settled || nots%2 == 1, nots, settled)
	}
	if r.Head.Value != nil {
		t.terms(r, r.Head.Value, settled || nots%2 == 1, nots, settled)
	}
	t.body(r, r.Body, settled, nots)
	if r.Else != nil {
		t.rule(r.Else, settled, nots)
	}
}

func (t *taking) body(r *ast.Rule, body ast.Body, settled bool, nots int) {
	for _, x := range body {
		under := nots
		if negation(x) {
			under++
		}
		t.terms(r, x, settled || negation(x) || nots%2 == 1, under, settled)
	}
}

// terms takes down what an expression or a term reads itself, and follows what it
// calls; bodies inside of it are their own.
func (t *taking) terms(r *ast.Rule, x any, handled bool, nots int, settled bool) {
	v := t.program.spots[r]
	ast.NewGenericVisitor(func(n any) bool {
		switch n := n.(type) {
		case ast.Body:
			t.body(r, n, settled, nots)
			return true
		case *ast.Expr:
			if terms, ok := n.Terms.([]*ast.Term); ok {
				t.given(v, terms)
			}
		case ast.Call:
			t.given(v, n)
		case ast.Ref:
			t.ref(v, n, handled)
			for _, callee := range t.called(n) {
				t.rule(callee, settled, nots)
			}
		}
		return false
	}).Walk(x)
}

// called are the rules that a reference asks for.
func (t *taking) called(ref ast.Ref) []*ast.Rule {
	if !ref[0].Equal(ast.DefaultRootDocument) {
		return nil
	}
	return t.set.compiler.GetRulesDynamicWithOpts(ref, ast.RulesOptions{})
}

// given takes the keys of an object.get as handled.
func (t *taking) given(v spots, call []*ast.Term) {
	for _, g := range v.gets(call) {
		t.handled[g.to.path] = true
	}
}

func (t *taking) ref(v spots, ref ast.Ref, handled bool) {
	v.walk(ref, func(h hop, key *ast.Term) {
		why := t.maybe(h, key)
		switch {
		case why == "" || !h.to.known():
		case handled:
			t.handled[h.to.path] = true
		default:
			at := key.Location
			if at == nil {
				at = ref[0].Location
			}
			if at == nil {
				at = t.clause.compiled.Location
			}
			t.note(openRead{h.to.path, why, t.fixFor(h, ref[0]), at})
		}
	})
}

// note keeps the first read of each attribute.
func (t *taking) note(o openRead) {
	if !slices.ContainsFunc(t.open, func(p openRead) bool { return p.path == o.path }) {
		t.open = append(t.open, o)
	}
}

// maybe says why a step may lead to nothing, "" where it never does.
func (t *taking) maybe(h hop, key *ast.Term) string {
	switch {
	case h.field == nil:
		if _, constant := key.Value.(ast.String); constant && strings.HasSuffix(h.from.path, ".labels") {
			return "a label is there where somebody set it"
		}
		return ""
	case h.field.omit == "":
		return ""
	case h.from.path == "input":
		if t.always(h.key) {
			return ""
		}
		return "a host may be in none"
	}
	return "nobody may have said"
}

// always says that every input that the clause is asked of has a section.
func (t *taking) always(section string) bool {
	for _, p := range t.clause.points {
		if !slices.Contains(certain[p], section) {
			return false
		}
	}
	return true
}

// fixFor is how absence is given a meaning. An element is called what its author
// calls it, if that is known.
func (t *taking) fixFor(h hop, head *ast.Term) string {
	from, to := h.from.path, h.to.path
	switch {
	case from == "input":
		return fmt.Sprintf("object.get(input, [%q, …], …), or `not %s` beside it", h.key, to)
	case strings.Contains(from, "[]"):
		from = "…"
		if name, ok := t.set.compiler.RewrittenVars[headVar(head)]; ok {
			from = string(name)
		}
		to = from + "." + h.key
	}
	return fmt.Sprintf("object.get(%s, %q, …), or `not %s` beside it", from, h.key, to)
}

func headVar(t *ast.Term) ast.Var {
	v, _ := t.Value.(ast.Var)
	return v
}
