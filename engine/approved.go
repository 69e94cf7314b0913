package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/report"
)

// approved checks the approvals that a plan requires against the forge's
// reviews: of exactly what was merged, or of an earlier version that it is
// provably no worse than. Nobody approves what they proposed or had planned, and
// one person counts once for each requirement.
func (e *Env) approved(ctx context.Context, teams map[string][]string, p *plan.Plan, pr forge.PullRequest) ([]outcome.Approval, []unmet, error) {
	votes, err := e.votes(ctx, p, pr)
	if err != nil {
		return nil, nil, err
	}
	var askers []string
	if len(p.Approvals) > 0 && len(votes) > 0 {
		if askers, err = e.hadPlanned(ctx, pr); err != nil {
			return nil, nil, err
		}
	}
	var list []outcome.Approval
	var lacks []unmet
	for _, need := range p.Approvals {
		n, lapsed := 0, ""
		for i := range votes {
			f := &votes[i]
			in, err := e.member(ctx, teams, need.From, f.By)
			switch {
			case err != nil:
				return nil, nil, err
			case !in:
			case isOneOf(askers, f.By):
				lapsed += fmt.Sprintf("; %s had it planned, and somebody else approves it", f.By)
			case f.stands(need.From):
				n++
				list = append(list, e.approval(p, pr, f, need.From))
			default:
				lapsed += "; " + f.lapsed(need.From)
			}
		}
		if n < need.Count {
			lacks = append(lacks, unmet{need, n, lapsed})
		}
	}
	return list, lacks, nil
}

// votes are the approvals of a pull request, each with the version of its plan that
// was approved: those of what is, or was, under review, then those of earlier
// versions. Its author's are not among them.
func (e *Env) votes(ctx context.Context, p *plan.Plan, pr forge.PullRequest) ([]former, error) {
	var list []former
	for _, r := range pr.Approvals {
		if r.Commit == pr.Head {
			list = append(list, former{Review: r, plan: p})
		}
	}
	formers, err := e.formers(ctx, p, pr.Head, pr.Former)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(append(list, formers...), func(f former) bool { return f.By == pr.Author }), nil
}

// approval is the line of approvals/ for a review that counts for a team.
func (e *Env) approval(p *plan.Plan, pr forge.PullRequest, f *former, team string) outcome.Approval {
	a := outcome.Approval{At: f.At, Plan: p.ID, Digest: f.plan.Digest, By: f.By, For: team, Commit: f.Commit, Merge: pr.Merge, Claimed: f.Claimed, Forge: e.Forge.Name()}
	if f.plan != p {
		a.Carried = p.Digest
	}
	return a
}

// given are the approvals of any of some teams that count: of exactly what is or was
// under review, and not by its author.
func (e *Env) given(ctx context.Context, members map[string][]string, pr forge.PullRequest, teams ...string) ([]forge.Review, error) {
	var list []forge.Review
	for _, r := range pr.Approvals {
		if r.By == pr.Author || r.Commit != pr.Head {
			continue
		}
		for _, team := range teams {
			in, err := e.member(ctx, members, team, r.By)
			if err != nil {
				return nil, err
			}
			if in {
				list = append(list, r)
				break
			}
		}
	}
	return list, nil
}

// lack says which approvals are not there.
func lack(n int, need plan.Approval) string {
	return fmt.Sprintf("%d of %d by %q: %s", n, need.Count, need.From, report.Because(need.Because))
}
