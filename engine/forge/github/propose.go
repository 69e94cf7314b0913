package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/go-github/v60/github"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// How many characters GitHub takes.
const (
	titleMost = 256
	bodyMost  = 65536
)

// Propose pushes the branch and opens its pull request, or updates the open one
// where it differs. A closed one is opened again where GitHub allows that;
// labels that people added stay.
func (f *Forge) Propose(ctx context.Context, n forge.Proposal) (forge.PullRequest, error) {
	pr, err := f.propose(ctx, n)
	if err != nil {
		return forge.PullRequest{}, fmt.Errorf("proposing %q: %w", n.Branch, err)
	}
	return pr, nil
}

func (f *Forge) propose(ctx context.Context, n forge.Proposal) (forge.PullRequest, error) {
	none := forge.PullRequest{}
	if !strings.HasPrefix(n.Branch, lead) {
		return none, fmt.Errorf("a branch of ringmaster begins with %q", lead)
	}
	if c := utf8.RuneCountInString(n.Body); c > bodyMost {
		return none, fmt.Errorf("the description has %d characters; GitHub takes %d", c, bodyMost)
	}
	n.Title = short(n.Title)
	p, err := f.standing(ctx, n.Branch)
	if err != nil {
		return none, err
	}
	if p != nil && stateOf(p) == "merged" {
		return none, errors.New("it is merged already")
	}
	if p != nil && stateOf(p) == "closed" { // before the push: after it GitHub would refuse
		if p, err = f.reopen(ctx, p); err != nil {
			return none, err
		}
	}
	if p != nil && p.GetHead().GetSHA() != n.Commit { // what was asked for was the old head
		if err := f.noAutoMerge(ctx, p); err != nil {
			return none, fmt.Errorf("asking GitHub no longer to merge it by itself: %w", err)
		}
		p.AutoMerge = nil
	}
	if err := f.push(ctx, n.Branch, n.Commit); err != nil {
		return none, err
	}
	if p == nil {
		if p, err = f.create(ctx, n); err != nil {
			return none, err
		}
	}
	if p, err = f.update(ctx, p, n); err != nil {
		return none, err
	}
	p.Head.SHA = github.String(n.Commit) // GitHub may take a moment to notice the push
	return f.view(ctx, p)
}

// short cuts a title where GitHub would refuse it: what it names is in the
// description too.
func short(title string) string {
	r := []rune(strings.TrimSpace(title))
	if len(r) <= titleMost {
		return string(r)
	}
	return strings.TrimSpace(string(r[:titleMost-1])) + "…"
}

// push moves the branch to the commit by compare-and-swap. Another's push in
// between is repo.ErrMoved, unless it brought the same commit.
func (f *Forge) push(ctx context.Context, branch, commit string) error {
	for try := 1; ; try++ {
		err := f.swap(ctx, "refs/heads/"+branch, repo.Hash(commit))
		if err == nil || errors.Is(err, repo.ErrMoved) || try == tries || ctx.Err() != nil || !f.wait(ctx, backoff(try)) {
			return err
		}
	}
}

func (f *Forge) swap(ctx context.Context, ref string, commit repo.Hash) error {
	is, err := f.remoteRef(ctx, ref)
	if err != nil || is == commit {
		return err
	}
	err = f.repo.Push(ctx, f.remote, ref, is, commit)
	if errors.Is(err, repo.ErrMoved) {
		if now, look := f.remoteRef(ctx, ref); look == nil && now == commit {
			return nil
		}
	}
	if err == nil {
		f.log.WithField("branch", strings.TrimPrefix(ref, "refs/heads/")).WithField("commit", string(commit)).Info("pushed")
	}
	return err
}

func (f *Forge) remoteRef(ctx context.Context, ref string) (repo.Hash, error) {
	refs, err := f.repo.RemoteRefs(ctx, f.remote)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(refs, func(r repo.Ref) bool { return r.Name == ref })
	if i < 0 {
		return "", nil
	}
	return refs[i].Hash, nil
}

