package policy

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// What an evaluation may do is bounded three times.
//
// First by counts that are the same on every machine: the expressions of one
// evaluation (Limits.Steps), what one built-in may be handed and may make, and
// what a rule may say. What exceeds them is a hold engine.error, like any other
// error of a rule, and replays.
//
// Second by the process: what still takes too long or too much memory, such as
// comparing values that contain each other a billion times over, ends the run
// and never becomes a decision, since when it strikes depends on the machine.
// Running is what a watchdog asks for the rule to name.
//
// Third, where the policies are not reviewed yet, that process is one of its own
// with limits of the operating system. cmd/ringmaster does the last two.

// The bounds of files and values.
const (
	mostRego   = 256 << 10 // bytes of a .rego file
	mostData   = 16 << 20  // of a data.json
	mostNested = 250       // brackets inside one another
	mostSaid   = 4 << 20   // of all that a rule says about one input, as weigh counts
)

// Evaluation is one under way.
type Evaluation struct {
	ID    int64  // of the evaluation, never used again
	Rule  string // "" in tests
	Place string // file:line of the rule, or of what a test evaluates now
	Steps int64  // of a test so far: where it grows, something happens; a rule's are counted by Limits
}

// underway is an Evaluation while it changes.
type underway struct {
	id    int64
	rule  string
	place atomic.Pointer[string]
	at    atomic.Pointer[ast.Location]
	steps atomic.Int64
}

var running = struct {
	sync.Mutex
	next  int64
	spots map[int64]*underway
}{spots: map[int64]*underway{}}

// Running is what is evaluated now in this process, the oldest first. It is for
// watchdogs, which end a process: nothing is decided on it.
func Running() []Evaluation {
	running.Lock()
	defer running.Unlock()
	var list []Evaluation
	for _, s := range running.spots {
		one := Evaluation{ID: s.id, Rule: s.rule, Steps: s.steps.Load()}
		if p := s.place.Load(); p != nil {
			one.Place = *p
		}
		if at := s.at.Load(); at != nil {
			one.Place = fmt.Sprintf("%s:%d", at.File, at.Row)
		}
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b Evaluation) int { return int(a.ID - b.ID) })
	return list
}

// begin notes that an evaluation began; it is over when end is called.
func begin(rule, place string) (s *underway, end func()) {
	running.Lock()
	defer running.Unlock()
	running.next++
	s = &underway{id: running.next, rule: rule}
	s.place.Store(&place)
	running.spots[s.id] = s
	return s, func() {
		running.Lock()
		delete(running.spots, s.id)
		running.Unlock()
	}
}

// beacon is a tracer that notes where its tests are, on the way to another one.
type beacon struct {
	topdown.QueryTracer
	spot *underway
}

func (b beacon) TraceEvent(e topdown.Event) {
	if e.Location != nil {
		b.spot.at.Store(e.Location)
	}
	b.spot.steps.Add(1)
	b.QueryTracer.TraceEvent(e)
}

// oversize finds a file that is larger, or nested deeper, than a policy ever is:
// parsers and compilers work their way into it one call inside another.
func (src *source) oversize(name string, text []byte, most int) bool {
	if len(text) > most {
		src.fault(name, 1, 1, "the file has %d bytes; at most %d are read", len(text), most)
		return true
	}
	line, depth := 1, 0
	for _, c := range text {
		switch c {
		case '\n':
			line++
		case '(', '[', '{':
			if depth++; depth > mostNested {
				src.fault(name, line, 1, "more than %d brackets are open at once", mostNested)
				return true
			}
		case ')', ']', '}':
			depth = max(0, depth-1)
		}
	}
	return false
}

// weigh is about how many bytes a value has when it is written out, and at
// least most where that is more. What a value contains twice counts twice, as it
// would be written twice.
func weigh(v ast.Value, most int) int {
	sum := 0
	add := func(t *ast.Term) bool {
		sum += 2 + weigh(t.Value, most-sum)
		return sum >= most
	}
	switch v := v.(type) {
	case ast.String:
		return len(v) + 2
	case ast.Number:
		return len(v)
	case *ast.Array:
		v.Until(add)
	case ast.Set:
		v.Until(add)
	case ast.Object:
		v.Until(func(k, x *ast.Term) bool { return add(k) || add(x) })
	default:
		return 8
	}
	return min(sum, most)
}

// tooMuch says that what a rule says is more than is written down.
func tooMuch(said []*ast.Term) bool {
	sum := 0
	for _, t := range said {
		if sum += 2 + weigh(t.Value, mostSaid-sum); sum >= mostSaid {
			return true
		}
	}
	return false
}

// tame says that a number can be calculated with: its digits are its text's.
func tame(n string) bool {
	_, exponent, scientific := strings.Cut(strings.ToLower(n), "e")
	return len(n) <= 1000 && (!scientific || len(strings.TrimLeft(exponent, "+-0")) <= 3)
}
