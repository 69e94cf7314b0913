package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/report"
)

// unmet is a requirement of a plan that not enough people have met.
type unmet struct {
	need   plan.Approval
	have   int
	lapsed string // of those who approved an earlier version in vain
}

func (u unmet) String() string { return lack(u.have, u.need) + u.lapsed }

func inWords(lacks []unmet) []string {
	var list []string
	for _, l := range lacks {
		list = append(list, l.String())
	}
	return list
}

// Remind says, in the thread of each open plan that somebody should have approved
// by now, who has not, and tells those whom the plan names for that. There is one
// such comment, which is edited: once more when everybody has approved. Whether
// everybody has, it puts on each commit as well, for check has no token that sees
// teams. What the forge does not take is logged; a later run says it.
func (e *Env) Remind(ctx context.Context) {
	ctx, stop := context.WithTimeout(ctx, hearing)
	defer stop()
	open, err := e.openPulls(ctx)
	if err == nil {
		err = e.remind(ctx, open)
	}
	if err != nil {
		e.Log.WithError(err).Warn("telling who is late; the next run tells it")
	}
	if !e.Forge.Reviews() {
		return
	}
	for _, branch := range sortedKeys(open) {
		if err := e.tellApprovals(ctx, open[branch]); err != nil {
			e.Log.WithError(err).Warn("no check run says whether everybody approved")
			return
		}
	}
}

func (e *Env) tellApprovals(ctx context.Context, pr forge.PullRequest) error {
	var unseen bool
	defer e.tolerate(&unseen)()
	p, why, err := e.openPlan(ctx, pr)
	state := approvalState{missing: []string{"a plan that can be read: " + why}}
	if err == nil && p != nil {
		state = approvalState{}
		err = state.add(ctx, e, pr)
	}
	if err != nil {
		return err
	}
	if unseen {
		return e.Forge.Verdict(ctx, uncounted(pr.Head))
	}
	return e.Forge.Verdict(ctx, state.verdict(pr.Head))
}

func (e *Env) remind(ctx context.Context, open map[string]forge.PullRequest) error {
	if len(open) == 0 {
		return nil
	}
	_, r, err := e.judge(ctx)
	if err != nil {
		return err
	}
	for _, branch := range sortedKeys(open) {
		p, _, err := e.openPlan(ctx, open[branch])
		if err != nil {
			return err
		}
		if p == nil || len(p.Approvals) == 0 {
			continue
		}
		_, lacks, err := e.approved(ctx, r.teams, p, open[branch])
		if err != nil {
			return err
		}
		text, err := e.overdue(ctx, p, lacks)
		if err != nil {
			return err
		}
		if text == "" {
			continue
		}
		if err := e.Forge.Say(ctx, branch, "approvals", text); err != nil {
			return err
		}
	}
	return nil
}

// overdue is what the thread of an open plan says of approvals that are late, ""
// while nobody is late.
func (e *Env) overdue(ctx context.Context, p *plan.Plan, lacks []unmet) (string, error) {
	start := startOf(p)
	due := slices.DeleteFunc(slices.Clone(lacks), func(l unmet) bool { return !e.past(p, dueBy(l.need, start)) })
	over := !start.IsZero() && e.past(p, start)
	switch {
	case len(lacks) == 0 && over:
		return fmt.Sprintf("It was to begin on %s, and everybody has approved since. Merged, it begins at once where its waves are still open.\n", report.When(p, start)), nil
	case len(due) == 0:
		return "", nil
	}
	var b strings.Builder
	if over {
		fmt.Fprintf(&b, "**Overdue**: it was to begin on %s, and is not approved.\n\n", report.When(p, start))
	} else {
		b.WriteString("**Late**: it is not approved.\n\n")
	}
	for _, l := range due {
		from, err := e.Forge.Mention(ctx, l.need.From)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "- %d of %d by %s", l.have, l.need.Count, from)
		if !l.need.By.IsZero() {
			fmt.Fprintf(&b, ", by %s", report.When(p, l.need.By))
		}
		if l.need.EscalateTo != "" && l.need.EscalateTo != l.need.From {
			to, err := e.Forge.Mention(ctx, l.need.EscalateTo)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&b, "; %s, it is up to you to reach them", to)
		}
		b.WriteString("\n")
	}
	b.WriteString("\nNothing begins before that. A wave that can no longer begin in time is planned again.\n")
	return b.String(), nil
}

// past says whether a time of a plan has come, and people had an hour since the
// plan was made: one that may begin at once asks nobody to have approved already.
func (e *Env) past(p *plan.Plan, t time.Time) bool {
	return !e.At.Before(t) && !e.At.Before(p.At.Add(late))
}

// startOf is when a plan's first wave begins, zero where it has none.
func startOf(p *plan.Plan) time.Time {
	if len(p.Rings) == 0 || len(p.Rings[0].Waves) == 0 {
		return time.Time{}
	}
	return p.Rings[0].Waves[0].Start
}

// dueBy is when an approval is due: when the plan says, else when it begins.
func dueBy(a plan.Approval, start time.Time) time.Time {
	if a.By.IsZero() {
		return start
	}
	return a.By
}

// escalated names whom a plan tells where it is not approved in time.
func escalated(lacks []unmet) string {
	var to []string
	for _, l := range lacks {
		if a := l.need; a.EscalateTo != "" && a.EscalateTo != a.From && !slices.Contains(to, a.EscalateTo) {
			to = append(to, a.EscalateTo)
		}
	}
	if len(to) == 0 {
		return ""
	}
	return "; it is up to " + strings.Join(to, ", ") + " to reach them"
}
