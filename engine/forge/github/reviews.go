package github

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/google/go-github/v60/github"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
)

// reviews lists the reviews of a pull request, oldest first.
func (f *Forge) reviews(ctx context.Context, number int) ([]*github.PullRequestReview, error) {
	list, err := all(func(page github.ListOptions) ([]*github.PullRequestReview, *github.Response, error) {
		return f.api.PullRequests.ListReviews(ctx, f.owner, f.name, number, &page)
	})
	if err != nil {
		return nil, fmt.Errorf("listing the reviews of pull request #%d: %w", number, err)
	}
	slices.SortStableFunc(list, func(a, b *github.PullRequestReview) int {
		return cmp.Or(a.GetSubmittedAt().Compare(b.GetSubmittedAt().Time), cmp.Compare(a.GetID(), b.GetID()))
	})
	return list, nil
}

// approvals are the standing approvals of a head, and those of commits that were
// the head before: of each person the last review that takes a side counts, when
// it approves and the person may write to the repository. GitHub may dismiss
// those of before by itself.
func (f *Forge) approvals(ctx context.Context, number int, head string) (now, former []forge.Review, err error) {
	list, err := f.reviews(ctx, number)
	if err != nil {
		return nil, nil, err
	}
	last := map[string]*github.PullRequestReview{}
	for _, r := range list {
		switch r.GetState() {
		case "APPROVED", "CHANGES_REQUESTED", "DISMISSED":
			last[r.GetUser().GetLogin()] = r
		}
	}
	for _, login := range slices.Sorted(maps.Keys(last)) {
		r := last[login]
		if login == "" || r.GetState() != "APPROVED" {
			continue
		}
		may, err := f.mayWrite(ctx, login)
		if err != nil {
			return nil, nil, err
		}
		said := forge.Review{By: login, Account: accountOf(r.GetUser()), At: r.GetSubmittedAt().UTC(), Commit: r.GetCommitID()}
		switch {
		case !may:
		case said.Commit == head:
			now = append(now, said)
		default:
			former = append(former, said)
		}
	}
	return now, former, nil
}

// Permission asks GitHub. A role that an organisation made for itself counts as
// the one of GitHub's own that it is built upon, and a name that is no account's,
// an App's included, may do nothing.
func (f *Forge) Permission(ctx context.Context, person string) (string, error) {
	if !isName(person) {
		return "none", nil
	}
	var level struct { // go-github's own lacks role_name
		Permission string `json:"permission"`
		Role       string `json:"role_name"`
	}
	req, err := f.api.NewRequest(http.MethodGet, fmt.Sprintf("repos/%s/%s/collaborators/%s/permission", f.owner, f.name, url.PathEscape(person)), nil)
	if err == nil {
		_, err = f.api.Do(ctx, req, &level)
	}
	switch err = wrong(err); {
	case said(err) == http.StatusNotFound:
		return "none", nil
	case err != nil:
		return "", fmt.Errorf("asking what %q may do: %w", person, err)
	}
	for _, known := range [][2]string{{"triage", "read"}, {"maintain", "write"}} {
		if level.Role == known[0] && level.Permission == known[1] {
			return level.Role, nil
		}
	}
	if slices.Contains([]string{"read", "write", "admin"}, level.Permission) {
		return level.Permission, nil
	}
	return "none", nil
}

// mayWrite says whether a person may write to the repository. GitHub is asked
// once in a run for each.
func (f *Forge) mayWrite(ctx context.Context, login string) (bool, error) {
	f.mu.Lock()
	may, known := f.writes[login]
	f.mu.Unlock()
	if known {
		return may, nil
	}
	level, err := f.Permission(ctx, login)
	if err != nil {
		return false, err
	}
	may = level == "write" || level == "maintain" || level == "admin"
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes[login] = may
	return may, nil
}
