package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/match"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
)

// PolicyReview is all that is said of an estate's policies at once. Where there
// are faults, nothing ran.
type PolicyReview struct {
	Faults   []estate.Fault
	Tests    policy.TestReport
	Findings []policy.Finding
	Reads    []policy.RuleReads // what each rule reads, sorted by rule and place
}

// ReviewPolicies compiles the policies in a folder, runs the tests beside them and
// looks for what is probably not meant. It reads nothing but policies/.
func ReviewPolicies(fsys fs.FS) (*PolicyReview, error) {
	files, err := policyFiles(fsys)
	if err != nil {
		return nil, err
	}
	r := &PolicyReview{}
	tests := make(chan error, 1)
	go func() {
		var err error
		r.Tests, err = policy.RunTests(files)
		tests <- err
	}()
	l, faults := policy.Lint(files)
	err = <-tests
	var wrong *policy.FaultsError
	if errors.As(err, &wrong) {
		faults, err = append(faults, wrong.Faults...), nil
	}
	if err != nil || len(faults) > 0 {
		return &PolicyReview{Faults: estateFaults(faults)}, err
	}
	r.Findings, r.Reads = l.Findings, l.Reads
	return r, nil
}

// estateFaults are faults as an estate has them, by place, each once.
func estateFaults(faults []policy.Fault) []estate.Fault {
	var list []estate.Fault
	for _, f := range faults {
		list = append(list, estate.Fault(f))
	}
	slices.SortFunc(list, estate.Order)
	return slices.Compact(list)
}

// policyFiles are the policies of an estate, without the rest of it: authors run
// their tests at every save. An estate without any has none.
func policyFiles(fsys fs.FS) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := fs.WalkDir(fsys, "policies", func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && name == "policies":
			return fs.SkipAll
		case err != nil:
			return err
		case d.IsDir() || !policy.IsPolicy(name):
			return nil
		}
		files[name], err = fs.ReadFile(fsys, name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading policies: %w", err)
	}
	return files, nil
}

// PolicyData is the JSON Schema of what an estate's policies declare of their
// data, the thresholds in data.json files.
func PolicyData(fsys fs.FS) (map[string]any, []estate.Fault, error) {
	files, err := policyFiles(fsys)
	if err != nil {
		return nil, nil, err
	}
	schema, faults := policy.DataSchema(files)
	return schema, estateFaults(faults), nil
}

// PolicyCosts is what the rules of a folder's policies cost on HEAD's estate.
type PolicyCosts struct {
	Questions int               `json:"questions"` // changes, waves and plans that policies are asked about
	Rules     []policy.RuleCost `json:"rules"`     // the most expensive first
}

// PolicyCosts makes HEAD's plans as Plan would, under the policies in a folder,
// and counts the evaluations that each rule takes on the way.
func (e *Env) PolicyCosts(fsys fs.FS) (*PolicyCosts, error) {
	files, err := policyFiles(fsys)
	if err != nil {
		return nil, err
	}
	head, err := e.Repo.Head()
	if err != nil {
		return nil, err
	}
	est, err := e.read(head.Commit)
	if err != nil {
		return nil, err
	}
	taken, err := e.taken(head.Commit)
	if err != nil {
		return nil, err
	}
	est.Policies = files
	b := e.basis(head.Commit, e.At)
	b.taken, b.sets = taken, nil
	d, err := newDecider(est, b)
	if err != nil {
		return nil, err
	}
	found := match.Changes(d.hosts, est.Advisories)
	d.forgetPackages()
	t := evaluations{counts: map[ruleAt]*policy.RuleCost{}}
	for _, dr := range d.drafts(found) {
		t.count(d, dr)
	}
	return t.costs(d.policies), nil
}

// ruleAt is one rule by its place.
type ruleAt struct {
	file string
	line int
}

// evaluations adds up those of each rule.
type evaluations struct {
	questions int
	counts    map[ruleAt]*policy.RuleCost
}

// count makes one draft and counts what it asks at each point.
func (t *evaluations) count(d *decider, dr *draft) {
	dr.fill()
	d.score(dr)
	places := make([]int, len(dr.changes))
	for i := range places {
		places[i] = i
	}
	d.admit(dr)
	base, vary := d.changeInputs(dr, places, "plan", d.at)
	t.add(len(places), d.policies.Cost(len(places), base, vary, d.est.Exceptions))
	d.place(dr)
	slots, base, vary := d.waveInputs(dr)
	t.add(len(slots), d.policies.Cost(len(slots), base, vary, d.est.Exceptions))
	d.judgeWaves(dr)
	whole := d.wholePlan(dr)
	t.add(1, d.policies.Cost(1, *whole, func(int, *policy.Input) {}, d.est.Exceptions))
}

func (t *evaluations) add(questions int, list []policy.RuleCost) {
	t.questions += questions
	for _, c := range list {
		at := ruleAt{c.File, c.Line}
		if t.counts[at] == nil {
			t.counts[at] = &policy.RuleCost{RuleReads: c.RuleReads}
		}
		t.counts[at].Evaluations += c.Evaluations
	}
}

// costs are all rules, those that were never asked too.
func (t *evaluations) costs(set *policy.Set) *PolicyCosts {
	list := []policy.RuleCost{}
	for _, r := range set.Reads() {
		c := policy.RuleCost{RuleReads: r}
		if n := t.counts[ruleAt{r.File, r.Line}]; n != nil {
			c.Evaluations = n.Evaluations
		}
		list = append(list, c)
	}
	slices.SortStableFunc(list, func(a, b policy.RuleCost) int { return b.Evaluations - a.Evaluations })
	return &PolicyCosts{t.questions, list}
}
