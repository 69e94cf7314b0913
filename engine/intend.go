package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
)

// Intend commits approvals and intents: what the next apply will do, and what
// follows from the ledgers alone (promoted, held, skipped, completed). It
// returns how many lines it wrote.
func (x *Executor) Intend(ctx context.Context, done *Executed) (int, error) {
	if err := x.ready(ctx); err != nil {
		return 0, err
	}
	var lines []outcome.Line
	err := contest("intending", func() error {
		t, err := x.look(ctx)
		if err != nil {
			return err
		}
		done.Refused, done.Held, done.Wake, done.For, done.Open = t.refused, nil, time.Time{}, "", len(t.live)
		changes := map[string][]byte{}
		lines = nil
		for _, l := range t.live {
			new := x.intents(t, l, done)
			if len(new) == 0 {
				continue
			}
			lines = append(lines, new...)
			if err := x.extend(l, new, changes); err != nil {
				return err
			}
		}
		if len(lines) == 0 {
			return nil
		}
		return x.commit(ctx, t, changes, intentMessage(lines))
	})
	if err != nil {
		return 0, err
	}
	done.add(lines)
	x.tell(lines)
	return len(lines), nil
}

func intentMessage(lines []outcome.Line) string {
	n := 0
	for _, l := range lines {
		if l.Event == outcome.Intended {
			n++
		}
	}
	if n == 0 {
		return fmt.Sprintf("outcomes: %d lines", len(lines))
	}
	return fmt.Sprintf("intents: %d changes", n)
}

// extend appends lines to a plan's ledger, and the approvals before its first.
func (x *Executor) extend(l *live, lines []outcome.Line, changes map[string][]byte) error {
	if len(l.ledger) == 0 && len(l.approvals) > 0 {
		data, err := outcome.AppendApprovals(nil, l.plan.Digest, l.approvals)
		if err != nil {
			return err
		}
		changes[outcome.ApprovalsPath(l.plan.ID)] = data
	}
	data, err := outcome.Append(l.ledger, l.plan.Digest, lines)
	if err != nil {
		return err
	}
	changes[outcome.Path(l.plan.ID)] = data
	return nil
}

// intents are the lines that a plan's ledger gets now.
func (x *Executor) intents(t *tip, l *live, done *Executed) []outcome.Line {
	step := rollout.Next(l.progress, x.At)
	done.wake(step.Wake, l.plan.ID+": "+step.For)
	t.unjudged(l, x.At, done)
	lines := step.Lines
	stop, undo := x.stopped(t, l.plan.ID, done)
	if undo {
		for _, c := range step.Rollback {
			line := l.progress.Line(c, x.At, outcome.Intended, "rollback: "+c.Detail)
			line.Key, line.From, line.To = c.UndoKey(l.plan.ID), line.To, line.From
			lines = append(lines, line)
		}
	}
	if !stop {
		lines = append(lines, x.gate(t, l, step.Apply, done)...)
	}
	return x.stamp(t, lines)
}

// stopped says whether an override "stop" stands, so that nothing of a plan
// begins, and whether what went wrong is rolled back all the same: a stop takes
// that away only where it says so.
func (x *Executor) stopped(t *tip, id string, done *Executed) (stop, undo bool) {
	undo = true
	for _, o := range t.est.Overrides {
		if o.Kind != "stop" || o.Host != "" || o.Service != "" || o.Patch != "" || o.Plan != "" && o.Plan != id || !stands(o, x.At) {
			continue
		}
		what := ""
		if stop = true; o.Value == outcome.StopAll {
			undo, what = false, " with rollbacks"
		}
		done.Held = append(done.Held, fmt.Sprintf("plan %s: stopped%s by %s: %s", id, what, o.By, o.Reason))
		done.wake(o.Until, id+": the stop by "+o.By+" ends")
	}
	return stop, undo
}

