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

// AutoMerge uses GitHub's own auto-merge, with a merge commit. GitHub takes
// nothing for it that it could merge already: that is merged at once, or by a later
// run where a check that is no requirement still runs or failed. A new head by
// Propose takes it back; where somebody else pushes, GitHub keeps it for those who
// may write.
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
	log := f.log.WithField("pull", p.GetNumber())
	switch {
	case err == nil:
		log.Info("GitHub merges it by itself")
	case no(err, "clean status"):
		_, err = f.merge(ctx, branch, head)
	case no(err, "unstable status"):
		log.Info("it is merged by a later run: it meets every requirement, and a check that is none still runs or failed")
		return nil
	case no(err, "not allowed for this repository"):
		return fmt.Errorf("switch on \"Allow auto-merge\" in the repository's settings: %w", err)
	case no(err, "Protected branch rules not configured"):
		return fmt.Errorf("%s asks for nothing before a merge; protect it: %w", p.GetBase().GetRef(), err)
	}
	return err
}

// no says whether GraphQL refuses in such words.
func no(err error, words string) bool {
	return said(err) == http.StatusUnprocessableEntity && strings.Contains(err.Error(), words)
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
