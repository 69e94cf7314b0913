package github

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

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

// approvals are the standing approvals of a head: of each person the last review
// that takes a side counts, when it approves exactly this commit and the person
// may write to the repository.
func (f *Forge) approvals(ctx context.Context, number int, head string) ([]forge.Review, error) {
	list, err := f.reviews(ctx, number)
	if err != nil {
		return nil, err
	}
	last := map[string]*github.PullRequestReview{}
	for _, r := range list {
		switch r.GetState() {
		case "APPROVED", "CHANGES_REQUESTED", "DISMISSED":
			last[r.GetUser().GetLogin()] = r
		}
	}
	var out []forge.Review
	for login, r := range last {
		if login == "" || r.GetState() != "APPROVED" || r.GetCommitID() != head {
			continue
		}
		may, err := f.mayWrite(ctx, login)
		if err != nil {
			return nil, err
		}
		if may {
			out = append(out, forge.Review{By: login, At: r.GetSubmittedAt().UTC(), Commit: head})
		}
	}
	slices.SortFunc(out, func(a, b forge.Review) int { return strings.Compare(a.By, b.By) })
	return out, nil
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
	level, _, err := f.api.Repositories.GetPermissionLevel(ctx, f.owner, f.name, url.PathEscape(login))
	err = wrong(err)
	if err != nil && said(err) != http.StatusNotFound {
		return false, fmt.Errorf("asking what %q may do: %w", login, err)
	}
	may = err == nil && (level.GetPermission() == "write" || level.GetPermission() == "admin")
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes[login] = may
	return may, nil
}
