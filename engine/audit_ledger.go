package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
)

// ledger checks what was recorded of a plan: that the chain holds, that the lines
// are about this plan and its changes, and that they tell of what was intended,
// in the order of time. It returns the lines up to where the chain holds.
func (a *Audit) ledger(p *plan.Plan, data []byte) []outcome.Line {
	file := outcome.Path(p.ID)
	lines, err := outcome.Parse(data, p.Digest)
	a.chain(file, err)
	a.Lines += len(lines)
	for i, l := range lines {
		switch {
		case l.Plan != p.ID:
			a.find(file, i+1, "it tells of plan %q", l.Plan)
		case i > 0 && l.Run != lines[i-1].Run && l.At.Before(lines[i-1].At):
			a.find(file, i+1, "it tells of %s, before what stood there already; time does not run backwards", l.At.UTC().Format(time.RFC3339))
		}
	}
	a.intended(file, lines)
	if _, err := rollout.Read(p, lines); err != nil {
		a.find(file, 0, "%s", strings.TrimPrefix(err.Error(), "outcomes of "+p.ID+": "))
	}
	return lines
}

// intended finds outcomes of changes that no line before them intended: execute
// writes the intent first, so somebody else wrote those.
func (a *Audit) intended(file string, lines []outcome.Line) {
	type deed struct {
		key  string
		work work
	}
	begun := map[deed]bool{}
	for i, l := range lines {
		d := deed{l.Key, work{l.Host, l.Patch}}
		switch l.Event {
		case outcome.Intended:
			begun[d] = true
		case outcome.Applied, outcome.Healthy, outcome.Degraded, outcome.RolledBack:
			if l.Host != "" && !begun[d] && l.Detail != "outside" {
				a.find(file, i+1, "%s on %s, and nothing intended it", l.Event, l.Host)
			}
		}
	}
}

func (a *Audit) chain(file string, err error) {
	var broken *outcome.ChainError
	if errors.As(err, &broken) {
		a.find(file, broken.Line, "%s", broken.Why)
	}
}

// auditApprovals checks what was recorded of a plan's approvals against the forge:
// each is a standing approval of exactly what was merged, or of an earlier version
// that it is no worse than, by somebody else than its author, and a plan that began
// had all that it asks for. Pr is nil where no merged pull request is known, which is
// a finding of its own.
func (e *Env) auditApprovals(ctx context.Context, a *Audit, p *plan.Plan, pr *forge.PullRequest, data []byte, began time.Time, glass *outcome.Override) error {
	file := outcome.ApprovalsPath(p.ID)
	list, err := outcome.ParseApprovals(data, p.Digest)
	a.chain(file, err)
	if pr == nil || began.IsZero() {
		return nil
	}
	if len(p.Approvals) == 0 && len(list) == 0 {
		return nil
	}
	full, err := e.mergedBy(ctx, pr.Base, pr.Merge, true)
	if err != nil {
		return err
	}
	good := map[string]map[string]bool{} // team → who approved for it
	for i, l := range list {
		why, err := e.forged(ctx, p, full, l)
		if err != nil {
			return err
		}
		if why == "" {
			if why, err = e.stranger(ctx, a.began[file], l); err != nil {
				return err
			}
		}
		if why != "" {
			a.find(file, i+1, "%s", why)
			continue
		}
		if good[l.For] == nil {
			good[l.For] = map[string]bool{}
		}
		good[l.For][l.By] = true
	}
	var lacks []unmet
	for _, need := range p.Approvals {
		if n := len(good[need.From]); n < need.Count {
			lacks = append(lacks, unmet{need: need, have: n})
		}
	}
	if len(lacks) > 0 && glass != nil {
		return e.auditGlass(ctx, a, p, full, glass)
	}
	for _, l := range lacks {
		a.find(file, 0, "the plan began with %d of %d approvals by %q", l.have, l.need.Count, l.need.From)
	}
	return nil
}

// auditGlass finds a plan that began under break-glass until everybody whom it
// asks has approved what was merged, if afterwards.
func (e *Env) auditGlass(ctx context.Context, a *Audit, p *plan.Plan, pr *forge.PullRequest, glass *outcome.Override) error {
	_, r, err := e.judge(ctx)
	if err != nil || pr == nil {
		return err
	}
	_, lacks, err := e.approved(ctx, r.teams, p, *pr)
	if err == nil && len(lacks) > 0 {
		a.find(plan.Path(p.ID), 0, "%s", unreviewedText(p.ID, glass, lacks))
	}
	return err
}

