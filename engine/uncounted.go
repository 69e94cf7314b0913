package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// Uncounted says why a person's approval of a pull request counts for nothing that it
// asks for: "" where it may count, or where nothing is asked for.
func (e *Env) Uncounted(ctx context.Context, pr forge.PullRequest, by string) (string, error) {
	if by == pr.Author {
		return by + " proposed it", nil
	}
	teams, r, err := e.askedTeams(ctx, pr)
	if err != nil || len(teams) == 0 {
		return "", err
	}
	for _, team := range teams {
		if in, err := e.member(ctx, r.teams, team, by); err != nil || in {
			return "", err
		}
	}
	return fmt.Sprintf("%s is in none of %s", by, strings.Join(teams, ", ")), nil
}

// askedTeams are the teams of whom a pull request asks approvals, sorted: those that
// its plan names, or the estate's owners and those that policies add.
func (e *Env) askedTeams(ctx context.Context, pr forge.PullRequest) ([]string, rules, error) {
	base, r, err := e.judge(ctx)
	if err != nil {
		return nil, r, err
	}
	p, err := e.planOf(ctx, pr)
	if err != nil {
		return nil, r, err
	}
	var teams []string
	if p != nil {
		for _, need := range p.Approvals {
			teams = append(teams, need.From)
		}
		slices.Sort(teams)
		return slices.Compact(teams), r, nil
	}
	d, _, err := e.editOf(base, repo.Hash(pr.Head), pr)
	if err != nil || len(d.changes) == 0 {
		return nil, r, err
	}
	if r.law, err = e.lawOf(base); err != nil {
		return nil, r, err
	}
	list, err := e.judged(ctx, d, r)
	if err != nil {
		return nil, r, err
	}
	teams = slices.Clone(r.owners)
	for _, need := range policy.Approvals(list) {
		if need.From != policy.DefaultTeam { // which is any of the owners
			teams = append(teams, need.From)
		}
	}
	slices.Sort(teams)
	return slices.Compact(teams), r, nil
}
