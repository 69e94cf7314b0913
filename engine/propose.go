package engine

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/report"
)

// supersede closes pull requests that no plan stands behind any more.
func (e *Env) supersede(ctx context.Context, r *PlanReport, open map[string]forge.PullRequest) error {
	for _, branch := range sortedKeys(open) {
		id := strings.TrimPrefix(branch, prefix)
		i := slices.IndexFunc(r.Plans, func(p Planned) bool { return p.Plan.ID == id })
		why := ""
		switch {
		case i < 0:
			why = superseded(id, r.Plans)
		case r.Plans[i].Action == Nothing:
			why = "nothing of it can be planned now; `ringmaster plan` says why"
		default:
			continue
		}
		if err := e.Forge.Close(ctx, branch, "", why); err != nil {
			return fmt.Errorf("closing %s: %w", branch, err)
		}
		delete(open, branch)
		r.Closed = append(r.Closed, Closed{branch, why})
	}
	return nil
}

func superseded(id string, plans []Planned) string {
	class, group, _, _ := plan.ParseID(id)
	for _, p := range plans {
		c, g, _, _ := plan.ParseID(p.Plan.ID)
		if g == group && c == class {
			return "superseded by " + p.Plan.ID
		}
	}
	return "nothing is left to do: every change of it was made, moved to another plan, or is no longer needed"
}

// propose opens and updates pull requests: most urgent first, no more at a time
// than the estate allows, critical ones beyond that.
func (e *Env) propose(ctx context.Context, est *estate.Estate, r *PlanReport, open map[string]forge.PullRequest) error {
	order := make([]int, len(r.Plans))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return urgency(r.Plans[a].Plan, r.Plans[b].Plan) })
	count, limit := len(open), est.Settings.OpenPlans
	for _, i := range order {
		p := &r.Plans[i]
		if p.Action == Nothing || p.Action == Declined {
			continue
		}
		branch := prefix + p.Plan.ID
		was, isOpen := open[branch]
		if !isOpen && count >= limit && classOf(p.Plan) != plan.Critical {
			p.Action, p.Why = Queued, fmt.Sprintf("the estate allows %d open at a time, and there are %d", limit, count)
			continue
		}
		if err := e.proposeOne(ctx, est, p, branch, was); err != nil {
			return err
		}
		if !isOpen {
			count++
		}
	}
	return nil
}

func urgency(a, b *plan.Plan) int {
	return cmp.Or(cmp.Compare(plan.Rank(classOf(a)), plan.Rank(classOf(b))), deadlineOf(a).Compare(deadlineOf(b)), strings.Compare(a.ID, b.ID))
}

// proposeOne opens a plan's pull request, or updates the one that was open: the
// zero value where none was.
func (e *Env) proposeOne(ctx context.Context, est *estate.Estate, p *Planned, branch string, was forge.PullRequest) error {
	ref := "refs/heads/" + branch
	written, err := e.Repo.Ref(ref)
	if err != nil {
		return err
	}
	head, err := e.signed(ctx, branch, written)
	if err != nil {
		return err
	}
	if head != written {
		if err := e.Repo.Move(ref, written, head); err != nil {
			return err
		}
	}
	c, err := e.Repo.Commit(head)
	if err != nil {
		return err
	}
	folder := path.Dir(plan.Path(p.Plan.ID)) + "/"
	page := report.Page{
		At: e.Forge.Address(string(head), folder), Whole: e.Forge.Shows(string(head), folder+"plan.md"), Commands: e.Forge.Name() != "local",
		Since: changedSince(c.Message), Continues: p.Continues, Overrides: bearing(est, p.Plan, e.At),
	}
	if page.Reviewed, err = e.reviewedBefore(ctx, p.Plan, string(head), was); err != nil {
		return err
	}
	pr, err := e.Forge.Propose(ctx, forge.Proposal{
		Branch: branch, Commit: string(head), Title: report.Title(p.Plan), Body: report.Body(p.Plan, bodyLimit, page),
		Labels: []string{"plan", string(classOf(p.Plan))}, Author: "ringmaster", At: e.At,
	})
	if err != nil {
		return fmt.Errorf("proposing plan %s: %w", p.Plan.ID, err)
	}
	p.Pull = &pr
	switch {
	case was.State != "open":
		p.Action = Opened
	case p.Action == Written:
		p.Action = Updated
	}
	e.tellContinued(ctx, p)
	return nil
}
