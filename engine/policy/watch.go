package policy

import (
	"slices"
	"strconv"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// watch counts the steps of an evaluation and, where something may be absent,
// sees which absent attributes it comes to.
type watch struct {
	budget  int
	cancel  topdown.Cancel
	input   *ast.Term
	trace   bool
	settled map[*ast.Rule]bool
	paths   map[ast.Value]string // objects and lists of the input → where they are
	frames  map[uint64]*frame
	now     *frame // that of the last event
	found   []string
}

// frame is a query in evaluation: a rule's body, a comprehension, a negation.
type frame struct {
	nots    int       // how many negations it is under
	direct  bool      // it is itself the negated expression
	settled bool      // a default or an else says what absence means
	last    *ast.Expr // what it evaluates
}

func newWatch(q question, budget int, cancel topdown.Cancel, settled map[*ast.Rule]bool) *watch {
	w := &watch{budget: budget, cancel: cancel, input: q.input, trace: q.trace, settled: settled}
	if q.trace {
		w.paths, w.frames = map[ast.Value]string{}, map[uint64]*frame{}
		w.note(q.input, "input")
	}
	return w
}

// note remembers where the input's objects and lists are. Terms are handed
// around in an evaluation without being copied, so that they are known again.
func (w *watch) note(t *ast.Term, at string) {
	switch v := t.Value.(type) {
	case ast.Object:
		w.paths[v] = at
		v.Foreach(func(k, x *ast.Term) { w.note(x, at+word(k)) })
	case *ast.Array:
		w.paths[v] = at
		v.Foreach(func(x *ast.Term) { w.note(x, at+"[]") })
	}
}

// word is a key as it is written behind an object.
func word(k *ast.Term) string {
	s, ok := k.Value.(ast.String)
	if !ok {
		return "[]"
	}
	if ast.IsVarCompatibleString(string(s)) {
		return "." + string(s)
	}
	return "[" + strconv.Quote(string(s)) + "]"
}

func (w *watch) Enabled() bool { return true }

func (w *watch) Config() topdown.TraceConfig { return topdown.TraceConfig{} }

func (w *watch) spent() bool { return w.budget < 0 }

// missing are the absent attributes come to, sorted, each once.
func (w *watch) missing() []string {
	slices.Sort(w.found)
	return slices.Compact(w.found)
}

// TraceEvent is called by OPA at every step.
func (w *watch) TraceEvent(e topdown.Event) {
	if e.Op == topdown.EvalOp {
		if w.budget--; w.budget < 0 {
			w.cancel.Cancel()
		}
	}
	if !w.trace {
		return
	}
	f := w.frame(&e)
	w.now = f
	if e.Op != topdown.EvalOp {
		return
	}
	expr, ok := e.Node.(*ast.Expr)
	if !ok {
		return
	}
	f.last = expr
	if f.handled() || expr.Negated {
		return
	}
	at := e // what is followed outlives the call, and most events are not
	for _, ref := range refs(expr) {
		w.follow(ref, &at)
	}
}

// frame is the frame of an event's query, made when it is first met.
func (w *watch) frame(e *topdown.Event) *frame {
	f, ok := w.frames[e.QueryID]
	if ok {
		return f
	}
	f = &frame{}
	if parent := w.frames[e.ParentID]; parent != nil && e.ParentID != e.QueryID {
		f.nots, f.settled = parent.nots, parent.settled
		if negation(parent.last) {
			f.nots++
			f.direct = true
		}
	}
	if r, ok := e.Node.(*ast.Rule); ok {
		f.direct = false
		f.settled = f.settled || w.settled[r]
	}
	w.frames[e.QueryID] = f
	return f
}

// handled says that what is absent in a frame has a meaning.
func (f *frame) handled() bool { return f.settled || f.direct || f.nots%2 == 1 }

// handled says so of where the evaluation is.
func (w *watch) handled() bool { return w.now != nil && w.now.handled() }

func negation(x *ast.Expr) bool {
	if x == nil {
		return false
	}
	_, not := x.Terms.(*ast.Not)
	return not || x.Negated
}