// forged says what is wrong with a recorded approval, "" where the forge knows it.
func (e *Env) forged(ctx context.Context, p *plan.Plan, pr *forge.PullRequest, l outcome.Approval) (string, error) {
	carried := l.Carried != ""
	switch {
	case l.Plan != p.ID || !carried && l.Digest != p.Digest || carried && l.Carried != p.Digest:
		return fmt.Sprintf("it approves plan %q with digest %s, not this one", l.Plan, cmp.Or(l.Carried, l.Digest)), nil
	case pr == nil || l.Merge != pr.Merge || carried == (l.Commit == pr.Head):
		return fmt.Sprintf("it approves commit %.10s, and the plan was merged from another", l.Commit), nil
	case l.By == pr.Author:
		return fmt.Sprintf("%q approved what they proposed", l.By), nil
	}
	if askers, err := e.hadPlanned(ctx, *pr); err != nil || isOneOf(askers, l.By) {
		return fmt.Sprintf("%q approved what they had planned", l.By), err
	}
	i := slices.IndexFunc(slices.Concat(pr.Approvals, pr.Former), func(r forge.Review) bool { return r.By == l.By && r.Commit == l.Commit })
	switch {
	case i < 0:
		return fmt.Sprintf("the forge knows of no approval by %q", l.By), nil
	case carried:
		return e.carried(ctx, p, pr.Head, l)
	}
	return "", nil
}

// carried says why the approval of an earlier version does not stand for what was
// merged, "" where it does: that version is read, and compared, again.
func (e *Env) carried(ctx context.Context, p *plan.Plan, head string, l outcome.Approval) (string, error) {
	list, err := e.formers(ctx, p, head, []forge.Review{{By: l.By, At: l.At, Commit: l.Commit}})
	if err != nil {
		return "", err
	}
	switch f := &list[0]; {
	case f.plan != nil && f.plan.Digest != l.Digest:
		return fmt.Sprintf("%q approved digest %s there, not %s", l.By, f.plan.Digest, l.Digest), nil
	default:
		return f.lapsed(l.For), nil
	}
}

// stranger says that whoever approved was not in the team that they approved for
// when the plan began, "" where they were or nobody can know: a forge with teams
// of its own tells who is in one today.
func (e *Env) stranger(ctx context.Context, began repo.Hash, l outcome.Approval) (string, error) {
	if e.Forge.Reviews() || began == "" {
		return "", nil
	}
	fsys, err := e.Repo.At(began)
	if err != nil {
		return "", err
	}
	s, _ := estate.ReadSettings(fsys)
	if in, err := e.member(ctx, s.Teams, l.For, l.By); in || err != nil {
		return "", err
	}
	return fmt.Sprintf("%q was not in %q when the plan began", l.By, l.For), nil
}

// auditHistory checks that ledgers and approvals only ever grew, that everything
// the forge merged is still there, and that commits follow one another in time.
func (e *Env) auditHistory(ctx context.Context, a *Audit, since string) error {
	w := &walk{Env: e}
	line := map[string]bool{}
	var younger repo.Commit
	for c, err := range e.Repo.FirstParents(repo.Hash(a.Tip)) {
		if err != nil {
			return err
		}
		a.Commits++
		line[string(c.Hash)] = true
		if younger.Hash != "" && younger.At.Before(c.At.Add(-skew)) {
			if dated, err := e.dated(c.Hash); err != nil {
				return err
			} else if dated {
				a.find("", 0, "commit %.10s is dated %s, before the commit that it follows (%s)", younger.Hash, younger.At.UTC().Format(time.RFC3339), c.At.UTC().Format(time.RFC3339))
			}
		}
		younger = c
		if err := w.auditGrowth(a, c); err != nil {
			return err
		}
	}
	if since != "" && !line[since] {
		a.find("", 0, "%s does not hold commit %.10s, which an earlier audit saw: its history was cut or rewritten", a.Branch, since)
	}
	if err := e.list(ctx); err != nil {
		return err
	}
	for _, commit := range sortedKeys(e.told.byCommit) {
		if pr := e.told.byCommit[commit]; pr.Base == a.Branch && !line[commit] {
			a.find("", 0, "%s was merged by commit %.10s, which is not on %s: its history was rewritten", pr.Branch, commit, a.Branch)
		}
	}
	return nil
}

// dated says whether the estate of a commit goes by the wall's clock and wants
// reviews, so that the times of its commits say something.
func (e *Env) dated(commit repo.Hash) (bool, error) {
	fsys, err := e.Repo.At(commit)
	if err != nil {
		return false, err
	}
	s, ok := estate.ReadSettings(fsys)
	return ok && s.Clock == "wall" && (s.Review == "required" || s.Review == "" && e.Forge.Reviews()), nil
}

func (w *walk) auditGrowth(a *Audit, c repo.Commit) error {
	if len(c.Parents) == 0 {
		return nil
	}
	changes, err := w.changes(c)
	if err != nil {
		return err
	}
	for _, ch := range changes {
		if !ledger(ch.Path) {
			continue
		}
		if ch.Before == "" {
			put(&a.began, ch.Path, c.Hash)
		}
		if grew, err := w.extended(c, ch); err != nil {
			return err
		} else if !grew {
			a.find(ch.Path, 0, "commit %.10s rewrote, cut or deleted it; ledgers only grow", c.Hash)
		}
	}
	return nil
}
