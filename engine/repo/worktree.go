package repo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
)

// Advance writes the next commit and moves ref from n.Base to it, as Move does.
// Where ErrMoved comes back the commit was written and nobody sees it.
func (r *Repo) Advance(ref string, n Next) (Hash, error) {
	h, err := r.Write(n)
	if err != nil {
		return "", err
	}
	if err := r.Move(ref, n.Base, h); err != nil {
		return "", err
	}
	return h, nil
}

// Move is CompareAndSwap that, where ref is the checked-out branch, also brings
// the files that differ between old and new, and the index, to new. It refuses
// with a DirtyError, and moves nothing, where one of those files was edited. A
// run killed in between is finished by the next that moves anything.
func (r *Repo) Move(ref string, old, new Hash) error {
	if err := r.checkSwap(ref, old, new); err != nil {
		return err
	}
	g, err := r.guard()
	if err != nil {
		return err
	}
	defer g.release()
	head, err := r.Head()
	if err != nil {
		return err
	}
	if r.work == "" || ref != "refs/heads/"+head.Branch {
		return g.swap(ref, old, new)
	}
	if head.Commit != old {
		return movedError(ref, old, head.Commit)
	}
	return g.moveCheckedOut(ref, old, new)
}

func (g *guard) moveCheckedOut(ref string, old, new Hash) error {
	t, err := g.openWork()
	if err != nil {
		return err
	}
	defer t.close()
	list, err := g.r.diff(old, new)
	if err != nil {
		return err
	}
	if dirty := t.dirty(list); len(dirty) > 0 {
		return fmt.Errorf("moving %q: %w", ref, &DirtyError{dirty})
	}
	if err := g.note(pending{ref, old, new}); err != nil {
		return err
	}
	if err := g.swap(ref, old, new); err != nil {
		return errors.Join(err, g.forget())
	}
	if err := t.bring(list); err != nil {
		return fmt.Errorf("%q has moved to %s, bringing its files along: %w", ref, new, err)
	}
	return g.forget()
}

// Recover puts right what a killed run left half done, as every move does
// first: its lock files, and the files of a commit that was already on the
// checked-out branch.
func (r *Repo) Recover() error {
	g, err := r.guard()
	if err != nil {
		return err
	}
	g.release()
	return nil
}

// Dirty returns those of the paths that differ from HEAD in the working tree
// or in the index, sorted. A path that is nowhere is clean. In a bare
// repository nothing is dirty.
func (r *Repo) Dirty(paths []string) ([]string, error) {
	if r.work == "" {
		return nil, nil
	}
	g, err := r.guard()
	if err != nil {
		return nil, err
	}
	defer g.release()
	head, err := r.Head()
	if err != nil {
		return nil, err
	}
	root, err := r.rootOf(head.Commit)
	if err != nil {
		return nil, err
	}
	t, err := g.openWork()
	if err != nil {
		return nil, err
	}
	defer t.close()
	var list []delta
	for _, p := range paths {
		if err := checkPath(p); err != nil {
			return nil, err
		}
		e, _, err := r.store.find(root, p)
		if err != nil {
			return nil, err
		}
		if !e.isTree() {
			list = append(list, delta{p, e, e})
			continue
		}
		if err := r.store.compare(p+"/", plumbing.ZeroHash, e.hash, &list); err != nil {
			return nil, err
		}
	}
	for i := range list {
		list[i].before = list[i].after
	}
	return t.dirty(list), nil
}

// pending is a move that has begun: .git/ringmaster/pending.
type pending struct {
	Ref string `json:"ref"`
	Old Hash   `json:"old"`
	New Hash   `json:"new"`
}

func (g *guard) pendingPath() string { return filepath.Join(g.r.git, "ringmaster", "pending") }

func (g *guard) note(p pending) error {
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(g.pendingPath()), 0o777); err != nil {
		return err
	}
	return writeDurably(g.pendingPath(), data, 0o644)
}

func (g *guard) forget() error {
	if err := os.Remove(g.pendingPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// finish brings along the files of a move whose run was killed. Files that are
// neither as before nor as after were edited by people and stay.
func (g *guard) finish() error {
	data, err := os.ReadFile(g.pendingPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var p pending
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", g.pendingPath(), err)
	}
	head, err := g.r.Head()
	if err != nil {
		return err
	}
	if g.r.work == "" || p.Ref != "refs/heads/"+head.Branch || head.Commit != p.New {
		return g.forget()
	}
	list, err := g.r.diff(p.Old, p.New)
	if err != nil {
		return err
	}
	t, err := g.openWork()
	if err != nil {
		return err
	}
	defer t.close()
	dirty := t.dirty(list)
	list = slices.DeleteFunc(list, func(d delta) bool { return slices.Contains(dirty, d.path) })
	if err := t.bring(list); err != nil {
		return err
	}
	return g.forget()
}
