package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/match"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// scene is one plan made again, with what policies were asked on the way.
type scene struct {
	decider *decider
	draft   *draft
	plan    *plan.Plan
	patch   int32         // of the draft
	changes map[int]bool  // places of the patch's changes that policies were asked about
	waves   []waveAsked   // as scheduled, before any was taken out
	whole   *policy.Input // the plan, as asked
	vary    func(int, *policy.Input)
	base    policy.Input
}

// waveAsked is a wave that policies were asked about.
type waveAsked struct {
	ring  string
	input *policy.Input
	hosts map[inventory.HostID]bool // those that it would give the patch
}

// scene makes a plan again as decide does, one stage at a time, and keeps what
// policies are asked; nil where the estate makes no such plan.
func (e *Env) scene(p *plan.Plan, patch plan.PatchID) (*scene, error) {
	commit := repo.Hash(p.Inputs.Commit)
	est, err := e.read(commit)
	if err != nil {
		return nil, err
	}
	taken, err := e.taken(commit)
	if err != nil {
		return nil, err
	}
	b := e.basis(commit, p.At)
	b.version, b.taken = p.Inputs.Engine, taken
	d, err := newDecider(est, b)
	if err != nil {
		return nil, err
	}
	found := match.Changes(d.hosts, est.Advisories)
	d.uncovered = len(found.Uncovered)
	d.forgetPackages()
	drafts, seen := d.drafts(found), d.population()
	i := slices.IndexFunc(drafts, func(dr *draft) bool { return dr.id == p.ID })
	if i < 0 {
		return nil, nil
	}
	s := &scene{decider: d, draft: drafts[i]}
	s.play(seen, patch)
	return s, nil
}

// play runs the stages.
func (s *scene) play(seen plan.Population, patch plan.PatchID) {
	d, dr := s.decider, s.draft
	dr.fill()
	s.patch = int32(slices.IndexFunc(dr.patches, func(p *patchDraft) bool { return p.id == patch }))
	d.score(dr)
	d.admit(dr)
	s.asked()
	d.place(dr)
	s.scheduled(patch)
	d.judgeWaves(dr)
	s.whole = d.wholePlan(dr)
	s.plan = d.compose(dr, seen)
}

// asked notes which changes policies were asked about: those that no merged plan
// has in hand.
func (s *scene) asked() {
	d, dr := s.decider, s.draft
	s.changes = map[int]bool{}
	places := make([]int, len(dr.changes))
	for i := range dr.changes {
		places[i] = i
		c := &dr.changes[i]
		_, inHand := d.running[work{d.hosts[c.host].ID, dr.patches[c.patch].id}]
		s.changes[i] = c.patch == s.patch && !inHand
	}
	s.base, s.vary = d.changeInputs(dr, places, "plan", d.at)
}

// scheduled keeps the waves as they are asked about.
func (s *scene) scheduled(patch plan.PatchID) {
	slots, base, vary := s.decider.waveInputs(s.draft)
	for i, at := range slots {
		r := &s.draft.rings[at.ring]
		w := waveAsked{ring: r.Name, hosts: map[inventory.HostID]bool{}}
		for _, c := range r.Waves[at.wave].Changes {
			if c.Patch == patch {
				w.hosts[c.Host] = true
			}
		}
		in := base
		vary(i, &in)
		w.input = &in
		s.waves = append(s.waves, w)
	}
}

// needing are the hosts that need the patch, sorted.
func (s *scene) needing() []inventory.HostID {
	var list []inventory.HostID
	for i := range s.draft.changes {
		if c := &s.draft.changes[i]; c.patch == s.patch {
			list = append(list, s.decider.hosts[c.host].ID)
		}
	}
	return list
}

// explain tells a case by its first host.
func (s *scene) explain(c *Case, patch plan.PatchID, o ExplainOptions) error {
	host := c.Hosts[0]
	if c.Place != nil {
		s.because(c.Place, host)
	}
	place := s.placeOf(host)
	if place < 0 || !s.changes[place] {
		return nil
	}
	q, err := s.ask(s.changeInput(place), fmt.Sprintf("%s on %s", patch, host), s.others(place), o)
	if err != nil {
		return err
	}
	c.Asked = append(c.Asked, *q)
	i := slices.IndexFunc(s.waves, func(w waveAsked) bool { return w.hosts[host] })
	if q.Search.Stopped || i < 0 { // i < 0: the scheduler had no place for it
		return nil
	}
	w := &s.waves[i]
	var others []*policy.Input
	for n := range s.waves[:min(len(s.waves), mostOthers)] {
		others = append(others, s.waves[n].input)
	}
	if q, err = s.ask(w.input, fmt.Sprintf("wave %d of ring %s", w.input.Wave.Number, w.ring), others, o); err != nil {
		return err
	}
	c.Asked = append(c.Asked, *q)
	c.Through = !q.Search.Stopped
	return nil
}

