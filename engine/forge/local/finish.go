package local

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// Close closes an open pull request; its branch stays, as on other forges.
func (f *Forge) Close(_ context.Context, branch, by, reason string) error {
	old, p, body, err := f.read(branch)
	if err != nil {
		return err
	}
	if p.State != "open" {
		return nil
	}
	last, err := f.repo.Commit(old)
	if err != nil {
		return err
	}
	p.State, p.Reason, p.ClosedBy = "closed", reason, by
	return f.write(old, p, body, "close "+branch+"\n\n"+reason, by, last.At)
}

// Reopen opens a closed pull request with what its branch has now.
func (f *Forge) Reopen(_ context.Context, branch, by string, at time.Time) error {
	old, p, body, err := f.read(branch)
	switch {
	case err != nil || p.State == "open":
		return err
	case p.State == "merged":
		return fmt.Errorf("opening %s again: it is merged", branch)
	}
	p.State, p.Reason, p.ClosedBy = "open", "", ""
	return f.write(old, p, body, "open "+branch+" again", by, at)
}

// Approve records a claimed review of the head. A later one by the same person
// takes the place of the earlier.
func (f *Forge) Approve(_ context.Context, branch, by string, at time.Time) error {
	if by == "" {
		return fmt.Errorf("approving %s: nobody is named", branch)
	}
	old, p, body, err := f.read(branch)
	if err != nil {
		return err
	}
	if p.State == "closed" {
		return fmt.Errorf("approving %s: the pull request is closed", branch)
	}
	if err := f.keep(branch, repo.Hash(p.Head)); err != nil {
		return fmt.Errorf("approving %s: %w", branch, err)
	}
	p.Approvals = slices.DeleteFunc(p.Approvals, func(r review) bool { return r.By == by })
	p.Approvals = append(p.Approvals, review{By: by, At: at, Commit: p.Head})
	return f.write(old, p, body, "approve "+branch, by, at)
}

// keep names a commit that was reviewed, so that what was approved can be read
// after the branch was written again, however often Git cleans up.
func (f *Forge) keep(branch string, head repo.Hash) error {
	err := f.repo.CompareAndSwap(reviewed+strings.TrimPrefix(branch, lead)+"/"+string(head), "", head)
	if errors.Is(err, repo.ErrMoved) {
		return nil // named already
	}
	return err
}

// Merge merges the branch into the base branch. A pull request whose merge was
// recorded in Git but not in its own reference (a run that died in between) is
// found merged.
func (f *Forge) Merge(_ context.Context, branch, head, by string, at time.Time) (forge.PullRequest, error) {
	old, p, body, err := f.read(branch)
	if err != nil {
		return forge.PullRequest{}, err
	}
	switch {
	case p.State == "merged":
		return p.request(body), nil
	case p.State != "open":
		return forge.PullRequest{}, fmt.Errorf("merging %s: the pull request is %s", branch, p.State)
	case p.Head != head:
		return forge.PullRequest{}, fmt.Errorf("merging %s: its head is %s now, not %s; look at it again", branch, short(p.Head), short(head))
	}
	merged, err := f.merge(branch, head, p, by, at)
	if err != nil {
		return forge.PullRequest{}, fmt.Errorf("merging %s: %w", branch, err)
	}
	p.State, p.Merge, p.MergedBy, p.MergedAt = "merged", string(merged), by, at
	if err := f.write(old, p, body, "merge "+branch, by, at); err != nil {
		return forge.PullRequest{}, err
	}
	return p.request(body), nil
}

func (f *Forge) merge(branch, head string, p record, by string, at time.Time) (repo.Hash, error) {
	ref := heads + f.base
	base, err := f.repo.Ref(ref)
	if err != nil {
		return "", err
	}
	merged, err := f.repo.Merge(base, repo.Hash(head), repo.Next{
		Message: "Merge " + branch + "\n\n" + p.Title,
		Author:  person(by),
		At:      at,
	})
	if errors.Is(err, repo.ErrMerged) {
		return f.mergeOf(base, repo.Hash(head))
	}
	if err != nil {
		return "", err
	}
	return merged, f.repo.Move(ref, base, merged)
}

// mergeOf finds the commit by which head came to the base branch.
func (f *Forge) mergeOf(base, head repo.Hash) (repo.Hash, error) {
	for c, err := range f.repo.FirstParents(base) {
		if err != nil {
			return "", err
		}
		if slices.Contains(c.Parents, head) || c.Hash == head {
			return c.Hash, nil
		}
	}
	return "", fmt.Errorf("%s is in the base branch, but no commit merged it", short(string(head)))
}
