package engine

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// Env is what a verb works with: everything outside is handed in here.
type Env struct {
	Repo    *repo.Repo
	Forge   forge.Forge
	Remote  *repo.Remote // where the protected branch lives; nil: in Repo itself
	At      time.Time    // the only clock
	Clock   time.Time    // the machine's own clock at start, for the check of Trust 6
	Version string       // of this engine
	Run     string       // names this run in ledgers
	Asked   []string     // who started this run by hand; none where a schedule did
	Log     logrus.FieldLogger

	sets     *policySets
	diffs    map[repo.Hash][]repo.Change  // what commits of the base branch changed
	growths  map[[2]repo.Hash]bool        // ledger before and after → it only grew
	digests  map[moment]map[string]string // plans that a commit's estate makes
	told     answers
	editLaws editLaws
	walked   *wrongs             // of the tip that was asked for last
	wished   map[string][]string // plan → who wished in a comment that it be planned again
	unseeing *bool               // where not nil, a team that may not be seen has nobody in it, and is told of here
	ids      idHistory           // of the youngest commit that was asked for
}

// basis is what decisions of this run are made on.
func (e *Env) basis(commit repo.Hash, at time.Time) basis {
	if e.sets == nil {
		e.sets = &policySets{}
	}
	return basis{commit: commit, at: at, version: e.Version, sets: e.sets}
}

// FaultsError is an invalid estate: what is wrong, and where.
type FaultsError struct{ Faults []estate.Fault }

func (e *FaultsError) Error() string {
	var b strings.Builder
	for i, f := range e.Faults {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(f.String())
	}
	return b.String()
}

// read reads the estate of a commit. An invalid one is a *FaultsError.
func (e *Env) read(commit repo.Hash) (*estate.Estate, error) {
	fsys, err := e.Repo.At(commit)
	if err != nil {
		return nil, fmt.Errorf("reading commit %s: %w", commit, err)
	}
	est, faults := estate.Read(fsys)
	if len(faults) > 0 {
		return nil, &FaultsError{faults}
	}
	return est, nil
}

// head is the commit that verbs read: what is checked out.
func (e *Env) head() (repo.Hash, error) {
	h, err := e.Repo.Head()
	if err != nil {
		return "", fmt.Errorf("reading HEAD: %w", err)
	}
	if h.Commit == "" {
		return "", errors.New("the repository has no commit yet; commit the estate first")
	}
	return h.Commit, nil
}

// readHead reads the estate of what is checked out.
func (e *Env) readHead() (*estate.Estate, error) {
	h, err := e.head()
	if err != nil {
		return nil, err
	}
	return e.read(h)
}

// base is the newest commit of the protected branch.
func (e *Env) base(ctx context.Context) (branch string, at repo.Hash, err error) {
	branch, err = e.Forge.Base(ctx)
	if err != nil {
		return "", "", fmt.Errorf("asking for the protected branch: %w", err)
	}
	at, err = e.tipOf(ctx, branch)
	if err == nil && at == "" {
		err = fmt.Errorf("there is no branch %q", branch)
	}
	return branch, at, err
}

// tipOf is the newest commit of a branch of the forge, "" where there is none.
func (e *Env) tipOf(ctx context.Context, branch string) (repo.Hash, error) {
	if e.Remote == nil {
		return e.Repo.Ref("refs/heads/" + branch)
	}
	return e.fetched(ctx, branch)
}

func (e *Env) fetched(ctx context.Context, branch string) (repo.Hash, error) {
	refs, err := e.Repo.Fetch(ctx, *e.Remote, branch)
	if err != nil {
		return "", fmt.Errorf("fetching %s from %s: %w", branch, e.Remote, err)
	}
	i := slices.IndexFunc(refs, func(r repo.Ref) bool { return r.Name == "refs/heads/"+branch })
	if i < 0 {
		return "", nil
	}
	return refs[i].Hash, nil
}

// advance makes the next commit of the protected branch and moves the branch to
// it by compare-and-swap; where another run was first it returns repo.ErrMoved.
func (e *Env) advance(ctx context.Context, branch string, n repo.Next) (repo.Hash, error) {
	n.Author, n.At = bot, e.At
	if e.Remote == nil {
		return e.Repo.Advance("refs/heads/"+branch, n)
	}
	h, err := e.Repo.Write(n)
	if err != nil {
		return "", err
	}
	if h, err = e.signed(ctx, branch, h); err != nil {
		return "", err
	}
	if err := e.Repo.Push(ctx, *e.Remote, "refs/heads/"+branch, n.Base, h); err != nil {
		return "", err
	}
	return h, e.follow(branch, n.Base, h)
}

