package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// Audit is what verifying a repository found.
type Audit struct {
	Commits  int            // of the base branch
	Plans    int            // recomputed, the same byte for byte
	Others   []string       // plans of another engine version that this one does not come to, which is no fault
	Gone     []string       // plans that were taken back after they had begun, with what their ledgers say
	Lines    int            // of ledgers, chained without a gap
	Findings []estate.Fault // what does not hold
}

// AuditVerify recomputes every merged plan from its own commit, checks every
// chain, and every commit's right to be on the base branch.
func (e *Env) AuditVerify(ctx context.Context) (*Audit, error) {
	_, tip, err := e.base(ctx)
	if err != nil {
		return nil, err
	}
	est, err := e.read(tip)
	if err != nil {
		return nil, err
	}
	a := &Audit{}
	if _, err := e.taken(tip); err != nil { // the youngest first: older commits lie on the same line
		return nil, err
	}
	breaches, err := e.breaches(ctx, tip)
	if err != nil {
		return nil, err
	}
	for _, b := range breaches {
		a.find("", 0, "%s", b)
	}
	if err := e.auditGrowth(a, tip); err != nil {
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
		if err := e.auditGone(a, id, est.Ledgers[id], tip); err != nil {
			return nil, fmt.Errorf("auditing plan %s: %w", id, err)
		}
	}
	return a, nil
}

// auditGone checks the ledger of a plan that was taken back after it had begun
// against the plan as it last stood on the base branch.
func (e *Env) auditGone(a *Audit, id string, ledger []byte, tip repo.Hash) error {
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
		lines, err := outcome.Parse(ledger, p.Digest)
		a.chain(file, err)
		a.Lines += len(lines)
		a.intended(file, lines)
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

// auditGrowth checks that ledgers and approvals only ever grew.
func (e *Env) auditGrowth(a *Audit, tip repo.Hash) error {
	w := &walk{Env: e}
	for c, err := range e.Repo.FirstParents(tip) {
		if err != nil {
			return err
		}
		a.Commits++
		if len(c.Parents) == 0 {
			continue
		}
		changes, err := w.changes(c)
		if err != nil {
			return err
		}
		for _, ch := range changes {
			if !ledger(ch.Path) {
				continue
			}
			if grew, err := w.extended(c, ch); err != nil {
				return err
			} else if !grew {
				a.find(ch.Path, 0, "commit %.10s rewrote, cut or deleted it; ledgers only grow", c.Hash)
			}
		}
	}
	return nil
}

func (e *Env) auditPlan(ctx context.Context, a *Audit, est *estate.Estate, id string, tip repo.Hash) error {
	file, data := plan.Path(id), est.Plans[id]
	p, err := plan.Parse(data)
	if err != nil {
		a.find(file, 1, "%v", err)
		return nil
	}
	if why, err := e.auditMerge(ctx, p, data, tip); err != nil {
		return err
	} else if why != "" {
		a.find(file, 1, "%s", why)
	}
	lines, err := outcome.Parse(est.Ledgers[id], p.Digest)
	a.chain(outcome.Path(id), err)
	a.Lines += len(lines)
	a.intended(outcome.Path(id), lines)
	_, err = outcome.ParseApprovals(est.Approvals[id], p.Digest)
	a.chain(outcome.ApprovalsPath(id), err)
	again, err := e.remake(repo.Hash(p.Inputs.Commit), p)
	if p.Inputs.Engine != e.Version && (err != nil || !bytes.Equal(again, data)) {
		a.Others = append(a.Others, fmt.Sprintf("%s was made by engine %s, and %s does not come to the same plan; recompute it with that one", id, p.Inputs.Engine, e.Version))
		return nil
	}
	if err != nil {
		a.find(file, 1, "recomputing it at commit %.10s: %v", p.Inputs.Commit, err)
		return nil
	}
	if !bytes.Equal(again, data) {
		a.find(file, 1, "recomputed at commit %.10s and %s it is another plan (%s)", p.Inputs.Commit, p.At.Format(time.RFC3339), differs(again, data))
		return nil
	}
	a.Plans++
	return nil
}

// intended finds outcomes of changes that no line before them intended: execute
// writes the intent first, so somebody else wrote those.
func (a *Audit) intended(file string, lines []outcome.Line) {
	keys := map[string]bool{}
	for i, l := range lines {
		switch l.Event {
		case outcome.Intended:
			keys[l.Key] = true
		case outcome.Applied, outcome.Healthy, outcome.Degraded, outcome.RolledBack:
			if l.Host != "" && !keys[l.Key] && l.Detail != "outside" {
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

// auditMerge says what is wrong with how a plan came to the base branch.
func (e *Env) auditMerge(ctx context.Context, p *plan.Plan, data []byte, at repo.Hash) (string, error) {
	if why, err := e.notMerged(ctx, prefix+p.ID); why != "" || err != nil {
		return why, err
	}
	pulls, err := e.mergesOf(ctx, prefix+p.ID)
	if err != nil {
		return "", err
	}
	for _, pr := range pulls {
		head, err := e.fileOf(ctx, pr.Head, plan.Path(p.ID))
		if err != nil {
			return "", err
		}
		if bytes.Equal(head, data) {
			return (&Executor{Env: e}).untouched(&tip{commit: at}, p.ID, pr)
		}
	}
	return "it differs from what its pull request was merged with", nil
}
