package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/markup"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/engine/review"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
)

// Learned is what Learn made.
type Learned struct {
	Record     *risk.TrackRecord
	Deployment *risk.Deployment // as proposed: the old one, where the new one is worse
	Review     string           // Markdown: what the models are made of, what they are worth and what they change
	Changed    bool             // false: the protected branch has these models already
	Pull       *forge.PullRequest
}

// Learn fits the models to the verified outcomes of HEAD and proposes them in one
// pull request. Its ledgers must be the protected branch's, and those of plans
// that no merged pull request brought are not learnt from; what was known of each
// change is worked out anew at its plan's commit (Trust 5). Too little history is
// a *risk.TooFew that says what is lacking.
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
	said, err := e.recalled(est, verified)
	if err != nil {
		return nil, fmt.Errorf("learning: %w", err)
	}
	l, err := fit(est, verified, said, basis{commit: commit, at: e.At}, passed)
	if err != nil {
		return nil, fmt.Errorf("learning: %w", err)
	}
	files := map[string][]byte{trackRecord: l.Record.Bytes(), deploymentModel: l.Deployment.Bytes()}
	for path, data := range files {
		l.Changed = l.Changed || string(data) != string(est.Models[path])
	}
	if l.Changed {
		l.Review += e.flips(ctx, files)
		l.Pull, err = e.proposeModels(ctx, commit, files, l.Review)
	}
	return l, err
}

// warnedFrom is the predicted risk from which a change counts as warned of, as
// in the monthly review.
const warnedFrom = review.Warned

// fit makes the models of verified outcomes and what a reviewer needs to judge
// them.
func fit(est *estate.Estate, verified []deed, said []risk.Said, b basis, passed []string) (*Learned, error) {
	trials := risk.Trials(linesByPlan(verified), est.Imported, est.Settings.Clock == "given")
	record, err := risk.Fit(trials, b.at)
	if err != nil {
		return nil, err
	}
	old, err := deploymentOf(est)
	if err != nil {
		return nil, err
	}
	o := risk.DeploymentOptions{Said: said, Former: old, Commits: commitsOf(verified), Data: map[string]any{"ledgers": float64(len(verified)), "disagreements": float64(len(said))}}
	model, err := risk.FitDeployment(trials, b.at, o)
	if err != nil {
		return nil, err
	}
	l := &Learned{Record: record, Deployment: model}
	text := &strings.Builder{}
	fmt.Fprintf(text, "%s\n", recordReview(record, est.Models[trackRecord], passed))
	fmt.Fprintf(text, "## What deploying may break\n\n%s.\n", model)
	if len(model.Pairs) > 0 {
		text.WriteString("\n")
	}
	for _, p := range model.Pairs {
		fmt.Fprintf(text, "- %s\n", markup.Text(p.String()))
	}
	if len(said) > 0 {
		fmt.Fprintf(text, "\nPeople disagreed with a score %d times: each trains the learnt correction with a weight of %v, beside the 1 of an outcome. Who was right is in the monthly review.\n", len(said), risk.SaidWeight)
	}
	contest, err := risk.Compare(trials, b.at, old, warnedFrom, o)
	var few *risk.TooFew
	switch {
	case errors.As(err, &few):
		text.WriteString("\nToo little was known earlier to hold outcomes back, so what the model is worth is not known.\n")
	case err != nil:
		return nil, err
	default:
		fmt.Fprintf(text, "\n### On outcomes that were held back\n\n%s", contest.Markdown())
		if contest.KeepOld && old != nil {
			l.Deployment = old
			text.WriteString("\n**The old model is kept**; this pull request leaves " + deploymentModel + " as it is.\n")
		}
	}
	observed(text, watched(trials, verified, b.at))
	l.Review = text.String()
	return l, nil
}

func observed(text *strings.Builder, list []review.Observation) {
	text.WriteString("\n## What watching found\n\nIn plans that a merged pull request brought, and in imported history; alarms in a plan read every ledger of its commit, since they only add caution.\n\n")
	if len(list) == 0 {
		text.WriteString("No alarm, no drift, no source that stands out.\n")
	}
	for _, o := range list {
		fmt.Fprintf(text, "- **%s**: %s\n", markup.Text(o.About), markup.Text(o.Says))
	}
}

const deploymentModel = "models/deployment.json"

// deploymentOf is the estate's deployment model, nil where it has none.
func deploymentOf(est *estate.Estate) (*risk.Deployment, error) {
	data, ok := est.Models[deploymentModel]
	if !ok {
		return nil, nil
	}
	m, err := risk.ParseDeployment(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", deploymentModel, err)
	}
	return m, nil
}

// commitsOf are the commits that plans were made at.
func commitsOf(list []deed) []string {
	var commits []string
	for _, d := range list {
		if d.plan.Inputs.Commit != "" {
			commits = append(commits, d.plan.Inputs.Commit)
		}
	}
	slices.Sort(commits)
	return slices.Compact(commits)
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

const modelBranch = prefix + "models"

func (e *Env) proposeModels(ctx context.Context, commit repo.Hash, files map[string][]byte, text string) (*forge.PullRequest, error) {
	h, err := e.Repo.Write(repo.Next{Base: commit, Author: bot, At: e.At, Message: "models: what was learnt from outcomes so far", Changes: files})
	if err != nil {
		return nil, err
	}
	branch := modelBranch
	if old, err := e.Forge.Find(ctx, branch); err == nil && old.State == "merged" {
		// A merged pull request is never opened again: the next models get a branch of their own.
		branch = fmt.Sprintf("%s-%s", modelBranch, e.At.UTC().Format("20060102t150405"))
	}
	if h, err = e.signed(ctx, branch, h); err != nil {
		return nil, err
	}
	pr, err := e.Forge.Propose(ctx, forge.Proposal{Branch: branch, Commit: string(h), Title: "models: learnt from outcomes up to " + e.At.UTC().Format("2006-01-02"),
		Body: text, Labels: []string{"model"}, Author: "ringmaster", At: e.At})
	if err != nil {
		return nil, fmt.Errorf("proposing the models: %w", err)
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
			fmt.Fprintf(&b, "| %s %s | %.0f | %.0f | %.1f %% | %.1f–%.1f %% | %s |\n", t.name, markup.Code(k), r.N, r.Bad, 100*r.P, 100*r.Low, 100*r.High, was)
		}
	}
	if len(passed) > 0 {
		fmt.Fprintf(&b, "\nNot learnt from, for no merged pull request brought them: %s\n", markup.Text(strings.Join(passed, ", ")))
	}
	return b.String()
}
