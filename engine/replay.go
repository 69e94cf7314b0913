package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
	"github.com/ringmaster-dev/ringmaster/engine/replay"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// ReplayOptions say what history is decided again with.
type ReplayOptions struct {
	// Files holds the candidate: its policies/, or its models/ where Models is set.
	// It may be a working tree, with edits that nobody committed.
	Files fs.FS
	Name  string // of Files, in words

	// ModelFiles are the candidate's models by path, in the place of Files.
	ModelFiles map[string][]byte

	// Against is the revision whose policies the candidate's are compared with; ""
	// is where HEAD left the protected branch. With Models it says nothing.
	Against string

	// PlansAlone leaves out what was asked when waves were due: on a long history with
	// large plans that is most of the work.
	PlansAlone bool

	// Models replays with the candidate's models, under the policies that each plan
	// was decided with, and compares with the models of then.
	Models bool
}

// Replay decides every plan of HEAD's history again at its own commit and time:
// under its own policies, which must come to the same bytes, or else the plan is
// named and not counted; and then under those that are compared. Candidates that
// do not compile are a *FaultsError. It changes nothing and asks no forge but for
// the protected branch.
func (e *Env) Replay(ctx context.Context, o ReplayOptions) (*replay.Report, error) {
	head, err := e.head()
	if err != nil {
		return nil, err
	}
	laws, err := e.laws(ctx, head, o)
	if err != nil {
		return nil, err
	}
	b := replay.New()
	p, err := e.presenter(head, b, laws)
	if err != nil {
		return nil, err
	}
	if err := p.all(ctx); err != nil {
		return nil, err
	}
	r := b.Report(e.At)
	r.Gates.Asked = !o.PlansAlone
	r.Models, r.Edits = o.Models, !o.Models && !laws.before.SameAboutEdits(laws.candidate)
	r.Candidate, r.Baseline, r.Changed, r.Imported = laws.name, laws.against, orNone(laws.changed), p.imported
	return r, nil
}

func orNone(list []string) []string { return append([]string{}, list...) }

// laws are what plans are decided under.
type laws struct {
	name, against     string
	changed           []string
	before, candidate *policy.Set       // nil: each plan's own
	same              bool              // before and candidate are the same
	alone             bool              // plans are replayed, and waves that were due are not
	models            map[string][]byte // nil: each plan's own
	digests           [2]string         // of before's and candidate's policies
	own               map[string]*policy.Set
}

// laws reads what is compared. The candidate is read first, so that its faults
// are the first to be told.
func (e *Env) laws(ctx context.Context, head repo.Hash, o ReplayOptions) (*laws, error) {
	l := &laws{name: o.Name, alone: o.PlansAlone, own: map[string]*policy.Set{}}
	candidate := &estate.Estate{Models: o.ModelFiles}
	if o.ModelFiles == nil {
		candidate = rulesAndModels(o.Files)
	}
	if o.Models {
		if err := parseModels(candidate); err != nil {
			return nil, err
		}
		l.models, l.against = candidate.Models, "the models that each plan was made with, policies as they were"
		return l, nil
	}
	if len(candidate.Policies) == 0 {
		return nil, errors.New("there are no policies to replay with: policies/ holds no .rego file")
	}
	var faults []policy.Fault
	if l.candidate, faults = policy.Compile(candidate.Policies); len(faults) > 0 {
		return nil, policyFaults(faults)
	}
	commit, said, err := e.baseline(ctx, head, o.Against)
	if err != nil {
		return nil, err
	}
	fsys, err := e.Repo.At(commit)
	if err != nil {
		return nil, err
	}
	before := rulesAndModels(fsys)
	if l.before, faults = policy.Compile(before.Policies); len(faults) > 0 {
		return nil, fmt.Errorf("the policies of %s do not compile, so there is nothing to compare with: %w", said, policyFaults(faults))
	}
	l.against = "those of " + said
	l.changed = differing(before.Policies, candidate.Policies)
	l.same = len(l.changed) == 0
	l.digests = [2]string{before.Digests.Policies, candidate.Digests.Policies}
	return l, nil
}

// baseline is the commit whose policies are compared with, and its name in words.
func (e *Env) baseline(ctx context.Context, head repo.Hash, rev string) (repo.Hash, string, error) {
	if rev != "" {
		h, err := e.Repo.Resolve(rev)
		return h, fmt.Sprintf("%s (%.10s)", rev, h), err
	}
	branch, tip, err := e.base(ctx)
	if err != nil {
		return "", "", err
	}
	h, err := e.Repo.MergeBase(head, tip)
	if err != nil {
		return "", "", fmt.Errorf("looking for where HEAD left %s: %w", branch, err)
	}
	if h == "" {
		return "", "", fmt.Errorf("HEAD and %s have no commit in common; name a revision with --against", branch)
	}
	return h, fmt.Sprintf("%s at %.10s", branch, h), nil
}

// parseModels returns the faults of an estate's models, nil where there are none.
func parseModels(est *estate.Estate) error {
	if len(est.Models) == 0 {
		return errors.New("there are no models to replay with: models/ holds no .json file")
	}
	if faults := modelFaults(est); len(faults) > 0 {
		return &FaultsError{faults}
	}
	return nil
}

// differing are the paths at which two sets of files differ, tests left out: no
// plan is decided by them.
func differing(a, b map[string][]byte) []string {
	var list []string
	for _, path := range sortedKeys(a) {
		if other, ok := b[path]; !ok || string(other) != string(a[path]) {
			list = append(list, path)
		}
	}
	for path := range b {
		if _, ok := a[path]; !ok {
			list = append(list, path)
		}
	}
	list = slices.DeleteFunc(list, func(path string) bool { return strings.HasSuffix(path, "_test.rego") })
	slices.Sort(list)
	return list
}

// SamePolicies says whether two estates have the same policies, tests left out.
func SamePolicies(a, b fs.FS) bool {
	return len(differing(rulesAndModels(a).Policies, rulesAndModels(b).Policies)) == 0
}

// ReplayModel replays history with HEAD's models, of which one is another: what a
// retraining would have changed.
func (e *Env) ReplayModel(ctx context.Context, path string, data []byte, name string) (*replay.Report, error) {
	est, err := e.readHead()
	if err != nil {
		return nil, err
	}
	models := maps.Clone(est.Models)
	if models == nil {
		models = map[string][]byte{}
	}
	models[path] = data
	return e.Replay(ctx, ReplayOptions{Models: true, ModelFiles: models, Name: name})
}

// flips is a section of a review: what history would have been with other models,
// "" where there is none yet.
func (e *Env) flips(ctx context.Context, models map[string][]byte) string {
	r, err := e.Replay(ctx, ReplayOptions{Models: true, ModelFiles: models, Name: "the models of this pull request"})
	switch {
	case err != nil:
		e.Log.WithError(err).Warn("replaying history with the models that were learnt")
		return "\n## Replay: what these would have changed\n\nIt is not known: history could not be replayed.\n"
	case r.Plans == 0 && len(r.NotReplayed) == 0:
		return ""
	}
	return "\n" + r.Markdown()
}
