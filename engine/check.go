package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// Checked is what Check found: faults, none when the plans hold.
type Checked struct {
	Plans  []string
	Edits  int      // files of HEAD that may loosen, and that the protected branch does not have so
	Asks   []string // approvals that HEAD's edits lack so far, which is no fault
	Faults []estate.Fault

	head    repo.Hash // that people review where HEAD is not on the protected branch, else ""
	results []result
	unseen  bool           // whether whoever approved could not be told
	denied  []estate.Fault // those of Faults that are about edits
}

// result is what was found of one plan.
type result struct {
	target
	faults []estate.Fault
}

// Check rebuilds plans and says where they differ from what lies there. Without
// ids it checks what HEAD brings to the protected branch: plans, and what may
// loosen, which is put to that branch's policies. A HEAD that brings nothing stands
// for the plans of all open pull requests.
func (e *Env) Check(ctx context.Context, ids ...string) (*Checked, error) {
	_, base, err := e.base(ctx)
	if err != nil {
		return nil, err
	}
	c := &Checked{}
	targets, err := e.targets(ctx, c, base, ids)
	if err != nil {
		return nil, err
	}
	for _, t := range targets {
		c.Plans = append(c.Plans, t.id)
		faults, err := e.checkOne(base, t)
		if err != nil {
			return nil, fmt.Errorf("checking plan %s: %w", t.id, err)
		}
		c.Faults = append(c.Faults, faults...)
		c.results = append(c.results, result{t, faults})
	}
	if c.head == "" {
		return c, nil
	}
	done := e.tolerate(&c.unseen)
	defer done()
	if err = e.checkEdit(ctx, c); c.unseen {
		c.Asks = []string{unseenTeams}
	}
	return c, err
}

// unseenTeams is said where approvals cannot be counted.
const unseenTeams = "who approves: the token may not see who is in a team, so that nobody's approval is counted here"

// tolerate has teams that may not be seen be empty, and tells of it, until the
// function that it returns is called. It is for those who say what approvals there
// are, not for those who go by them: a workflow that pull requests start has no
// token that sees teams.
func (e *Env) tolerate(unseen *bool) func() {
	e.unseeing = unseen
	return func() { e.unseeing = nil }
}

// target is a plan at the commit where it is to be checked.
type target struct {
	id       string
	commit   repo.Hash
	reviewed repo.Hash // what people review: commit, or what CI merged into it
}

func (e *Env) targets(ctx context.Context, c *Checked, base repo.Hash, ids []string) ([]target, error) {
	head, err := e.head()
	if err != nil {
		return nil, err
	}
	if len(ids) > 0 {
		return e.named(ctx, head, ids)
	}
	landed, err := e.Repo.IsAncestor(head, base)
	if err != nil {
		return nil, err
	}
	if !landed {
		if c.head, err = e.underReview(base, head); err != nil {
			return nil, err
		}
		return e.brought(base, head, c.head)
	}
	open, err := e.openPulls(ctx)
	if err != nil {
		return nil, err
	}
	var list []target
	for _, branch := range sortedKeys(open) {
		at := repo.Hash(open[branch].Head)
		if _, err := e.Repo.Commit(at); errors.Is(err, repo.ErrNotFound) && e.Remote != nil {
			if at, err = e.fetched(ctx, branch); err != nil {
				return nil, err
			}
		}
		list = append(list, target{strings.TrimPrefix(branch, prefix), at, at})
	}
	return list, nil
}

// named are plans by id: on their branches where they have one, else at HEAD.
func (e *Env) named(ctx context.Context, head repo.Hash, ids []string) ([]target, error) {
	var list []target
	for _, id := range ids {
		at, err := e.Repo.Ref("refs/heads/" + prefix + id)
		if e.Remote != nil && err == nil {
			var there repo.Hash
			if there, err = e.fetched(ctx, prefix+id); err == nil && there != "" {
				at = there
			} else if errors.Is(err, repo.ErrNotFound) {
				err = nil
			}
		}
		if err != nil {
			return nil, err
		}
		if at == "" {
			at = head
		}
		list = append(list, target{id, at, at})
	}
	return list, nil
}

