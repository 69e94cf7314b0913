package engine

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/markup"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/engine/report"
)

// PlanOptions say what Plan does with its plans.
type PlanOptions struct {
	Open bool // open or update pull requests
}

// Planned is a plan with what was done about it.
type Planned struct {
	Plan   *plan.Plan
	Bytes  []byte
	Action Action
	Why    string // for queued and declined: what it waits for; for opened: what is new since a person closed it, "" where none did
	Pull   *forge.PullRequest
	// Continues are the plans that ended, and of which this one takes up what they
	// left.
	Continues []report.Continued
}

// Action is what happened to a plan's branch or pull request.
type Action string

// The actions.
const (
	Nothing Action = "nothing" // nothing of it can be planned now
	Written Action = "written" // the branch was made or rewritten
	Kept    Action = "kept"    // the branch says the same already
	Opened  Action = "opened"
	Updated Action = "updated"
	Queued  Action = "queued" // too many pull requests are open
	// Declined is a plan whose pull request a person closed, and that brings nothing new.
	Declined Action = "declined"
)

// PlanReport is what Plan did.
type PlanReport struct {
	Hosts      int       // that the estate knows
	Advisories int       // that it knows
	Blind      Blind     // hosts that it can find nothing for
	Plans      []Planned // sorted by id
	Closed     []Closed
	Notices    []estate.Fault // what feeds carry that was not used
}

// Closed is a pull request that was closed because nothing stands behind it.
type Closed struct{ Branch, Why string }

// bodyLimit is GitHub's for a pull request's description, in characters.
const bodyLimit = 65536

// Plan decides what HEAD needs and writes every plan on its branch
// ringmaster/<id>; with Open it opens or updates the pull requests. A branch
// whose plan differs in nothing but the time is left alone.
func (e *Env) Plan(ctx context.Context, o PlanOptions) (*PlanReport, error) {
	commit, err := e.head()
	if err != nil {
		return nil, err
	}
	est, err := e.read(commit)
	if err != nil {
		return nil, err
	}
	left, err := leftBehind(est, e.At)
	if err != nil {
		return nil, err
	}
	plans, blind, err := e.decideSeeing(est, commit, e.At, e.Version)
	if err != nil {
		return nil, fmt.Errorf("planning: %w", err)
	}
	if o.Open {
		if err := e.ready(ctx); err != nil {
			return nil, err
		}
	}
	open, err := e.openPulls(ctx)
	if err != nil {
		return nil, err
	}
	no, err := e.declined(ctx, plans, open)
	if err != nil {
		return nil, err
	}
	if err := e.adopt(ctx, open, no); err != nil {
		return nil, err
	}
	notices, err := e.noticed(est)
	if err != nil {
		return nil, err
	}
	r := &PlanReport{Hosts: len(est.Hosts), Advisories: len(est.Advisories), Blind: blind, Notices: notices}
	again := &remade{Env: e, commit: commit}
	for _, p := range plans {
		one, err := e.write(again, p, no[prefix+p.ID])
		if err != nil {
			return nil, fmt.Errorf("writing plan %s: %w", p.ID, err)
		}
		one.Continues = continues(one.Plan, left)
		r.Plans = append(r.Plans, one)
	}
	if !o.Open {
		return r, nil
	}
	if err := e.supersede(ctx, r, open); err != nil {
		return nil, err
	}
	if err := e.propose(ctx, est, r, open); err != nil {
		return nil, err
	}
	e.Remind(ctx)
	return r, e.mergeAlone(ctx, r)
}

// openPulls are the open pull requests of plans, by branch.
func (e *Env) openPulls(ctx context.Context) (map[string]forge.PullRequest, error) {
	list, err := e.Forge.List(ctx, "open")
	if err != nil {
		return nil, fmt.Errorf("listing open pull requests: %w", err)
	}
	open := map[string]forge.PullRequest{}
	for _, pr := range list {
		if _, _, _, ok := plan.ParseID(strings.TrimPrefix(pr.Branch, prefix)); ok {
			open[pr.Branch] = pr
		}
	}
	return open, nil
}

// adopt makes the clone's branches of open pull requests what the forge has: a
// workflow's clone is new each time, and a plan that it does not know would be
// written anew, and lose its approvals.
//
// So it does with those that a person closed and that bring something new: it is
// new since then.
func (e *Env) adopt(ctx context.Context, open map[string]forge.PullRequest, no map[string]*declined) error {
	if e.Remote == nil {
		return nil
	}
	heads := map[string]string{}
	for branch, pr := range open {
		heads[branch] = pr.Head
	}
	for branch, d := range no {
		if d.news != nil { // else nothing is written
			heads[branch] = d.pull.Head
		}
	}
	for _, branch := range sortedKeys(heads) {
		ref := "refs/heads/" + branch
		have, err := e.Repo.Ref(ref)
		if err != nil {
			return err
		}
		if string(have) == heads[branch] {
			continue
		}
		head, err := e.fetched(ctx, branch)
		if errors.Is(err, repo.ErrNotFound) {
			continue // deleted when it was closed
		}
		if err != nil {
			return err
		}
		if head == "" || head == have {
			continue
		}
		if err := e.Repo.Move(ref, have, head); err != nil {
			return fmt.Errorf("following %s: %w", branch, err)
		}
	}
	return nil
}

