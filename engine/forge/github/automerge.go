package github

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-github/v60/github"
)

const (
	enableQuery = `mutation($input: EnablePullRequestAutoMergeInput!) {
	enablePullRequestAutoMerge(input: $input) { pullRequest { number } }
}`
	disableQuery = `mutation($input: DisablePullRequestAutoMergeInput!) {
	disablePullRequestAutoMerge(input: $input) { pullRequest { number } }
}`
)

// AutoMerge uses GitHub's own auto-merge, with a merge commit. One that meets
// every requirement already GitHub does not take for it: that one is merged at
// once. A new head by Propose takes it back; where somebody else pushes, GitHub
// keeps it for those who may write.
func (f *Forge) AutoMerge(ctx context.Context, branch, head string, on bool) error {
	if err := f.autoMerge(ctx, branch, head, on); err != nil {
		verb := "asking GitHub to merge"
		if !on {
			verb = "asking GitHub no longer to merge"
		}
		return fmt.Errorf("%s %s by itself: %w", verb, branch, err)
	}
	return nil
}

func (f *Forge) autoMerge(ctx context.Context, branch, head string, on bool) error {
	p, err := found(f.standing(ctx, branch))
	if err != nil {
		return err
	}
	switch state := stateOf(p); {
	case !on && state != "open":
		return nil
	case !on:
		return f.noAutoMerge(ctx, p)
	case state == "merged" && p.GetHead().GetSHA() == head:
		return nil
	case state != "open":
		return fmt.Errorf("the pull request is %s", state)
	case p.GetHead().GetSHA() != head:
		return fmt.Errorf("its head is %.10s now, not %.10s; look at it again", p.GetHead().GetSHA(), head)
	case p.AutoMerge != nil:
		return nil
	}
	input := map[string]any{"pullRequestId": p.GetNodeID(), "expectedHeadOid": head, "mergeMethod": "MERGE"}
	err = f.once(ctx, func() error { return f.graph(ctx, enableQuery, map[string]any{"input": input}, &struct{}{}) }, func() (bool, error) {
		now, err := f.get(ctx, p.GetNumber())
		return err == nil && (now.AutoMerge != nil || stateOf(now) == "merged"), err
	})
	switch {
	case said(err) == http.StatusUnprocessableEntity && strings.Contains(err.Error(), "clean status"):
		_, err = f.merge(ctx, branch, head)
	case said(err) == http.StatusUnprocessableEntity && strings.Contains(err.Error(), "not allowed for this repository"):
		err = fmt.Errorf("switch on \"Allow auto-merge\" in the repository's settings: %w", err)
	case err == nil:
		f.log.WithField("pull", p.GetNumber()).Info("GitHub merges it by itself")
	}
	return err
}

// noAutoMerge takes it back, where it was asked for.
func (f *Forge) noAutoMerge(ctx context.Context, p *github.PullRequest) error {
	if p.AutoMerge == nil {
		return nil
	}
	input := map[string]any{"pullRequestId": p.GetNodeID()}
	off := func() (bool, error) {
		now, err := f.get(ctx, p.GetNumber())
		return err == nil && now.AutoMerge == nil, err
	}
	err := f.once(ctx, func() error { return f.graph(ctx, disableQuery, map[string]any{"input": input}, &struct{}{}) }, off)
	if err != nil {
		if is, look := off(); look == nil && is { // merged meanwhile, or another run was first
			return nil
		}
	}
	return err
}