// underReview is the commit of a pull request: CI checks out what comes of
// merging it into the protected branch.
func (e *Env) underReview(base, head repo.Hash) (repo.Hash, error) {
	c, err := e.Repo.Commit(head)
	if err != nil || len(c.Parents) != 2 {
		return head, err
	}
	if landed, err := e.Repo.IsAncestor(c.Parents[0], base); err != nil || !landed {
		return head, err
	}
	return c.Parents[1], nil
}

// brought are the plans that a commit brings or changes, whichever of their files.
func (e *Env) brought(base, head, reviewed repo.Hash) ([]target, error) {
	changed, err := e.Repo.Diff(base, head)
	if err != nil {
		return nil, err
	}
	var list []target
	for _, c := range changed {
		rest, ok := strings.CutPrefix(c.Path, "plans/")
		id, _, below := strings.Cut(rest, "/")
		if !ok || !below || slices.ContainsFunc(list, func(t target) bool { return t.id == id }) {
			continue
		}
		if blob, err := e.Repo.Blob(head, plan.Path(id)); err != nil {
			return nil, err
		} else if blob != "" { // else it is taken back
			list = append(list, target{id, head, reviewed})
		}
	}
	return list, nil
}

func (e *Env) checkOne(base repo.Hash, t target) ([]estate.Fault, error) {
	file := plan.Path(t.id)
	fault := func(format string, args ...any) []estate.Fault {
		return []estate.Fault{{File: file, Line: 1, Message: fmt.Sprintf(format, args...)}}
	}
	data, err := e.Repo.ReadFile(t.commit, file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s is not at commit %.10s", errNoPlan, file, t.commit)
	}
	if err != nil {
		return nil, err
	}
	p, err := plan.Parse(data)
	switch {
	case errors.Is(err, plan.ErrDigest) || errors.Is(err, plan.ErrNotCanonical):
		return fault("%v: the plan was edited by hand; run `ringmaster plan` and let it write the plan", err), nil
	case err != nil:
		return fault("%v", err), nil
	case p.ID != t.id:
		return fault("the plan says that it is %q", p.ID), nil
	case p.Inputs.Engine != e.Version:
		return fault("made by engine %s, and this is %s: only the same engine makes the same bytes; run `ringmaster plan` again", p.Inputs.Engine, e.Version), nil
	}
	faults, err := e.besides(base, t)
	if err != nil || len(faults) > 0 {
		return faults, err
	}
	if faults, err = e.rebuild(base, t, p, data); err != nil || len(faults) > 0 {
		return faults, err
	}
	return e.shown(t.commit, p, data)
}

// shown compares what people read of a plan with what follows from it: what lies
// beside plan.json on a commit is just that, byte for byte, and nothing else.
func (e *Env) shown(commit repo.Hash, p *plan.Plan, data []byte) ([]estate.Fault, error) {
	var faults []estate.Fault
	fault := func(name, message string) {
		faults = append(faults, estate.Fault{File: name, Line: 1, Message: message})
	}
	want := pages(p, data)
	for _, name := range sortedKeys(want) {
		got, err := e.Repo.ReadFile(commit, name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			fault(name, "it is missing, and the plan's pull request brings it; run `ringmaster plan` and let it write the plan")
		case err != nil:
			return nil, err
		case !bytes.Equal(got, want[name]):
			fault(name, "it does not say what the plan says: it was edited; run `ringmaster plan` and let it write the plan")
		}
	}
	fsys, err := e.Repo.At(commit)
	if err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(fsys, path.Dir(plan.Path(p.ID)))
	if err != nil {
		return nil, err
	}
	for _, x := range entries {
		if name := path.Join(path.Dir(plan.Path(p.ID)), x.Name()); want[name] == nil {
			fault(name, "no plan writes it: a plan's folder holds what `ringmaster plan` makes and nothing else")
		}
	}
	return faults, nil
}

// besides finds what else a plan's commit changes: a plan that brings its own
// policies, rings or models would judge itself.
func (e *Env) besides(base repo.Hash, t target) ([]estate.Fault, error) {
	from, err := e.Repo.MergeBase(base, t.commit)
	if err != nil {
		return nil, err
	}
	changes, err := e.Repo.Diff(from, t.commit)
	if err != nil {
		return nil, err
	}
	var faults []estate.Fault
	for _, c := range changes {
		if strings.HasPrefix(c.Path, "plans/"+t.id+"/") || from == t.commit {
			continue
		}
		faults = append(faults, estate.Fault{File: c.Path, Line: 1, Message: "changed together with plan " + t.id + ": " + notWith(c.Path)})
	}
	return faults, nil
}

