package policy

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Alteration is one fact that would have to be other than it is. A fact is an
// attribute of the input that somebody can change, or the time. From and To are
// as JSON has them and nil where there is nothing: an attribute that nobody
// reports, an element that is not in a list.
type Alteration struct {
	Attribute string `json:"attribute"` // "input.host.disk_free_mb", "input.wave.services[0].down"
	From      any    `json:"from"`
	To        any    `json:"to"`
	By        Hand   `json:"by"`

	path      []string             // below input; an element of a list is its number
	exception *inventory.Exception // one more that the estate would have
}

// Flip is a smallest set of changes with which the decision would be the other
// one: no other set of fewer changes that was tried does it, and none of its
// own parts.
type Flip struct {
	Changes   []Alteration    `json:"changes"`
	Decisions []plan.Decision `json:"decisions"` // what policy would say then
}

// Search is what looking for flips came to.
type Search struct {
	Stopped bool `json:"stopped"` // what the decision is now
	// Exception is the exception that would let through what is stopped, nil where
	// none does: some rules yield to none.
	Exception *Flip  `json:"exception"`
	Flips     []Flip `json:"flips"`  // all of the same size, the likeliest to be in somebody's hand first
	More      int    `json:"more"`   // how many others of that size were found
	Whole     int    `json:"whole"`  // every combination of so many changes of the facts and values considered was tried
	Facts     int    `json:"facts"`  // considered
	Tried     int    `json:"tried"`  // combinations that were evaluated
	Budget    int    `json:"budget"` // how many could have been
}

// FlipOptions bound a search. The zero value works.
type FlipOptions struct {
	Budget   int      // combinations to evaluate, DefaultFlips when zero
	Observed []*Input // others of the same point: values that occur are tried
}

// DefaultFlips is what a search may evaluate. Inputs as large as a wave of
// thousands of hosts are tried less often: see flipBytes.
const DefaultFlips = 20_000

const (
	flipBytes = 200 << 20 // how much input a search writes and reads, all in all
	mostFlips = 5         // how many are told
	flipSize  = 3         // how many changes are tried together
)

// Flips looks for the smallest change of facts with which the decision about an
// input would be the other one: let through where it is denied or held now,
// stopped where it is not. Tried are the attributes that the rules concerned
// read: those that stop it now, or all that could. The values come from the
// rules' own constants and data, the words that an attribute can have, what was
// observed, and steps of growing size, and are brought as near to what is the
// case as the flip lasts. First every single change is tried, then every two,
// then three, as far as the budget goes. What is returned was evaluated by the
// policies themselves, and so was each of its parts.
//
// The same arguments have the same answer. That nothing is found is no proof
// that there is nothing: see Search.
func (s *Set) Flips(in *Input, x Exceptions, o FlipOptions) (Search, error) {
	f, err := newFinder(s, in, x, o)
	if err != nil {
		return Search{}, err
	}
	f.search()
	f.result.Exception = f.excepted()
	return f.result, nil
}

// finder is a search under way.
type finder struct {
	set        *Set
	doc        map[string]any // the input
	base       *Input
	odd        bool // parts of it are more than the whole already
	exceptions Exceptions
	before     []plan.Decision
	result     Search
	facts      []fact
	singles    []single
}

// single is one value of one fact.
type single struct {
	fact   int
	change Alteration
	moves  bool // by itself it alters what policy says
}

func newFinder(s *Set, in *Input, x Exceptions, o FlipOptions) (*finder, error) {
	doc, err := documentOf(in)
	if err != nil {
		return nil, err
	}
	f := &finder{set: s, doc: doc, exceptions: x, odd: !in.possible()}
	if f.base, err = inputOf(doc); err != nil {
		return nil, err
	}
	f.before = s.Decide(f.base, x)
	f.result = Search{Stopped: Stops(f.before), Flips: []Flip{}, Budget: min(cmp.Or(o.Budget, DefaultFlips), flipBytes/(1+sizeOf(doc)))}
	observed := make([]map[string]any, 0, len(o.Observed))
	for _, other := range o.Observed {
		d, err := documentOf(other)
		if err != nil {
			return nil, err
		}
		observed = append(observed, d)
	}
	f.facts = f.gather(s.concerned(f.base, x, f.result.Stopped), observed)
	f.result.Facts = len(f.facts)
	for i := range f.facts {
		for _, c := range f.facts[i].changes {
			f.singles = append(f.singles, single{fact: i, change: c})
		}
	}
	return f, nil
}

// concerned are the clauses whose facts a search looks at: those that stop the
// input, or else those that could.
func (s *Set) concerned(in *Input, x Exceptions, stopped bool) []*clause {
	var list []*clause
	told := s.Explain(in, x)
	for _, c := range s.views[in.Point].clauses {
		i := slices.IndexFunc(told, func(t Told) bool { return t.File == c.file && t.Line == c.line && t.Rule == c.rule })
		if stopped && told[i].Stops() || !stopped && (c.effect == plan.Deny || c.effect == plan.Hold) {
			list = append(list, c)
		}
	}
	return list
}

