package policy

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// twofold is the cache of rules' values in an evaluation that is watched. A
// value worked out where absence is handled must not stand in for one where it
// is not: the absent attributes behind it would go unseen. So there are two
// caches, and what was not found in one is put into the same.
type twofold struct {
	watch   *watch
	caches  [2]topdown.VirtualCache
	pending map[int]int // hash of a reference → where it was looked for
}

func newTwofold(w *watch) *twofold {
	return &twofold{watch: w, caches: [2]topdown.VirtualCache{topdown.NewVirtualCache(), topdown.NewVirtualCache()}, pending: map[int]int{}}
}

// unclear stands for a hash that was looked for in both caches at once.
const unclear = -1

func (t *twofold) Get(ref ast.Ref) (*ast.Term, bool) {
	i := 0
	if t.watch.handled() {
		i = 1
	}
	v, undefined := t.caches[i].Get(ref)
	if v == nil && !undefined {
		hash := ref.Hash()
		if at, ok := t.pending[hash]; ok && at != i {
			i = unclear
		}
		t.pending[hash] = i
	}
	return v, undefined
}

func (t *twofold) Put(ref ast.Ref, v *ast.Term) {
	hash := ref.Hash()
	i, ok := t.pending[hash]
	if !ok || i == unclear {
		return
	}
	delete(t.pending, hash)
	t.caches[i].Put(ref, v)
}

func (t *twofold) Push() {
	t.caches[0].Push()
	t.caches[1].Push()
}

func (t *twofold) Pop() {
	t.caches[0].Pop()
	t.caches[1].Pop()
}

func (t *twofold) Keys() []ast.Ref {
	return slices.Concat(t.caches[0].Keys(), t.caches[1].Keys())
}
