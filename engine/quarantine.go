package engine

import (
	"cmp"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
)

// quarantineFor is how long a patch that was stopped stays away from the hosts
// that are like those it failed on, and every patch from a host that needs a person.
const quarantineFor = 30 * 24 * time.Hour

// quarantine notes what was stopped, for every cohort that it failed on, what
// failed, for the host itself, and hosts that were left to people, for every patch.
func (d *decider) quarantine(m *meaning) {
	seen := map[policy.Quarantine]bool{}
	add := func(q policy.Quarantine) {
		if q.Until = q.At.Add(quarantineFor); d.at.Before(q.Until) && !seen[q] {
			seen[q] = true
			d.walls = append(d.walls, q)
		}
	}
	for _, l := range m.bad {
		q := policy.Quarantine{Patch: string(l.Patch), Plan: l.Plan, Ring: l.Ring, Host: string(l.Host), Cohort: string(l.Host), At: l.At, Why: l.Detail}
		if stop, stopped := m.stopped[l.Patch]; stopped {
			q.Host, q.Cohort, q.At, q.Why = "", d.cohort(l.Host), stop.At, stop.Detail
		}
		add(q)
	}
	for _, l := range m.stuck {
		add(policy.Quarantine{Patch: string(l.Patch), Plan: l.Plan, Ring: l.Ring, Host: string(l.Host), Cohort: string(l.Host), At: l.At, Why: l.Detail, Whole: true})
	}
}

// left says whether a line leaves its host to people: its rollback failed, did not
// help, or is not possible. Back is whether it was rolled back before.
func left(l outcome.Line, back bool) bool {
	switch {
	case l.Host == "" || !l.Undo():
		return false
	case l.Event == outcome.Held:
		return !back // afterwards it says that nothing is known of the host
	}
	return l.Event == outcome.Failed || l.Event == outcome.Degraded
}

// walled is what stands against a patch on a host, as far as nobody lifted it.
func (d *decider) walled(patch plan.PatchID, h *inventory.Host) []policy.Quarantine {
	var list []policy.Quarantine
	for _, q := range d.walls {
		if (q.Whole || q.Patch == string(patch)) && (q.Host == string(h.ID) || q.Host == "" && q.Cohort == d.role(h)) && !d.lifted(q, h) {
			list = append(list, q)
		}
	}
	return list
}

// lifted says whether an override lifts a quarantine from a host, nil from all of
// them: one that was recorded when it was there already. What fails after that is in
// quarantine again.
func (d *decider) lifted(q policy.Quarantine, h *inventory.Host) bool {
	return slices.ContainsFunc(d.est.Overrides, func(o outcome.Override) bool {
		return o.Kind == outcome.Lift && !o.At.Before(q.At) && stands(o, d.at) &&
			(o.Patch == "" || plan.PatchID(q.Patch).Matches(o.Patch)) && (o.Plan == "" || o.Plan == q.Plan) &&
			(o.Host == "" || o.Host == inventory.HostID(q.Host) || h != nil && o.Host == h.ID) &&
			(o.Service == "" || h != nil && slices.Contains(h.Services, o.Service))
	})
}

// cohort is the kind of host that evidence carries over to: those of the same
// role, or of the same primary service where no role is known.
func (d *decider) cohort(id inventory.HostID) string {
	i, ok := slices.BinarySearchFunc(d.est.Hosts, id, func(h inventory.Host, id inventory.HostID) int { return cmp.Compare(h.ID, id) })
	if !ok {
		return string(id)
	}
	return d.role(&d.est.Hosts[i])
}

// role is a host's role: its label, else that of its primary service, else the
// service's name.
func (d *decider) role(h *inventory.Host) string {
	if r := h.Labels["role"]; r != "" {
		return r
	}
	s := d.primary(h)
	if s == nil {
		return ""
	}
	return cmp.Or(s.Labels["role"], s.Name)
}
