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
		said := forge.Review{By: login, At: r.GetSubmittedAt().UTC(), Commit: r.GetCommitID()}
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
