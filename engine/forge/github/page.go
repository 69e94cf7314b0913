package github

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/go-github/v60/github"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
)

// Pin keeps a page as an issue with the page's label, which is made where there
// is none, opened again where somebody closed it, and edited in place. A mark in
// its text tells it from other issues of that label; of several the oldest
// counts.
func (f *Forge) Pin(ctx context.Context, p forge.Page) (string, error) {
	if r := []rune(p.Title); len(r) > titleMost {
		p.Title = string(r[:titleMost])
	}
	mark := fmt.Sprintf("<!-- ringmaster: page %s -->\n", p.Key)
	body := mark + p.Body
	if utf8.RuneCountInString(body) > bodyMost {
		return "", fmt.Errorf("page %q has %d characters, and GitHub takes %d", p.Key, utf8.RuneCountInString(body), bodyMost)
	}
	at, err := f.pinned(ctx, p.Key, mark)
	if err != nil {
		return "", fmt.Errorf("looking for page %q: %w", p.Key, err)
	}
	if at == nil {
		if at, err = f.pin(ctx, p, mark, body); err != nil {
			return "", fmt.Errorf("making page %q: %w", p.Key, err)
		}
	}
	if err := f.rewrite(ctx, at, p.Title, body); err != nil {
		return "", fmt.Errorf("editing page %q: %w", p.Key, err)
	}
	return at.GetHTMLURL(), nil
}

// pinned is the issue of a page, nil where there is none.
func (f *Forge) pinned(ctx context.Context, key, mark string) (*github.Issue, error) {
	list, err := all(func(page github.ListOptions) ([]*github.Issue, *github.Response, error) {
		return f.api.Issues.ListByRepo(ctx, f.owner, f.name, &github.IssueListByRepoOptions{State: "all", Labels: []string{label(key)}, Sort: "created", Direction: "asc", ListOptions: page})
	})
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list, func(x *github.Issue) bool { return !x.IsPullRequest() && strings.HasPrefix(unix(x.GetBody()), mark) })
	if i < 0 {
		return nil, nil
	}
	return list[i], nil
}

func label(key string) string { return "ringmaster-" + key }

func (f *Forge) pin(ctx context.Context, p forge.Page, mark, body string) (*github.Issue, error) {
	var made *github.Issue
	err := f.once(ctx, func() (err error) {
		made, _, err = f.api.Issues.Create(ctx, f.owner, f.name, &github.IssueRequest{Title: &p.Title, Body: &body, Labels: &[]string{label(p.Key)}})
		return err
	}, func() (bool, error) {
		found, err := f.pinned(ctx, p.Key, mark)
		made = found
		return found != nil, err
	})
	if err != nil {
		return nil, err
	}
	f.log.WithField("issue", made.GetNumber()).Info("page made")
	return f.settle(ctx, p.Key, mark, made)
}

// settle looks again once a page was made: another run may have made one in the
// same moment, and then the newer one is closed. One without the page's label
// would be found by no run, and each would make another.
func (f *Forge) settle(ctx context.Context, key, mark string, made *github.Issue) (*github.Issue, error) {
	oldest, err := f.pinned(ctx, key, mark)
	switch {
	case err != nil:
		return nil, err
	case oldest.GetNumber() == made.GetNumber():
		return made, nil
	}
	err = f.once(ctx, func() error {
		_, _, err := f.api.Issues.Edit(ctx, f.owner, f.name, made.GetNumber(), &github.IssueRequest{State: github.String("closed")})
		return err
	}, again)
	switch {
	case err != nil:
		return nil, err
	case oldest == nil:
		return nil, fmt.Errorf("GitHub left the label %q out of issue #%d, so that it would not be found again; it takes a token that may push", label(key), made.GetNumber())
	}
	return oldest, nil
}

// rewrite changes what differs of an issue.
func (f *Forge) rewrite(ctx context.Context, at *github.Issue, title, body string) error {
	change := &github.IssueRequest{}
	if at.GetTitle() != title {
		change.Title = &title
	}
	if unix(at.GetBody()) != unix(body) {
		change.Body = &body
	}
	if at.GetState() == "closed" {
		change.State = github.String("open")
	}
	if *change == (github.IssueRequest{}) {
		return nil
	}
	return f.once(ctx, func() error {
		_, _, err := f.api.Issues.Edit(ctx, f.owner, f.name, at.GetNumber(), change)
		return err
	}, again)
}
