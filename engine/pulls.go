package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
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
	base, s, err := e.settings(ctx)
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
		missing, err = e.ownerMissing(ctx, base, s.Owners, s.Teams, pr)
		return by, missing, err
	}
	list, missing, err := e.approved(ctx, s.Teams, p, pr)
	for _, a := range list {
		if a.Carried != "" {
			by = append(by, a.By)
		}
	}
	slices.Sort(by)
	return slices.Compact(by), missing, err
}

// settings are the protected branch's commit, and what its estate says of people.
func (e *Env) settings(ctx context.Context) (repo.Hash, inventory.Settings, error) {
	_, base, err := e.base(ctx)
	if err != nil {
		return "", inventory.Settings{}, err
	}
	fsys, err := e.Repo.At(base)
	if err != nil {
		return "", inventory.Settings{}, err
	}
	s, _ := estate.ReadSettings(fsys)
	return base, s, nil
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

func (e *Env) ownerMissing(ctx context.Context, base repo.Hash, owners []string, teams map[string][]string, pr forge.PullRequest) ([]string, error) {
	from, err := e.Repo.MergeBase(base, repo.Hash(pr.Head))
	if err != nil {
		return nil, err
	}
	changes, err := e.Repo.Diff(from, repo.Hash(pr.Head))
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(changes, func(c repo.Change) bool { return ledger(c.Path) }); i >= 0 {
		return []string{fmt.Sprintf("it changes %s, which execute alone writes", changes[i].Path)}, nil
	}
	w := &walk{Env: e}
	why, err := w.reviewed(ctx, pr, from, repo.Hash(pr.Head), changes, rules{owners: owners, teams: teams})
	if err != nil || why == "" {
		return nil, err
	}
	i := slices.IndexFunc(changes, func(c repo.Change) bool { return loosens(c.Path) })
	return []string{fmt.Sprintf("0 of 1 by one of %s (it changes %s)", strings.Join(owners, ", "), changes[i].Path)}, nil
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
		return forge.PullRequest{}, errors.New("no pull request is open")
	case 1:
		return list[0], nil
	}
	var ids []string
	for _, pr := range list {
		ids = append(ids, strings.TrimPrefix(pr.Branch, prefix))
	}
	return forge.PullRequest{}, fmt.Errorf("%d pull requests are open; name one of %s", len(list), strings.Join(ids, ", "))
}
