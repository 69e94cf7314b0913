package engine

import (
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
	"github.com/ringmaster-dev/ringmaster/engine/rollback"
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
)

// dueIn is the due changes of one wave.
type dueIn struct {
	ring    string
	ringNo  int
	number  int
	changes []*rollout.Change
}

func wavesOf(due []*rollout.Change) []*dueIn {
	var list []*dueIn
	for _, c := range due {
		i := slices.IndexFunc(list, func(w *dueIn) bool { return w.ring == c.Ring && w.number == c.Wave })
		if i < 0 {
			list = append(list, &dueIn{ring: c.Ring, ringNo: c.RingNo, number: c.Wave})
			i = len(list) - 1
		}
		list[i].changes = append(list[i].changes, c)
	}
	return list
}

// askDue puts changes that are due to the policies, as they are now.
func (d *decider) askDue(l *live, due []*rollout.Change) [][]plan.Decision {
	base, vary := d.dueInputs(l, due)
	return d.policies.Batch(len(due), base, vary, d.est.Exceptions)
}

// dueInputs are the inputs of changes that are due, as a Batch takes them.
func (d *decider) dueInputs(l *live, due []*rollout.Change) (policy.Input, func(int, *policy.Input)) {
	views := newHostViews(d, l.plan.ID)
	type moving struct {
		patch plan.PatchID
		back  rollback.Verdict
	}
	patches := map[moving]*policy.PatchInput{}
	return d.input(policy.Change, "execute", d.at), func(n int, in *policy.Input) {
		c := due[n]
		m := moving{c.Patch, plannedBack(c)}
		if p := l.plan.Patch(c.Patch); p != nil && patches[m] == nil {
			patches[m] = d.plannedPatch(p)
			patches[m].Rollback = rollbackInput(m.back)
		}
		in.Patch, in.Host, in.Service, in.Tier = patches[m], nil, nil, nil
		in.Ring = d.ringNamed(c.Ring)
		if i, ok := d.indexOf(c.Host); ok {
			h := &d.hosts[i]
			in.Host = views.of(int32(i), d.at, c.Patch, c.DeployRisk)
			in.Service, in.Tier = views.service(h), views.tier(h)
		} else {
			in.Host = &policy.HostInput{ID: string(c.Host), Labels: map[string]string{}, Modules: []string{}, DeployRisk: c.DeployRisk, Quarantine: []policy.Quarantine{}, Holds: []policy.Override{}}
		}
	}
}

// plannedPatch is a patch of a merged plan as policies see it now.
func (d *decider) plannedPatch(p *plan.Patch) *policy.PatchInput {
	in := &policy.PatchInput{
		ID: string(p.ID), Type: p.Type, Package: p.Package, To: p.To, Vendor: p.Vendor, Kind: "security", Class: string(p.Class),
		Deadline: p.Deadline, Clock: p.Clock, ClockSeconds: int64(p.Deadline.Sub(p.ClockStart) / time.Second), KnownExploited: p.KnownExploited,
		DeployRisk: p.DeployRisk, ExploitRisk: p.ExploitRisk, CVEs: len(p.CVEs), Alarms: d.alarmsOn(p.Vendor, p.Package),
	}
	draft := patchDraft{}
	for i := range d.est.Advisories {
		if a := &d.est.Advisories[i]; slices.Contains(p.Advisories, a.ID) {
			draft.advisories = append(draft.advisories, a)
			in.Kind, in.Reports = string(a.Kind), in.Reports+a.Reports
			for _, f := range a.Fixes {
				if f.Fixed == p.To && a.Published.After(in.Published) {
					in.Published = a.Published
				}
			}
		}
	}
	draft.describe(d.at)
	in.Reboot, in.KnownIssues = draft.reboot, draft.knownIssues
	if !in.Published.IsZero() {
		age := int64(d.at.Sub(in.Published) / time.Second)
		in.AgeSeconds = &age
	}
	return in
}

// dueWave is the wave as it would begin now: of its hosts those that are due. They are
// in the wave and not down besides, though one be tried again; nor are hosts that are
// intended already and asked about once more.
func (t *tip) dueWave(l *live, w *dueIn, due []*rollout.Change) *policy.Input {
	d := t.decider
	in := d.input(policy.Wave, "execute", d.at)
	in.Plan = d.livePlan(l)
	in.Ring = d.ringNamed(w.ring)
	if in.Ring == nil {
		in.Ring = &policy.RingInput{Name: w.ring}
	}
	first := w.changes[0]
	wave := plan.Wave{Start: d.at, End: d.at.Add(first.End.Sub(first.Start))}
	for _, c := range w.changes {
		wave.Changes = append(wave.Changes, c.Change)
	}
	counted := map[inventory.HostID]bool{}
	for _, c := range due {
		if c.State == rollout.Intended || c.Ring == w.ring && c.Wave == w.number {
			counted[c.Host] = true
		}
	}
	views := newWaveViews(d)
	for host := range t.down() {
		if counted[host] {
			continue
		}
		for _, s := range d.servicesOf(host) {
			views.down[s]++
		}
	}
	in.Wave = views.input(&wave, w.number, restarts(l.plan, d))
	in.Wave.NoRollback = staying(&wave, func(c *plan.Change) bool { return l.progress.Of(c.Host, c.Patch).Stays != nil })
	in.Wave.Earlier = earlierRings(l, w, d.at)
	return &in
}

