package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/go-github/v60/github"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
)

// noteMark begins a comment that Say keeps. It counts only in a comment of the
// account whose token this is: anybody can write one.
const noteMark = "<!-- ringmaster: note "

// Say keeps one comment of a key below the branch's pull request, which may be a
// person's. Of several, as
// two runs at once leave them for a moment, the oldest counts.
func (f *Forge) Say(ctx context.Context, branch, key, body string) error {
	list, err := f.proposed(ctx, "all", branch)
	p, err := found(firstOf(list, "merged", "open"), err)
	if err == nil {
		err = f.keep(ctx, p.GetNumber(), key, body)
	}
	if err != nil {
		return fmt.Errorf("saying %q on %s: %w", key, branch, err)
	}
	return nil
}

// isKey holds a key to what a mark can hold without ending.
func isKey(s string) bool {
	return s != "" && len(s) <= 200 && !strings.Contains(s, "--") && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/") == ""
}

func (f *Forge) keep(ctx context.Context, number int, key, body string) error {
	if !isKey(key) {
		return fmt.Errorf("key %q: expected letters, digits and any of - _ . : /", key)
	}
	mark := noteMark + key + " -->\n"
	text := mark + body
	if n := utf8.RuneCountInString(text); n > bodyMost {
		return fmt.Errorf("the comment has %d characters, and GitHub takes %d", n, bodyMost)
	}
	c, err := f.kept(ctx, number, mark)
	if err == nil && c == nil {
		c, err = f.comment(ctx, number, mark, text)
	}
	if err != nil || strings.TrimSpace(unix(c.GetBody())) == strings.TrimSpace(unix(text)) {
		return err
	}
	err = f.once(ctx, func() error {
		_, _, err := f.api.Issues.EditComment(ctx, f.owner, f.name, c.GetID(), &github.IssueComment{Body: &text})
		return err
	}, again)
	if err != nil {
		return fmt.Errorf("editing a comment on pull request #%d: %w", number, err)
	}
	return nil
}

// kept is the oldest comment of a mark that is ours, nil where there is none.
func (f *Forge) kept(ctx context.Context, number int, mark string) (*github.IssueComment, error) {
	me, err := f.whoami(ctx)
	if err != nil {
		return nil, err
	}
	list, err := f.comments(ctx, number)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list, func(c *github.IssueComment) bool { return isNote(c, me, mark) })
	if i < 0 {
		return nil, nil
	}
	return list[i], nil
}

func isNote(c *github.IssueComment, me account, mark string) bool {
	return c.GetUser().GetID() == me.ID && strings.HasPrefix(unix(c.GetBody()), mark)
}

// comments lists the comments of a pull request, oldest first.
func (f *Forge) comments(ctx context.Context, number int) ([]*github.IssueComment, error) {
	list, err := all(func(page github.ListOptions) ([]*github.IssueComment, *github.Response, error) {
		return f.api.Issues.ListComments(ctx, f.owner, f.name, number, &github.IssueListCommentsOptions{ListOptions: page})
	})
	if err != nil {
		return nil, fmt.Errorf("listing the comments of pull request #%d: %w", number, err)
	}
	slices.SortStableFunc(list, func(a, b *github.IssueComment) int {
		return cmp.Or(a.GetCreatedAt().Compare(b.GetCreatedAt().Time), cmp.Compare(a.GetID(), b.GetID()))
	})
	return list, nil
}

// comment makes the comment of a mark. Where another run made one in the same
// moment, the newer one goes again.
func (f *Forge) comment(ctx context.Context, number int, mark, text string) (*github.IssueComment, error) {
	var made *github.IssueComment
	err := f.once(ctx, func() (err error) {
		made, _, err = f.api.Issues.CreateComment(ctx, f.owner, f.name, number, &github.IssueComment{Body: &text})
		return err
	}, func() (bool, error) {
		found, err := f.kept(ctx, number, mark)
		made = found
		return found != nil, err
	})
	if err != nil {
		return nil, fmt.Errorf("commenting on pull request #%d: %w", number, err)
	}
	oldest, err := f.kept(ctx, number, mark)
	switch {
	case err != nil:
		return nil, err
	case oldest == nil:
		return nil, errors.New("the comment that was made is not there any more")
	case oldest.GetID() == made.GetID():
		return made, nil
	}
	err = f.once(ctx, func() error {
		_, err := f.api.Issues.DeleteComment(ctx, f.owner, f.name, made.GetID())
		return err
	}, again)
	if err != nil && said(err) != 404 {
		return nil, fmt.Errorf("taking back a second comment on pull request #%d: %w", number, err)
	}
	return oldest, nil
}

// Comments lists what others wrote, and what the token's owner wrote without a
// mark: a person may lend their own token.
func (f *Forge) Comments(ctx context.Context, branch string) ([]forge.Comment, error) {
	list, err := f.thread(ctx, branch)
	if err != nil {
		return nil, fmt.Errorf("reading what people say on %s: %w", branch, err)
	}
	return list, nil
}

func (f *Forge) thread(ctx context.Context, branch string) ([]forge.Comment, error) {
	p, err := found(f.standing(ctx, branch))
	if err != nil {
		return nil, err
	}
	all, err := f.comments(ctx, p.GetNumber())
	if err != nil || len(all) == 0 {
		return nil, err
	}
	me, err := f.whoami(ctx)
	if err != nil {
		return nil, err
	}
	var list []forge.Comment
	for _, c := range all {
		if !isNote(c, me, noteMark) {
			list = append(list, forge.Comment{
				ID: strconv.FormatInt(c.GetID(), 10), By: c.GetUser().GetLogin(), Account: accountOf(c.GetUser()), At: c.GetCreatedAt().UTC(), Edited: c.GetUpdatedAt().UTC(),
				Body: unix(c.GetBody()), Bot: c.GetUser().GetType() == "Bot",
			})
		}
	}
	return list, nil
}

// accountOf is what GitHub calls an account whatever its name, "" for a deleted one.
func accountOf(u *github.User) string {
	if u.GetID() == 0 {
		return ""
	}
	return strconv.FormatInt(u.GetID(), 10)
}