// signed is a commit as the protected branch takes it.
func (e *Env) signed(ctx context.Context, branch string, commit repo.Hash) (repo.Hash, error) {
	h, err := e.Forge.Sign(ctx, branch, string(commit))
	return repo.Hash(h), err
}

// follow brings the local branch along after a push, where it was at the same
// commit; a branch that people moved elsewhere stays.
func (e *Env) follow(branch string, old, now repo.Hash) error {
	ref := "refs/heads/" + branch
	at, err := e.Repo.Ref(ref)
	if err != nil || at != old {
		return err
	}
	return e.Repo.Move(ref, old, now)
}

var bot = repo.Person{Name: "ringmaster", Email: "ringmaster@localhost"}

// deed is a merged plan with its verified ledger.
type deed struct {
	plan   *plan.Plan
	ledger []byte
	lines  []outcome.Line
	gone   bool // the plan is no longer there: it was reverted after it had begun
}

// begun is when the first change of a plan was intended, zero where none was: what
// was only held has not begun.
func (d *deed) begun() time.Time {
	for i := range d.lines {
		if d.lines[i].Event == outcome.Intended {
			return d.lines[i].At
		}
	}
	return time.Time{}
}

// takenBack is a plan that was reverted after it had begun, as far as its
// ledger tells of it: nothing more of it runs, and what it did is known.
func takenBack(id string, ledger []byte) (deed, error) {
	var first outcome.Line
	head, _, _ := bytes.Cut(ledger, []byte("\n"))
	if err := json.Unmarshal(head, &first); err != nil {
		return deed{}, err
	}
	lines, err := outcome.Parse(ledger, first.Prev)
	if err != nil {
		return deed{}, err
	}
	p := &plan.Plan{ID: id, Digest: first.Prev}
	seen := map[work]bool{}
	patches := map[plan.PatchID]bool{}
	wave := plan.Wave{Soak: "0s"}
	for _, l := range lines {
		if w := (work{l.Host, l.Patch}); l.Host != "" && !seen[w] {
			seen[w] = true
			wave.Changes = append(wave.Changes, plan.Change{Host: l.Host, Patch: l.Patch, From: l.From})
		}
		if l.Patch != "" && !patches[l.Patch] {
			patches[l.Patch] = true
			vendor, _ := l.Features["vendor"].(string)
			p.Patches = append(p.Patches, plan.Patch{ID: l.Patch, Vendor: vendor})
		}
	}
	p.Rings = []plan.Ring{{Waves: []plan.Wave{wave}}}
	return deed{plan: p, ledger: ledger, lines: lines, gone: true}, nil
}

// deeds returns the plans of an estate with their ledgers, sorted by id. A
// ledger whose chain is broken is an error: history was changed, and nothing may
// be decided on it. A plan that was taken back is known by its ledger alone.
func deeds(est *estate.Estate) ([]deed, error) {
	var list []deed
	for id, data := range est.Plans {
		p, err := plan.Decode(data)
		if err != nil {
			return nil, fmt.Errorf("plans/%s/plan.json: %w", id, err)
		}
		if p.ID != id {
			return nil, fmt.Errorf("plans/%s/plan.json: its id is %q", id, p.ID)
		}
		lines, err := outcome.Parse(est.Ledgers[id], p.Digest)
		if err != nil {
			return nil, fmt.Errorf("%s: %w; history was changed: see `ringmaster audit verify`", outcome.Path(id), err)
		}
		list = append(list, deed{plan: p, ledger: est.Ledgers[id], lines: lines})
	}
	for id, ledger := range est.Ledgers {
		if _, ok := est.Plans[id]; ok {
			continue
		}
		d, err := takenBack(id, ledger)
		if err != nil {
			return nil, fmt.Errorf("%s: %w; history was changed: see `ringmaster audit verify`", outcome.Path(id), err)
		}
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b deed) int { return cmp.Compare(a.plan.ID, b.plan.ID) })
	return list, nil
}