// notWith says why a file does not go with a plan, and how it is changed.
func notWith(file string) string {
	top, _, _ := strings.Cut(file, "/")
	switch top {
	case "policies":
		return "nobody brings the policy that is to judge a plan, least of all a weaker one; plans are made and judged by the protected branch's policies, and those change by a pull request of their own, which the owners approve"
	case "rings", "models", "inventory":
		return "a plan is made from the protected branch's " + top + "; what it is made from changes by a pull request of its own, and then `ringmaster plan` writes the plan again"
	case "outcomes", "approvals":
		return "execute alone writes it, after the merge"
	case "overrides":
		return "a disagreement is recorded by `ringmaster override`, and then `ringmaster plan` writes the plan again"
	case "plans":
		return "each plan has a pull request of its own"
	}
	return "a plan's pull request holds the plan alone"
}

// rebuild makes the plan again and compares.
func (e *Env) rebuild(base repo.Hash, t target, p *plan.Plan, data []byte) ([]estate.Fault, error) {
	file := plan.Path(t.id)
	made := repo.Hash(p.Inputs.Commit)
	if own, err := e.wasTip(base, made); err != nil {
		return nil, err
	} else if !own {
		return []estate.Fault{{File: file, Line: 1, Message: fmt.Sprintf("made at commit %.10s, which is not on the protected branch; run `ringmaster plan` there", made)}}, nil
	}
	est, err := e.read(made)
	if err != nil {
		return nil, err
	}
	again, err := e.remakeOf(est, made, p)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, data) {
		return []estate.Fault{{File: file, Line: 1, Message: fmt.Sprintf("rebuilt at commit %.10s and %s the plan is another one; it was edited, or made from what is not in Git. %s", made, p.At.Format(time.RFC3339), differs(again, data))}}, nil
	}
	if string(base) == p.Inputs.Commit && !loosenedLess(est, p.At, e.At) {
		return nil, nil
	}
	return e.fresh(base, p)
}

// remake makes a plan from its own commit and time, as its engine would; nil
// when there is none now.
func (e *Env) remake(commit repo.Hash, p *plan.Plan) ([]byte, error) {
	est, err := e.read(commit)
	if err != nil {
		return nil, err
	}
	return e.remakeOf(est, commit, p)
}

func (e *Env) remakeOf(est *estate.Estate, commit repo.Hash, p *plan.Plan) ([]byte, error) {
	plans, err := e.decide(est, commit, p.At, p.Inputs.Engine)
	if err != nil {
		return nil, err
	}
	for _, o := range plans {
		if o.ID == p.ID {
			return plan.Seal(o)
		}
	}
	return nil, nil
}

// fresh says what the protected branch knows now that would alter the plan.
func (e *Env) fresh(base repo.Hash, p *plan.Plan) ([]estate.Fault, error) {
	file := plan.Path(p.ID)
	est, err := e.read(base)
	if err != nil {
		return nil, err
	}
	for _, in := range []struct{ what, then, now string }{
		{"policies", p.Inputs.Policies, est.Digests.Policies},
		{"rings", p.Inputs.Rings, est.Digests.Rings},
		{"models", p.Inputs.Models, est.Digests.Models},
	} {
		if in.then != in.now {
			return []estate.Fault{{File: file, Line: 1, Message: fmt.Sprintf("the protected branch has other %s than the plan was made with; run `ringmaster plan` again", in.what)}}, nil
		}
	}
	if _, merged := est.Plans[p.ID]; merged {
		return nil, nil
	}
	hindsight(est, p.At, e.At)
	plans, err := e.decide(est, base, p.At, e.Version)
	if err != nil {
		return nil, err
	}
	for _, o := range plans {
		if o.ID == p.ID && Same(o, p) {
			return nil, nil
		}
	}
	return []estate.Fault{{File: file, Line: 1, Message: "what is known on the protected branch now alters the plan; run `ringmaster plan` again"}}, nil
}
