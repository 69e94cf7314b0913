package engine

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// ledger says whether the path is one that only ever grows.
func ledger(path string) bool {
	return strings.HasPrefix(path, "outcomes/") || strings.HasPrefix(path, "approvals/")
}

// cut names commits that rewrote, cut or deleted a ledger, unless it has been
// brought back since: at the tip, everything that ever stood in a ledger stands
// there still. No review makes this right, for a ledger says what has happened.
func (w *walk) cut(line []repo.Commit) ([]Breach, error) {
	whole := map[string][]byte{} // ledgers that were cut, as they were before
	where := map[string]Breach{}
	for _, c := range line {
		changes, err := w.changes(c)
		if err != nil {
			return nil, err
		}
		for _, ch := range changes {
			if !ledger(ch.Path) {
				continue
			}
			if _, cut := where[ch.Path]; !cut {
				if grew, err := w.extended(c, ch); err != nil || grew {
					if err != nil {
						return nil, err
					}
					continue
				}
				where[ch.Path] = Breach{string(c.Hash), ch.Path + " was rewritten, cut or deleted: ledgers only grow"}
				if whole[ch.Path], err = w.Repo.ReadFile(c.Parents[0], ch.Path); err != nil {
					return nil, err
				}
				continue
			}
			if ch.After == "" {
				continue
			}
			now, err := w.Repo.ReadFile(c.Hash, ch.Path)
			if err != nil {
				return nil, err
			}
			if bytes.HasPrefix(now, whole[ch.Path]) {
				delete(where, ch.Path)
			}
		}
	}
	var found []Breach
	for _, path := range sortedKeys(where) {
		found = append(found, where[path])
	}
	return found, nil
}

// extended says whether a change only added to a ledger's end, and remembers it.
func (w *walk) extended(c repo.Commit, ch repo.Change) (bool, error) {
	if ch.Before == "" {
		return true, nil
	}
	key := [2]repo.Hash{ch.Before, ch.After}
	if grew, ok := w.growths[key]; ok {
		return grew, nil
	}
	_, grew, err := w.grown(c, ch)
	if err != nil {
		return false, err
	}
	if w.growths == nil {
		w.growths = map[[2]repo.Hash]bool{}
	}
	w.growths[key] = grew
	return grew, nil
}

// sameLedgers returns an error where a commit's ledgers are not what the
// protected branch has, up to where they go: history that nobody else has is
// nothing to learn from (Trust 5).
func (e *Env) sameLedgers(ctx context.Context, commit repo.Hash) error {
	branch, tip, err := e.base(ctx)
	if err != nil {
		return err
	}
	if err := e.trusted(ctx, tip, "learnt"); err != nil {
		return err
	}
	changes, err := e.Repo.Diff(commit, tip)
	if err != nil {
		return err
	}
	for _, ch := range changes {
		if !ledger(ch.Path) || ch.Before == "" {
			continue
		}
		here, err := e.Repo.ReadFile(commit, ch.Path)
		if err != nil {
			return err
		}
		there, err := e.readOrEmpty(tip, ch.Path)
		if err != nil {
			return err
		}
		if !bytes.HasPrefix(there, here) {
			return fmt.Errorf("%s is not here as it is on %s; check out %s", ch.Path, branch, branch)
		}
	}
	return nil
}

// grown returns what a commit added to the end of a file, and whether that is
// all it did.
func (w *walk) grown(c repo.Commit, ch repo.Change) (added []byte, grew bool, err error) {
	if ch.After == "" {
		return nil, false, nil
	}
	now, err := w.Repo.ReadFile(c.Hash, ch.Path)
	if err != nil || ch.Before == "" {
		return now, true, err
	}
	was, err := w.Repo.ReadFile(c.Parents[0], ch.Path)
	if err != nil {
		return nil, false, err
	}
	return bytes.TrimPrefix(now, was), bytes.HasPrefix(now, was), nil
}
