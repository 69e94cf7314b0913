package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// walk is one pass over the base branch.
type walk struct {
	*Env
	branch string
	memo   map[repo.Hash]rules // tree of inventory/ → what it says
	line   map[repo.Hash]bool  // the base branch's own commits
}

func newWalk(e *Env, branch string, line []repo.Commit) *walk {
	w := &walk{Env: e, branch: branch, memo: map[repo.Hash]rules{}, line: make(map[repo.Hash]bool, len(line))}
	for _, c := range line {
		w.line[c.Hash] = true
	}
	return w
}

// changes are what a commit changed of the one before it. A run walks the same
// branch many times, so they are remembered.
func (w *walk) changes(c repo.Commit) ([]repo.Change, error) {
	if list, ok := w.diffs[c.Hash]; ok {
		return list, nil
	}
	var before repo.Hash
	if len(c.Parents) > 0 {
		before = c.Parents[0]
	}
	list, err := w.Repo.Diff(before, c.Hash)
	if err != nil {
		return nil, fmt.Errorf("walking the base branch: %w", err)
	}
	if w.diffs == nil {
		w.diffs = map[repo.Hash][]repo.Change{}
	}
	w.diffs[c.Hash] = list
	return list, nil
}

// reviewers is what an estate says of review at one commit.
type reviewers struct {
	known    bool // it could be read
	required bool
	owners   []string
	teams    map[string][]string
}

// rules are what a pull request is judged by.
type rules struct {
	reviewers
	estate     policy.Estate // as policies read it
	exceptions []inventory.Exception
	law        law // the policies that judge edits
}

// rules reads the estate block of a commit. Where there is no estate yet
// nothing is required; where it cannot be read everything is.
func (w *walk) rules(commit repo.Hash) (rules, error) {
	tree, err := w.Repo.Blob(commit, "inventory")
	if err != nil || tree == "" {
		return rules{}, err
	}
	if r, ok := w.memo[tree]; ok {
		return r, nil
	}
	fsys, err := w.Repo.At(commit)
	if err != nil {
		return rules{}, err
	}
	r := w.declared(fsys)
	w.memo[tree] = r
	return r, nil
}

// declared is what an estate's inventory says of review.
func (e *Env) declared(fsys fs.FS) rules {
	est, ok := estate.ReadDeclared(fsys)
	s := est.Settings
	return rules{
		reviewers:  reviewers{known: ok, required: s.Review == "required" || s.Review == "" && e.Forge.Reviews() || !ok, owners: s.Owners, teams: s.Teams},
		exceptions: est.Exceptions,
		estate:     policy.Estate{Name: s.Name, Clock: s.Clock, Review: cmp.Or(s.Review, "required"), Owners: s.Owners, Tiers: len(est.Tiers)},
	}
}

// lawAt names the policies of a commit.
func (e *Env) lawAt(commit repo.Hash) (law, error) {
	tree, err := e.Repo.Blob(commit, "policies")
	return law{commit, tree}, err
}

// after says what holds after a commit that was judged. One that had no right
// to be there changes nothing of who may review, and neither does one that says
// what the commit before it said: else a breach could make way for the next.
func (w *walk) after(c repo.Commit, r rules, why string) (rules, error) {
	now, err := w.rules(c.Hash)
	if err != nil || why != "" {
		return r, err
	}
	now.law = r.law
	if r.required && len(c.Parents) > 0 {
		was, err := w.rules(c.Parents[0])
		if err != nil {
			return r, err
		}
		if reflect.DeepEqual(was.reviewers, now.reviewers) {
			now.reviewers = r.reviewers
		}
	}
	if now.required && !now.known {
		now.owners, now.teams = r.owners, r.teams // so that somebody may mend it
	}
	return w.judges(c, now)
}

// judges says which policies judge edits after a commit: its own, where it changed
// them and they compile. Else those before it do, so that somebody may mend them.
func (w *walk) judges(c repo.Commit, r rules) (rules, error) {
	now, err := w.lawAt(c.Hash)
	if err != nil || now.tree == r.law.tree {
		return r, err
	}
	if !r.required {
		r.law = now // judges nothing until review is required
		return r, nil
	}
	if len(c.Parents) > 0 {
		if was, err := w.lawAt(c.Parents[0]); err != nil || was.tree == now.tree {
			return r, err
		}
	}
	if _, ok, err := w.editLaw(now); err != nil || !ok {
		return r, err
	}
	r.law = now
	return r, nil
}

