package engine

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// ExplainOptions name what is explained. The zero value of what may be left out
// works.
type ExplainOptions struct {
	Plan   string // its id
	Patch  string // as in the plan, or a pattern that fits one of its patches
	Host   string // "" all hosts that need the patch
	Budget int    // combinations of facts that a search may try, policy.DefaultFlips when zero
	Trace  bool   // OPA's own trace of the rules that fired
}

// Explanation is why a plan does with a patch what it does. All of it was
// worked out again at the plan's own commit and time.
type Explanation struct {
	Plan   string     `json:"plan"`
	At     time.Time  `json:"at"`     // the plan's own
	Commit string     `json:"commit"` // the plan's own
	Found  string     `json:"found"`  // where the plan lies: HEAD, its branch, or nowhere yet
	Notes  []string   `json:"notes"`  // what limits the rest
	Patch  plan.Patch `json:"patch"`  // as the plan has it
	Clocks []string   `json:"clocks"` // all that apply, the one that binds first
	Hosts  int        `json:"hosts"`  // that need the patch
	Cases  []Case     `json:"cases"`
	More   int        `json:"more"`  // hosts of cases that are not told
	Whole  *Asked     `json:"whole"` // what was asked about the plan as a whole, nil where nothing of the patch came so far
}

// Case is hosts with which the plan does the same for the same reasons. The
// first one's questions are told.
type Case struct {
	Hosts   []inventory.HostID `json:"hosts"`
	Place   *Place             `json:"place"`   // where it is planned, nil where it is not
	Skipped *plan.Skipped      `json:"skipped"` // why it is not, nil where it is
	Asked   []Asked            `json:"asked"`   // what policies were asked, in this order; none where they were not
	Through bool               `json:"through"` // it came to the question about the whole plan
}

// Place is a ring and a wave.
type Place struct {
	Ring    string    `json:"ring"`
	Wave    int       `json:"wave"` // from 1
	Start   time.Time `json:"start"`
	End     time.Time `json:"end"`
	Soak    string    `json:"soak"`
	Because []string  `json:"because"` // sentences
}

// Asked is one question that policies were asked, with each rule's part and the
// smallest change of facts that would alter the answer.
type Asked struct {
	Point  policy.Point  `json:"point"`
	About  string        `json:"about"` // in words
	Rules  []policy.Told `json:"rules"`
	Search policy.Search `json:"search"`
	Trace  string        `json:"trace,omitempty"`
}

// Explain says why a plan that is merged, or lies on its branch, or would be made
// of HEAD now, does with a patch what it does. A plan, patch or host that is not there is an error that
// names those that are.
func (e *Env) Explain(o ExplainOptions) (*Explanation, error) {
	p, found, err := e.planNamed(o.Plan)
	if err != nil {
		return nil, err
	}
	return e.explainPlan(p, found, o)
}

// explainPlan explains a plan that was found somewhere.
func (e *Env) explainPlan(p *plan.Plan, found string, o ExplainOptions) (*Explanation, error) {
	x := &Explanation{Plan: p.ID, At: p.At, Commit: p.Inputs.Commit, Found: found, Notes: []string{}, Clocks: []string{}, Cases: []Case{}}
	var err error
	if x.Patch, err = patchNamed(p, o.Patch); err != nil {
		return nil, err
	}
	if p.Inputs.Engine != e.Version {
		x.note("the plan was made by engine %s, and this is %s: what policies say is this one's", p.Inputs.Engine, e.Version)
	}
	s, err := e.scene(p, x.Patch.ID)
	if err != nil {
		return nil, fmt.Errorf("deciding again at commit %.10s: %w", p.Inputs.Commit, err)
	}
	if s == nil {
		x.note("made again at its commit, there is no such plan")
		return x, nil
	}
	if !Same(s.plan, p) {
		x.note("made again at its commit, the plan is another one; `ringmaster check` says where they differ")
	}
	x.Clocks = s.clocks()
	return x, s.tell(x, p, o)
}

func (x *Explanation) note(format string, args ...any) {
	x.Notes = append(x.Notes, fmt.Sprintf(format, args...))
}

// planNamed finds a plan on HEAD, or else on its branch, and says where.
func (e *Env) planNamed(id string) (*plan.Plan, string, error) {
	head, err := e.head()
	if err != nil {
		return nil, "", err
	}
	branch, err := e.Repo.Ref("refs/heads/" + prefix + id)
	if err != nil {
		return nil, "", err
	}
	for _, at := range []struct {
		commit repo.Hash
		name   string
	}{{head, "HEAD"}, {branch, prefix + id}} {
		if at.commit == "" {
			continue
		}
		data, err := e.Repo.ReadFile(at.commit, plan.Path(id))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, "", err
		}
		p, err := plan.Parse(data)
		if err != nil {
			return nil, "", fmt.Errorf("%s on %s: %w", plan.Path(id), at.name, err)
		}
		return p, at.name, nil
	}
	known, err := e.planIDs(head)
	if err != nil {
		return nil, "", err
	}
	if p, err := e.planNow(head, id, &known); p != nil || err != nil {
		return p, "no branch: it would be made now", err
	}
	return nil, "", fmt.Errorf("%w as %q on HEAD or on a branch; %s", errNoPlan, id, hclfile.Expected(id, known))
}

// planNow is the plan of that id that HEAD would make now: one of which nothing
// can be planned is on no branch. known gets the ids of all that it would make.
func (e *Env) planNow(head repo.Hash, id string, known *[]string) (*plan.Plan, error) {
	est, err := e.read(head)
	if err != nil {
		return nil, err
	}
	plans, err := e.decide(est, head, e.At, e.Version)
	if err != nil {
		return nil, fmt.Errorf("deciding now: %w", err)
	}
	for _, p := range plans {
		if p.ID == id {
			return p, nil
		}
		*known = append(*known, p.ID)
	}
	slices.Sort(*known)
	*known = slices.Compact(*known)
	return nil, nil
}

