package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// prefix is what ringmaster's branches begin with.
const prefix = "ringmaster/"

// confirm says why a plan that lies on the base branch is not carried out, ""
// when it may be, and who approved it (Trust 1): its bytes have the digest they
// name, one merged pull request brought exactly these bytes and nobody touched
// them since, everybody who must approve has, and it has not expired.
func (x *Executor) confirm(ctx context.Context, t *tip, d deed) ([]outcome.Approval, string, error) {
	p := d.plan
	data := t.est.Plans[p.ID]
	if err := plan.Verify(data); err != nil {
		return nil, err.Error() + ": it was edited after it was made", nil
	}
	waits := d.begun().IsZero()
	if waits && !x.At.Before(p.Expires) {
		return nil, "it expired on " + p.Expires.Format(time.RFC3339), nil
	}
	pr, err := x.pullOf(ctx, prefix+p.ID)
	if errors.Is(err, forge.ErrNotFound) {
		return nil, "no pull request brought it: a file that merely lies on " + t.branch + " is not a plan", nil
	}
	if err != nil {
		return nil, "", err
	}
	if why := merged(pr, t.branch); why != "" {
		return nil, why, nil
	}
	head, err := x.fileOf(ctx, pr.Head, plan.Path(p.ID))
	if err != nil {
		return nil, "", fmt.Errorf("reading the plan that was reviewed: %w", err)
	}
	if !bytes.Equal(head, data) {
		return nil, "it differs from what its pull request was merged with", nil
	}
	if why, err := x.untouched(t, p.ID, pr); why != "" || err != nil {
		return nil, why, err
	}
	approvals, lacks, err := x.approved(ctx, t.est.Settings.Teams, p, pr)
	if err != nil {
		return nil, "", err
	}
	if glass := glassFor(t.est.Overrides, p, x.began(d)); len(lacks) > 0 && glass != nil {
		x.Log.WithField("plan", p.ID).Warn(unreviewedText(p.ID, glass, lacks))
	} else if len(lacks) > 0 {
		return nil, "approvals are missing: " + strings.Join(inWords(lacks), "; "), nil
	}
	if waits {
		if why, err := x.invented(ctx, t, p, pr); why != "" || err != nil {
			return nil, why, err
		}
	}
	return approvals, "", nil
}

// invented says why a plan that is about to begin is not what ringmaster
// decided, "" where it is: who may merge may also write a plan by hand, seal it
// and leave out whom to ask. A plan of another engine version is made again as
// that version would; where this one no longer comes to the same bytes, the plan
// is what anything else is that people write: an owner must have approved it.
func (x *Executor) invented(ctx context.Context, t *tip, p *plan.Plan, pr forge.PullRequest) (string, error) {
	made := repo.Hash(p.Inputs.Commit)
	if why, err := x.unfounded(ctx, t.commit, made); why != "" || err != nil {
		return why, err
	}
	digests, err := x.decided(made, p.At, p.Inputs.Engine)
	other := p.Inputs.Engine != x.Version
	switch {
	case err != nil && !other:
		return "", fmt.Errorf("making it again at commit %.10s: %w", made, err)
	case err == nil && digests[p.ID] == p.Digest:
		_, why, err := x.approvedPlan(ctx, pr.Head, p.ID) // who approved may have read a page that somebody edited
		return why, err
	case !other:
		return fmt.Sprintf("made again at commit %.10s and %s it is another plan: it was written by hand", made, p.At.Format(time.RFC3339)), nil
	}
	s := t.est.Settings
	by, err := x.owner(ctx, pr, s.Owners, s.Teams)
	if err != nil {
		return "", err
	}
	if by == "" {
		return fmt.Sprintf("it was made by engine %s, and %s does not come to the same plan; it takes the approval of an owner (%s) other than its author, or a revert and a new plan",
			p.Inputs.Engine, x.Version, strings.Join(s.Owners, ", ")), nil
	}
	x.Log.WithField("plan", p.ID).Warnf("made by engine %s, and %s does not come to the same plan; it begins because %s, an owner, approved it", p.Inputs.Engine, x.Version, by)
	return "", nil
}

// moment is a commit at a time, as an engine sees it.
type moment struct {
	commit  repo.Hash
	at      time.Time
	version string
}

// decided are the digests of the plans that an engine of that version makes at a
// commit and time, by id. A run asks often, so they are remembered.
func (e *Env) decided(commit repo.Hash, at time.Time, version string) (map[string]string, error) {
	key := moment{commit, at.UTC(), version}
	if known, ok := e.digests[key]; ok {
		return known, nil
	}
	est, err := e.read(commit)
	if err != nil {
		return nil, err
	}
	plans, err := e.decide(est, commit, at, version)
	if err != nil {
		return nil, err
	}
	digests := make(map[string]string, len(plans))
	for _, p := range plans {
		if _, err := plan.Seal(p); err != nil {
			return nil, err
		}
		digests[p.ID] = p.Digest
	}
	if e.digests == nil {
		e.digests = map[moment]map[string]string{}
	}
	e.digests[key] = digests
	return digests, nil
}

func merged(pr forge.PullRequest, branch string) string {
	switch {
	case pr.State != "merged":
		return fmt.Sprintf("its pull request is %s, not merged", pr.State)
	case pr.Base != branch:
		return fmt.Sprintf("its pull request was merged into %q, not into %q", pr.Base, branch)
	}
	return ""
}

// untouched says what happened to a plan's file besides its merge: a plan that
// was taken back (reverted) or changed never runs again, whatever lies there now.
func (x *Executor) untouched(t *tip, id string, pr forge.PullRequest) (string, error) {
	n := 0
	for c, err := range x.Repo.PathHistory(t.commit, plan.Path(id)) {
		if err != nil {
			return "", fmt.Errorf("reading the history of plan %s: %w", id, err)
		}
		n++
		if n > 1 {
			return "its file was changed or taken back after it was merged", nil
		}
		if string(c.Hash) != pr.Merge {
			return fmt.Sprintf("commit %.10s brought it, not the merge of its pull request", c.Hash), nil
		}
	}
	return "", nil
}
