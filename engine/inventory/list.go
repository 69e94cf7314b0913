package inventory

import (
	"encoding/json"
	"iter"
	"slices"
	"sync"
)

// Pool holds each distinct package of an inventory once, under a number. Lists of
// a pool are then four bytes a row however many hosts have a package, and what is
// worked out about a package is worked out once. It may be used by several
// goroutines; numbers then follow whoever came first, so that nothing that is
// decided may depend on them.
type Pool struct {
	mu  sync.RWMutex
	ids map[Package]int32
	all []Package // by number; what stands there never changes
}

// NewPool returns an empty pool.
func NewPool() *Pool { return &Pool{ids: map[Package]int32{}} }

// Number returns the number of a package, a new one where it was not met before.
// Numbers begin at 0 and leave none out.
func (p *Pool) Number(pkg Package) int32 {
	p.mu.RLock()
	id, ok := p.ids[pkg]
	p.mu.RUnlock()
	if ok {
		return id
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if id, ok = p.ids[pkg]; ok {
		return id
	}
	id = int32(len(p.all))
	p.all = append(p.all, pkg)
	p.ids[pkg] = id
	return id
}

// Packages returns the packages met so far, by number. Nobody may change them.
func (p *Pool) Packages() []Package {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.all[:len(p.all):len(p.all)]
}

// List returns the packages as a list, in their order.
func (p *Pool) List(packages []Package) *List {
	numbers := make([]int32, len(packages))
	for i := range packages {
		numbers[i] = p.Number(packages[i])
	}
	return &List{p, numbers}
}

// Numbered returns the list of packages with these numbers. It keeps the slice.
func (p *Pool) Numbered(numbers []int32) *List { return &List{p, numbers} }

// List is all packages of a host. It never changes, so that hosts share it; nil
// is a list that nobody reported.
type List struct {
	pool    *Pool
	numbers []int32
}

// Len is how many packages the list has, 0 for nil.
func (l *List) Len() int {
	if l == nil {
		return 0
	}
	return len(l.numbers)
}

// Pool is where the list's numbers count.
func (l *List) Pool() *Pool { return l.pool }

// Numbers returns the list's packages by their numbers in the pool. Nobody may
// change them.
func (l *List) Numbers() []int32 {
	if l == nil {
		return nil
	}
	return l.numbers
}

// All yields the packages in the list's order. Nobody may change them.
func (l *List) All() iter.Seq[*Package] {
	return func(yield func(*Package) bool) {
		if l == nil {
			return
		}
		all := l.pool.Packages()
		for _, id := range l.numbers {
			if !yield(&all[id]) {
				return
			}
		}
	}
}

// Packages returns a copy of the list's packages; nil for nil.
func (l *List) Packages() []Package {
	if l == nil {
		return nil
	}
	list := make([]Package, 0, len(l.numbers))
	for p := range l.All() {
		list = append(list, *p)
	}
	return list
}

// MarshalJSON writes the packages themselves: numbers mean nothing elsewhere.
func (l *List) MarshalJSON() ([]byte, error) { return json.Marshal(l.Packages()) }

// Changed returns the list with every package as change makes it; nil for nil.
// The list given stays as it is.
func (l *List) Changed(change func(Package) Package) *List {
	if l == nil {
		return nil
	}
	all, numbers := l.pool.Packages(), slices.Clone(l.numbers)
	for i, id := range numbers {
		if next := change(all[id]); next != all[id] {
			numbers[i] = l.pool.Number(next)
		}
	}
	return &List{l.pool, numbers}
}
