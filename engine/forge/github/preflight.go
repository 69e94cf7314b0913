package github

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-github/v60/github"
)

// Preflight names what the token lacks, as GitHub names permissions. It reads
// and writes nothing: that a fine-grained token may write shows when it does.
func (f *Forge) Preflight(ctx context.Context) ([]string, error) {
	return f.lacking(ctx, func(r *github.Repository) []probe { return f.probes(r) })
}

// Ready asks two things: for the repository, which says what the token may do
// there, and for the organisation's teams, which nothing else would ask for
// before an approval is counted; where there is no organisation, for pull
// requests, which every run lists first anyway.
func (f *Forge) Ready(ctx context.Context) ([]string, error) {
	return f.lacking(ctx, func(r *github.Repository) []probe {
		list := f.probes(r)
		return list[len(list)-1:]
	})
}

func (f *Forge) lacking(ctx context.Context, probes func(*github.Repository) []probe) ([]string, error) {
	r, resp, err := f.repository(ctx)
	switch said(err) {
	case http.StatusUnauthorized:
		return []string{"a token that is valid: GitHub does not know this one, or it has expired"}, nil
	case http.StatusForbidden, http.StatusNotFound:
		return []string{fmt.Sprintf("metadata: read (GitHub does not show %s/%s to this token)", f.owner, f.name)}, nil
	}
	if err != nil {
		return nil, err
	}
	missing := scopes(resp.Header, r)
	if p := r.GetPermissions(); p != nil && !f.installed && !p["push"] && !p["maintain"] && !p["admin"] {
		missing = append(missing, "contents: write (to push the branches of plans, and outcomes)")
	}
	for _, p := range probes(r) {
		err := wrong(p.ask(ctx))
		switch status := said(err); {
		case status == http.StatusForbidden || status == http.StatusNotFound && p.hidden:
			missing = append(missing, p.needs)
		case err != nil && (status == 0 || status >= 500):
			return nil, fmt.Errorf("trying what the token may do: %w", err)
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing), nil
}

// scopes holds a classic token to what it says of itself. Others say nothing.
func scopes(h http.Header, r *github.Repository) []string {
	list, ok := h["X-Oauth-Scopes"]
	if !ok {
		return nil
	}
	has := strings.FieldsFunc(strings.Join(list, ","), func(c rune) bool { return c == ',' || c == ' ' })
	var missing []string
	if !slices.Contains(has, "repo") && (r.GetPrivate() || !slices.Contains(has, "public_repo")) {
		missing = append(missing, "scope repo (to push branches and open pull requests)")
	}
	if r.GetOwner().GetType() == "Organization" && !slices.ContainsFunc(has, func(s string) bool { return strings.HasSuffix(s, ":org") }) {
		missing = append(missing, "scope read:org (to see who is in a team)")
	}
	return missing
}

// probe is a request that shows whether the token has a permission.
type probe struct {
	needs  string
	hidden bool // GitHub hides it as not found
	ask    func(ctx context.Context) error
}

// probes read one of each kind of thing that ringmaster works with.
func (f *Forge) probes(r *github.Repository) []probe {
	one := github.ListOptions{PerPage: 1}
	list := []probe{
		{"contents: write (to read and push branches)", false, func(ctx context.Context) error {
			_, _, err := f.api.Git.GetRef(ctx, f.owner, f.name, "heads/"+r.GetDefaultBranch())
			return err
		}},
		{"issues: write (for the page that says where the estate stands)", true, func(ctx context.Context) error {
			_, _, err := f.api.Issues.ListByRepo(ctx, f.owner, f.name, &github.IssueListByRepoOptions{ListOptions: one})
			return err
		}},
		{"pull requests: write (to open, update and merge plans)", true, func(ctx context.Context) error {
			_, _, err := f.api.PullRequests.List(ctx, f.owner, f.name, &github.PullRequestListOptions{ListOptions: one})
			return err
		}},
		{"checks: write (whether everybody approved an open plan)", true, func(ctx context.Context) error {
			_, _, err := f.api.Checks.ListCheckRunsForRef(ctx, f.owner, f.name, r.GetDefaultBranch(), &github.ListCheckRunsOptions{ListOptions: one})
			return err
		}},
		{"deployments: write (for execute: how far a plan is in each ring)", true, func(ctx context.Context) error {
			_, _, err := f.api.Repositories.ListDeployments(ctx, f.owner, f.name, &github.DeploymentsListOptions{ListOptions: one})
			return err
		}},
		{"commit statuses: write (for execute: the same, on the commit by which the plan was merged)", true, func(ctx context.Context) error {
			_, _, err := f.api.Repositories.GetCombinedStatus(ctx, f.owner, f.name, r.GetDefaultBranch(), &one)
			return err
		}},
	}
	if r.GetOwner().GetType() == "Organization" {
		list = append(list, probe{"members: read, of the organisation (to see who is in a team)", true, func(ctx context.Context) error {
			_, _, err := f.api.Teams.ListTeams(ctx, f.owner, &one)
			return err
		}})
	}
	return list
}
