package engine

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/match"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
	"github.com/ringmaster-dev/ringmaster/engine/replay"
)

// reopened is an estate as it was at a moment, ready to be decided again.
type reopened struct {
	*decider
	env    *Env
	laws   *laws
	meant  []*meaning // of the deeds; nil: peers were read with them
	found  match.Result
	drafts map[string]*draft // by id: nothing scored or asked yet
	after  *candidates       // with other models; nil: with the same
}

// candidates are the answers under other models, by change: a patch may have
// come to be in another plan.
type candidates struct {
	answers   map[work]replay.Answer
	approvals map[string][]plan.Approval
}

// open matches and drafts.
func (r *reopened) open() error {
	r.found = match.Changes(r.hosts, r.est.Advisories)
	r.uncovered = len(r.found.Uncovered)
	if r.meant != nil && (r.model != nil || r.laws.models != nil) {
		patches := map[plan.PatchID]bool{}
		for i := range r.found.Patches {
			patches[r.found.Patches[i].ID] = true
		}
		if err := r.readPeers(r.env.Repo, patches, r.meant); err != nil {
			return err
		}
	}
	r.drafts = map[string]*draft{}
	for _, dr := range r.decider.drafts(r.found) {
		r.drafts[dr.id] = dr
	}
	var err error
	if r.laws.models != nil {
		r.after, err = r.underModels()
	}
	return err
}

// compiled returns the policies that an estate has, compiled once for all
// commits that have the same.
func (l *laws) compiled(est *estate.Estate) (*policy.Set, error) {
	if set := l.own[est.Digests.Policies]; set != nil {
		return set, nil
	}
	set, faults := policy.Compile(est.Policies)
	if len(faults) > 0 {
		return nil, policyFaults(faults)
	}
	l.own[est.Digests.Policies] = set
	return set, nil
}

// replay makes a plan again under its own policies and compares what the laws
// say of it. why is "" unless the plan does not come out the same.
func (r *reopened) replay(id string, data []byte) (made replay.Plan, why string) {
	dr := r.drafts[id]
	if dr == nil {
		return made, "made again at its commit and time there is no such plan"
	}
	if dr.changes == nil {
		dr.fill()
		r.score(dr)
	}
	own := r.settle(r.policies, dr)
	if !r.reproduces(own.plan, data) {
		if r.version != r.env.Version {
			return made, fmt.Sprintf("it was made by engine %s, and %s does not come to the same plan", r.version, r.env.Version)
		}
		return made, "made again at its commit and time it is another plan; see `ringmaster audit verify`"
	}
	made = replay.Plan{ID: id, At: r.at, Questions: own.questions}
	if r.after != nil {
		made.Before, made.After = own.side(), r.after.side(own.side(), id)
		return made, ""
	}
	before := r.under(own, r.laws.before, r.laws.digests[0], dr)
	after := before
	if !r.laws.same {
		after = r.under(own, r.laws.candidate, r.laws.digests[1], dr)
	}
	made.Before, made.After = before.side(), after.side()
	return made, ""
}

// under settles a draft under other policies, unless they are its own.
func (r *reopened) under(own *settled, set *policy.Set, digest string, dr *draft) *settled {
	if digest == r.est.Digests.Policies {
		return own
	}
	return r.settle(set, dr)
}

// reproduces says whether a plan that was made again is the one that lies there,
// byte for byte.
func (r *reopened) reproduces(again *plan.Plan, data []byte) bool {
	shells := []*plan.Plan{again}
	for id := range r.drafts {
		if id != again.ID {
			shells = append(shells, &plan.Plan{ID: id})
		}
	}
	slices.SortFunc(shells, byID)
	r.leftovers(shells, r.found)
	sealed, err := plan.Seal(again)
	return err == nil && bytes.Equal(sealed, data)
}

// settled is a draft that was decided.
type settled struct {
	plan      *plan.Plan
	answers   []replay.Answer // in the order of the draft's changes: by host, then patch
	questions int
}

func (s *settled) side() replay.Side {
	return replay.Side{Answers: s.answers, Approvals: s.plan.Approvals}
}

// settle decides a scored draft under a set of policies and leaves the draft as
// it was.
func (r *reopened) settle(set *policy.Set, scored *draft) *settled {
	d, dr := *r.decider, scored.again()
	d.policies = set
	s := &settled{}
	d.admit(dr)
	s.admitted(&d, dr)
	d.place(dr)
	waves := len(dr.skipped)
	for i := range dr.rings {
		s.questions += len(dr.rings[i].Waves)
	}
	d.judgeWaves(dr)
	s.scheduled(dr)
	s.plan = d.compose(dr, d.population())
	s.questions++
	s.stopped(dr.skipped[waves:])
	return s
}

