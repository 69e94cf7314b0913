package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// PullView is a pull request as `pr list --format json` shows it.
type PullView struct {
	ID          string   `json:"id"`
	Branch      string   `json:"branch"`
	Title       string   `json:"title"`
	Labels      []string `json:"labels"`
	State       string   `json:"state"`
	NeedsReview bool     `json:"needs_review"`
	Approvals   []string `json:"approvals"`
}

// Pulls lists pull requests of ringmaster's branches, sorted by id; state is
// open, merged, closed or "" for all.
func (e *Env) Pulls(ctx context.Context, state string) ([]PullView, error) {
	list, err := e.Forge.List(ctx, state)
	if err != nil {
		return nil, fmt.Errorf("listing pull requests: %w", err)
	}
	views := []PullView{}
	for _, pr := range list {
		by, missing, err := e.standing(ctx, pr)
		if err != nil {
			return nil, err
		}
		views = append(views, PullView{ID: strings.TrimPrefix(pr.Branch, prefix), Branch: pr.Branch, Title: pr.Title, Labels: append([]string{}, pr.Labels...),
			State: pr.State, NeedsReview: pr.State == "open" && len(missing) > 0, Approvals: append([]string{}, by...)})
	}
	return views, nil
}

// Missing says what a pull request lacks to be merged: approvals that its plan
// requires, or an owner's where it changes what may loosen. Both are judged by
// the protected branch's estate.
func (e *Env) Missing(ctx context.Context, pr forge.PullRequest) ([]string, error) {
	_, missing, err := e.standing(ctx, pr)
	return missing, err
}