// gate asks the policies again about what is due, and returns intents for what
// they let pass and held lines for what they do not. A held line is written
// once for each reason.
func (x *Executor) gate(t *tip, l *live, due []*rollout.Change, done *Executed) []outcome.Line {
	due = slices.DeleteFunc(slices.Clone(due), func(c *rollout.Change) bool {
		waits := t.occupied(l, c.Host)
		if waits {
			done.wake(c.NotAfter.Add(time.Second), fmt.Sprintf("%s: the wave of %s on %s is over; until then another plan has the host in hand", l.plan.ID, c.Patch, c.Host))
		}
		return waits
	})
	if len(due) == 0 {
		return nil
	}
	stops := t.gates(l, due)
	var lines []outcome.Line
	for i, c := range due {
		if stops[i] != "" {
			done.Held = append(done.Held, fmt.Sprintf("%s on %s: %s", c.Patch, c.Host, stops[i]))
			done.wake(c.NotAfter.Add(time.Second), fmt.Sprintf("%s: the wave of %s on %s is over; until then each run asks the policies again", l.plan.ID, c.Patch, c.Host))
			if c.HeldWith != stops[i] {
				lines = append(lines, l.progress.Line(c, x.At, outcome.Held, stops[i]))
			}
			continue
		}
		line := l.progress.Line(c, x.At, outcome.Intended, "")
		line.Key = fmt.Sprintf("%s/%s/%s/%d", l.plan.ID, c.Host, c.Patch, c.Attempt+1)
		lines = append(lines, line)
		t.begun[c.Host] = l
	}
	return lines
}

// occupied says whether another plan has a host in hand: what is done to it, or
// soaks there, is judged first, so that trouble can be put down to one thing.
// The waiting change begins when that is over and its own wave is still open.
func (t *tip) occupied(l *live, host inventory.HostID) bool {
	if by := t.begun[host]; by != nil && by != l {
		return true
	}
	return slices.ContainsFunc(t.live, func(o *live) bool { return o != l && o.progress.Busy(host) })
}

// stamp adds to lines what only this run knows.
func (x *Executor) stamp(t *tip, lines []outcome.Line) []outcome.Line {
	for i := range lines {
		l := &lines[i]
		l.Engine, l.Run = x.Version, x.Run
		if l.Features == nil {
			l.Features = t.decider.features(l)
		}
		if l.Fleet == "" && l.Host != "" {
			if h := t.decider.hostOf(l.Host); h != nil {
				f, _ := t.decider.fleetOf(h)
				l.Fleet = f.Kind
			}
		}
	}
	return lines
}

// gates asks about changes that are due, in the waves they are in, and returns
// for each why it may not begin, "" where it may.
func (t *tip) gates(l *live, due []*rollout.Change) []string {
	d := t.decider
	stops := make([]string, len(due))
	decisions := d.askDue(l, due)
	for i := range due {
		if s := stopper(decisions[i]); s != nil {
			stops[i] = s.Rule + ": " + s.Message
		}
	}
	for _, wave := range wavesOf(due) {
		in := t.dueWave(l, wave)
		s := stopper(d.policies.Decide(in, d.est.Exceptions))
		for i := range due {
			if s != nil && stops[i] == "" && due[i].Ring == wave.ring && due[i].Wave == wave.number {
				stops[i] = s.Rule + ": " + s.Message
			}
		}
	}
	return stops
}

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
	views := newHostViews(d)
	patches := map[plan.PatchID]*policy.PatchInput{}
	for i := range l.plan.Patches {
		p := &l.plan.Patches[i]
		patches[p.ID] = d.plannedPatch(p)
	}
	return d.input(policy.Change, "execute", d.at), func(n int, in *policy.Input) {
		c := due[n]
		in.Patch, in.Host, in.Service, in.Tier = patches[c.Patch], nil, nil, nil
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

// dueWave is the wave as it would begin now: of its hosts those that are due.
func (t *tip) dueWave(l *live, w *dueIn) *policy.Input {
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
	views := newWaveViews(d)
	for host := range t.down() {
		for _, s := range d.servicesOf(host) {
			views.down[s]++
		}
	}
	in.Wave = views.input(&wave, w.number, restarts(l.plan, d))
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
	case rollout.Intended, rollout.Undo, rollout.Failed, rollout.Degraded, rollout.Stuck, rollout.Unreachable:
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

// wake notes that something may be due at a time.
func (d *Executed) wake(t time.Time, what string) {
	if !t.IsZero() && (d.Wake.IsZero() || t.Before(d.Wake)) {
		d.Wake, d.For = t, what
	}
}

func (d *Executed) add(lines []outcome.Line) {
	d.Lines = append(d.Lines, lines...)
	for _, l := range lines {
		switch l.Event {
		case outcome.Held, outcome.RolledBack, outcome.Degraded, outcome.Failed:
			d.Standing = true
		}
	}
	d.Standing = d.Standing || len(d.Held) > 0 || len(d.Refused) > 0
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