func (f *finder) search() {
	for size := 1; size <= flipSize; size++ {
		found, whole := f.level(size)
		if whole {
			f.result.Whole = size
		}
		if len(found) > 0 || !whole {
			f.keep(found)
			return
		}
		if size == 1 {
			slices.SortStableFunc(f.singles, func(a, b single) int { return boolean(b.moves) - boolean(a.moves) })
		}
	}
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

// level tries combinations of one size, and says whether all were tried.
func (f *finder) level(size int) (found [][]Alteration, whole bool) {
	seen := map[string]bool{}
	pick := make([]int, 0, size)
	var pending [][]int
	flush := func() {
		for n, said := range f.ask(pending) {
			if size == 1 {
				f.singles[pending[n][0]].moves = !slices.EqualFunc(said, f.before, func(a, b plan.Decision) bool { return compare(a, b) == 0 })
			}
			if key := f.key(pending[n]); Stops(said) != f.result.Stopped && !seen[key] {
				seen[key] = true
				found = append(found, f.changes(pending[n]))
			}
		}
		pending = pending[:0]
	}
	whole = true
	var choose func(from int) bool
	choose = func(from int) bool {
		if len(pick) == size {
			if f.result.Tried+len(pending) >= f.result.Budget {
				return false
			}
			if pending = append(pending, slices.Clone(pick)); len(pending) == flipChunk {
				flush()
			}
			return size == 1 || len(found) <= 4*mostFlips
		}
		for i := from; i < len(f.singles); i++ {
			if slices.ContainsFunc(pick, func(p int) bool { return f.singles[p].fact == f.singles[i].fact }) {
				continue
			}
			pick = append(pick, i)
			ok := choose(i + 1)
			pick = pick[:len(pick)-1]
			if !ok {
				return false
			}
		}
		return true
	}
	whole = choose(0)
	flush()
	return found, whole
}

// flipChunk is how many combinations are asked about together.
const flipChunk = 256

// key names the facts that a combination changes, and whether up or down: of
// each the nearest value counts, which comes first.
func (f *finder) key(pick []int) string {
	var parts []string
	for _, p := range pick {
		c := &f.singles[p].change
		parts = append(parts, c.Attribute+" "+direction(c))
	}
	slices.Sort(parts)
	return strings.Join(parts, "\x00")
}

func (f *finder) changes(pick []int) []Alteration {
	list := make([]Alteration, len(pick))
	for i, p := range pick {
		list[i] = f.singles[p].change
	}
	slices.SortFunc(list, func(a, b Alteration) int { return strings.Compare(a.Attribute, b.Attribute) })
	return list
}

// ask puts combinations to the policies.
func (f *finder) ask(picks [][]int) [][]plan.Decision {
	lists := make([][]Alteration, len(picks))
	for i, p := range picks {
		lists[i] = f.changes(p)
	}
	return f.evaluate(lists)
}

// keep brings what was found as near to what is the case as it lasts, proves it
// and lists it.
func (f *finder) keep(found [][]Alteration) {
	slices.SortStableFunc(found, func(a, b []Alteration) int { return rank(a) - rank(b) })
	for _, changes := range found {
		if len(f.result.Flips) == mostFlips {
			f.result.More++
			continue
		}
		for i := range changes {
			f.nearer(changes, i)
		}
		if flip, ok := f.prove(changes); ok {
			f.result.Flips = append(f.result.Flips, flip)
		}
	}
}

// prove evaluates a flip and all its parts, each by itself.
func (f *finder) prove(changes []Alteration) (Flip, bool) {
	for mask := 1; mask < 1<<len(changes); mask++ {
		var part []Alteration
		for i := range changes {
			if mask&(1<<i) != 0 {
				part = append(part, changes[i])
			}
		}
		said, err := f.set.Then(f.base, f.exceptions, part)
		flips := err == nil && Stops(said) != f.result.Stopped
		if len(part) < len(changes) && flips || len(part) == len(changes) && !flips {
			return Flip{}, false
		}
		if len(part) == len(changes) {
			return Flip{Changes: changes, Decisions: said}, true
		}
	}
	return Flip{}, false
}

// evaluate returns what policy says with each list of changes. A list that
// makes no input of its own says what is said now.
func (f *finder) evaluate(lists [][]Alteration) [][]plan.Decision {
	f.result.Tried += len(lists)
	out := make([][]plan.Decision, len(lists))
	var inputs []*Input
	var places []int
	for i, changes := range lists {
		out[i] = f.before
		in, x, err := f.altered(changes)
		switch {
		case err != nil:
		case len(x) > len(f.exceptions):
			out[i] = f.set.Decide(in, x)
		default:
			inputs, places = append(inputs, in), append(places, i)
		}
	}
	said := f.set.Batch(len(inputs), *f.base, func(n int, in *Input) { *in = *inputs[n] }, f.exceptions)
	for n, i := range places {
		out[i] = said[n]
	}
	return out
}