// reopen opens a closed pull request again, or returns nil where GitHub does not:
// its branch was deleted or rewritten since.
func (f *Forge) reopen(ctx context.Context, p *github.PullRequest) (*github.PullRequest, error) {
	again, err := f.edit(ctx, p.GetNumber(), &github.PullRequest{State: github.String("open")})
	if said(err) == http.StatusUnprocessableEntity {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening pull request #%d again: %w", p.GetNumber(), err)
	}
	f.log.WithField("pull", p.GetNumber()).Info("opened again")
	return again, nil
}

// create opens a pull request. Where an earlier try, or another run, already
// did, that one is returned: there are never two.
func (f *Forge) create(ctx context.Context, n forge.Proposal) (*github.PullRequest, error) {
	base, err := f.Base(ctx)
	if err != nil {
		return nil, err
	}
	var p *github.PullRequest
	look := func() (bool, error) {
		found, err := f.standing(ctx, n.Branch)
		if err == nil && found != nil && stateOf(found) == "open" {
			p = found
		}
		return p != nil, err
	}
	err = f.once(ctx, func() (err error) {
		p, _, err = f.api.PullRequests.Create(ctx, f.owner, f.name, &github.NewPullRequest{
			Title: &n.Title, Head: &n.Branch, Base: &base, Body: &n.Body,
		})
		if err != nil {
			p = nil
		}
		return err
	}, look)
	if said(err) == http.StatusUnprocessableEntity {
		if is, e := look(); e == nil && is {
			return p, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("opening a pull request: %w", err)
	}
	f.log.WithField("pull", p.GetNumber()).WithField("branch", n.Branch).Info("opened")
	return p, nil
}

// update changes what differs of an open pull request. GitHub trims titles and
// may give lines back with carriage returns.
func (f *Forge) update(ctx context.Context, p *github.PullRequest, n forge.Proposal) (*github.PullRequest, error) {
	change := &github.PullRequest{}
	if p.GetTitle() != n.Title {
		change.Title = &n.Title
	}
	if unix(p.GetBody()) != unix(n.Body) {
		change.Body = &n.Body
	}
	number := p.GetNumber()
	if change.Title != nil || change.Body != nil {
		var err error
		if p, err = f.edit(ctx, number, change); err != nil {
			return nil, fmt.Errorf("updating pull request #%d: %w", number, err)
		}
		f.log.WithField("pull", number).Info("updated")
	}
	missing := slices.DeleteFunc(slices.Clone(n.Labels), func(name string) bool {
		return slices.ContainsFunc(p.Labels, func(l *github.Label) bool { return strings.EqualFold(l.GetName(), name) })
	})
	if len(missing) == 0 {
		return p, nil
	}
	err := f.once(ctx, func() error {
		// go-github's AddLabelsToIssue sends a bare array, which GitHub takes and
		// does not describe any more.
		req, err := f.api.NewRequest(http.MethodPost, fmt.Sprintf("repos/%s/%s/issues/%d/labels", f.owner, f.name, number), map[string]any{"labels": missing})
		if err != nil {
			return err
		}
		var labels []*github.Label
		if _, err = f.api.Do(ctx, req, &labels); err == nil {
			p.Labels = labels
		}
		return err
	}, again)
	if err != nil {
		return nil, fmt.Errorf("labelling pull request #%d: %w", number, err)
	}
	return p, nil
}

func unix(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

// edit changes a pull request; doing it twice leaves the same.
func (f *Forge) edit(ctx context.Context, number int, change *github.PullRequest) (p *github.PullRequest, err error) {
	err = f.once(ctx, func() (err error) {
		p, _, err = f.api.PullRequests.Edit(ctx, f.owner, f.name, number, change)
		return err
	}, again)
	return p, err
}

// again is for what may be repeated without looking: it sets what is to be.
func again() (bool, error) { return false, nil }

// once does what must not happen twice. When the answer is lost it looks whether
// it was done before it does it again.
func (f *Forge) once(ctx context.Context, do func() error, done func() (bool, error)) error {
	for try := 1; ; try++ {
		err := wrong(do())
		if !lost(err) || ctx.Err() != nil || !f.wait(ctx, backoff(try)) {
			return err
		}
		is, look := done()
		if is || look != nil {
			return look
		}
		if try == tries {
			return err
		}
	}
}
