package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/replay"
)

// CommentReplay keeps a saved report as one comment below the pull request that HEAD
// is, or is the merge of, and returns that pull request's branch. The report is not
// believed: it may come from where policies of anybody were evaluated. "" is a HEAD
// that no pull request has under review, or that of a fork, which gets no comment.
func (e *Env) CommentReplay(ctx context.Context, saved []byte) (string, error) {
	r, err := replay.Read(saved)
	if err != nil {
		return "", err
	}
	head, err := e.head()
	if err != nil {
		return "", err
	}
	_, base, err := e.base(ctx)
	if err != nil {
		return "", err
	}
	commit, err := e.underReview(base, head)
	if err != nil {
		return "", err
	}
	pr, err := e.reviewing(ctx, commit)
	if err != nil || pr.Branch == "" {
		return "", err
	}
	r.Commit = string(commit)
	key := "replay"
	if r.Models {
		key = "replay-models"
	}
	err = e.Forge.Say(ctx, pr.Branch, key, r.Markdown())
	if errors.Is(err, forge.ErrNotFound) { // its branch is another repository's
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("commenting on %s: %w", pr.Branch, err)
	}
	return pr.Branch, nil
}
