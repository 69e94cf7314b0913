package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Told is one rule that was asked about one input: what it said, and the
// attributes that its evaluation came to on the way.
type Told struct {
	Rule       string          `json:"rule"`
	Effect     plan.Effect     `json:"effect"`
	Title      string          `json:"title"`
	File       string          `json:"file"`
	Line       int             `json:"line"`
	Exceptable bool            `json:"exceptable"`
	Said       []plan.Decision `json:"said"`             // after exceptions, sorted; none: it did not fire
	Waived     []plan.Decision `json:"waived,omitempty"` // what exceptions took the place of
	Read       []Read          `json:"read"`             // sorted by attribute
}

// Fired says that the rule had something to say.
func (t *Told) Fired() bool { return len(t.Said) > 0 }

// Stops says that the rule keeps what was asked about from being done.
func (t *Told) Stops() bool { return Stops(t.Said) }

// Stops says whether decisions keep what they are about from being done.
func Stops(decisions []plan.Decision) bool {
	e := Strongest(decisions)
	return e == plan.Deny || e == plan.Hold
}

// Read is an attribute with its value. Value is as JSON has it, numbers as
// json.Number, and nil where the attribute is absent.
type Read struct {
	Attribute string `json:"attribute"`
	Value     any    `json:"value"`
	Absent    bool   `json:"absent,omitempty"`
}

// Explain asks every rule of the input's point, as Decide does, and tells each
// one's part: those that stop first, then those that fired, each kind sorted by
// rule and place. All that is said, sorted, is what Decide returns.
func (s *Set) Explain(in *Input, x Exceptions) []Told {
	b := newBatch(s, in.Point, x)
	one := *in
	if one.Estate.Exceptions == nil {
		one.Estate.Exceptions = exceptionInputs(b.exceptions.exceptions)
	}
	b.classify(0, 1, one, func(int, *Input) {})
	var list []Told
	for i := range b.jobs {
		q := b.question(&b.jobs[i])
		t := s.tell(q)
		if w := b.waivers[0]; w > 0 && q.clause.exceptable {
			said := b.exceptions.apply(t.Said, w)
			t.Waived = slices.DeleteFunc(slices.Clone(t.Said), func(d plan.Decision) bool {
				return slices.ContainsFunc(said, func(o plan.Decision) bool { return compare(o, d) == 0 })
			})
			t.Said = said
		}
		list = append(list, t)
	}
	slices.SortStableFunc(list, func(a, b Told) int { return a.weight() - b.weight() })
	return list
}

func (t *Told) weight() int {
	switch {
	case t.Stops():
		return 0
	case t.Fired():
		return 1
	}
	return 2
}

// question is a job as it is asked.
func (b *batch) question(j *job) question {
	q := question{clause: b.view.clauses[j.clause]}
	q.input, q.trace, q.fault = b.memo.input(b.view.node[j.clause], j.class, q.clause.lookups)
	return q
}

// tell asks a question and watches what its evaluation reads.
func (s *set) tell(q question) Told {
	c := q.clause
	t := Told{Rule: c.rule, Effect: c.effect, Title: c.title, File: c.file, Line: c.line, Exceptable: c.exceptable, Said: s.ask(q), Read: []Read{}}
	if q.fault != "" {
		return t
	}
	w := &witness{reads: c.reads, seen: make([]bool, len(c.reads)), aliases: s.aliasesOf(c)}
	s.observe(q, w) // whatever goes wrong went wrong before, and is a hold
	for i, p := range c.reads {
		if w.seen[i] {
			t.Read = append(t.Read, readAt(q.input, p))
		}
	}
	return t
}

// observe evaluates a clause once more, without indexing, so that a tracer sees
// every expression.
func (s *set) observe(q question, tracer topdown.QueryTracer) {
	defer func() { _ = recover() }()
	txn, err := s.store.NewTransaction(background)
	if err != nil {
		return
	}
	defer s.store.Abort(background, txn)
	ctx, cancel, done := s.within()
	defer done()
	budget := newWatch(question{}, s.limits.steps(), cancel, nil)
	_ = s.query(q, cancel, txn).WithIndexing(false).WithQueryTracer(budget).WithQueryTracer(tracer).
		Iter(ctx, func(topdown.QueryResult) error { return nil })
}