// down are the hosts that may be down on some plan's account, those begun in
// this very step included.
func (t *tip) down() map[inventory.HostID]bool {
	hosts := map[inventory.HostID]bool{}
	for host := range t.begun {
		hosts[host] = true
	}
	for _, l := range t.live {
		for _, c := range l.progress.Changes {
			if busy(c.State) {
				hosts[c.Host] = true
			}
		}
	}
	return hosts
}

// busy says that the host may be down on the change's account.
func busy(s rollout.State) bool {
	switch s {
	case rollout.Intended, rollout.Undo, rollout.Failed, rollout.Degraded, rollout.Stuck, rollout.Unreachable, rollout.Unknown:
		return true
	}
	return false
}

func (d *decider) servicesOf(id inventory.HostID) []string {
	if h := d.hostOf(id); h != nil {
		return h.Services
	}
	return nil
}

// earlierRings says how far the lower rings are, for the patches of the wave.
func earlierRings(l *live, w *dueIn, at time.Time) []policy.RingProgress {
	list := []policy.RingProgress{}
	step := rollout.Next(l.progress, at)
	promoted := func(ring string, patch plan.PatchID) bool {
		return l.progress.Promoted[rollout.Stage{Ring: ring, Patch: patch}] ||
			slices.ContainsFunc(step.Lines, func(x outcome.Line) bool {
				return x.Event == outcome.Promoted && x.Ring == ring && x.Patch == patch
			})
	}
	for n, r := range l.plan.Rings[:w.ringNo] {
		allowed := r.MaxFailures
		p := policy.RingProgress{Name: r.Name, Order: n, Complete: true, MaxFailures: &allowed}
		in := false
		for _, c := range l.progress.Changes {
			if c.Ring != r.Name || !slices.ContainsFunc(w.changes, func(o *rollout.Change) bool { return o.Patch == c.Patch }) {
				continue
			}
			in = true
			if c.Bad {
				p.Failures++
			}
			p.Complete = p.Complete && promoted(r.Name, c.Patch)
		}
		if in {
			list = append(list, p)
		}
	}
	return list
}

// livePlan is a merged plan as policies see it.
func (d *decider) livePlan(l *live) *policy.PlanInput {
	class, group, _, _ := plan.ParseID(l.plan.ID)
	in := &policy.PlanInput{ID: l.plan.ID, Class: string(class), Group: group, Patches: len(l.plan.Patches), Feasible: true, HighestRank: lastRank, Services: []policy.PlanService{}}
	counts := map[string]int{}
	seen := map[inventory.HostID]bool{}
	for _, c := range l.progress.Changes {
		in.MaxRisk = max(in.MaxRisk, c.DeployRisk.High)
		if in.Start.IsZero() || c.Start.Before(in.Start) {
			in.Start = c.Start
		}
		if !seen[c.Host] {
			seen[c.Host] = true
			for _, s := range d.servicesOf(c.Host) {
				counts[s]++
			}
		}
	}
	in.Hosts = len(seen)
	for _, p := range l.plan.Patches {
		in.Feasible = in.Feasible && p.Feasible
		if in.Deadline.IsZero() || p.Deadline.Before(in.Deadline) {
			in.Deadline = p.Deadline
		}
	}
	for _, name := range sortedKeys(counts) {
		in.Services = append(in.Services, d.planService(name, counts[name]))
		in.HighestRank = min(in.HighestRank, in.Services[len(in.Services)-1].Rank)
	}
	in.SLASeconds = d.promised(in.Class)
	d.bound(in.Services, l.plan.Rings, func(id plan.PatchID) policy.ServicePatch {
		i := slices.IndexFunc(l.plan.Patches, func(p plan.Patch) bool { return p.ID == id })
		if i < 0 {
			return policy.ServicePatch{ID: string(id)}
		}
		p := d.plannedPatch(&l.plan.Patches[i])
		return policy.ServicePatch{ID: p.ID, Kind: p.Kind, Class: p.Class, Published: p.Published, Deadline: p.Deadline, KnownExploited: p.KnownExploited}
	})
	return in
}

// restarts says of a plan's patches whether they ask for a restart, as far as
// anybody says.
func restarts(p *plan.Plan, d *decider) map[plan.PatchID]*bool {
	list := map[plan.PatchID]*bool{}
	for i := range p.Patches {
		list[p.Patches[i].ID] = d.plannedPatch(&p.Patches[i]).Reboot
	}
	return list
}
