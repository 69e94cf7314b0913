package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
)

// Merge merges an open pull request whose head is still head, with a merge
// commit. Who merges, and when, is what GitHub says: the token's owner, now.
func (f *Forge) Merge(ctx context.Context, branch, head, _ string, _ time.Time) (forge.PullRequest, error) {
	pr, err := f.merge(ctx, branch, head)
	if err != nil {
		return forge.PullRequest{}, fmt.Errorf("merging %s: %w", branch, err)
	}
	return pr, nil
}

func (f *Forge) merge(ctx context.Context, branch, head string) (forge.PullRequest, error) {
	none := forge.PullRequest{}
	p, err := found(f.standing(ctx, branch))
	if err != nil {
		return none, err
	}
	switch state := stateOf(p); {
	case state == "merged":
		return f.view(ctx, p)
	case state != "open":
		return none, fmt.Errorf("the pull request is %s", state)
	case p.GetHead().GetSHA() != head:
		return none, fmt.Errorf("its head is %.10s now, not %.10s; look at it again", p.GetHead().GetSHA(), head)
	}
	number := p.GetNumber()
	merged := func() (bool, error) {
		now, err := f.get(ctx, number)
		return err == nil && stateOf(now) == "merged" && now.GetHead().GetSHA() == head, err
	}
	for try := 1; ; try++ {
		err = f.once(ctx, func() error {
			_, _, err := f.api.PullRequests.Merge(ctx, f.owner, f.name, number, "", &github.PullRequestOptions{SHA: head, MergeMethod: "merge"})
			return err
		}, merged)
		if !baseMoved(err) || try == tries || !f.wait(ctx, backoff(try)) {
			break
		}
	}
	if err != nil {
		if is, look := merged(); look != nil || !is { // another run may have done it
			return none, refused(err)
		}
	}
	if p, err = f.get(ctx, number); err != nil {
		return none, err
	}
	f.log.WithField("pull", number).WithField("commit", p.GetMergeCommitSHA()).Info("merged")
	return f.view(ctx, p)
}

// baseMoved says whether the base branch moved while GitHub merged, which it
// asks to try again.
func baseMoved(err error) bool {
	return said(err) == http.StatusMethodNotAllowed && strings.Contains(err.Error(), "Base branch was modified")
}

func refused(err error) error {
	switch said(err) {
	case http.StatusMethodNotAllowed:
		return fmt.Errorf("GitHub does not allow it (conflicts, missing reviews or checks, or merge commits are switched off): %w", err)
	case http.StatusConflict:
		return fmt.Errorf("its head has moved; look at it again: %w", err)
	}
	return err
}

// Approve reviews as the token's owner; who that is GitHub says, not the caller.
func (f *Forge) Approve(ctx context.Context, branch, _ string, _ time.Time) error {
	if err := f.approve(ctx, branch); err != nil {
		return fmt.Errorf("approving %s: %w", branch, err)
	}
	return nil
}

func (f *Forge) approve(ctx context.Context, branch string) error {
	p, err := found(f.first(ctx, branch, "open"))
	if err != nil {
		return err
	}
	if state := stateOf(p); state != "open" {
		return fmt.Errorf("the pull request is %s", state)
	}
	head, number := p.GetHead().GetSHA(), p.GetNumber()
	before, err := f.reviews(ctx, number)
	if err != nil {
		return err
	}
	text := "Approved with ringmaster at " + head + "."
	err = f.once(ctx, func() error {
		_, _, err := f.api.PullRequests.CreateReview(ctx, f.owner, f.name, number, &github.PullRequestReviewRequest{
			CommitID: &head, Body: &text, Event: github.String("APPROVE"),
		})
		return err
	}, func() (bool, error) {
		now, err := f.reviews(ctx, number)
		return slices.ContainsFunc(now, func(r *github.PullRequestReview) bool {
			return r.GetBody() == text && r.GetState() == "APPROVED" && r.GetCommitID() == head &&
				!slices.ContainsFunc(before, func(b *github.PullRequestReview) bool { return b.GetID() == r.GetID() })
		}), err
	})
	if said(err) == http.StatusUnprocessableEntity && strings.Contains(strings.ToLower(err.Error()), "your own pull request") {
		return fmt.Errorf("nobody approves what they opened; it takes another's token: %w", err)
	}
	return err
}

// Close tells the reason in a comment and closes the pull request; its branch
// stays. One that is closed already stays as it is.
func (f *Forge) Close(ctx context.Context, branch, _, reason string) error {
	if err := f.close(ctx, branch, reason); err != nil {
		return fmt.Errorf("closing %s: %w", branch, err)
	}
	return nil
}

func (f *Forge) close(ctx context.Context, branch, reason string) error {
	p, err := found(f.first(ctx, branch, "open"))
	if err != nil || stateOf(p) != "open" {
		return err
	}
	number := p.GetNumber()
	// The key tells a reason that was given before this closing failed from one
	// of an earlier closing.
	if err := f.keep(ctx, number, closing(p), "Closed: "+reason); err != nil {
		return err
	}
	if _, err := f.edit(ctx, number, &github.PullRequest{State: github.String("closed")}); err != nil {
		return err
	}
	f.log.WithField("pull", number).WithField("reason", reason).Info("closed")
	return nil
}

func closing(p *github.PullRequest) string { return "closed:" + p.GetHead().GetSHA() }

// closer is the person who closed a pull request, "" where a program did. Where a
// person lent their own token, ringmaster's closing is the one with its reason
// below.
func (f *Forge) closer(ctx context.Context, p *github.PullRequest) (string, error) {
	i, _, err := f.api.Issues.Get(ctx, f.owner, f.name, p.GetNumber())
	if err != nil {
		return "", fmt.Errorf("asking who closed pull request #%d: %w", p.GetNumber(), wrong(err))
	}
	by := i.GetClosedBy()
	if by.GetLogin() == "" || by.GetType() == "Bot" {
		return "", nil
	}
	me, err := f.whoami(ctx)
	if err != nil || by.GetID() != me.ID {
		return by.GetLogin(), err
	}
	said, err := f.kept(ctx, p.GetNumber(), noteMark+closing(p)+" -->\n")
	if err != nil || said != nil {
		return "", err
	}
	return by.GetLogin(), nil
}

// Reopen opens a closed pull request again.
func (f *Forge) Reopen(ctx context.Context, branch, _ string, _ time.Time) error {
	p, err := found(f.standing(ctx, branch))
	switch {
	case err != nil:
	case stateOf(p) == "open":
		return nil
	case stateOf(p) == "merged":
		err = errors.New("it is merged")
	default:
		number := p.GetNumber()
		if p, err = f.reopen(ctx, p); err == nil && p == nil {
			err = fmt.Errorf("GitHub does not open pull request #%d again: its branch was deleted, or is not where it was; restore it on the page of the pull request", number)
		}
	}
	if err != nil {
		return fmt.Errorf("opening %s again: %w", branch, err)
	}
	return nil
}