// judge says why a commit had no right to be on the base branch, "" where it had.
func (w *walk) judge(ctx context.Context, c repo.Commit, changes []repo.Change, r rules) (string, error) {
	beyond, err := "", error(nil)
	switch {
	case r.required:
		beyond, err = w.beyond(c, changes)
	case len(c.Parents) > 1:
		beyond, err = w.smuggles(c)
		if err != nil || beyond == "" {
			return "", err
		}
	default:
		return "", nil
	}
	if err != nil || beyond == "" {
		return "", err
	}
	loose := slices.ContainsFunc(changes, func(ch repo.Change) bool { return loosens(ch.Path) })
	pr, err := w.mergedBy(ctx, w.branch, string(c.Hash), r.required && loose)
	if err != nil {
		return "", err
	}
	if pr == nil {
		return beyond + ", and no merged pull request brought it", nil
	}
	if !r.required {
		return "", nil
	}
	var before repo.Hash
	if len(c.Parents) > 0 {
		before = c.Parents[0]
	}
	if !loose {
		return "", nil
	}
	d := edited(before, c.Hash, c.At, *pr, changes)
	if why, err := w.altered(ctx, d); why != "" || err != nil {
		return why, err
	}
	return w.refused(ctx, d, r)
}

// altered says which file a merge brought otherwise than its pull request has it,
// "" where it brought none so: whoever may push can make a merge commit of an approved
// head with what else they like, and a forge takes the pull request for merged.
func (w *walk) altered(ctx context.Context, d edit) (string, error) {
	head := repo.Hash(d.pull.Head)
	if _, err := w.fileOf(ctx, d.pull.Head, d.changes[0].Path); err != nil && !errors.Is(err, fs.ErrNotExist) { // brings the head into the clone
		return "", fmt.Errorf("reading what was merged by %s: %w", d.pull.Branch, err)
	}
	from, err := w.Repo.MergeBase(d.before, head)
	if err != nil {
		return "", err
	}
	for _, c := range d.changes {
		was, err := w.Repo.Blob(from, c.Path)
		if err != nil {
			return "", err
		}
		reviewed, err := w.Repo.Blob(head, c.Path)
		if err != nil {
			return "", err
		}
		both := was != c.Before && was != reviewed // then Git merges their lines
		if c.After != reviewed && !both {
			return fmt.Sprintf("%s is not as %s, which it merges, has it", c.Path, d.pull.Branch), nil
		}
	}
	return "", nil
}

// smuggles says whether a merge makes a history that requires review the side
// branch of one that does not: whoever may push could otherwise begin the base
// branch anew, with the old one as the second parent, and nobody would look.
func (w *walk) smuggles(c repo.Commit) (string, error) {
	seen := map[repo.Hash]bool{}
	todo := slices.Clone(c.Parents[1:])
	for len(todo) > 0 {
		h := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[h] || w.line[h] {
			continue
		}
		seen[h] = true
		r, err := w.rules(h)
		if err != nil {
			return "", err
		}
		if r.required {
			return "it merges a history that requires review into one that does not", nil
		}
		next, err := w.Repo.Commit(h)
		if err != nil {
			return "", fmt.Errorf("walking the base branch: %w", err)
		}
		todo = append(todo, next.Parents...)
	}
	return "", nil
}

// beyond says what of a commit goes beyond what the bot may push without
// review, "" when nothing does. Ledgers are looked at by cut.
func (w *walk) beyond(c repo.Commit, changes []repo.Change) (string, error) {
	for _, ch := range changes {
		switch {
		case machine(ch.Path), ledger(ch.Path):
		case strings.HasPrefix(ch.Path, "overrides/"):
			added, grew, err := w.grown(c, ch)
			if err != nil {
				return "", err
			}
			if !grew || !tightens(added) {
				return ch.Path + " loosens, or was changed other than by adding a line", nil
			}
		default:
			return "it changes " + ch.Path, nil
		}
	}
	if len(c.Parents) > 1 {
		return "it merges another history", nil
	}
	return "", nil
}
