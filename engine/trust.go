package engine

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// Breach is a commit of the base branch that had no right to be there.
type Breach struct {
	Commit string
	Why    string
}

func (b Breach) String() string { return fmt.Sprintf("commit %.10s: %s", b.Commit, b.Why) }

// trusted returns an error that names the commits which had no right to be on
// the base branch (Trust 3), nil where there are none. Deed is what is not done
// on such a branch, as "executed".
func (e *Env) trusted(ctx context.Context, commit repo.Hash, deed string) error {
	breaches, err := e.breaches(ctx, commit)
	if err != nil {
		return err
	}
	if len(breaches) == 0 {
		return nil
	}
	var text []string
	for _, b := range breaches {
		text = append(text, b.String())
	}
	return fmt.Errorf("nothing is %s: the base branch holds what nobody reviewed; revert it by a pull request that the owners approve:\n  %s", deed, strings.Join(text, "\n  "))
}

// breaches are the commits of the base branch that had no right to be there and that
// nobody took back, and ledgers that did not only grow.
func (e *Env) breaches(ctx context.Context, tip repo.Hash) ([]Breach, error) {
	all, err := e.wrongs(ctx, tip)
	if err != nil {
		return nil, err
	}
	var found []Breach
	for _, x := range all.commits {
		if !e.mended(x, tip) {
			found = append(found, Breach{string(x.commit.Hash), x.why})
		}
	}
	return append(found, all.cut...), nil
}

// wrong is a commit that had no right to be on the base branch, also where somebody
// took it back since.
type wrong struct {
	commit  repo.Commit
	changes []repo.Change
	why     string
}

// wrongs is what is wrong with the base branch as it was at a tip.
type wrongs struct {
	tip     repo.Hash
	commits []wrong // oldest first
	cut     []Breach
}

// wrongs walks the base branch from its beginning and checks every commit
// that was made while the estate required review, and that ledgers only grew. A run
// asks again and again, so that the last answer is kept.
func (e *Env) wrongs(ctx context.Context, tip repo.Hash) (*wrongs, error) {
	if e.walked != nil && e.walked.tip == tip {
		return e.walked, nil
	}
	var line []repo.Commit
	for c, err := range e.Repo.FirstParents(tip) {
		if err != nil {
			return nil, fmt.Errorf("walking the base branch: %w", err)
		}
		line = append(line, c)
	}
	slices.Reverse(line)
	branch, err := e.Forge.Base(ctx)
	if err != nil {
		return nil, err
	}
	w := newWalk(e, branch, line)
	found := &wrongs{tip: tip}
	before := rules{}
	for _, c := range line {
		changes, err := w.changes(c)
		if err != nil {
			return nil, err
		}
		why, err := w.judge(ctx, c, changes, before)
		if err != nil {
			return nil, err
		}
		if why != "" {
			found.commits = append(found.commits, wrong{c, changes, why})
		}
		if before, err = w.after(c, before, why); err != nil {
			return nil, err
		}
	}
	if found.cut, err = w.cut(line); err != nil {
		return nil, err
	}
	e.walked = found
	return found, nil
}

// unfounded says why nothing counts that was decided at a commit, "" where it does:
// it was never the base branch's own, or the base branch then held what nobody
// reviewed. What a pull request brought besides is not the branch's own: it may have
// loosened there what it took back before it was merged.
func (e *Env) unfounded(ctx context.Context, tip, made repo.Hash) (string, error) {
	own, err := e.wasTip(tip, made)
	if err != nil || !own {
		return fmt.Sprintf("made at commit %.10s, which is not on the protected branch: the branch was rewritten, or the plan was made elsewhere", made), err
	}
	all, err := e.wrongs(ctx, tip)
	if err != nil {
		return "", err
	}
	for _, x := range all.commits {
		before, err := e.Repo.IsAncestor(x.commit.Hash, made)
		if err != nil {
			return "", err
		}
		if before && !e.mended(x, made) {
			return fmt.Sprintf("made at commit %.10s, when the protected branch held what nobody reviewed: %s", made, Breach{string(x.commit.Hash), x.why}), nil
		}
	}
	return "", nil
}

