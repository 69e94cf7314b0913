package repo

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// Changed returns the paths in which a commit differs from its first parent,
// sorted; of a first commit, all.
func (r *Repo) Changed(commit Hash) ([]string, error) {
	c, err := r.Commit(commit)
	if err != nil {
		return nil, err
	}
	if r.isCut(c.Hash) {
		return nil, fmt.Errorf("what %s changed: %w", c.Hash, ErrShallow)
	}
	list, err := r.Diff(firstParent(c), c.Hash)
	if err != nil {
		return nil, err
	}
	paths := make([]string, len(list))
	for i, d := range list {
		paths[i] = d.Path
	}
	return paths, nil
}

// Diff returns the files in which two commits differ, sorted by path. Either
// may be "", which has no files. Folders that are the same are not opened.
func (r *Repo) Diff(a, b Hash) ([]Change, error) {
	list, err := r.diff(a, b)
	return changes(list), err
}

func changes(list []delta) []Change {
	out := make([]Change, len(list))
	for i, d := range list {
		out[i] = Change{Path: d.path, Before: name(d.before.hash), After: name(d.after.hash)}
	}
	return out
}

// delta is a path with what it was and what it is; the zero entry is nothing.
type delta struct {
	path          string
	before, after entry
}

func (r *Repo) diff(a, b Hash) ([]delta, error) {
	x, err := r.rootOf(a)
	if err != nil {
		return nil, err
	}
	y, err := r.rootOf(b)
	if err != nil {
		return nil, err
	}
	return r.store.deltas("", x, y)
}

// rootOf is the tree of a commit, the zero hash for none.
func (r *Repo) rootOf(commit Hash) (plumbing.Hash, error) {
	if commit == "" {
		return plumbing.ZeroHash, nil
	}
	c, err := r.Commit(commit)
	return plumbing.NewHash(string(c.Tree)), err
}

// deltas are the files in which two trees differ, sorted by path; prefix comes
// before each.
func (s *store) deltas(prefix string, a, b plumbing.Hash) ([]delta, error) {
	var out []delta
	if err := s.compare(prefix, a, b, &out); err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b delta) int { return strings.Compare(a.path, b.path) })
	return out, nil
}

func (s *store) compare(prefix string, a, b plumbing.Hash, out *[]delta) error {
	if a == b {
		return nil
	}
	x, err := s.tree(a)
	if err != nil {
		return err
	}
	y, err := s.tree(b)
	if err != nil {
		return err
	}
	was := make(map[string]entry, len(x))
	for _, e := range x {
		was[e.name] = e
	}
	for _, e := range y {
		if err := s.compareEntry(prefix, was[e.name], e, out); err != nil {
			return err
		}
		delete(was, e.name)
	}
	for _, e := range was {
		if err := s.compareEntry(prefix, e, entry{}, out); err != nil {
			return err
		}
	}
	return nil
}

// compareEntry takes one name apart into the files under it.
func (s *store) compareEntry(prefix string, a, b entry, out *[]delta) error {
	if a.hash == b.hash && a.mode == b.mode {
		return nil
	}
	path := prefix + a.name
	if a.name == "" {
		path = prefix + b.name
	}
	var under [2]plumbing.Hash
	for i, e := range []*entry{&a, &b} {
		if e.isTree() {
			under[i] = e.hash
			*e = entry{}
		}
	}
	if a.name != "" || b.name != "" {
		*out = append(*out, delta{path, a, b})
	}
	return s.compare(path+"/", under[0], under[1], out)
}

// Blob returns the hash of a path's content at a commit, "" when the path is
// not there; a folder gives the hash of its tree.
func (r *Repo) Blob(commit Hash, path string) (Hash, error) {
	root, err := r.rootOf(commit)
	if err != nil {
		return "", err
	}
	e, ok, err := r.store.find(root, path)
	if err != nil || !ok {
		return "", err
	}
	return name(e.hash), nil
}

// ReadFile returns a file at a commit, fs.ErrNotExist (wrapped) when it is not
// there.
func (r *Repo) ReadFile(commit Hash, path string) ([]byte, error) {
	at, err := r.At(commit)
	if err != nil {
		return nil, err
	}
	return fs.ReadFile(at, path)
}
