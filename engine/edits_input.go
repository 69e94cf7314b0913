package engine

import (
	"context"
	"encoding/json"
	"math"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// editInput is what policies read of an edit.
func (e *Env) editInput(ctx context.Context, d edit, r rules) (*policy.EditInput, error) {
	in := &policy.EditInput{Branch: d.pull.Branch, Author: d.pull.Author, Kinds: []string{}, Approvals: []policy.EditApproval{}, Exceptions: []policy.EditException{}, Overrides: []policy.EditOverride{}}
	var said []outcome.Override
	for _, c := range d.changes {
		p, list, err := e.editPath(d, c)
		if err != nil {
			return nil, err
		}
		in.Paths, in.Kinds, said = append(in.Paths, p), append(in.Kinds, p.Kinds...), append(said, list...)
	}
	for _, o := range said {
		in.Overrides = append(in.Overrides, policy.EditOverride{Kind: o.Kind, By: o.By, Patch: o.Patch, Host: string(o.Host), Service: o.Service, Plan: o.Plan, Value: o.Value, Reason: o.Reason, Until: o.Until})
	}
	slices.Sort(in.Kinds)
	in.Kinds = slices.Compact(in.Kinds)
	if slices.Contains(in.Kinds, "exception") {
		var err error
		if in.Exceptions, err = e.editExceptions(d, said); err != nil {
			return nil, err
		}
	}
	return in, e.editPeople(ctx, in, d.pull, r)
}

// editPeople adds in which teams its author is, and who approved what is under review.
func (e *Env) editPeople(ctx context.Context, in *policy.EditInput, pr forge.PullRequest, r rules) error {
	teams := slices.Concat(r.owners, sortedKeys(r.teams))
	for _, x := range in.Exceptions {
		teams = append(teams, x.Owner)
	}
	slices.Sort(teams)
	teams = slices.Compact(teams)
	var err error
	if in.AuthorTeams, err = e.teamsOf(ctx, r, teams, pr.Author); err != nil {
		return err
	}
	for _, a := range pr.Approvals {
		if a.By == pr.Author || a.Commit != pr.Head {
			continue
		}
		of, err := e.teamsOf(ctx, r, teams, a.By)
		if err != nil {
			return err
		}
		in.Approvals = append(in.Approvals, policy.EditApproval{By: a.By, Teams: of})
	}
	slices.SortFunc(in.Approvals, func(a, b policy.EditApproval) int { return strings.Compare(a.By, b.By) })
	return nil
}

// teamsOf are those of some teams that a person is in.
func (e *Env) teamsOf(ctx context.Context, r rules, teams []string, person string) ([]string, error) {
	in := []string{}
	if person == "" {
		return in, nil
	}
	for _, team := range teams {
		is, err := e.member(ctx, r.teams, team, person)
		if err != nil {
			return nil, err
		}
		if is {
			in = append(in, team)
		}
	}
	return in, nil
}

// kindsOf are the kinds of what a path holds, where its place alone tells.
func kindsOf(name string) string {
	top, _, deep := strings.Cut(name, "/")
	switch {
	case !deep:
		return "other"
	case top == "policies":
		return "policy"
	case top == "rings":
		return "ring"
	case top == "models":
		return "model"
	case top == "inventory":
		return "inventory"
	case strings.HasPrefix(name, ".github/"):
		return "workflow"
	}
	return "other"
}

// editPath is one changed file, with the lines of overrides that it adds and that
// take caution away.
func (e *Env) editPath(d edit, c repo.Change) (policy.EditPath, []outcome.Override, error) {
	p := policy.EditPath{Path: c.Path, Kinds: []string{kindsOf(c.Path)}}
	declared := path.Dir(c.Path) == "inventory" && path.Ext(c.Path) == ".hcl"
	said := strings.HasPrefix(c.Path, "overrides/")
	if !declared && !said {
		return p, nil, nil
	}
	before, err := e.textOf(d.before, c.Path, c.Before)
	if err != nil {
		return p, nil, err
	}
	after, err := e.textOf(d.after, c.Path, c.After)
	if err != nil {
		return p, nil, err
	}
	if said {
		list := added(before, after)
		p.Kinds = overrideKinds(list)
		return p, list, nil
	}
	exceptions, others := estate.EditedExceptions(c.Path, before, after)
	p.Kinds = nil
	if exceptions {
		p.Kinds = append(p.Kinds, "exception")
	}
	if others || !exceptions {
		p.Kinds = append(p.Kinds, "inventory")
	}
	return p, nil, nil
}

// textOf is a file at a commit, nil where it is not there.
func (e *Env) textOf(commit repo.Hash, name string, blob repo.Hash) ([]byte, error) {
	if blob == "" {
		return nil, nil
	}
	return e.Repo.ReadFile(commit, name)
}

// added are the overrides that a file has more of than it had, as far as they take
// caution away. What is no override is left to the words of its path.
func added(before, after []byte) []outcome.Override {
	had := map[string]bool{}
	for line := range strings.Lines(string(before)) {
		had[strings.TrimSpace(line)] = true
	}
	var list []outcome.Override
	for line := range strings.Lines(string(after)) {
		var o outcome.Override
		if had[strings.TrimSpace(line)] || json.Unmarshal([]byte(line), &o) != nil || !Loosens(o) {
			continue
		}
		list = append(list, o)
	}
	return list
}

// overrideKinds tells what overrides do: lower scores, waive rules, end what was held,
// break the glass, or something else.
func overrideKinds(list []outcome.Override) []string {
	var kinds []string
	for _, o := range list {
		switch o.Kind {
		case "risk", outcome.Exception, outcome.Release, outcome.Lift, outcome.BreakGlass:
			kinds = append(kinds, o.Kind)
		default:
			kinds = append(kinds, "override")
		}
	}
	if len(kinds) == 0 {
		kinds = []string{"override"} // lines taken away, or altered
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// editExceptions are the exceptions that an edit declares, or declares otherwise, and
// those among the overrides that it adds.
func (e *Env) editExceptions(d edit, said []outcome.Override) ([]policy.EditException, error) {
	var sides [2]*estate.Estate
	for i, commit := range []repo.Hash{d.before, d.after} {
		sides[i] = &estate.Estate{}
		if commit == "" {
			continue
		}
		fsys, err := e.Repo.At(commit)
		if err != nil {
			return nil, err
		}
		sides[i], _ = estate.ReadDeclared(fsys)
	}
	xs := slices.DeleteFunc(slices.Clone(sides[1].Exceptions), func(x inventory.Exception) bool {
		return slices.ContainsFunc(sides[0].Exceptions, func(was inventory.Exception) bool { return reflect.DeepEqual(was, x) })
	})
	for _, o := range said {
		if o.Kind == outcome.Exception {
			xs = append(xs, sides[0].Excepted(o))
		}
	}
	slices.SortFunc(xs, func(a, b inventory.Exception) int { return strings.Compare(a.Name, b.Name) })
	list := []policy.EditException{}
	for _, x := range xs {
		in := policy.EditException{Name: x.Name, Patch: x.Patch, Services: x.Services, Rules: x.Rules, Owner: x.Owner, Reason: x.Reason, Until: x.Until, UntilFix: x.UntilFix, CompensatingControl: x.CompensatingControl}
		if !x.Until.IsZero() {
			days := int64(math.Ceil(x.Until.Sub(d.at).Hours() / 24))
			in.Days = &days
		}
		list = append(list, in)
	}
	return list, nil
}