// witness notes which of a clause's attributes an evaluation comes to.
type witness struct {
	reads   []trail
	seen    []bool
	aliases map[*ast.Expr]map[ast.Var]trail
}

func (w *witness) Enabled() bool { return true }

func (w *witness) Config() topdown.TraceConfig { return topdown.TraceConfig{} }

func (w *witness) TraceEvent(e topdown.Event) {
	x, ok := e.Node.(*ast.Expr)
	if !ok || e.Op != topdown.EvalOp {
		return
	}
	if v, _, ok := definition(x); ok {
		if _, alias := w.aliases[x][v]; alias {
			return // it only names an attribute; what reads it is another expression
		}
	}
	for _, p := range comeTo(x, w.aliases[x]) {
		for i, known := range w.reads {
			w.seen[i] = w.seen[i] || known.under(p) || p.under(known)
		}
	}
}

// comeTo are the attributes that an expression itself reads. What its
// comprehensions read is come to in queries of their own.
func comeTo(x *ast.Expr, aliases map[ast.Var]trail) []trail {
	rd := &reader{aliases: aliases}
	rd.visitor = ast.NewGenericVisitor(func(n any) bool {
		switch n.(type) {
		case *ast.ArrayComprehension, *ast.SetComprehension, *ast.ObjectComprehension:
			return true
		}
		return rd.visit(n)
	})
	switch terms := x.Terms.(type) {
	case *ast.Every:
		rd.visitor.Walk(terms.Domain)
	case *ast.Not: // its body is a query of its own
	default:
		rd.visitor.Walk(x)
	}
	return rd.found
}

// ruleOf is the compiled rule that a clause is.
func (s *set) ruleOf(c *clause) *ast.Rule {
	for _, r := range s.compiler.Modules[c.file].Rules {
		if r.Location.Row == c.line && len(r.Body) > 0 && r.Body[0] == c.body[0] {
			return r
		}
	}
	panic("policy: a clause without a rule: " + c.rule + " at " + c.where())
}

// aliasesOf are, for each expression of a clause and of all that it leans on,
// the aliases of its rule.
func (s *set) aliasesOf(c *clause) map[*ast.Expr]map[ast.Var]trail {
	all := map[*ast.Expr]map[ast.Var]trail{}
	own := s.ruleOf(c)
	closure(s.compiler, own, func(r *ast.Rule) {
		names := aliases(r)
		ast.WalkExprs(r, func(x *ast.Expr) bool {
			all[x] = names
			return false
		})
		if r == own {
			all[c.body[len(c.body)-1]] = names // the answer, which is in no rule's body
		}
	})
	return all
}

// readAt is what an input has at a path.
func readAt(input *ast.Term, p trail) Read {
	r := Read{Attribute: p.String()}
	at := input.Value
	for _, word := range p {
		o, ok := at.(ast.Object)
		if !ok {
			r.Absent = true
			return r
		}
		next := o.Get(ast.StringTerm(word))
		if next == nil {
			r.Absent = true
			return r
		}
		at = next.Value
	}
	v, err := ast.JSON(at)
	if err != nil {
		panic("policy: an input that is not JSON: " + err.Error())
	}
	r.Value = v
	return r
}

// Brief is a value in at most max characters, as JSON: what is longer is cut
// short with its count.
func Brief(v any, most int) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if text := string(b); len(text) <= most {
		return text
	}
	switch v := v.(type) {
	case []any:
		if len(v) == 1 {
			return "1 entry"
		}
		return fmt.Sprintf("%d entries", len(v))
	case map[string]any:
		return fmt.Sprintf("%d attributes", len(v))
	}
	return strings.ToValidUTF8(string(b[:most]), "") + "…"
}