// wasTip says whether a commit is the base branch's own: one that it was, not one
// that a merge brought along.
func (e *Env) wasTip(tip, commit repo.Hash) (bool, error) {
	for c, err := range e.Repo.FirstParents(tip) {
		if err != nil || c.Hash == commit {
			return err == nil, err
		}
	}
	return false, nil
}

// mended says whether a breach was taken back later: every path it touched is,
// at a later tip, as it was before it. What it did meanwhile stays in history.
func (e *Env) mended(x wrong, tip repo.Hash) bool {
	if len(x.commit.Parents) == 0 || len(x.changes) == 0 || tip == x.commit.Hash {
		return false
	}
	left, err := e.Repo.Diff(x.commit.Parents[0], tip)
	return err == nil && !slices.ContainsFunc(x.changes, func(ch repo.Change) bool {
		return ledger(ch.Path) || slices.ContainsFunc(left, func(l repo.Change) bool { return l.Path == ch.Path })
	})
}

// asker is who asked for an override: by name and, where it is known, by account.
type asker struct{ by, account string }

func (a asker) is(r forge.Review) bool {
	return strings.EqualFold(a.by, r.By) || a.account != "" && a.account == r.Account
}

// askers are who says what loosens among the overrides that changes add, sorted:
// the bot writes what others ask for, and is the author of its pull request.
func (e *Env) askers(before, after repo.Hash, changes []repo.Change) ([]asker, error) {
	var who []asker
	for _, ch := range changes {
		if !strings.HasPrefix(ch.Path, "overrides/") || ch.After == "" {
			continue
		}
		now, err := e.Repo.ReadFile(after, ch.Path)
		if err != nil {
			return nil, err
		}
		was, err := e.readOrEmpty(before, ch.Path)
		if err != nil {
			return nil, err
		}
		known := map[string]bool{}
		for line := range bytes.Lines(was) {
			known[string(line)] = true
		}
		for line := range bytes.Lines(now) {
			var o outcome.Override
			if !known[string(line)] && json.Unmarshal(line, &o) == nil && Loosens(o) {
				who = append(who, asker{o.By, o.Account})
			}
		}
	}
	slices.SortFunc(who, func(a, b asker) int {
		return cmp.Or(strings.Compare(a.by, b.by), strings.Compare(a.account, b.account))
	})
	return slices.Compact(who), nil
}

// owner is an owner who approved exactly what a pull request was merged with, or
// has under review, and did not write it; "" where there is none.
func (e *Env) owner(ctx context.Context, pr forge.PullRequest, owners []string, teams map[string][]string) (string, error) {
	given, err := e.given(ctx, teams, pr, owners...)
	if err != nil || len(given) == 0 {
		return "", err
	}
	return given[0].By, nil
}

// loosens says whether a path may hold what loosens: anything but plans, which
// their own approvals cover, and what machines write. A plugin, what lies beside
// it, and a workflow can do more than any policy forbids.
func loosens(path string) bool {
	return !strings.HasPrefix(path, "plans/") && !machine(path) && !ledger(path)
}

// machine says whether the path is one that machines write without review.
func machine(path string) bool {
	for _, dir := range []string{"inventory/facts/", "inventory/advisories/", "inventory/patches/"} {
		if strings.HasPrefix(path, dir) {
			return true
		}
	}
	return false
}

// tightens says whether every override among the lines only adds caution.
func tightens(lines []byte) bool {
	for line := range bytes.Lines(lines) {
		var o outcome.Override
		if json.Unmarshal(line, &o) != nil || Loosens(o) {
			return false
		}
	}
	return true
}

// Loosens says whether an override takes caution away.
func Loosens(o outcome.Override) bool {
	switch o.Kind {
	case "hold", "exclude", "stop":
		return o.Loosens
	case "risk":
		return o.Value != "high"
	}
	return true
}
