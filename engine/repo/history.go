package repo

import (
	"cmp"
	"container/heap"
	"fmt"
	"iter"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
)

// FirstParents yields from and then each first parent, back to the beginning.
// Where a shallow clone was cut it yields ErrShallow and ends; any error is
// the last thing it yields.
func (r *Repo) FirstParents(from Hash) iter.Seq2[Commit, error] {
	return func(yield func(Commit, error) bool) {
		for at := from; at != ""; {
			c, err := r.Commit(at)
			if err != nil {
				yield(Commit{}, err)
				return
			}
			if !yield(c, nil) {
				return
			}
			if r.isCut(c.Hash) {
				yield(Commit{}, fmt.Errorf("beyond %s: %w", c.Hash, ErrShallow))
				return
			}
			at = firstParent(c)
		}
	}
}

func firstParent(c Commit) Hash {
	if len(c.Parents) == 0 {
		return ""
	}
	return c.Parents[0]
}

// PathHistory yields, youngest first, the commits on the first-parent line in
// which path, a file or a folder, came, changed or went. It compares hashes of
// tree entries alone and opens no file.
func (r *Repo) PathHistory(from Hash, path string) iter.Seq2[Commit, error] {
	return func(yield func(Commit, error) bool) {
		for s, err := range r.steps(from, path) {
			if err != nil {
				yield(Commit{}, err)
				return
			}
			if s.changed() && !yield(s.commit, nil) {
				return
			}
		}
	}
}

// Under yields, youngest first, every commit on the first-parent line with the
// files under the folder path in which it differs from its first parent, sorted
// by path; none where the folder's own hash is the same. It ends as FirstParents
// does.
func (r *Repo) Under(from Hash, path string) iter.Seq2[Step, error] {
	return func(yield func(Step, error) bool) {
		for s, err := range r.steps(from, path) {
			if err != nil {
				yield(Step{}, err)
				return
			}
			list, err := r.store.deltas(path+"/", s.before.folder(), s.after.folder())
			if err != nil {
				yield(Step{}, err)
				return
			}
			if !yield(Step{s.commit, changes(list)}, nil) {
				return
			}
		}
	}
}

// step is a commit with what a path was before it and is in it.
type step struct {
	commit        Commit
	before, after entry
}

func (s step) changed() bool { return s.before.hash != s.after.hash || s.before.mode != s.after.mode }

// steps yields every commit of the first-parent line, youngest first, once its
// parent is known. A tree that is the parent's is not looked into again.
func (r *Repo) steps(from Hash, path string) iter.Seq2[step, error] {
	return func(yield func(step, error) bool) {
		var young step // before is not known yet
		walked := false
		for c, err := range r.FirstParents(from) {
			if err != nil {
				yield(step{}, err)
				return
			}
			e := young.after
			if !walked || c.Tree != young.commit.Tree {
				if e, _, err = r.store.find(plumbing.NewHash(string(c.Tree)), path); err != nil {
					yield(step{}, err)
					return
				}
			}
			young.before = e
			if walked && !yield(young, nil) {
				return
			}
			young, walked = step{commit: c, after: e}, true
		}
		if walked {
			yield(young, nil)
		}
	}
}

// IsAncestor says whether old is young or comes before it. In a shallow clone
// a no is ErrShallow, since nobody can know.
func (r *Repo) IsAncestor(old, young Hash) (bool, error) {
	if old == "" || old == young {
		return true, nil
	}
	if _, err := old.parse(); err != nil {
		return false, err
	}
	seen := map[Hash]bool{young: true}
	cut := false
	for todo := []Hash{young}; len(todo) > 0; {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		c, err := r.Commit(at)
		if err != nil {
			return false, err
		}
		if r.isCut(at) {
			cut = true
			continue
		}
		for _, p := range slices.Backward(c.Parents) {
			if p == old {
				return true, nil
			}
			if !seen[p] {
				seen[p] = true
				todo = append(todo, p)
			}
		}
	}
	if cut {
		return false, fmt.Errorf("looking for %s before %s: %w", old, young, ErrShallow)
	}
	return false, nil
}

// MergeBase is the youngest commit that both come from, "" when they share no
// history. Where there are several, as after crossed merges, it is the first
// by time and then by hash.
func (r *Repo) MergeBase(a, b Hash) (Hash, error) {
	w := &walk{r: r, flags: map[Hash]uint8{}}
	if err := w.push(a, fromA); err != nil {
		return "", err
	}
	if err := w.push(b, fromB); err != nil {
		return "", err
	}
	var found []Hash
	for w.interesting > 0 {
		c, flags := w.pop()
		if flags&(fromA|fromB) == fromA|fromB && flags&stale == 0 {
			found = append(found, c.Hash)
			flags |= stale
		}
		if err := w.parents(c, flags); err != nil {
			return "", err
		}
	}
	for _, h := range found {
		if w.flags[h]&stale == 0 { // not before another that was found
			return h, nil
		}
	}
	return "", nil
}

// The sides a commit was reached from; stale is below a common one.
const (
	fromA uint8 = 1 << iota
	fromB
	stale
)

// walk visits commits youngest first and remembers from which side each was
// reached, as the git program's merge-base does.
type walk struct {
	r           *Repo
	flags       map[Hash]uint8
	queue       byAge
	queued      map[Hash]bool
	interesting int // queued commits that are not stale
}

func (w *walk) push(h Hash, flags uint8) error {
	was := w.flags[h]
	if was|flags == was && was != 0 {
		return nil
	}
	w.flags[h] = was | flags
	if w.queued[h] {
		if was&stale == 0 && flags&stale != 0 {
			w.interesting--
		}
		return nil
	}
	c, err := w.r.Commit(h)
	if err != nil {
		return err
	}
	if w.queued == nil {
		w.queued = map[Hash]bool{}
	}
	w.queued[h] = true
	if w.flags[h]&stale == 0 {
		w.interesting++
	}
	heap.Push(&w.queue, c)
	return nil
}

func (w *walk) pop() (Commit, uint8) {
	c := heap.Pop(&w.queue).(Commit)
	delete(w.queued, c.Hash)
	flags := w.flags[c.Hash]
	if flags&stale == 0 {
		w.interesting--
	}
	return c, flags
}

func (w *walk) parents(c Commit, flags uint8) error {
	if w.r.isCut(c.Hash) {
		return nil
	}
	for _, p := range c.Parents {
		if err := w.push(p, flags); err != nil {
			return err
		}
	}
	return nil
}

// byAge is a heap of commits, youngest on top.
type byAge []Commit

func (q byAge) Len() int      { return len(q) }
func (q byAge) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q byAge) Less(i, j int) bool {
	return cmp.Or(q[j].At.Compare(q[i].At), cmp.Compare(q[i].Hash, q[j].Hash)) < 0
}
func (q *byAge) Push(c any) { *q = append(*q, c.(Commit)) }
func (q *byAge) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// missing returns the commits of tip's history that are not in the histories
// of have, youngest first.
func (r *Repo) missing(tip Hash, have []Hash) ([]Commit, error) {
	w := &walk{r: r, flags: map[Hash]uint8{}}
	if err := w.push(tip, fromA); err != nil {
		return nil, err
	}
	for _, h := range have {
		if err := w.push(h, stale); err != nil {
			return nil, err
		}
	}
	var found []Commit
	for w.interesting > 0 {
		c, flags := w.pop()
		if flags&stale == 0 {
			found = append(found, c)
		}
		if err := w.parents(c, flags); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(found, func(c Commit) bool { return w.flags[c.Hash]&stale != 0 }), nil
}
