package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
)

// Learned is what Learn made.
type Learned struct {
	Model   *risk.TrackRecord
	Review  string // Markdown: what the model is made of and what it changes
	Changed bool   // false: the protected branch has this model already
	Pull    *forge.PullRequest
}

// Learn fits the track record to the verified outcomes of HEAD and proposes it.
// Its ledgers must be the protected branch's, and those of plans that no merged
// pull request brought are not learnt from (Trust 5); too little history is an error that says what is lacking.
func (e *Env) Learn(ctx context.Context) (*Learned, error) {
	commit, err := e.head()
	if err != nil {
		return nil, err
	}
	if err := e.sameLedgers(ctx, commit); err != nil {
		return nil, fmt.Errorf("learning: %w", err)
	}
	est, err := e.read(commit)
	if err != nil {
		return nil, err
	}
	all, err := deeds(est)
	if err != nil {
		return nil, fmt.Errorf("learning: %w", err)
	}
	verified, passed, err := e.verified(ctx, all)
	if err != nil {
		return nil, err
	}
	trials := risk.Trials(linesByPlan(verified), est.Imported, est.Settings.Clock == "given")
	model, err := risk.Fit(trials, e.At)
	if err != nil {
		return nil, fmt.Errorf("learning: %w", err)
	}
	l := &Learned{Model: model, Review: recordReview(model, est.Models[trackRecord], passed)}
	data := model.Bytes()
	if string(data) == string(est.Models[trackRecord]) {
		return l, nil
	}
	l.Changed = true
	l.Pull, err = e.proposeModel(ctx, commit, data, l.Review)
	return l, err
}

// verified are the plans that a merged pull request brought; passed names the
// others.
func (e *Env) verified(ctx context.Context, all []deed) (good []deed, passed []string, err error) {
	for _, d := range all {
		pulls, err := e.mergesOf(ctx, prefix+d.plan.ID)
		if err != nil {
			return nil, nil, err
		}
		brought := false
		for _, pr := range pulls {
			data, err := e.fileOf(ctx, pr.Head, plan.Path(d.plan.ID))
			if err != nil {
				return nil, nil, err
			}
			p, err := plan.Parse(data)
			brought = brought || err == nil && p.Digest == d.plan.Digest
		}
		if !brought {
			passed = append(passed, d.plan.ID)
			continue
		}
		good = append(good, d)
	}
	return good, passed, nil
}

const modelBranch = prefix + "model-track-record"

func (e *Env) proposeModel(ctx context.Context, commit repo.Hash, data []byte, text string) (*forge.PullRequest, error) {
	h, err := e.Repo.Write(repo.Next{Base: commit, Author: bot, At: e.At, Message: "models: the track record learnt from outcomes so far",
		Changes: map[string][]byte{trackRecord: data}})
	if err != nil {
		return nil, err
	}
	branch := modelBranch
	if old, err := e.Forge.Find(ctx, branch); err == nil && old.State == "merged" {
		// A merged pull request is never opened again: the next model gets a branch of its own.
		branch = fmt.Sprintf("%s-%s", modelBranch, e.At.UTC().Format("20060102t150405"))
	}
	pr, err := e.Forge.Propose(ctx, forge.Proposal{Branch: branch, Commit: string(h), Title: "models: track record from " + e.At.UTC().Format("2006-01-02"),
		Body: text, Labels: []string{"model"}, Author: "ringmaster", At: e.At})
	if err != nil {
		return nil, fmt.Errorf("proposing the model: %w", err)
	}
	return &pr, nil
}

// recordReview says what a track record is made of, and how it differs from the one there.
func recordReview(m *risk.TrackRecord, before []byte, passed []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d changes seen, %d of them the estate's own; %d went wrong.\n\n", m.Trials, m.Own, m.Failures)
	old := &risk.TrackRecord{}
	if p, err := risk.ParseTrackRecord(before); err == nil {
		old = p
	}
	fmt.Fprintln(&b, "| track record | seen | went wrong | estimate | 90 % interval | before |")
	fmt.Fprintln(&b, "|---|---:|---:|---:|---|---:|")
	for _, t := range []struct {
		name     string
		now, was map[string]risk.Record
	}{{"vendor", m.Vendors, old.Vendors}, {"package", m.Packages, old.Packages}, {"package × role", m.Roles, old.Roles}} {
		for _, k := range sortedKeys(t.now) {
			r, was := t.now[k], "new"
			if o, ok := t.was[k]; ok {
				was = fmt.Sprintf("%.1f %%", 100*o.P)
			}
			fmt.Fprintf(&b, "| %s `%s` | %.0f | %.0f | %.1f %% | %.1f–%.1f %% | %s |\n", t.name, cell(k), r.N, r.Bad, 100*r.P, 100*r.Low, 100*r.High, was)
		}
	}
	if len(passed) > 0 {
		fmt.Fprintf(&b, "\nNot learnt from, for no merged pull request brought them: %s\n", strings.Join(passed, ", "))
	}
	return b.String()
}

// cell makes a name inert inside a Markdown table's code span.
func cell(s string) string {
	return strings.NewReplacer("`", "'", "|", "/", "\n", " ", "\r", " ").Replace(s)
}
