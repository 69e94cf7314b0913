package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// edit is a pull request that changes what may loosen, on its way to the base branch
// or there already.
type edit struct {
	before, after repo.Hash     // the commits between which the changes lie
	changes       []repo.Change // that may loosen
	at            time.Time
	pull          forge.PullRequest
}

// edited is an edit of which only what may loosen is kept.
func edited(before, after repo.Hash, at time.Time, pr forge.PullRequest, changes []repo.Change) edit {
	list := slices.DeleteFunc(slices.Clone(changes), func(c repo.Change) bool { return !loosens(c.Path) })
	return edit{before, after, list, at, pr}
}

// disinterested is an edit without the approvals of those who asked for an override
// in it, and who these are: the bot writes what others ask for, and is the author of
// its pull request.
func (e *Env) disinterested(d edit) (edit, []string, error) {
	asked, err := e.askers(d.before, d.after, d.changes)
	d.pull.Approvals = slices.DeleteFunc(slices.Clone(d.pull.Approvals), func(a forge.Review) bool {
		return slices.ContainsFunc(asked, func(who string) bool { return strings.EqualFold(who, a.By) })
	})
	return d, asked, err
}

// refused says what an edit lacks: nothing takes caution away without an owner other
// than its author whom the estate before it names (Trust 4), and the policies before
// it may ask for more, or deny it. They never make it less.
func (e *Env) refused(ctx context.Context, d edit, r rules) (string, error) {
	d, asked, err := e.disinterested(d)
	if err != nil {
		return "", err
	}
	by, err := e.owner(ctx, d.pull, r.owners, r.teams)
	if err != nil {
		return "", err
	}
	if by == "" {
		but := fmt.Sprintf("its author %q", d.pull.Author)
		for _, who := range asked {
			if who != d.pull.Author {
				but += fmt.Sprintf(" and %q, who asked for it", who)
			}
		}
		return fmt.Sprintf("%s was merged by %s without the approval of an owner (%s) other than %s", d.changes[0].Path, d.pull.Branch, strings.Join(r.owners, ", "), but), nil
	}
	if why := alien(d); why != "" {
		return why, nil
	}
	list, err := e.judged(ctx, d, r)
	if err != nil {
		return "", err
	}
	missing, err := e.unmet(ctx, list, d.pull, r)
	if missing = append(forbidden(list), missing...); err != nil || len(missing) == 0 {
		return "", err
	}
	return fmt.Sprintf("%s was merged by %s, and the policies before it say otherwise: %s", d.changes[0].Path, d.pull.Branch, strings.Join(missing, "; ")), nil
}

// alien says what is changed in a pull request that ringmaster opened and never
// proposes there, "" where nothing is: ringmaster is its author, so that whoever pushed
// it could approve their own words.
func alien(d edit) string {
	id := strings.TrimPrefix(d.pull.Branch, prefix)
	_, _, _, planned := plan.ParseID(id)
	for _, c := range d.changes {
		if planned ||
			strings.HasPrefix(id, overridePrefix) && c.Path != "overrides/"+id+".jsonl" ||
			strings.HasPrefix(d.pull.Branch, modelBranch) && !strings.HasPrefix(c.Path, "models/") {
			return fmt.Sprintf("%s is nothing that ringmaster proposes by %s; it takes a pull request of its own", c.Path, d.pull.Branch)
		}
	}
	return ""
}

// judged are the decisions of the policies before an edit about it.
func (e *Env) judged(ctx context.Context, d edit, r rules) ([]plan.Decision, error) {
	law, _, err := e.editLaw(r.law)
	if err != nil || law == nil || !law.JudgesEdits() {
		return nil, err
	}
	in, err := e.asking(ctx, d, r)
	if err != nil {
		return nil, err
	}
	standing := slices.DeleteFunc(slices.Clone(r.exceptions), func(x inventory.Exception) bool { return !x.Until.IsZero() && !d.at.Before(x.Until) })
	return law.Decide(in, standing), nil
}

// asking is an edit as policies are asked about it.
func (e *Env) asking(ctx context.Context, d edit, r rules) (*policy.Input, error) {
	in := &policy.Input{Schema: policy.Schema, Point: policy.Edit, Phase: "plan", At: d.at.UTC(), Estate: r.estate}
	in.Estate.Owners = r.owners
	var err error
	in.Edit, err = e.editInput(ctx, d, r)
	return in, err
}