// planIDs are the plans on a commit and on branches of their own, sorted.
func (e *Env) planIDs(commit repo.Hash) ([]string, error) {
	var ids []string
	fsys, err := e.Repo.At(commit)
	if err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(fsys, "plans")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, d := range entries {
		ids = append(ids, d.Name())
	}
	refs, err := e.Repo.Refs("refs/heads/" + prefix)
	if err != nil {
		return nil, err
	}
	for _, r := range refs {
		id := strings.TrimPrefix(r.Name, "refs/heads/"+prefix)
		if _, _, _, ok := plan.ParseID(id); ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// patchNamed finds a patch of a plan by its id, or by a pattern or package name
// that fits one alone.
func patchNamed(p *plan.Plan, name string) (plan.Patch, error) {
	var ids []string
	var fit []plan.Patch
	for _, x := range p.Patches {
		if string(x.ID) == name {
			return x, nil
		}
		ids = append(ids, string(x.ID))
		if x.Package == name || x.ID.Matches(name) {
			fit = append(fit, x)
		}
	}
	switch len(fit) {
	case 1:
		return fit[0], nil
	case 0:
		return plan.Patch{}, fmt.Errorf("plan %s has no patch %q; %s", p.ID, name, hclfile.Expected(name, ids))
	}
	var which []string
	for _, x := range fit {
		which = append(which, string(x.ID))
	}
	return plan.Patch{}, fmt.Errorf("%q fits %d patches of plan %s; %s", name, len(fit), p.ID, hclfile.Expected(name, which))
}

// mostCases is how many cases are told where no host is named.
const mostCases = 6

// tell sorts the hosts that need the patch into cases and explains each.
func (s *scene) tell(x *Explanation, p *plan.Plan, o ExplainOptions) error {
	list := s.cases(p, x.Patch.ID)
	var names []string
	for _, c := range list {
		x.Hosts += len(c.Hosts)
		for _, h := range c.Hosts {
			names = append(names, string(h))
		}
	}
	if o.Host != "" {
		if !slices.Contains(names, o.Host) {
			slices.Sort(names)
			return fmt.Errorf("plan %s: %s is not needed by host %q, as far as is known; %s", p.ID, x.Patch.ID, o.Host, hclfile.Expected(o.Host, names))
		}
		i := slices.IndexFunc(list, func(c Case) bool { return slices.Contains(c.Hosts, inventory.HostID(o.Host)) })
		list[i].Hosts = []inventory.HostID{inventory.HostID(o.Host)}
		list = list[i : i+1]
	}
	for i := range list {
		if i >= mostCases {
			x.More += len(list[i].Hosts)
			continue
		}
		if err := s.explain(&list[i], x.Patch.ID, o); err != nil {
			return err
		}
		x.Cases = append(x.Cases, list[i])
		if list[i].Through && x.Whole == nil {
			q, err := s.ask(s.whole, "the plan as a whole", nil, o)
			if err != nil {
				return err
			}
			x.Whole = q
		}
	}
	return nil
}

// cases are the hosts that need a patch by what the plan does with them: what is
// not planned first, then by ring.
func (s *scene) cases(p *plan.Plan, patch plan.PatchID) []Case {
	var list []Case
	place := map[string]int{}
	put := func(key string, host inventory.HostID, c Case) {
		i, ok := place[key]
		if !ok {
			i = len(list)
			place[key] = i
			list = append(list, c)
		}
		list[i].Hosts = append(list[i].Hosts, host)
	}
	planned := map[inventory.HostID]bool{}
	for _, r := range p.Rings {
		for n, w := range r.Waves {
			for _, c := range w.Changes {
				if c.Patch == patch {
					planned[c.Host] = true
					key := fmt.Sprintf("2 %s %s", r.Name, decisionKey(c.Decisions))
					put(key, c.Host, Case{Place: &Place{Ring: r.Name, Wave: n + 1, Start: w.Start, End: w.End, Soak: w.Soak}})
				}
			}
		}
	}
	for _, host := range s.needing() {
		if planned[host] {
			continue
		}
		skipped := skippedAs(p, patch, host)
		put(fmt.Sprintf("1 %s %s", skipped.Why, skipped.Until), host, Case{Skipped: &skipped})
	}
	for _, k := range p.NotPlanned { // what matching could not decide has no change
		if k.Patch == patch && k.Host != "" && !planned[k.Host] && s.draft.change(s.decider, k.Host, patch) == nil {
			put(fmt.Sprintf("1 %s %s", k.Why, k.Until), k.Host, Case{Skipped: &k})
		}
	}
	slices.SortStableFunc(list, func(a, b Case) int { return cmp.Compare(a.weight(), b.weight()) })
	return list
}

func (c *Case) weight() int {
	if c.Skipped != nil {
		return 0
	}
	return 1
}

func decisionKey(list []plan.Decision) string {
	var parts []string
	for _, d := range list {
		parts = append(parts, d.Rule+" "+d.Message)
	}
	return strings.Join(parts, "\x00")
}

// skippedAs is what a plan says of a change that it does not plan.
func skippedAs(p *plan.Plan, patch plan.PatchID, host inventory.HostID) plan.Skipped {
	for _, s := range p.NotPlanned {
		if s.Patch == patch && (s.Host == host || s.Host == "") {
			return s
		}
	}
	return plan.Skipped{Patch: patch, Host: host, Why: "the plan does not say"}
}
