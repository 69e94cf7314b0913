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
// whether everybody has approved who is asked; each commit gets both, also one that
// brings no plan. Where the token may not see teams the second says so, and of plans that
// are under review it is left to those runs that may: see Remind.
func (e *Env) Verdicts(ctx context.Context, c *Checked) error {
	done := e.tolerate(&c.unseen)
	defer done()
	_, r, err := e.judge(ctx)
	if err != nil {
		return err
	}
	for _, team := range r.owners {
		// One that nobody reviewed yet asks about no team, and is not to be told by
		// this run now and by another later.
		if _, err := e.member(ctx, r.teams, team, "ringmaster"); err != nil {
			return err
		}
	}
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
		plan, err := e.planHolds(ctx, repo.Hash(commit), byCommit[commit], edit)
		if err == nil {
			err = e.Forge.Verdict(ctx, plan)
		}
		if err != nil {
			return err
		}
		approvals, told, err := e.everybodyApproved(ctx, repo.Hash(commit), byCommit[commit], edit)
		if c.unseen && told {
			continue
		}
		if c.unseen && approvals.Conclusion != "success" {
			approvals = uncounted(commit)
		}
		if err == nil {
			err = e.Forge.Verdict(ctx, approvals)
		}
		if err != nil {
			return err
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

// uncounted is said where the token may not see who is in a team. It is not passed
// over as neutral would be, where a rule of the branch asks for it.
func uncounted(commit string) forge.Verdict {
	return forge.Verdict{
		Name: approvalVerdict, Commit: commit, Conclusion: "action_required", Title: "Approvals cannot be counted with this token",
		Summary: "Who has approved it is not known here: the token may not see who is in a team, so that nobody's approval is counted. " +
			"It takes the organisation permission `members: read`, which a workflow's own token never has and a GitHub App may be given (docs/github.md, section 1).\n\n" +
			"Before it is merged an owner of the estate, other than its author, approves it. What is merged without stops `execute`.\n",
	}
}

// everybodyApproved is no fault of a plan that lacks approvals: people have yet to
// act. Told is whether the commit brings plans that are under review, and nothing else
// that people are asked about: of those Remind tells it as well.
func (e *Env) everybodyApproved(ctx context.Context, commit repo.Hash, list []result, edit *Checked) (v forge.Verdict, told bool, err error) {
	var all approvalState
	told = len(list) > 0 && edit.Edits == 0
	for _, r := range list {
		pr, err := e.Forge.Find(ctx, prefix+r.id)
		switch {
		case errors.Is(err, forge.ErrNotFound) || err == nil && pr.Head != string(commit):
			told = false
			all.missing = append(all.missing, r.id+": it is not what the pull request of "+prefix+r.id+" has under review")
		case err == nil && len(r.faults) > 0:
			all.missing = append(all.missing, r.id+": a plan that holds")
		case err == nil:
			err = all.add(ctx, e, pr)
		}
		if err != nil && !errors.Is(err, forge.ErrNotFound) {
			return v, false, err
		}
	}
	all.missing = append(all.missing, edit.Asks...)
	return all.verdict(string(commit)), told, nil
}

// approvalState is how far the approvals of what a commit brings have come.
type approvalState struct {
	missing, given []string
	glass          *outcome.Override
	asked          bool // it brings something that people are asked about
}

func (s *approvalState) add(ctx context.Context, e *Env, pr forge.PullRequest) error {
	by, lacks, err := e.standing(ctx, pr)
	if err != nil {
		return err
	}
	s.missing, s.given, s.asked = append(s.missing, lacks...), append(s.given, by...), true
	s.glass, err = e.lifted(ctx, pr)
	return err
}

func (s *approvalState) verdict(commit string) forge.Verdict {
	v := forge.Verdict{Name: approvalVerdict, Commit: commit, Conclusion: "success", Title: "It brings no plan", Summary: "The forge's own rules say who must approve it."}
	switch {
	case len(s.missing) > 0:
		v.Conclusion, v.Title = "action_required", "Not everybody approved who is asked"
		v.Summary = "Before it is merged it needs:\n\n" + quoted(strings.Join(s.missing, "\n"))
	case s.glass != nil:
		v.Title, v.Summary = "Break-glass stands until "+stamp(s.glass.Until), "It may begin without those who should approve it, and is reported until they have:\n\n"+quoted(s.glass.By+": "+s.glass.Reason)
	case len(s.given) > 0:
		v.Title, v.Summary = "Everybody approved who is asked", "Approved by:\n\n"+quoted(strings.Join(s.given, "\n"))
	case s.asked:
		v.Title, v.Summary = "Nobody is asked", "Policy asks nobody to approve it."
	}
	return v
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
