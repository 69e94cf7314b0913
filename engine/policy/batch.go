package policy

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Decide returns what the policies say of one input, exceptions applied, sorted
// by strength, rule and message. An error inside a policy is a hold
// "engine.error" that tells it; a read of an absent attribute that the rule does
// not handle is a hold "engine.missing" that names it. The slice may be shared
// between inputs of the same projection: nobody changes it.
func (s *Set) Decide(in *Input, x Exceptions) []plan.Decision {
	return s.Batch(1, *in, func(int, *Input) {}, x)[0]
}

// Batch asks many inputs of one point that share everything but what vary sets.
// It calls vary(i, in) for i in 0..n-1, in this order and never at once, each
// time with base as it was, to fill in the varying sections (in itself is used
// again and not kept), and returns the decisions of each. Rules are evaluated once per distinct projection of what
// they read.
//
// Sections are not changed once they were handed over: one that vary hands over
// again by the same pointer is taken to be the same.
func (s *Set) Batch(n int, base Input, vary func(i int, in *Input), x Exceptions) [][]plan.Decision {
	out := make([][]plan.Decision, n)
	b := newBatch(s, base.Point, x)
	b.run(n, base, vary, func(from, to int) {
		b.evaluate()
		b.assemble(out[from:to])
	})
	return out
}

// RuleCost is how often a rule is evaluated.
type RuleCost struct {
	RuleReads
	Evaluations int
}

// Cost says how many evaluations each rule takes in a Batch of these inputs,
// the most expensive first, without making them.
func (s *Set) Cost(n int, base Input, vary func(i int, in *Input), x Exceptions) []RuleCost {
	b := newBatch(s, base.Point, x)
	b.run(n, base, vary, func(int, int) {})
	var list []RuleCost
	for c, classes := range b.answers {
		list = append(list, RuleCost{b.view.clauses[c].about(), len(classes)})
	}
	slices.SortStableFunc(list, func(a, b RuleCost) int { return b.Evaluations - a.Evaluations })
	return list
}

// chunk is how many inputs are classed before what is new is evaluated: enough
// to keep the processors busy, few enough to keep in memory.
const chunk = 1 << 13

// batch is a Batch under way.
type batch struct {
	set        *set
	view       *view
	memo       *memo
	exceptions *waiver
	input      Input     // the one at hand
	classes    []int32   // of the chunk: input × clause
	waivers    []int32   // of the chunk: the exceptions that cover the input
	answers    [][]int32 // clause → class → answer
	jobs       []job
	book       book
}

// job is a projection that no answer is known for yet.
type job struct {
	clause int
	class  int32
	result []plan.Decision
}

func newBatch(s *Set, point Point, x Exceptions) *batch {
	v := s.views[point]
	if v == nil {
		panic("policy: no such decision point: " + string(point))
	}
	return &batch{set: &s.set, view: v, memo: newMemo(v), exceptions: newWaiver(x), answers: make([][]int32, len(v.clauses)), book: newBook()}
}

// run classes all inputs, a chunk at a time, and calls do after each.
func (b *batch) run(n int, base Input, vary func(int, *Input), do func(from, to int)) {
	if base.Estate.Exceptions == nil {
		base.Estate.Exceptions = exceptionInputs(b.exceptions.exceptions)
	}
	for from := 0; from < n; from += chunk {
		to := min(n, from+chunk)
		b.classify(from, to, base, vary)
		do(from, to)
	}
}

// classify works out the classes of a chunk of inputs, and lists what is new.
func (b *batch) classify(from, to int, base Input, vary func(int, *Input)) {
	b.classes, b.waivers, b.jobs = b.classes[:0], b.waivers[:0], b.jobs[:0]
	in := &b.input
	for i := from; i < to; i++ {
		*in = base
		vary(i, in)
		b.memo.classify(in)
		for c, node := range b.view.node {
			class := int32(0)
			if node >= 0 {
				class = b.memo.current[node]
			}
			if int(class) == len(b.answers[c]) {
				b.answers[c] = append(b.answers[c], 0)
				b.jobs = append(b.jobs, job{clause: c, class: class})
			}
			b.classes = append(b.classes, class)
		}
		b.waivers = append(b.waivers, b.exceptions.cover(in))
	}
}

// evaluate answers the jobs, on all processors, and books the answers in the
// jobs' order.
func (b *batch) evaluate() {
	workers := min(runtime.GOMAXPROCS(0), len(b.jobs))
	var next atomic.Int64
	work := func() {
		for {
			i := int(next.Add(1)) - 1
			if i >= len(b.jobs) {
				return
			}
			j := &b.jobs[i]
			j.result = b.set.ask(b.question(j))
		}
	}
	var group sync.WaitGroup
	for range workers - 1 {
		group.Go(work)
	}
	work()
	group.Wait()
	for _, j := range b.jobs {
		b.answers[j.clause][j.class] = b.book.answer(j.result)
	}
}

// assemble joins the answers of each input.
func (b *batch) assemble(out [][]plan.Decision) {
	n := len(b.view.node)
	for i := range out {
		at := int32(0)
		for c, class := range b.classes[i*n : (i+1)*n] {
			answer := b.answers[c][class]
			if answer == 0 {
				continue
			}
			if w := b.waivers[i]; w > 0 && b.view.clauses[c].exceptable {
				answer = b.book.waived(answer, w, b.exceptions)
			}
			at = b.book.joined(at, answer)
		}
		out[i] = b.book.lists[at]
	}
}

// book numbers lists of decisions, so that each is kept once. Number 0 is the
// empty one.
type book struct {
	lists  [][]plan.Decision
	byText map[string]int32
	joins  map[uint64]int32
	waives map[uint64]int32
}

func newBook() book {
	return book{lists: [][]plan.Decision{nil}, byText: map[string]int32{}, joins: map[uint64]int32{}, waives: map[uint64]int32{}}
}

// answer is the number of a sorted list.
func (b *book) answer(list []plan.Decision) int32 {
	if len(list) == 0 {
		return 0
	}
	key, err := plan.Canonical(list)
	if err != nil {
		panic("policy: decisions that were checked: " + err.Error())
	}
	id, ok := b.byText[string(key)]
	if !ok {
		id = int32(len(b.lists))
		b.lists, b.byText[string(key)] = append(b.lists, list), id
	}
	return id
}

// joined is the number of two lists taken together.
func (b *book) joined(x, y int32) int32 {
	if x == 0 {
		return y
	}
	key := uint64(uint32(x))<<32 | uint64(uint32(y))
	id, ok := b.joins[key]
	if !ok {
		id = b.answer(sorted(slices.Concat(b.lists[x], b.lists[y])))
		b.joins[key] = id
	}
	return id
}

// waived is the number of a list after exceptions.
func (b *book) waived(answer, cover int32, w *waiver) int32 {
	key := uint64(uint32(answer))<<32 | uint64(uint32(cover))
	id, ok := b.waives[key]
	if !ok {
		id = b.answer(w.apply(b.lists[answer], cover))
		b.waives[key] = id
	}
	return id
}
