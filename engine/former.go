package engine

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/report"
)

// former is a standing approval of a plan, as it is or as an earlier version of it.
type former struct {
	forge.Review
	plan  *plan.Plan // that was approved; nil where it is not to be had
	worse []string   // why the approval does not stand for the plan in its place
}

// stands says whether the approval counts for a team that the plan asks: the
// version that was approved asked it too.
func (f *former) stands(team string) bool {
	return len(f.worse) == 0 && slices.ContainsFunc(f.plan.Approvals, func(a plan.Approval) bool { return a.From == team })
}

// formers are the approvals of earlier versions of a plan, each held against the
// plan as it is at head. What was approved is read from Git at the commit that
// the forge says was reviewed, never from what lies elsewhere; what stands in its
// place must be as ringmaster writes it, too.
func (e *Env) formers(ctx context.Context, p *plan.Plan, head string, reviews []forge.Review) ([]former, error) {
	if len(reviews) == 0 {
		return nil, nil
	}
	_, edited, err := e.approvedPlan(ctx, head, p.ID)
	if err != nil {
		return nil, fmt.Errorf("reading what is to be approved: %w", err)
	}
	var list []former
	for _, r := range reviews {
		was, why, err := e.approvedPlan(ctx, r.Commit, p.ID)
		if err != nil {
			return nil, fmt.Errorf("reading what %q approved: %w", r.By, err)
		}
		f := former{r, was, []string{cmp.Or(why, edited)}}
		if why == "" && edited == "" {
			f.worse = worse(was, p)
		}
		list = append(list, f)
	}
	return list, nil
}

// approvedPlan is the plan of a commit that is reviewed, or why it cannot be said
// what people approve there. Where this engine made it, what people read of
// it must be what it makes of it, too.
func (e *Env) approvedPlan(ctx context.Context, commit, id string) (*plan.Plan, string, error) {
	data, err := e.fileOf(ctx, commit, plan.Path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Sprintf("commit %.10s has no such plan, or is gone", commit), nil
	}
	if err != nil {
		return nil, "", err
	}
	p, err := plan.Parse(data)
	if err != nil {
		return nil, fmt.Sprintf("commit %.10s has no plan as ringmaster writes it: %v", commit, err), nil
	}
	if p.Inputs.Engine != e.Version {
		return p, "", nil
	}
	want := pages(p, data)
	for _, name := range sortedKeys(want) {
		got, err := e.fileOf(ctx, commit, name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, "", err
		}
		if !bytes.Equal(got, want[name]) {
			return nil, fmt.Sprintf("%s of commit %.10s does not say what its plan says", name, commit), nil
		}
	}
	return p, "", nil
}

// lapsed is what people who approved an earlier version for a team must know, ""
// where nobody did in vain.
func (f *former) lapsed(team string) string {
	if f.stands(team) {
		return ""
	}
	why := strings.Join(f.worse, "; ")
	if why == "" {
		why = "it was not asked for then"
	}
	return fmt.Sprintf("%s approved an earlier version, which does not stand for this one (%s)", f.By, why)
}

// reviewedBefore tells, for a plan's page, of those who are asked and approved an
// earlier version than the commit that is proposed now.
func (e *Env) reviewedBefore(ctx context.Context, p *plan.Plan, commit string, pr forge.PullRequest) ([]report.Reviewed, error) {
	reviews := slices.DeleteFunc(slices.Concat(pr.Approvals, pr.Former), func(r forge.Review) bool { return r.Commit == commit || r.By == pr.Author })
	if len(reviews) == 0 {
		return nil, nil
	}
	_, r, err := e.judge(ctx)
	if err != nil {
		return nil, err
	}
	list, err := e.formers(ctx, p, commit, reviews)
	if err != nil {
		return nil, err
	}
	var said []report.Reviewed
	for i := range list {
		one, err := e.reviewedOnce(ctx, r.teams, p, &list[i])
		if err != nil {
			return nil, err
		}
		if one != nil {
			said = append(said, *one)
		}
	}
	return said, nil
}

// reviewedOnce is one of them, nil where the plan does not ask that person.
func (e *Env) reviewedOnce(ctx context.Context, teams map[string][]string, p *plan.Plan, f *former) (*report.Reviewed, error) {
	one := report.Reviewed{By: f.By, At: f.At, Why: strings.Join(f.worse, "; ")}
	if f.plan != nil {
		one.Since = report.Since(f.plan, p)
	}
	asked := false
	for _, need := range p.Approvals {
		in, err := e.member(ctx, teams, need.From, f.By)
		if err != nil {
			return nil, err
		}
		asked = asked || in
		one.Counts = one.Counts || in && f.stands(need.From)
	}
	if !asked {
		return nil, nil
	}
	return &one, nil
}