// standing is who approved a pull request as it is now, or an earlier version of
// its plan that is no better, and what it lacks to be merged.
func (e *Env) standing(ctx context.Context, pr forge.PullRequest) (by, missing []string, err error) {
	base, r, err := e.judge(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, a := range pr.Approvals {
		by = append(by, a.By)
	}
	p, err := e.planOf(ctx, pr)
	if err != nil {
		return nil, nil, err
	}
	if p == nil {
		missing, err = e.editMissing(ctx, base, r, pr)
		return by, missing, err
	}
	list, lacks, err := e.approved(ctx, r.teams, p, pr)
	if err != nil {
		return nil, nil, err
	}
	glass, err := e.glassAt(base, p)
	if glass != nil {
		lacks = nil
	}
	for _, a := range list {
		if a.Carried != "" {
			by = append(by, a.By)
		}
	}
	slices.Sort(by)
	return slices.Compact(by), inWords(lacks), err
}

// judge is the protected branch's commit, and what its estate judges pull requests by.
func (e *Env) judge(ctx context.Context) (repo.Hash, rules, error) {
	_, base, err := e.base(ctx)
	if err != nil {
		return "", rules{}, err
	}
	fsys, err := e.Repo.At(base)
	if err != nil {
		return "", rules{}, err
	}
	return base, e.declared(fsys), nil
}

// planOf is the plan that a pull request brings, nil when it brings none.
func (e *Env) planOf(ctx context.Context, pr forge.PullRequest) (*plan.Plan, error) {
	id := strings.TrimPrefix(pr.Branch, prefix)
	if _, _, _, ok := plan.ParseID(id); !ok {
		return nil, nil
	}
	data, err := e.Forge.File(ctx, pr.Head, plan.Path(id))
	if err != nil {
		return nil, fmt.Errorf("reading plan %s: %w", id, err)
	}
	return plan.Parse(data)
}

// lawOf names the policies that judge edits at a commit of the base branch: the
// youngest that compile.
func (e *Env) lawOf(base repo.Hash) (law, error) {
	for c, err := range e.Repo.FirstParents(base) {
		if err != nil {
			return law{}, err
		}
		l, err := e.lawAt(c.Hash)
		if err != nil {
			return law{}, err
		}
		if _, ok, err := e.editLaw(l); ok || err != nil {
			return l, err
		}
	}
	return law{}, nil
}

// editMissing says what a pull request without a plan lacks: the approval of an
// owner, and whatever the base branch's policies ask for beyond that.
func (e *Env) editMissing(ctx context.Context, base repo.Hash, r rules, pr forge.PullRequest) ([]string, error) {
	d, changes, err := e.editOf(base, repo.Hash(pr.Head), pr)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(changes, func(c repo.Change) bool { return ledger(c.Path) }); i >= 0 {
		return []string{fmt.Sprintf("it changes %s, which execute alone writes", changes[i].Path)}, nil
	}
	denied, missing, err := e.editStands(ctx, base, r, d)
	return append(denied, missing...), err
}

// editOf is what a commit brings to the base branch: as far as it may loosen, and
// all of it.
func (e *Env) editOf(base, head repo.Hash, pr forge.PullRequest) (edit, []repo.Change, error) {
	from, err := e.Repo.MergeBase(base, head)
	if err != nil {
		return edit{}, nil, err
	}
	changes, err := e.Repo.Diff(from, head)
	return edited(from, head, e.At, pr, changes), changes, err
}

// editStands says what of an edit is denied by the base branch's policies, and
// which approvals it lacks.
func (e *Env) editStands(ctx context.Context, base repo.Hash, r rules, d edit) (denied, missing []string, err error) {
	if len(d.changes) == 0 {
		return nil, nil, nil
	}
	if d, _, err = e.disinterested(d); err != nil {
		return nil, nil, err
	}
	by, err := e.owner(ctx, d.pull, r.owners, r.teams)
	if err != nil {
		return nil, nil, err
	}
	if by == "" {
		missing = append(missing, fmt.Sprintf("0 of 1 by one of %s (it changes %s)", strings.Join(r.owners, ", "), d.changes[0].Path))
	}
	if why := alien(d); why != "" {
		missing = append(missing, why)
	}
	if r.law, err = e.lawOf(base); err != nil {
		return nil, nil, err
	}
	list, err := e.judged(ctx, d, r)
	if err != nil {
		return nil, nil, err
	}
	more, err := e.unmet(ctx, list, d.pull, r)
	return forbidden(list), append(missing, more...), err
}

// checkEdit puts what HEAD brings, and may loosen, to the protected branch's
// policies, as the pull request that it is.
func (e *Env) checkEdit(ctx context.Context, c *Checked) error {
	base, r, err := e.judge(ctx)
	if err != nil {
		return err
	}
	pr, err := e.reviewing(ctx, c.head)
	if err != nil {
		return err
	}
	head, err := e.head()
	if err != nil {
		return err
	}
	d, _, err := e.editOf(base, head, pr)
	if err != nil {
		return err
	}
	c.Edits = len(d.changes)
	denied, missing, err := e.editStands(ctx, base, r, d)
	c.Asks = missing
	for _, why := range denied {
		c.denied = append(c.denied, estate.Fault{File: d.changes[0].Path, Line: 1, Message: "the protected branch's policies do not let this be merged: " + why})
	}
	c.Faults = append(c.Faults, c.denied...)
	return err
}

// reviewing is the open pull request that has a commit under review; where there is
// none, nobody is known to have written or approved it.
func (e *Env) reviewing(ctx context.Context, commit repo.Hash) (forge.PullRequest, error) {
	list, err := e.Forge.UnderReview(ctx, string(commit))
	if err != nil || len(list) == 0 {
		return forge.PullRequest{Head: string(commit)}, err
	}
	return list[0], nil
}

// Denied is a merge that policy refuses: what is missing, in words.
type Denied struct {
	Branch  string
	Missing []string
}

func (d *Denied) Error() string {
	return fmt.Sprintf("merging %s is refused: %s", d.Branch, strings.Join(d.Missing, "; "))
}

// Merge merges a pull request when everything it needs is there and, for a
// plan, when it still holds: a *Denied otherwise.
func (e *Env) Merge(ctx context.Context, id, by string) (forge.PullRequest, error) {
	pr, err := e.Pull(ctx, id)
	if err != nil {
		return pr, err
	}
	if pr.State != "open" {
		return pr, fmt.Errorf("merging %s: the pull request is %s", pr.Branch, pr.State)
	}
	missing, err := e.Missing(ctx, pr)
	if err != nil {
		return pr, err
	}
	if p, _ := e.planOf(ctx, pr); p != nil {
		c, err := e.Check(ctx, p.ID)
		if err != nil {
			return pr, err
		}
		for _, f := range c.Faults {
			missing = append(missing, f.Message)
		}
	}
	if len(missing) > 0 {
		return pr, &Denied{pr.Branch, missing}
	}
	return e.Forge.Merge(ctx, pr.Branch, pr.Head, by, e.At)
}

// Pull finds a pull request by its id: a plan's, or what follows "ringmaster/".
// Without an id it is the only open one.
func (e *Env) Pull(ctx context.Context, id string) (forge.PullRequest, error) {
	if id != "" {
		return e.Forge.Find(ctx, prefix+strings.TrimPrefix(id, prefix))
	}
	list, err := e.Forge.List(ctx, "open")
	if err != nil {
		return forge.PullRequest{}, err
	}
	switch len(list) {
	case 0:
		return forge.PullRequest{}, errors.New("no pull request is open; `ringmaster plan --open` opens those of what is needed")
	case 1:
		return list[0], nil
	}
	var ids []string
	for _, pr := range list {
		ids = append(ids, strings.TrimPrefix(pr.Branch, prefix))
	}
	return forge.PullRequest{}, fmt.Errorf("%d pull requests are open; name one of %s", len(list), strings.Join(ids, ", "))
}
