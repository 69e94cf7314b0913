package engine

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// Audit is what verifying a repository found.
type Audit struct {
	Branch   string         // the base branch
	Tip      string         // the commit that it is at: note it, and hand it in as since the next time
	Commits  int            // of the base branch
	Plans    int            // recomputed, the same byte for byte
	Others   []string       // plans of another engine version that this one does not come to, which is no fault
	Gone     []string       // plans that were taken back after they had begun, with what their ledgers say
	Lines    int            // of ledgers, chained without a gap
	Findings []estate.Fault // what does not hold

	gone  map[string][]byte    // plans that were taken back, as they stood last
	began map[string]repo.Hash // approvals file → the commit that brought it
}

// AuditVerify recomputes every merged plan from its own commit, checks every
// chain, every approval against the forge, and every commit's right to be on the
// base branch. What history alone cannot show is that its end was cut off: since is
// a commit that an earlier audit saw there, "" for none.
func (e *Env) AuditVerify(ctx context.Context, since string) (*Audit, error) {
	branch, tip, err := e.base(ctx)
	if err != nil {
		return nil, err
	}
	fsys, err := e.Repo.At(tip)
	if err != nil {
		return nil, fmt.Errorf("reading commit %s: %w", tip, err)
	}
	est, faults := estate.Read(fsys)
	a := &Audit{Branch: branch, Tip: string(tip), Findings: faults} // a ledger that cannot be read is a finding like any
	if _, err := e.taken(tip); err != nil {                         // the youngest first: older commits lie on the same line
		return nil, err
	}
	breaches, err := e.breaches(ctx, tip)
	if err != nil {
		return nil, err
	}
	for _, b := range breaches {
		a.find("", 0, "%s", b)
	}
	if err := e.auditHistory(ctx, a, since); err != nil {
		return nil, err
	}
	for _, id := range sortedKeys(est.Plans) {
		if err := e.auditPlan(ctx, a, est, id, tip); err != nil {
			return nil, fmt.Errorf("auditing plan %s: %w", id, err)
		}
	}
	for _, id := range sortedKeys(est.Ledgers) {
		if _, ok := est.Plans[id]; ok {
			continue
		}
		if err := e.auditGone(a, id, est, tip); err != nil {
			return nil, fmt.Errorf("auditing plan %s: %w", id, err)
		}
	}
	for _, id := range sortedKeys(est.Approvals) {
		if len(est.Ledgers[id]) == 0 {
			a.find(outcome.ApprovalsPath(id), 0, "nothing of plan %q was ever intended, and execute writes both at once", id)
		}
	}
	return a, nil
}

// auditGone checks the ledger of a plan that was taken back after it had begun
// against the plan as it last stood on the base branch.
func (e *Env) auditGone(a *Audit, id string, est *estate.Estate, tip repo.Hash) error {
	file := outcome.Path(id)
	for c, err := range e.Repo.PathHistory(tip, plan.Path(id)) {
		if err != nil {
			return err
		}
		if len(c.Parents) == 0 {
			break
		}
		data, err := e.Repo.ReadFile(c.Parents[0], plan.Path(id))
		if err != nil {
			return err
		}
		p, err := plan.Parse(data)
		if err != nil {
			a.find(file, 0, "its plan was taken back by commit %.10s and was not as it was made: %v", c.Hash, err)
			return nil
		}
		lines := a.ledger(p, est.Ledgers[id])
		put(&a.gone, id, data)
		_, err = outcome.ParseApprovals(est.Approvals[id], p.Digest)
		a.chain(outcome.ApprovalsPath(id), err)
		a.Gone = append(a.Gone, fmt.Sprintf("%s was taken back by commit %.10s after it had begun (%s)", id, c.Hash, tallied(lines)))
		return nil
	}
	a.find(file, 0, "there never was a plan %q", id)
	return nil
}

