package engine

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
)

// compose writes the draft down as a plan. seen is the hosts that it could see.
func (d *decider) compose(dr *draft, seen plan.Population) *plan.Plan {
	p := &plan.Plan{Schema: plan.Schema, ID: dr.id, At: d.at, Inputs: d.inputs(), Population: seen, Rings: dr.rings, Timezone: d.est.Settings.Timezone}
	whole := d.policies.Decide(d.wholePlan(dr), d.est.Exceptions)
	if stop := stopper(whole); stop != nil {
		d.stopAll(dr, p, stop)
	}
	p.Patches = d.patches(dr)
	p.NotPlanned = d.notPlanned(dr)
	p.Approvals = policy.Approvals(slices.Concat(whole, required(dr)))
	p.Expires = d.expires(dr)
	return p
}

func (d *decider) wholePlan(dr *draft) *policy.Input {
	in := d.input(policy.Plan, "plan", d.at)
	in.Plan = d.planInput(dr)
	return &in
}

// stopAll takes everything out of a plan that policy stops as a whole.
func (d *decider) stopAll(dr *draft, p *plan.Plan, stop *plan.Decision) {
	for i := range dr.changes {
		if c := &dr.changes[i]; !c.out {
			dr.leave(d, c, stop.Rule+": "+stop.Message, until(stop))
		}
	}
	dr.rings, p.Rings = nil, nil
}

func (d *decider) inputs() plan.Inputs {
	g := d.est.Digests
	return plan.Inputs{Engine: d.version, Commit: string(d.commit), Inventory: g.Inventory, Rings: g.Rings, Policies: g.Policies, Models: g.Models, Advisories: g.Advisories, Outcomes: g.Outcomes}
}

func (d *decider) population() plan.Population {
	p := plan.Population{Declared: len(d.hosts), Uncovered: d.uncovered}
	for i := range d.hosts {
		switch f := d.hosts[i].Facts; {
		case f == nil || f.At.IsZero():
			p.Unknown++
		case d.at.Sub(f.At) > Stale:
			p.Stale++
		default:
			p.Fresh++
		}
	}
	return p
}

// patches writes down the draft's patches: those with nothing left to do too,
// since the reasons for that are part of the decision.
func (d *decider) patches(dr *draft) []plan.Patch {
	var list []plan.Patch
	shared, stay := dr.common(), d.noRollbacks(dr)
	for _, p := range dr.patches {
		m := p.found[0]
		out := plan.Patch{
			ID: p.id, Type: string(m.Type), Package: m.Package, To: m.To, Vendor: m.Vendor,
			Class: p.verdict.Class, Deadline: p.verdict.Deadline, Clock: p.verdict.Clock, ClockStart: p.verdict.Start, ClockFrom: p.verdict.From,
			KnownExploited: p.verdict.KnownExploited, DeployRisk: p.deploy, ExploitRisk: p.exploit, Reasons: d.reasonsOf(dr.id, p),
			Test: p.test, Feasible: p.feasible, Conflict: p.conflict, WaysOut: p.waysOut, NoRollback: stay[p.id],
		}
		for _, a := range p.advisories {
			out.Advisories = append(out.Advisories, a.ID)
			for _, c := range a.CVEs {
				out.CVEs = append(out.CVEs, c.ID)
			}
		}
		slices.Sort(out.CVEs)
		out.CVEs = slices.Compact(out.CVEs)
		out.Decisions = shared[p.id]
		list = append(list, out)
	}
	slices.SortFunc(list, func(a, b plan.Patch) int {
		return cmp.Or(cmp.Compare(plan.Rank(a.Class), plan.Rank(b.Class)), a.Deadline.Compare(b.Deadline), strings.Compare(string(a.ID), string(b.ID)))
	})
	return list
}

// common moves the decisions that every planned change of a patch has from the
// changes to the patch, and returns them by patch.
func (dr *draft) common() map[plan.PatchID][]plan.Decision {
	shared := map[plan.PatchID][]plan.Decision{}
	dr.each(func(c *plan.Change) {
		all, seen := shared[c.Patch]
		switch {
		case !seen:
			shared[c.Patch] = c.Decisions
		case len(all) > 0 && !alias(all, c.Decisions):
			shared[c.Patch] = slices.DeleteFunc(slices.Clone(all), func(x plan.Decision) bool { return !contains(c.Decisions, x) })
		}
	})
	dr.each(func(c *plan.Change) {
		all := shared[c.Patch]
		switch {
		case len(all) == 0:
		case alias(all, c.Decisions):
			c.Decisions = nil
		default:
			c.Decisions = slices.DeleteFunc(slices.Clone(c.Decisions), func(x plan.Decision) bool { return contains(all, x) })
		}
	})
	return shared
}

// alias says whether two slices are the same memory, as answers for the same
// projection are.
func alias(a, b []plan.Decision) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// each calls do for every planned change.
func (dr *draft) each(do func(*plan.Change)) {
	for r := range dr.rings {
		for w := range dr.rings[r].Waves {
			changes := dr.rings[r].Waves[w].Changes
			for i := range changes {
				do(&changes[i])
			}
		}
	}
}

func contains(list []plan.Decision, x plan.Decision) bool {
	return slices.ContainsFunc(list, func(y plan.Decision) bool { return same(x, y) })
}

// required are the require decisions of waves and changes: what they ask for,
// the plan asks for.
func required(dr *draft) []plan.Decision {
	var list []plan.Decision
	for _, x := range dr.asked {
		if x.Effect == plan.Require && !contains(list, x) {
			list = append(list, x)
		}
	}
	seen := map[*plan.Decision]bool{}
	for i := range dr.changes {
		c := &dr.changes[i]
		if c.out || len(c.decisions) == 0 || seen[&c.decisions[0]] {
			continue
		}
		seen[&c.decisions[0]] = true
		for _, x := range c.decisions {
			if x.Effect == plan.Require && !contains(list, x) {
				list = append(list, x)
			}
		}
	}
	return list
}

// notPlanned lists what was needed and is not planned. A reason that holds for
// every host of a patch is told once.
func (d *decider) notPlanned(dr *draft) []plan.Skipped {
	needs := map[plan.PatchID]int{}
	for _, p := range dr.patches {
		needs[p.id] = len(p.from)
	}
	type cause struct {
		patch plan.PatchID
		why   string
		until time.Time
	}
	counts := map[cause]int{}
	for _, s := range dr.skipped {
		counts[cause{s.Patch, s.Why, s.Until}]++
	}
	var list []plan.Skipped
	told := map[cause]bool{}
	for _, s := range dr.skipped {
		c := cause{s.Patch, s.Why, s.Until}
		if counts[c] == needs[s.Patch] && needs[s.Patch] > 1 {
			if told[c] {
				continue
			}
			told[c], s.Host = true, ""
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b plan.Skipped) int {
		return cmp.Or(strings.Compare(string(a.Patch), string(b.Patch)), cmp.Compare(a.Host, b.Host), strings.Compare(a.Why, b.Why))
	})
	return list
}

// expires is when nothing of the plan may start any more.
func (d *decider) expires(dr *draft) time.Time {
	last := d.at
	for _, r := range dr.rings {
		for _, w := range r.Waves {
			if w.End.After(last) {
				last = w.End
			}
		}
	}
	return last.Add(d.est.Settings.Expires)
}
