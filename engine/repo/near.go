package repo

import (
	"context"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// near is a remote on this machine, opened as what it is: a repository.
type near struct{ here, there *Repo }

func newNear(r *Repo, path string) (far, error) {
	there, err := Open(path)
	if err != nil {
		return nil, err
	}
	return &near{r, there}, nil
}

func (n *near) close() { n.there.Close() }

func (n *near) refs(context.Context) (map[string]Hash, error) {
	list, err := n.there.Refs("refs/")
	if err != nil {
		return nil, err
	}
	out := map[string]Hash{}
	for _, l := range list {
		out[l.Name] = l.Hash
	}
	return out, nil
}

func (n *near) bring(_ context.Context, want []Hash) error {
	for _, h := range want {
		if err := carry(n.there, n.here, h); err != nil {
			return err
		}
	}
	return nil
}

// send moves the branch with its files where it is checked out there.
func (n *near) send(_ context.Context, ref string, old, new Hash, _ map[string]Hash) error {
	if new != "" {
		if err := carry(n.here, n.there, new); err != nil {
			return err
		}
	}
	return n.there.Move(ref, old, new)
}

// carry copies a commit's history from one repository to another, from where
// the other's references leave off.
func carry(from, to *Repo, tip Hash) error {
	known, err := to.Refs("refs/")
	if err != nil {
		return err
	}
	var have []Hash
	for _, k := range known {
		if _, err := from.Commit(k.Hash); err == nil && !strings.HasPrefix(k.Name, "refs/tags/") {
			have = append(have, k.Hash)
		}
	}
	objs, err := from.objectsFor(tip, have)
	if err != nil {
		return fmt.Errorf("reading %s: %w", tip, err)
	}
	b := to.store.batch()
	for _, o := range objs {
		if h := b.add(o.kind, o.data); h != o.hash {
			return fmt.Errorf("object %s is damaged: its content has the hash %s", o.hash, h)
		}
	}
	if err := b.flush(); err != nil {
		return err
	}
	if !to.store.has(plumbing.NewHash(string(tip))) {
		return fmt.Errorf("commit %s did not arrive", tip)
	}
	return nil
}