// write puts a plan on its branch, unless the branch says the same already or a
// person closed its pull request.
func (e *Env) write(again *remade, p *plan.Plan, no *declined) (Planned, error) {
	data, err := plan.Seal(p)
	if err != nil {
		return Planned{}, err
	}
	one := Planned{Plan: p, Bytes: data, Action: Nothing}
	if len(p.Rings) == 0 {
		return one, nil
	}
	if no != nil {
		if one.Why = no.String(); no.news == nil {
			one.Action = Declined
			return one, nil
		}
	}
	ref := "refs/heads/" + prefix + p.ID
	old, err := e.Repo.Ref(ref)
	if err != nil {
		return one, err
	}
	before, written := e.planAt(old, p.ID)
	if before != nil {
		kept, err := e.stillHolds(again, before, p)
		if err != nil {
			return one, err
		}
		var edited []estate.Fault // in what people read of it
		if kept {
			if edited, err = e.shown(old, before, written); err != nil {
				return one, err
			}
		}
		if kept && len(edited) == 0 {
			return Planned{Plan: before, Bytes: written, Action: Kept}, nil
		}
	}
	asked, err := e.askedText(p.ID, old)
	if err != nil {
		return one, err
	}
	h, err := e.Repo.Write(repo.Next{
		Base: again.commit, Author: bot, At: e.At, Message: message(before, p, one.Why) + asked,
		Changes: pages(p, data),
	})
	if err != nil {
		return one, err
	}
	one.Action = Written
	return one, e.Repo.Move(ref, old, h)
}

// pages are the files of a plan by path: the plan's own bytes, and beside them
// what people are shown of it.
func pages(p *plan.Plan, data []byte) map[string][]byte {
	files := map[string][]byte{plan.Path(p.ID): data}
	for name, page := range report.Files(p) {
		files[path.Join(path.Dir(plan.Path(p.ID)), name)] = page
	}
	return files
}

// planAt is the plan of an id on a branch and its bytes, nil where there is none
// that can be read.
func (e *Env) planAt(branch repo.Hash, id string) (*plan.Plan, []byte) {
	if branch == "" {
		return nil, nil
	}
	data, err := e.Repo.ReadFile(branch, plan.Path(id))
	if err != nil {
		return nil, nil
	}
	p, err := plan.Parse(data)
	if err != nil {
		return nil, nil
	}
	return p, data
}

// message is a plan's commit message. What the plan changes against the version
// before stands in it, since the branch keeps the newest version alone.
// Why is what is new since a person closed it.
func message(before, p *plan.Plan, why string) string {
	text := report.Title(p) + "\n"
	var since []string
	if why != "" {
		since = append(since, why)
	}
	if before != nil {
		since = append(since, report.Since(before, p)...)
	}
	for i, l := range since {
		if i == 0 {
			text += "\n" + sinceHead + "\n"
		}
		text += "- " + markup.Message(l) + "\n"
	}
	return text
}

const sinceHead = "Since the last version:"

// changedSince reads back what message wrote.
func changedSince(message string) []string {
	_, text, _ := strings.Cut(message, "\n"+sinceHead+"\n")
	var list []string
	for l := range strings.Lines(text) {
		if l, ok := strings.CutPrefix(strings.TrimSuffix(l, "\n"), "- "); ok {
			list = append(list, l)
		}
	}
	return list
}

// stillHolds says whether a branch's plan needs no rewriting: it has the changes
// that can be planned now, made again at its own time from what is known now it
// differs in nothing that matters, and its waves can still begin.
func (e *Env) stillHolds(again *remade, old, now *plan.Plan) (bool, error) {
	if old.Inputs.Engine != e.Version || !startable(old, e) {
		return false, nil
	}
	if Same(old, now) {
		return true, nil
	}
	if !sameWork(old, now) {
		return false, nil // a hold ended, a release came of age: nobody learnt anything, and it is another plan
	}
	plans, err := again.at(old.At)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(plans, func(p *plan.Plan) bool { return p.ID == old.ID && Same(p, old) }), nil
}

// remade makes the plans of a commit at another time, with what is known by now. Branches that were written
// by one run are of one time, so the last answer is kept.
type remade struct {
	*Env
	commit repo.Hash
	last   time.Time
	plans  []*plan.Plan
}

func (r *remade) at(t time.Time) ([]*plan.Plan, error) {
	if r.plans == nil || !t.Equal(r.last) {
		est, err := r.read(r.commit)
		if err != nil {
			return nil, err
		}
		hindsight(est, t, r.At)
		plans, err := r.decide(est, r.commit, t, r.Version)
		if err != nil {
			return nil, err
		}
		r.plans, r.last = plans, t
	}
	return r.plans, nil
}

// startable says whether every wave of a plan can still begin in time.
func startable(p *plan.Plan, e *Env) bool {
	for _, r := range p.Rings {
		for _, w := range r.Waves {
			if !e.At.Before(w.NotAfter) {
				return false
			}
		}
	}
	return true
}

// Standing says whether something of the plans is denied, held or cannot be
// done in time, or waits because a person closed it.
func (r *PlanReport) Standing() bool {
	for _, p := range r.Plans {
		if p.Action == Declined || len(p.Plan.NotPlanned) > 0 || slices.ContainsFunc(p.Plan.Patches, func(x plan.Patch) bool { return !x.Feasible }) {
			return true
		}
	}
	return false
}

// errNoPlan is a plan that is nowhere.
var errNoPlan = errors.New("no such plan")

// deadlineOf is the earliest deadline among a plan's patches.
func deadlineOf(p *plan.Plan) time.Time {
	var first time.Time
	for _, x := range p.Patches {
		if first.IsZero() || x.Deadline.Before(first) {
			first = x.Deadline
		}
	}
	return first
}
