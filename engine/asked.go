package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// askedHead begins a line of a plan's commit that names who started the run which
// wrote the plan, or wished for it: nobody approves what they had planned.
const askedHead = "Asked-by: "

// askedText is what a plan's commit says of who asked for it: those who started
// this run or wished for the plan, and those of the versions before it, whose
// approvals might be carried over.
func (e *Env) askedText(id string, before repo.Hash) (string, error) {
	list := slices.Concat(e.Asked, e.wished[id])
	if before != "" {
		c, err := e.Repo.Commit(before)
		if err != nil {
			return "", err
		}
		list = append(list, askedIn(c.Message)...)
	}
	slices.Sort(list)
	text := ""
	for _, who := range slices.Compact(list) {
		if isLogin(who) {
			text += "\n" + askedHead + who
		}
	}
	if text == "" {
		return "", nil
	}
	return "\n" + strings.TrimPrefix(text, "\n") + "\n", nil
}

func askedIn(message string) []string {
	var list []string
	for line := range strings.Lines(message) {
		if who, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), askedHead); ok && isLogin(who) {
			list = append(list, who)
		}
	}
	return list
}

// hadPlanned are who asked for a pull request's plan, as its commit says. One that is
// open may have to be fetched.
func (e *Env) hadPlanned(ctx context.Context, pr forge.PullRequest) ([]string, error) {
	c, err := e.Repo.Commit(repo.Hash(pr.Head))
	if errors.Is(err, repo.ErrNotFound) && e.Remote != nil {
		if _, err = e.fetched(ctx, pr.Branch); err == nil {
			c, err = e.Repo.Commit(repo.Hash(pr.Head))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("reading who asked for %s: %w", pr.Branch, err)
	}
	return askedIn(c.Message), nil
}

// isOneOf compares names as forges do, without case. Those that askedIn returns
// are plain ASCII.
func isOneOf(list []string, who string) bool {
	return isLogin(who) && slices.ContainsFunc(list, func(x string) bool { return strings.EqualFold(x, who) })
}
