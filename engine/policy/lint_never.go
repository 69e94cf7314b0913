package policy

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

var neverTrue = Check{
	Name:  "never-true",
	About: "Conditions that contradict one another: what stands behind them is never reached.",
	find: func(l *linter) {
		for _, r := range l.program.rules {
			contradictions(r, func(loc *ast.Location, of string) {
				if of == "false" || of == "true" {
					l.report(loc, "never true: the condition is a constant")
					return
				}
				l.report(loc, "never true: %s cannot be this and what the conditions above say", l.written(of))
			})
		}
	},
}

// written is a reference with its variables as their author called them.
func (l *linter) written(name string) string {
	head, rest, dot := strings.Cut(name, ".")
	if own, ok := l.set.compiler.RewrittenVars[ast.Var(head)]; ok {
		head = string(own)
	}
	if dot {
		return head + "." + rest
	}
	return head
}

// contradictions finds bodies of a compiled rule that cannot be true.
func contradictions(r *ast.Rule, tell func(at *ast.Location, of string)) {
	named := aliases(r)
	ast.NewGenericVisitor(func(x any) bool {
		switch x := x.(type) {
		case *ast.Rule:
			return x != r // an else has its own turn
		case ast.Body:
			b := bounds{named: named, of: map[string]*claims{}}
			for _, e := range x {
				if of := b.add(e); of != "" {
					tell(e.Location, of)
					break
				}
			}
		}
		return false
	}).Walk(r)
}

// bounds are what the conditions of one body say of each reference.
type bounds struct {
	named map[ast.Var]trail
	of    map[string]*claims
}

// claims is what is known of one reference.
type claims struct {
	is       ast.Value   // it equals this
	among    []ast.Value // it is one of these, nil: any
	not      []ast.Value
	low, up  ast.Value // nil: none
	openLow  bool      // low itself is excluded
	openHigh bool
}

// add takes in one condition and says of what it contradicts those before it.
func (b *bounds) add(x *ast.Expr) string {
	if t, ok := x.Terms.(*ast.Term); ok {
		if t.Equal(ast.BooleanTerm(false)) != x.Negated && (t.Equal(ast.BooleanTerm(false)) || t.Equal(ast.BooleanTerm(true))) {
			return t.String()
		}
		return ""
	}
	terms, ok := x.Terms.([]*ast.Term)
	if !ok || len(terms) != 3 {
		return ""
	}
	op, left, right := terms[0].String(), terms[1], terms[2]
	name, value, op := b.sides(op, left, right)
	if value == nil || x.Negated && op != "eq" && op != "equal" {
		return ""
	}
	if x.Negated {
		op = "neq"
	}
	known := b.of[name]
	if known == nil {
		known = &claims{}
		b.of[name] = known
	}
	known.learn(op, value)
	if known.empty() {
		return name
	}
	return ""
}

// mirrored are comparisons with their sides exchanged.
var mirrored = map[string]string{"eq": "eq", "equal": "equal", "neq": "neq", "lt": "gt", "lte": "gte", "gt": "lt", "gte": "lte"}

// sides puts a comparison the way round that has the reference on the left;
// value is nil where it is no comparison of a reference with a constant.
func (b *bounds) sides(op string, left, right *ast.Term) (name string, value ast.Value, way string) {
	if op == "internal.member_2" {
		if name := b.name(left); name != "" && settledCollection(right.Value) {
			return name, right.Value, op
		}
		return "", nil, ""
	}
	back, ok := mirrored[op]
	if !ok {
		return "", nil, ""
	}
	if name := b.name(left); name != "" && ast.IsConstant(right.Value) && ast.IsScalar(right.Value) {
		return name, right.Value, op
	}
	if name := b.name(right); name != "" && ast.IsConstant(left.Value) && ast.IsScalar(left.Value) {
		return name, left.Value, back
	}
	return "", nil, ""
}

// name is a reference as conditions share it, "" for what is none. A reference
// with a variable that is not bound yet may mean another element each time, and
// still each mention of the same variable is the same element.
func (b *bounds) name(t *ast.Term) string {
	switch v := t.Value.(type) {
	case ast.Var:
		if p, ok := b.named[v]; ok {
			return p.String()
		}
		return string(v)
	case ast.Ref:
		if v[0].Equal(ast.InputRootDocument) || v[0].Equal(ast.DefaultRootDocument) {
			return v.String()
		}
		if _, ok := v[0].Value.(ast.Var); ok {
			return v.String()
		}
	}
	return ""
}

func settledCollection(v ast.Value) bool {
	switch v.(type) {
	case *ast.Array, ast.Set:
		return ast.IsConstant(v)
	}
	return false
}

func (k *claims) learn(op string, v ast.Value) {
	switch op {
	case "eq", "equal":
		if k.is != nil && k.is.Compare(v) != 0 {
			k.among = []ast.Value{} // two values at once
		}
		k.is = v
	case "neq":
		k.not = append(k.not, v)
	case "internal.member_2":
		k.narrow(elementsOf(v))
	case "gt", "gte":
		if k.low == nil || v.Compare(k.low) > 0 || v.Compare(k.low) == 0 && op == "gt" {
			k.low, k.openLow = v, op == "gt"
		}
	case "lt", "lte":
		if k.up == nil || v.Compare(k.up) < 0 || v.Compare(k.up) == 0 && op == "lt" {
			k.up, k.openHigh = v, op == "lt"
		}
	}
}

// narrow keeps of what it may be what is in a list.
func (k *claims) narrow(list []ast.Value) {
	if k.among == nil {
		k.among = list
		return
	}
	kept := []ast.Value{}
	for _, v := range k.among {
		for _, o := range list {
			if v.Compare(o) == 0 {
				kept = append(kept, v)
			}
		}
	}
	k.among = kept
}

func elementsOf(v ast.Value) []ast.Value {
	list := []ast.Value{}
	add := func(t *ast.Term) { list = append(list, t.Value) }
	switch v := v.(type) {
	case *ast.Array:
		v.Foreach(add)
	case ast.Set:
		v.Foreach(add)
	}
	return list
}

// empty says that nothing fits.
func (k *claims) empty() bool {
	if k.is != nil && !k.fits(k.is) {
		return true
	}
	if k.among != nil {
		for _, v := range k.among {
			if k.fits(v) && (k.is == nil || k.is.Compare(v) == 0) {
				return false
			}
		}
		return true
	}
	if k.low == nil || k.up == nil {
		return false
	}
	c := k.low.Compare(k.up)
	return c > 0 || c == 0 && (k.openLow || k.openHigh)
}

func (k *claims) fits(v ast.Value) bool {
	for _, n := range k.not {
		if n.Compare(v) == 0 {
			return false
		}
	}
	if k.low != nil && (v.Compare(k.low) < 0 || v.Compare(k.low) == 0 && k.openLow) {
		return false
	}
	return k.up == nil || v.Compare(k.up) < 0 || v.Compare(k.up) == 0 && !k.openHigh
}
