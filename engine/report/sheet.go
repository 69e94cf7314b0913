package report

import (
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// sheet is a plan with what its changes come to. They are read once: a large
// fleet has a million of them.
type sheet struct {
	*plan.Plan
	planned []plan.Patch // those with at least one change: what is known to be exploited first, else in the plan's order
	hosts   int
	worst   plan.Change // the first of those most likely to go wrong
	uses    map[plan.PatchID]*use
}

// use is what a patch is planned for.
type use struct {
	hosts  int
	from   []string // versions that are there now, sorted
	begins *plan.Ring
}

func read(p *plan.Plan) *sheet {
	p = local(p)
	s := &sheet{Plan: p, uses: map[plan.PatchID]*use{}}
	hosts := map[inventory.HostID]bool{}
	last, none := inventory.HostID(""), true
	eachChange(p, func(r *plan.Ring, _ *plan.Wave, c *plan.Change) {
		s.see(r, c, none)
		if none || c.Host != last {
			hosts[c.Host] = true
		}
		last, none = c.Host, false
	})
	s.hosts = len(hosts)
	for _, u := range s.uses {
		slices.Sort(u.from)
	}
	s.planned = slices.DeleteFunc(slices.Clone(p.Patches), func(x plan.Patch) bool { return s.uses[x.ID] == nil })
	slices.SortStableFunc(s.planned, func(a, b plan.Patch) int { return number(b.KnownExploited) - number(a.KnownExploited) })
	return s
}

func (s *sheet) see(r *plan.Ring, c *plan.Change, first bool) {
	u := s.uses[c.Patch]
	if u == nil {
		u = &use{begins: r}
		s.uses[c.Patch] = u
	}
	u.hosts++
	if !slices.Contains(u.from, c.From) {
		u.from = append(u.from, c.From)
	}
	if first || c.DeployRisk.P > s.worst.DeployRisk.P {
		s.worst = *c
	}
}

func eachChange(p *plan.Plan, do func(*plan.Ring, *plan.Wave, *plan.Change)) {
	for i := range p.Rings {
		r := &p.Rings[i]
		for j := range r.Waves {
			w := &r.Waves[j]
			for k := range w.Changes {
				do(r, w, &w.Changes[k])
			}
		}
	}
}

// deadline is the earliest of what is planned, or of all where nothing is.
func (s *sheet) deadline() time.Time {
	list := s.planned
	if len(list) == 0 {
		list = s.Patches
	}
	if len(list) == 0 {
		return time.Time{}
	}
	return mostUrgent(list).Deadline
}

func (s *sheet) feasible() bool {
	return !slices.ContainsFunc(s.planned, func(x plan.Patch) bool { return !x.Feasible })
}

func mostUrgent(list []plan.Patch) plan.Patch {
	return slices.MinFunc(list, func(a, b plan.Patch) int { return a.Deadline.Compare(b.Deadline) })
}
