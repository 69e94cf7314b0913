package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// The names under which a forge lists what check found. A rule of the protected
// branch may require them.
const (
	planVerdict     = "ringmaster: plan"
	approvalVerdict = "ringmaster: approvals"
)

// Verdicts puts what Check found on the commits that people review, and beside it
// whether everybody has approved whom the plan asks. Each commit gets both, also
// one that brings no plan, so that a forge may require them. The first error ends
// it: a token that may not write one may write none.
func (e *Env) Verdicts(ctx context.Context, c *Checked) error {
	byCommit := map[string][]result{}
	if c.head != "" {
		byCommit[string(c.head)] = nil
	}
	for _, r := range c.results {
		byCommit[string(r.reviewed)] = append(byCommit[string(r.reviewed)], r)
	}
	for _, commit := range sortedKeys(byCommit) {
		edit := &Checked{} // of the commit
		if commit == string(c.head) {
			edit = c
		}
		for _, v := range []func(context.Context, repo.Hash, []result, *Checked) (forge.Verdict, error){e.planHolds, e.everybodyApproved} {
			verdict, err := v(ctx, repo.Hash(commit), byCommit[commit], edit)
			if err != nil {
				return err
			}
			if err := e.Forge.Verdict(ctx, verdict); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *Env) planHolds(_ context.Context, commit repo.Hash, list []result, edit *Checked) (forge.Verdict, error) {
	v := forge.Verdict{Name: planVerdict, Commit: string(commit), Conclusion: "success", Title: "It brings no plan"}
	var ids []string
	var faults []estate.Fault
	for _, r := range list {
		ids, faults = append(ids, r.id), append(faults, r.faults...)
	}
	if len(ids) > 0 {
		v.Title = strings.Join(ids, ", ") + ": the same bytes, made again"
	}
	if len(faults) > 0 {
		v.Conclusion, v.Title = "failure", fmt.Sprintf("%s: %s", strings.Join(ids, ", "), counted(len(faults), "fault"))
	}
	if len(edit.denied) > 0 {
		faults = append(faults, edit.denied...)
		v.Conclusion, v.Title = "failure", "Policy does not let it be merged: "+counted(len(faults), "fault")
	}
	for _, f := range faults {
		v.Notes = append(v.Notes, forge.Annotation{File: f.File, Line: f.Line, Level: "failure", Message: f.Message})
	}
	v.Summary = summary(ids, faults)
	return v, nil
}

// everybodyApproved is no fault of a plan that lacks approvals: people have yet to
// act.
func (e *Env) everybodyApproved(ctx context.Context, commit repo.Hash, list []result, edit *Checked) (forge.Verdict, error) {
	v := forge.Verdict{Name: approvalVerdict, Commit: string(commit), Conclusion: "success", Title: "It brings no plan", Summary: "The forge's own rules say who must approve it."}
	var missing, given []string
	var glass *outcome.Override
	for _, r := range list {
		if len(r.faults) > 0 {
			missing = append(missing, r.id+": a plan that holds")
			continue
		}
		pr, err := e.Forge.Find(ctx, prefix+r.id)
		switch {
		case errors.Is(err, forge.ErrNotFound) || err == nil && pr.Head != string(commit):
			missing = append(missing, r.id+": it is not what the pull request of "+prefix+r.id+" has under review")
			continue
		case err != nil:
			return v, err
		}
		by, lacks, err := e.standing(ctx, pr)
		if err != nil {
			return v, err
		}
		missing, given = append(missing, lacks...), append(given, by...)
		if glass, err = e.lifted(ctx, pr); err != nil {
			return v, err
		}
	}
	missing = append(missing, edit.Asks...)
	switch {
	case len(missing) > 0:
		v.Conclusion, v.Title = "action_required", "Not everybody approved who is asked"
		v.Summary = "Before it is merged it needs:\n\n" + quoted(strings.Join(missing, "\n"))
	case glass != nil:
		v.Title, v.Summary = "Break-glass stands until "+stamp(glass.Until), "It may begin without those who should approve it, and is reported until they have:\n\n"+quoted(glass.By+": "+glass.Reason)
	case len(given) > 0:
		v.Title, v.Summary = "Everybody approved who is asked", "Approved by:\n\n"+quoted(strings.Join(given, "\n"))
	case len(list) > 0:
		v.Title, v.Summary = "Nobody is asked", "Policy asks nobody to approve it."
	}
	return v, nil
}

// Summary is what Check found, as Markdown.
func (c *Checked) Summary() string { return summary(c.Plans, c.Faults) }

func summary(ids []string, faults []estate.Fault) string {
	switch {
	case len(faults) > 0:
		var lines []string
		for _, f := range faults {
			lines = append(lines, f.String())
		}
		return fmt.Sprintf("%s found:\n\n%s", counted(len(faults), "fault"), quoted(strings.Join(lines, "\n")))
	case len(ids) == 0:
		return "There is no plan to check.\n"
	}
	return "Made again at its own commit and time, with the protected branch's policies, rings and models, it comes out the same, byte for byte:\n\n" + quoted(strings.Join(ids, "\n"))
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
