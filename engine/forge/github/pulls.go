package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
)

// pageSize is the most that GitHub gives at a time.
const pageSize = 100

// all follows a listing to its last page.
func all[T any](get func(o github.ListOptions) ([]T, *github.Response, error)) ([]T, error) {
	var out []T
	o := github.ListOptions{PerPage: pageSize}
	for {
		list, resp, err := get(o)
		if err != nil {
			return nil, wrong(err)
		}
		out = append(out, list...)
		if resp.NextPage <= o.Page {
			return out, nil
		}
		o.Page = resp.NextPage
	}
}

// pulls lists pull requests into the base branch from branches of this
// repository that belong to ringmaster; branch "" is all of them. GitHub filters
// by head only where the owner stands before it, and forks may belong to the
// same owner, so that the answer is filtered again.
func (f *Forge) pulls(ctx context.Context, state, branch string) ([]*github.PullRequest, error) {
	list, err := f.proposed(ctx, state, branch)
	return slices.DeleteFunc(list, func(p *github.PullRequest) bool { return !strings.HasPrefix(p.GetHead().GetRef(), lead) }), err
}

// proposed is pulls, whoever the branches belong to.
func (f *Forge) proposed(ctx context.Context, state, branch string) ([]*github.PullRequest, error) {
	base, err := f.Base(ctx)
	if err != nil {
		return nil, err
	}
	o := &github.PullRequestListOptions{State: state, Base: base, Sort: "created", Direction: "asc"}
	if branch != "" {
		o.Head = f.owner + ":" + branch
	}
	list, err := all(func(page github.ListOptions) ([]*github.PullRequest, *github.Response, error) {
		o.ListOptions = page
		return f.api.PullRequests.List(ctx, f.owner, f.name, o)
	})
	if err != nil {
		return nil, fmt.Errorf("listing pull requests: %w", err)
	}
	return slices.DeleteFunc(list, func(p *github.PullRequest) bool {
		ref := p.GetHead().GetRef()
		return !ours(p) || branch != "" && ref != branch || p.GetBase().GetRef() != base
	}), nil
}

// ours says whether a pull request's branch is in the repository itself. That of
// a deleted fork names no repository.
func ours(p *github.PullRequest) bool {
	head, base := p.GetHead().GetRepo().GetFullName(), p.GetBase().GetRepo().GetFullName()
	return head != "" && sameName(head, base)
}

// standing is the pull request that counts for a branch: one that was merged,
// which settles it, else the open one, else the newest. It is nil where there
// never was any. That a merged one comes first keeps others with a right to
// write from hiding it behind a later one of the same branch.
func (f *Forge) standing(ctx context.Context, branch string) (*github.PullRequest, error) {
	return f.first(ctx, branch, "merged", "open")
}

// first is the newest pull request of a branch in the first of the states that
// any is in, else the newest; nil where there never was any.
func (f *Forge) first(ctx context.Context, branch string, states ...string) (*github.PullRequest, error) {
	list, err := f.pulls(ctx, "all", branch)
	return firstOf(list, states...), err
}

func firstOf(list []*github.PullRequest, states ...string) *github.PullRequest {
	if len(list) == 0 {
		return nil
	}
	slices.SortFunc(list, func(a, b *github.PullRequest) int { return cmp.Compare(b.GetNumber(), a.GetNumber()) })
	for _, state := range states {
		if i := slices.IndexFunc(list, func(p *github.PullRequest) bool { return stateOf(p) == state }); i >= 0 {
			return list[i]
		}
	}
	return list[0]
}

// stateOf is open, merged or closed. Listings do not say merged, but when.
func stateOf(p *github.PullRequest) string {
	switch {
	case p.GetMerged() || p.MergedAt != nil:
		return "merged"
	case p.GetState() == "open":
		return "open"
	}
	return "closed"
}

// List returns ringmaster's pull requests into the base branch, sorted by id.
func (f *Forge) List(ctx context.Context, state string) ([]forge.PullRequest, error) {
	ask, ok := map[string]string{"": "all", "open": "open", "merged": "closed", "closed": "closed"}[state]
	if !ok {
		return nil, fmt.Errorf("listing pull requests: state %q; expected one of open, merged, closed", state)
	}
	found, err := f.pulls(ctx, ask, "")
	if err != nil {
		return nil, err
	}
	var list []forge.PullRequest
	for _, p := range found {
		if state != "" && stateOf(p) != state {
			continue
		}
		pr, err := f.view(ctx, p)
		if err != nil {
			return nil, err
		}
		list = append(list, pr)
	}
	slices.SortStableFunc(list, func(a, b forge.PullRequest) int {
		return cmp.Or(strings.Compare(a.Branch, b.Branch), cmp.Compare(a.Number, b.Number))
	})
	return list, nil
}

// Find returns the pull request of a branch: the merged one, else the open one,
// else the newest.
func (f *Forge) Find(ctx context.Context, branch string) (forge.PullRequest, error) {
	p, err := found(f.standing(ctx, branch))
	if errors.Is(err, forge.ErrNotFound) {
		err = fmt.Errorf("%s: %w", branch, err)
	}
	if err != nil {
		return forge.PullRequest{}, err
	}
	pr, err := f.view(ctx, p)
	if err == nil && pr.State == "closed" {
		pr.ClosedBy, err = f.closer(ctx, p)
	}
	return pr, err
}

