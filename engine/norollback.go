package engine

import (
	"cmp"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
	"github.com/ringmaster-dev/ringmaster/engine/rollback"
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
)

// goingBack says whether a patch that is installed over a version can be rolled back
// on a host: the estate's last word counts, then what is known in general.
func (d *decider) goingBack(p *patchDraft, from string, h *inventory.Host) rollback.Verdict {
	for i := len(d.est.Rollbacks) - 1; i >= 0; i-- {
		r := &d.est.Rollbacks[i]
		if (len(r.Patches) == 0 || slices.ContainsFunc(r.Patches, p.id.Matches)) && r.Matches(d.member(h)) {
			if r.Possible {
				return rollback.Verdict{}
			}
			return rollback.Verdict{Why: r.Why, Instead: r.Instead}
		}
	}
	v, known := p.back[from]
	if !known {
		v = rollback.Judge(p.id, from, p.advisories)
		put(&p.back, from, v)
	}
	return v
}

// noRollbacks are why a draft's patches cannot be rolled back on the hosts that they
// are planned for.
func (d *decider) noRollbacks(dr *draft) map[plan.PatchID][]plan.NoRollback {
	type reason struct {
		patch plan.PatchID
		rollback.Verdict
	}
	hosts, planned := map[reason][]inventory.HostID{}, map[plan.PatchID]int{}
	for i := range dr.changes {
		c := &dr.changes[i]
		if c.out {
			continue
		}
		p, h := dr.patches[c.patch], &d.hosts[c.host]
		planned[p.id]++
		if v := d.goingBack(p, c.from, h); !v.Possible() {
			hosts[reason{p.id, v}] = append(hosts[reason{p.id, v}], h.ID)
		}
	}
	list := map[plan.PatchID][]plan.NoRollback{}
	for r, on := range hosts {
		x := plan.NoRollback{Why: r.Why, Instead: r.Instead, Hosts: on}
		if len(on) == planned[r.patch] {
			x.Hosts = nil
		}
		list[r.patch] = append(list[r.patch], x)
	}
	for _, reasons := range list {
		slices.SortFunc(reasons, func(a, b plan.NoRollback) int {
			return cmp.Or(cmp.Compare(a.Why, b.Why), cmp.Compare(a.Instead, b.Instead))
		})
	}
	return list
}

// rollbackInput is a verdict as policies read it.
func rollbackInput(v rollback.Verdict) policy.RollbackInput {
	return policy.RollbackInput{Possible: v.Possible(), Why: v.Why, Instead: v.Instead}
}

// plannedBack is whether a change of a merged plan can be rolled back, as it was
// approved.
func plannedBack(c *rollout.Change) rollback.Verdict {
	if c.Stays == nil {
		return rollback.Verdict{}
	}
	return rollback.Verdict{Why: c.Stays.Why, Instead: c.Stays.Instead}
}

// staying is how many hosts of a wave have a change that cannot be rolled back. A
// wave's changes are sorted by host.
func staying(w *plan.Wave, stays func(*plan.Change) bool) int {
	n, last := 0, inventory.HostID("")
	for i := range w.Changes {
		if c := &w.Changes[i]; (n == 0 || c.Host != last) && stays(c) {
			n, last = n+1, c.Host
		}
	}
	return n
}
