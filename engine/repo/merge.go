package repo

import (
	"fmt"
	"maps"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
)

// Merge writes the commit that merges head into base, with base as its first
// parent, also where base could simply move to head. It moves nothing. Paths
// are merged whole: one that both sides changed, each in its own way, is a
// ConflictError. Where head is in base already it returns ErrMerged. The
// message, author and time come from n; its base, parents and changes do not
// count.
func (r *Repo) Merge(base, head Hash, n Next) (Hash, error) {
	in, err := r.IsAncestor(head, base)
	if err != nil {
		return "", fmt.Errorf("merging %s: %w", head, err)
	}
	if in {
		return "", fmt.Errorf("merging %s: %w", head, ErrMerged)
	}
	common, err := r.MergeBase(base, head)
	if err != nil {
		return "", fmt.Errorf("merging %s: %w", head, err)
	}
	if common == "" && r.Shallow() {
		return "", fmt.Errorf("merging %s: %w", head, ErrShallow)
	}
	var roots [3]plumbing.Hash
	for i, c := range []Hash{common, base, head} {
		if roots[i], err = r.rootOf(c); err != nil {
			return "", fmt.Errorf("merging %s: %w", head, err)
		}
	}
	m := &merger{b: r.store.batch()}
	root, err := m.trees("", roots[0], roots[1], roots[2])
	if err != nil {
		return "", fmt.Errorf("merging %s: %w", head, err)
	}
	if len(m.conflicts) > 0 {
		slices.Sort(m.conflicts)
		return "", fmt.Errorf("merging %s: %w", head, &ConflictError{m.conflicts})
	}
	return m.b.seal(root, []Hash{base, head}, n)
}

type merger struct {
	b         *batch
	conflicts []string
}

// trees merges one folder: o is the common ancestor's, a ours, b theirs.
func (m *merger) trees(prefix string, o, a, b plumbing.Hash) (plumbing.Hash, error) {
	switch {
	case a == b || o == b:
		return a, nil
	case o == a:
		return b, nil
	}
	var sides [3]map[string]entry
	names := map[string]bool{}
	for i, h := range []plumbing.Hash{o, a, b} {
		list, err := m.b.s.tree(h)
		if err != nil {
			return a, err
		}
		sides[i] = map[string]entry{}
		for _, e := range list {
			sides[i][e.name] = e
			names[e.name] = true
		}
	}
	var out []entry
	for _, file := range slices.Sorted(maps.Keys(names)) {
		e, err := m.entry(prefix, sides[0][file], sides[1][file], sides[2][file])
		if err != nil {
			return a, err
		}
		if e.name != "" {
			out = append(out, e)
		}
	}
	if len(out) == 0 {
		return plumbing.ZeroHash, nil
	}
	return m.b.add(plumbing.TreeObject, encodeTree(out)), nil
}

// entry merges one name; the zero entry is nothing.
func (m *merger) entry(prefix string, o, a, b entry) (entry, error) {
	switch {
	case a == b || o == b:
		return a, nil
	case o == a:
		return b, nil
	}
	folders := true
	var under [3]plumbing.Hash
	for i, e := range []entry{o, a, b} {
		folders = folders && (e.isTree() || e.name == "")
		if e.isTree() {
			under[i] = e.hash
		}
	}
	file := prefix + a.name
	if a.name == "" {
		file = prefix + b.name
	}
	if !folders {
		m.conflicts = append(m.conflicts, file)
		return a, nil
	}
	h, err := m.trees(file+"/", under[0], under[1], under[2])
	if err != nil || h.IsZero() {
		return entry{}, err
	}
	return entry{name: file[len(prefix):], mode: filemode.Dir, hash: h}, nil
}