// found turns none into an error.
func found(p *github.PullRequest, err error) (*github.PullRequest, error) {
	if err == nil && p == nil {
		err = forge.ErrNotFound
	}
	return p, err
}

// Merged returns the pull requests by which a commit came to the base branch,
// whoever opened them and wherever from. The branch of a fork's is written
// owner:branch, and so is never ringmaster's.
func (f *Forge) Merged(ctx context.Context, commit string) ([]forge.PullRequest, error) {
	return f.ofCommit(ctx, commit, func(p *github.PullRequest) bool { return stateOf(p) == "merged" })
}

// UnderReview returns the open pull requests that have the commit as their head.
func (f *Forge) UnderReview(ctx context.Context, commit string) ([]forge.PullRequest, error) {
	return f.ofCommit(ctx, commit, func(p *github.PullRequest) bool {
		return stateOf(p) == "open" && p.GetHead().GetSHA() == commit
	})
}

// ofCommit are the pull requests into the base branch that GitHub knows a commit by,
// as far as they are such, sorted by number.
func (f *Forge) ofCommit(ctx context.Context, commit string, such func(*github.PullRequest) bool) ([]forge.PullRequest, error) {
	base, err := f.Base(ctx)
	if err != nil {
		return nil, err
	}
	found, err := all(func(page github.ListOptions) ([]*github.PullRequest, *github.Response, error) {
		return f.api.PullRequests.ListPullRequestsWithCommit(ctx, f.owner, f.name, commit, &page)
	})
	if status := said(err); status == 404 || status == 422 {
		return nil, nil // GitHub does not know the commit, and so no pull request has it
	}
	if err != nil {
		return nil, fmt.Errorf("asking for the pull requests of commit %.10s: %w", commit, err)
	}
	var list []forge.PullRequest
	for _, p := range found {
		if !such(p) || p.GetBase().GetRef() != base {
			continue
		}
		pr, err := f.view(ctx, p)
		if err != nil {
			return nil, err
		}
		list = append(list, pr)
	}
	slices.SortFunc(list, func(a, b forge.PullRequest) int { return cmp.Compare(a.Number, b.Number) })
	return list, nil
}

// Merges lists what was merged into the base branch, a hundred to a request.
func (f *Forge) Merges(ctx context.Context) ([]forge.PullRequest, error) {
	base, err := f.Base(ctx)
	if err != nil {
		return nil, err
	}
	o := &github.PullRequestListOptions{State: "closed", Base: base, Sort: "created", Direction: "asc"}
	found, err := all(func(page github.ListOptions) ([]*github.PullRequest, *github.Response, error) {
		o.ListOptions = page
		return f.api.PullRequests.List(ctx, f.owner, f.name, o)
	})
	if err != nil {
		return nil, fmt.Errorf("listing merged pull requests: %w", err)
	}
	var list []forge.PullRequest
	for _, p := range found {
		if stateOf(p) == "merged" && p.GetBase().GetRef() == base {
			pr := shown(p)
			pr.MergedBy = ""
			list = append(list, pr)
		}
	}
	slices.SortStableFunc(list, func(a, b forge.PullRequest) int {
		return cmp.Or(a.MergedAt.Compare(b.MergedAt), cmp.Compare(a.Number, b.Number))
	})
	return list, nil
}

// view is a pull request as the port has it, with its approvals. Of a merged one
// GitHub is asked again: a listing leaves out who merged it.
func (f *Forge) view(ctx context.Context, p *github.PullRequest) (forge.PullRequest, error) {
	if stateOf(p) == "merged" && p.MergedBy == nil {
		whole, err := f.get(ctx, p.GetNumber())
		if err != nil {
			return forge.PullRequest{}, err
		}
		p = whole
	}
	pr := shown(p)
	var err error
	pr.Approvals, pr.Former, err = f.approvals(ctx, pr.Number, pr.Head)
	return pr, err
}

// shown is a pull request as the port has it, without its approvals.
func shown(p *github.PullRequest) forge.PullRequest {
	pr := forge.PullRequest{
		Number: p.GetNumber(), Branch: p.GetHead().GetRef(), Base: p.GetBase().GetRef(), Title: p.GetTitle(), Body: p.GetBody(),
		State: stateOf(p), Head: p.GetHead().GetSHA(), Author: p.GetUser().GetLogin(), URL: p.GetHTMLURL(),
	}
	if !ours(p) {
		pr.Branch = cmp.Or(p.GetHead().GetUser().GetLogin(), "unknown") + ":" + pr.Branch
	}
	for _, l := range p.Labels {
		pr.Labels = append(pr.Labels, l.GetName())
	}
	if pr.State == "merged" { // of an open one it is a trial merge
		pr.Merge, pr.MergedBy, pr.MergedAt = p.GetMergeCommitSHA(), p.GetMergedBy().GetLogin(), p.GetMergedAt().UTC()
	}
	return pr
}

func (f *Forge) get(ctx context.Context, number int) (*github.PullRequest, error) {
	p, _, err := f.api.PullRequests.Get(ctx, f.owner, f.name, number)
	if err != nil {
		return nil, fmt.Errorf("asking for pull request #%d: %w", number, wrong(err))
	}
	return p, nil
}