// unmet are the approvals that decisions about an edit ask for and that are not
// there, in words.
func (e *Env) unmet(ctx context.Context, list []plan.Decision, pr forge.PullRequest, r rules) ([]string, error) {
	var missing []string
	for _, need := range policy.Approvals(list) {
		teams := []string{need.From}
		if need.From == policy.DefaultTeam {
			teams = r.owners // a rule that does not say whom means any of them
		}
		given, err := e.given(ctx, r.teams, pr, teams...)
		if err != nil {
			return nil, err
		}
		if len(given) < need.Count {
			missing = append(missing, lack(len(given), need))
		}
	}
	return missing, nil
}

// forbidden is what decisions deny or hold, in words.
func forbidden(list []plan.Decision) []string {
	var said []string
	for _, d := range list {
		if d.Effect != plan.Deny && d.Effect != plan.Hold {
			continue
		}
		text := d.Rule + ": " + d.Message
		if d.Remedy != "" {
			text += " (" + d.Remedy + ")"
		}
		said = append(said, text)
	}
	return said
}

// editInput is what policies read of an edit.
func (e *Env) editInput(ctx context.Context, d edit, r rules) (*policy.EditInput, error) {
	in := &policy.EditInput{Branch: d.pull.Branch, Author: d.pull.Author, Kinds: []string{}, Approvals: []policy.EditApproval{}, Exceptions: []policy.EditException{}, Overrides: []policy.EditOverride{}}
	for _, c := range d.changes {
		p, said, err := e.editPath(d, c)
		if err != nil {
			return nil, err
		}
		in.Paths, in.Kinds, in.Overrides = append(in.Paths, p), append(in.Kinds, p.Kinds...), append(in.Overrides, said...)
	}
	slices.Sort(in.Kinds)
	in.Kinds = slices.Compact(in.Kinds)
	var err error
	if slices.Contains(in.Kinds, "exception") {
		if in.Exceptions, err = e.editExceptions(d); err != nil {
			return nil, err
		}
	}
	teams := slices.Concat(r.owners, sortedKeys(r.teams))
	for _, x := range in.Exceptions {
		teams = append(teams, x.Owner)
	}
	slices.Sort(teams)
	teams = slices.Compact(teams)
	if in.AuthorTeams, err = e.teamsOf(ctx, r, teams, d.pull.Author); err != nil {
		return nil, err
	}
	for _, a := range d.pull.Approvals {
		if a.By == d.pull.Author || a.Commit != d.pull.Head {
			continue
		}
		of, err := e.teamsOf(ctx, r, teams, a.By)
		if err != nil {
			return nil, err
		}
		in.Approvals = append(in.Approvals, policy.EditApproval{By: a.By, Teams: of})
	}
	slices.SortFunc(in.Approvals, func(a, b policy.EditApproval) int { return strings.Compare(a.By, b.By) })
	return in, nil
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
func (e *Env) editPath(d edit, c repo.Change) (policy.EditPath, []policy.EditOverride, error) {
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
func added(before, after []byte) []policy.EditOverride {
	had := map[string]bool{}
	for line := range strings.Lines(string(before)) {
		had[strings.TrimSpace(line)] = true
	}
	list := []policy.EditOverride{}
	for line := range strings.Lines(string(after)) {
		var o outcome.Override
		if had[strings.TrimSpace(line)] || json.Unmarshal([]byte(line), &o) != nil || !Loosens(o) {
			continue
		}
		list = append(list, policy.EditOverride{Kind: o.Kind, By: o.By, Patch: o.Patch, Host: string(o.Host), Service: o.Service, Plan: o.Plan, Value: o.Value, Reason: o.Reason, Until: o.Until})
	}
	return list
}

// overrideKinds tells what overrides do: lower scores, waive rules, break the glass,
// or something else.
func overrideKinds(list []policy.EditOverride) []string {
	var kinds []string
	for _, o := range list {
		switch o.Kind {
		case "risk", "exception", outcome.BreakGlass:
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

// editExceptions are the exceptions that an edit declares, or declares otherwise.
func (e *Env) editExceptions(d edit) ([]policy.EditException, error) {
	var sides [2]map[string]inventory.Exception
	for i, commit := range []repo.Hash{d.before, d.after} {
		sides[i] = map[string]inventory.Exception{}
		if commit == "" {
			continue
		}
		fsys, err := e.Repo.At(commit)
		if err != nil {
			return nil, err
		}
		est, _ := estate.ReadDeclared(fsys)
		for _, x := range est.Exceptions {
			sides[i][x.Name] = x
		}
	}
	list := []policy.EditException{}
	for _, name := range sortedKeys(sides[1]) {
		x := sides[1][name]
		if was, ok := sides[0][name]; ok && reflect.DeepEqual(was, x) {
			continue
		}
		in := policy.EditException{Name: x.Name, Patch: x.Patch, Services: x.Services, Rules: x.Rules, Owner: x.Owner, Reason: x.Reason, Until: x.Until, UntilFix: x.UntilFix, CompensatingControl: x.CompensatingControl}
		if !x.Until.IsZero() {
			days := int64(math.Ceil(x.Until.Sub(d.at).Hours() / 24))
			in.Days = &days
		}
		list = append(list, in)
	}
	return list, nil
}

// editLaws are policies as far as they judge edits, by their tree.
type editLaws struct {
	sets     map[repo.Hash]*policy.Set // nil: they do not compile
	parts    map[string]*policy.Set    // by what of them is compiled: most changes of policies leave it alone
	outlines map[string]policy.Outline // path and blob → its outline
}

// law names the policies of a commit: their tree.
type law struct {
	commit, tree repo.Hash
}

// editLaw compiles what of a commit's policies judges edits, once for each tree. Of
// policies that do not compile the set is nil, and ok false.
func (e *Env) editLaw(l law) (set *policy.Set, ok bool, err error) {
	if l.tree == "" {
		return nil, true, nil
	}
	if set, known := e.editLaws.sets[l.tree]; known {
		return set, set != nil, nil
	}
	if set, err = e.compileEdits(l.commit); err != nil {
		return nil, false, fmt.Errorf("reading the policies of %.10s: %w", l.commit, err)
	}
	put(&e.editLaws.sets, l.tree, set)
	return set, set != nil, nil
}

// compileEdits compiles what of a commit's policies judges edits, nil where it does
// not compile.
func (e *Env) compileEdits(commit repo.Hash) (*policy.Set, error) {
	fsys, err := e.Repo.At(commit)
	if err != nil {
		return nil, err
	}
	names, key, err := e.editPart(fsys)
	if err != nil {
		return nil, err
	}
	if set, known := e.editLaws.parts[key]; known {
		return set, nil
	}
	files := map[string][]byte{}
	for _, name := range names {
		if files[name], err = fs.ReadFile(fsys, name); err != nil {
			return nil, err
		}
	}
	set, faults := policy.Compile(files)
	if len(faults) > 0 {
		set = nil
	}
	put(&e.editLaws.parts, key, set)
	return set, nil
}

// editPart are the files of a tree's policies that judge edits, and a text that
// differs where any of them does.
func (e *Env) editPart(fsys fs.FS) (names []string, key string, err error) {
	outlines, keys := map[string]policy.Outline{}, map[string]string{}
	err = fs.WalkDir(fsys, "policies", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || !policy.IsPolicy(name) {
			return err
		}
		outlines[name], keys[name], err = e.outline(fsys, name, d)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	names = policy.EditPart(outlines)
	for _, name := range names {
		key += keys[name] + "\x00"
	}
	return names, key, nil
}

// outline outlines a file once, however many trees have it, and names it.
func (e *Env) outline(fsys fs.FS, name string, d fs.DirEntry) (policy.Outline, string, error) {
	info, err := d.Info()
	if err != nil {
		return policy.Outline{}, "", err
	}
	key := fmt.Sprintf("%s\x00%v", name, info.Sys())
	if o, known := e.editLaws.outlines[key]; known {
		return o, key, nil
	}
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return policy.Outline{}, "", err
	}
	o := policy.Outlined(name, text)
	put(&e.editLaws.outlines, key, o)
	return o, key, nil
}
