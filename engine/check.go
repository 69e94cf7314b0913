package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// Checked is what Check found: faults, none when the plans hold.
type Checked struct {
	Plans  []string
	Faults []estate.Fault
}

// Check rebuilds plans and says where they differ from what lies there. Without
// ids it checks every plan in which HEAD differs from the protected branch, and
// where there is none, the plans of all open pull requests.
func (e *Env) Check(ctx context.Context, ids ...string) (*Checked, error) {
	_, base, err := e.base(ctx)
	if err != nil {
		return nil, err
	}
	targets, err := e.targets(ctx, base, ids)
	if err != nil {
		return nil, err
	}
	c := &Checked{}
	for _, t := range targets {
		c.Plans = append(c.Plans, t.id)
		faults, err := e.checkOne(base, t)
		if err != nil {
			return nil, fmt.Errorf("checking plan %s: %w", t.id, err)
		}
		c.Faults = append(c.Faults, faults...)
	}
	return c, nil
}

// target is a plan at the commit where it is to be checked.
type target struct {
	id     string
	commit repo.Hash
}

func (e *Env) targets(ctx context.Context, base repo.Hash, ids []string) ([]target, error) {
	head, err := e.head()
	if err != nil {
		return nil, err
	}
	var list []target
	for _, id := range ids {
		t := target{id, head}
		if ref, err := e.Repo.Ref("refs/heads/" + prefix + id); err != nil {
			return nil, err
		} else if ref != "" {
			t.commit = ref
		}
		list = append(list, t)
	}
	if len(ids) > 0 {
		return list, nil
	}
	changed, err := e.Repo.Diff(base, head)
	if err != nil {
		return nil, err
	}
	for _, c := range changed {
		if id, ok := strings.CutSuffix(strings.TrimPrefix(c.Path, "plans/"), "/plan.json"); ok && strings.HasPrefix(c.Path, "plans/") && c.After != "" {
			list = append(list, target{id, head})
		}
	}
	if len(list) > 0 {
		return list, nil
	}
	open, err := e.openPulls(ctx)
	for _, branch := range sortedKeys(open) {
		list = append(list, target{strings.TrimPrefix(branch, prefix), repo.Hash(open[branch].Head)})
	}
	return list, err
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
		faults = append(faults, estate.Fault{File: c.Path, Line: 1, Message: "changed together with plan " + t.id + ": a plan's pull request holds the plan alone; policies, rings, models and inventory change by a pull request of their own"})
	}
	return faults, nil
}

// rebuild makes the plan again and compares.
func (e *Env) rebuild(base repo.Hash, t target, p *plan.Plan, data []byte) ([]estate.Fault, error) {
	file := plan.Path(t.id)
	made := repo.Hash(p.Inputs.Commit)
	if known, err := e.Repo.IsAncestor(made, base); err != nil || !known {
		return []estate.Fault{{File: file, Line: 1, Message: fmt.Sprintf("made at commit %.10s, which is not on the protected branch; run `ringmaster plan` there", made)}}, nil
	}
	again, err := e.remake(made, p)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, data) {
		return []estate.Fault{{File: file, Line: 1, Message: fmt.Sprintf("rebuilt at commit %.10s and %s the plan is another one; it was edited, or made from what is not in Git. %s", made, p.At.Format(time.RFC3339), differs(again, data))}}, nil
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
	if string(base) == p.Inputs.Commit {
		return nil, nil
	}
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