// again is a draft as it was when it was scored.
func (dr *draft) again() *draft {
	n := *dr
	n.patches, n.changes = make([]*patchDraft, len(dr.patches)), slices.Clone(dr.changes)
	for i, p := range dr.patches {
		clone := *p
		n.patches[i] = &clone
	}
	return &n
}

// admitted notes what was said of each change before it was scheduled. What an
// earlier plan has in hand was not asked about, and is no decision.
func (s *settled) admitted(d *decider, dr *draft) {
	s.answers = make([]replay.Answer, 0, len(dr.changes))
	for i := range dr.changes {
		c := &dr.changes[i]
		stop := stopper(c.decisions)
		if c.out && stop == nil {
			continue
		}
		s.questions++
		p := dr.patches[c.patch]
		a := replay.Answer{Host: d.hosts[c.host].ID, Patch: p.id, Class: p.verdict.Class, Risk: c.risk.P, Decisions: c.decisions, Stop: stop}
		if stop != nil {
			a.Until = until(stop)
		}
		s.answers = append(s.answers, a)
	}
}

// answer finds a change's answer, nil where it was not asked about.
func (s *settled) answer(w work) *replay.Answer {
	i, ok := slices.BinarySearchFunc(s.answers, w, func(a replay.Answer, w work) int {
		return cmp.Or(cmp.Compare(a.Host, w.host), cmp.Compare(a.Patch, w.patch))
	})
	if !ok {
		return nil
	}
	return &s.answers[i]
}

// scheduled notes the waves of changes, and what was said of them there.
func (s *settled) scheduled(dr *draft) {
	for i := range dr.rings {
		for n := range dr.rings[i].Waves {
			w := &dr.rings[i].Waves[n]
			for j := range w.Changes {
				if a := s.answer(work{w.Changes[j].Host, w.Changes[j].Patch}); a != nil {
					a.Start, a.End, a.Planned = w.Start, w.End, w.Changes[j].Decisions
				}
			}
		}
	}
}

// stopped notes changes that were taken out with a wave, or with the whole plan,
// in the words of the rule that did it.
func (s *settled) stopped(list []plan.Skipped) {
	shared := map[string]*plan.Decision{}
	for i := range list {
		x := &list[i]
		a := s.answer(work{x.Host, x.Patch})
		if a == nil {
			continue
		}
		if shared[x.Why] == nil {
			shared[x.Why] = decisionOf(x.Why)
		}
		stop := shared[x.Why]
		a.Stop, a.Until, a.Start, a.End = stop, x.Until, time.Time{}, time.Time{}
		a.Decisions = append(slices.Clip(a.Decisions), *stop)
	}
}

// decisionOf reads "rule: message" as it stands with what is not planned.
func decisionOf(why string) *plan.Decision {
	rule, message, _ := strings.Cut(why, ": ")
	effect := plan.Hold // also what the engine itself says
	if strings.HasSuffix(rule, "."+string(plan.Deny)) {
		effect = plan.Deny
	}
	return &plan.Decision{Rule: rule, Effect: effect, Message: message}
}

// underModels decides the whole moment under the candidate's models.
func (r *reopened) underModels() (*candidates, error) {
	est := *r.est
	est.Models = r.laws.models
	d := new(decider)
	*d = *r.decider
	d.est, d.costs, d.exploits = &est, nil, nil
	if err := d.readModels(); err != nil {
		return nil, err
	}
	c := &candidates{answers: map[work]replay.Answer{}, approvals: map[string][]plan.Approval{}}
	other := &reopened{decider: d, env: r.env, laws: r.laws, found: r.found}
	for _, dr := range d.drafts(r.found) {
		dr.fill()
		d.score(dr)
		s := other.settle(d.policies, dr)
		c.approvals[dr.id] = s.plan.Approvals
		for _, a := range s.answers {
			c.answers[work{a.Host, a.Patch}] = a
		}
	}
	return c, nil
}

// side is what the candidate models lead to for the changes of a plan.
func (c *candidates) side(before replay.Side, id string) replay.Side {
	after := replay.Side{Approvals: before.Approvals}
	if list, ok := c.approvals[id]; ok {
		after.Approvals = list
	}
	for i := range before.Answers {
		if a, ok := c.answers[work{before.Answers[i].Host, before.Answers[i].Patch}]; ok {
			after.Answers = append(after.Answers, a)
		}
	}
	return after
}
