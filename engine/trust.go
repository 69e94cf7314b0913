package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
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
// the base branch (Trust 3), nil where there are none.
func (x *Executor) trusted(ctx context.Context, commit repo.Hash, est *estate.Estate) error {
	breaches, err := x.Env.breaches(ctx, commit, est)
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
	return fmt.Errorf("nothing is executed: the base branch holds what nobody reviewed; revert it by a pull request that the owners approve:\n  %s", strings.Join(text, "\n  "))
}

// breaches walks the base branch from its beginning and checks every commit
// that was made while the estate required review.
func (e *Env) breaches(ctx context.Context, tip repo.Hash, est *estate.Estate) ([]Breach, error) {
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
	w := &walk{Env: e, branch: branch, memo: map[repo.Hash]rules{}}
	var found []Breach
	before := rules{}
	for _, c := range line {
		if before.required {
			why, err := w.judge(ctx, c, before)
			if err != nil {
				return nil, err
			}
			if why != "" && !w.mended(c, line) {
				found = append(found, Breach{string(c.Hash), why})
			}
		}
		if before, err = w.rules(c.Hash); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// walk is one pass over the base branch.
type walk struct {
	*Env
	branch string
	memo   map[repo.Hash]rules // tree of inventory/ → what it says
}

// rules is what an estate says of review at one commit.
type rules struct {
	required bool
	owners   []string
	teams    map[string][]string
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
	s, ok := estate.ReadSettings(fsys)
	r := rules{required: s.Review == "required" || s.Review == "" && w.Forge.Reviews() || !ok, owners: s.Owners, teams: s.Teams}
	w.memo[tree] = r
	return r, nil
}

// mended says whether a breach was taken back later: every path it touched is,
// at the tip, as it was before it. What it did meanwhile stays in history.
func (w *walk) mended(c repo.Commit, line []repo.Commit) bool {
	if len(c.Parents) == 0 {
		return false
	}
	tip := line[len(line)-1]
	changes, err := w.Repo.Diff(c.Parents[0], c.Hash)
	if err != nil || len(changes) == 0 || tip.Hash == c.Hash {
		return false
	}
	for _, ch := range changes {
		now, err := w.Repo.Blob(tip.Hash, ch.Path)
		if err != nil || now != ch.Before || strings.HasPrefix(ch.Path, "outcomes/") || strings.HasPrefix(ch.Path, "approvals/") {
			return false
		}
	}
	return true
}

// judge says why a commit had no right to be on the base branch, "" where it had.
func (w *walk) judge(ctx context.Context, c repo.Commit, r rules) (string, error) {
	var before repo.Hash
	if len(c.Parents) > 0 {
		before = c.Parents[0]
	}
	changes, err := w.Repo.Diff(before, c.Hash)
	if err != nil {
		return "", err
	}
	beyond, err := w.beyond(before, c.Hash, changes)
	if err != nil || beyond == "" {
		return "", err
	}
	pr, err := w.mergedBy(ctx, w.branch, c.Hash)
	if err != nil {
		return "", err
	}
	if pr == nil {
		return beyond + ", and no merged pull request brought it", nil
	}
	return w.reviewed(ctx, *pr, changes, r)
}

// reviewed says what a merged pull request lacks: what loosens needs an owner
// whom the estate before it names, and never its author (Trust 4).
func (w *walk) reviewed(ctx context.Context, pr forge.PullRequest, changes []repo.Change, r rules) (string, error) {
	i := slices.IndexFunc(changes, func(c repo.Change) bool { return loosens(c.Path) })
	if i < 0 {
		return "", nil
	}
	for _, a := range pr.Approvals {
		if a.By == pr.Author {
			continue
		}
		for _, owner := range r.owners {
			in, err := w.member(ctx, r.teams, owner, a.By)
			if err != nil {
				return "", err
			}
			if in {
				return "", nil
			}
		}
	}
	return fmt.Sprintf("%s was merged by %s without the approval of an owner (%s) other than its author %q",
		changes[i].Path, pr.Branch, strings.Join(r.owners, ", "), pr.Author), nil
}

// loosens says whether a path may hold what loosens: anything but plans, what
// machines write, and what no decision reads.
func loosens(path string) bool {
	for _, dir := range []string{"policies/", "rings/", "models/", "overrides/", "inventory/"} {
		if strings.HasPrefix(path, dir) {
			return !machine(path)
		}
	}
	return false
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

// beyond says what of a commit goes beyond what the bot may push without
// review, "" when nothing does.
func (w *walk) beyond(before, after repo.Hash, changes []repo.Change) (string, error) {
	for _, c := range changes {
		switch {
		case machine(c.Path):
		case strings.HasPrefix(c.Path, "outcomes/") || strings.HasPrefix(c.Path, "approvals/"):
			_, grew, err := w.grown(before, after, c)
			if err != nil {
				return "", err
			}
			if !grew {
				return c.Path + " was rewritten, cut or deleted: ledgers only grow", nil
			}
		case strings.HasPrefix(c.Path, "overrides/"):
			added, grew, err := w.grown(before, after, c)
			if err != nil {
				return "", err
			}
			if !grew || !tightens(added) {
				return c.Path + " loosens, or was changed other than by adding a line", nil
			}
		default:
			return "it changes " + c.Path, nil
		}
	}
	return "", nil
}

// grown returns what a change added to the end of a file, and whether that is
// all it did.
func (w *walk) grown(before, after repo.Hash, c repo.Change) (added []byte, grew bool, err error) {
	if c.After == "" {
		return nil, false, nil
	}
	now, err := w.Repo.ReadFile(after, c.Path)
	if err != nil || c.Before == "" {
		return now, true, err
	}
	was, err := w.Repo.ReadFile(before, c.Path)
	if err != nil {
		return nil, false, err
	}
	return bytes.TrimPrefix(now, was), bytes.HasPrefix(now, was), nil
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