// ask is one question with what policies say and what would alter it.
func (s *scene) ask(in *policy.Input, about string, others []*policy.Input, o ExplainOptions) (*Asked, error) {
	set, x := s.decider.policies, s.decider.est.Exceptions
	q := &Asked{Point: in.Point, About: about, Rules: set.Explain(in, x)}
	var err error
	if q.Search, err = set.Flips(in, x, policy.FlipOptions{Budget: o.Budget, Observed: others}); err != nil {
		return nil, fmt.Errorf("searching what would alter the decision about %s: %w", about, err)
	}
	if o.Trace {
		var b strings.Builder
		if err := set.Trace(&b, in, x, fired(q.Rules)...); err != nil {
			return nil, err
		}
		q.Trace = b.String()
	}
	return q, nil
}

// fired are the rules that had something to say, none where none had: a trace is
// then of all.
func fired(rules []policy.Told) []string {
	var list []string
	for i := range rules {
		if rules[i].Fired() && !slices.Contains(list, rules[i].Rule) {
			list = append(list, rules[i].Rule)
		}
	}
	return list
}

func (s *scene) placeOf(host inventory.HostID) int {
	return slices.IndexFunc(s.draft.changes, func(c change) bool { return c.patch == s.patch && s.decider.hosts[c.host].ID == host })
}

func (s *scene) changeInput(place int) *policy.Input {
	in := s.base
	s.vary(place, &in)
	return &in
}

// clocks are all clocks that were set for the patch, the one that binds first.
func (s *scene) clocks() []string {
	var list []string
	for _, c := range s.draft.patches[s.patch].verdict.Clocks {
		list = append(list, fmt.Sprintf("%s: from %s (%s) until %s, because %s", c.Name, stamp(c.Start), c.From, stamp(c.Deadline), c.Because))
	}
	return list
}

// mostOthers is how many other questions a search takes values from.
const mostOthers = 24

// others are changes of the same plan, spread over it.
func (s *scene) others(place int) []*policy.Input {
	var list []*policy.Input
	step := 1 + len(s.draft.changes)/mostOthers
	for i := 0; i < len(s.draft.changes); i += step {
		if i != place {
			list = append(list, s.changeInput(i))
		}
	}
	return list
}

// because says why a change is where it is, as far as the estate tells.
func (s *scene) because(p *Place, host inventory.HostID) {
	d := s.decider
	h := d.hostOf(host)
	if h == nil {
		return
	}
	say := func(format string, args ...any) { p.Because = append(p.Because, fmt.Sprintf(format, args...)) }
	for i := range d.est.Rings {
		if r := &d.est.Rings[i]; r.Name == p.Ring {
			say("%s", ringSays(r, d.est.Rings, host))
		}
	}
	switch names := d.windows(h); {
	case len(names) == 0:
		say("no window is declared for it or its services, so it may run at any time that no freeze takes")
	default:
		say("it may run where %s is open, and wave %d runs from %s to %s", quotedNames("window", names), p.Wave, stamp(p.Start), stamp(p.End))
	}
}

// ringSays says why a host is in a ring.
func ringSays(r *ring.Ring, all []ring.Ring, host inventory.HostID) string {
	var b strings.Builder
	fmt.Fprintf(&b, "ring %q, order %d, is the lowest that takes %s", r.Name, r.Order, host)
	if r.Share > 0 && r.Share < 1 {
		fmt.Fprintf(&b, ", as part of its %s of the hosts that match", share(r.Share))
	}
	if r.After > 0 {
		fmt.Fprintf(&b, "; it begins %s after publication", hclfile.FormatDuration(r.After))
	}
	var before []string
	for i := range all {
		if all[i].Order < r.Order {
			before = append(before, all[i].Name)
		}
	}
	if len(before) > 0 {
		fmt.Fprintf(&b, "; it follows %s", quotedNames("ring", before))
	}
	return b.String()
}

// share is a share as percent, without needless zeros.
func share(f float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", f*100), "0"), ".") + " %"
}

func quotedNames(what string, names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = fmt.Sprintf("%q", n)
	}
	if len(names) > 1 {
		what += "s"
	}
	return what + " " + strings.Join(quoted, " and ")
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