// tallied counts a ledger's lines by what they say, as "2 applied, 1 healthy".
func tallied(lines []outcome.Line) string {
	counts := map[string]int{}
	for _, l := range lines {
		counts[strings.ReplaceAll(string(l.Event), "_", " ")]++
	}
	var parts []string
	for _, event := range sortedKeys(counts) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[event], event))
	}
	return strings.Join(parts, ", ")
}

func (a *Audit) find(file string, line int, format string, args ...any) {
	a.Findings = append(a.Findings, estate.Fault{File: file, Line: line, Message: fmt.Sprintf(format, args...)})
}

// auditPlan checks one plan: its bytes, how it came to the base branch, what was
// recorded of it, and that it is made again from its commit.
func (e *Env) auditPlan(ctx context.Context, a *Audit, est *estate.Estate, id string, tip repo.Hash) error {
	file, data := plan.Path(id), est.Plans[id]
	p, err := plan.Parse(data)
	if err != nil {
		a.find(file, 1, "%v", err)
		return nil
	}
	if p.ID != id {
		a.find(file, 1, "the plan says that it is %q", p.ID)
		return nil
	}
	pr, why, err := e.auditMerge(ctx, p, data, tip)
	if err != nil {
		return err
	} else if why != "" {
		a.find(file, 1, "%s", why)
	}
	lines := a.ledger(p, est.Ledgers[id])
	var began time.Time
	if len(lines) > 0 {
		began = lines[0].At
	}
	if err := e.auditApprovals(ctx, a, p, pr, est.Approvals[id], began, glassFor(est.Overrides, p, began)); err != nil {
		return err
	}
	return e.auditRemade(ctx, a, p, data, tip)
}

// auditRemade makes a plan again from its commit and time, and what people read
// of it. The estate of one commit is read once, however many plans it made.
func (e *Env) auditRemade(ctx context.Context, a *Audit, p *plan.Plan, data []byte, tip repo.Hash) error {
	file, made := plan.Path(p.ID), repo.Hash(p.Inputs.Commit)
	why, err := e.unfounded(ctx, tip, made)
	if err != nil {
		return err
	}
	if why != "" {
		a.find(file, 1, "%s", why)
		return nil
	}
	digests, err := e.decided(made, p.At, p.Inputs.Engine)
	same := err == nil && digests[p.ID] == p.Digest // of canonical bytes, which Parse has checked
	switch {
	case same && p.Inputs.Engine == e.Version:
		a.Plans++
		faults, err := e.shown(tip, p, data)
		a.Findings = append(a.Findings, faults...)
		return err
	case same:
		a.Plans++
	case p.Inputs.Engine != e.Version:
		a.Others = append(a.Others, fmt.Sprintf("%s was made by engine %s, and %s does not come to the same plan; recompute it with that one", p.ID, p.Inputs.Engine, e.Version))
	case err != nil:
		a.find(file, 1, "recomputing it at commit %.10s: %v", made, err)
	default:
		again, err := e.remake(made, p)
		if err != nil {
			return err
		}
		a.find(file, 1, "recomputed at commit %.10s and %s it is another plan (%s)", made, p.At.Format(time.RFC3339), differs(again, data))
	}
	return nil
}

// auditMerge finds the merged pull request that brought a plan, and says what is
// wrong with how it came to the base branch.
func (e *Env) auditMerge(ctx context.Context, p *plan.Plan, data []byte, at repo.Hash) (*forge.PullRequest, string, error) {
	if why, err := e.notMerged(ctx, prefix+p.ID); why != "" || err != nil {
		return nil, why, err
	}
	pulls, err := e.mergesOf(ctx, prefix+p.ID)
	if err != nil {
		return nil, "", err
	}
	for i := range pulls {
		head, err := e.fileOf(ctx, pulls[i].Head, plan.Path(p.ID))
		if err != nil {
			return nil, "", err
		}
		if bytes.Equal(head, data) {
			why, err := (&Executor{Env: e}).untouched(&tip{commit: at}, p.ID, pulls[i])
			return &pulls[i], why, err
		}
	}
	return nil, "it differs from what its pull request was merged with", nil
}
