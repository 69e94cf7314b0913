package engine

import (
	"cmp"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
)

// indexOf finds a host among the decider's, which are sorted by id.
func (d *decider) indexOf(id inventory.HostID) (int, bool) {
	return slices.BinarySearchFunc(d.hosts, id, func(h inventory.Host, id inventory.HostID) int { return cmp.Compare(h.ID, id) })
}

func (d *decider) hostOf(id inventory.HostID) *inventory.Host {
	if i, ok := d.indexOf(id); ok {
		return &d.hosts[i]
	}
	return nil
}

// features is what is known of a line's patch and host: what models learn from.
// What nobody reported is left out.
func (d *decider) features(l *outcome.Line) map[string]any {
	if l.Patch == "" {
		return map[string]any{}
	}
	h := d.hostOf(l.Host)
	k := risk.Know(d.plannedAs(l.Plan, l.Patch, l.From), h, d.setting(h), d.at)
	f := k.Features()
	if h != nil && len(h.Services) > 0 {
		f["service"] = h.Services[0]
	}
	return f
}

// setting is what the estate says of a host beyond the host itself.
func (d *decider) setting(h *inventory.Host) risk.Setting {
	if h == nil {
		return risk.Setting{}
	}
	s := risk.Setting{Role: d.role(h), At: d.at, Start: d.opens(h)}
	if p := d.primary(h); p != nil {
		dependents, others := len(d.needed[p.Name]), d.sizes[p.Name]-1
		s.Tier, s.Dependents, s.Redundancy = p.Tier, &dependents, &others
	}
	return s
}

// opens is when a host's window opens next, zero where it has none or several: a
// score is made before waves are, so this is the hour at which a change is taken to
// begin.
func (d *decider) opens(h *inventory.Host) time.Time {
	names := d.windows(h)
	if len(names) != 1 {
		return time.Time{}
	}
	if start, ok := d.starts[names[0]]; ok {
		return start
	}
	if d.starts == nil {
		d.starts = map[string]time.Time{}
	}
	for _, w := range d.est.Windows {
		if w.Name == names[0] {
			if next, ok := w.Next(d.at); ok {
				d.starts[w.Name] = slices.MaxFunc([]time.Time{next.Start, d.at}, time.Time.Compare)
			}
		}
	}
	return d.starts[names[0]]
}

// plannedAs is a patch of a merged plan as models see it: with the advisories
// that the plan names, as far as this commit has them.
func (d *decider) plannedAs(id string, patch plan.PatchID, from string) risk.Patch {
	_, name, to, _ := patch.Parts()
	p := risk.Patch{ID: patch, Package: name, From: from, To: to}
	for _, done := range d.deeds {
		if done.plan.ID != id {
			continue
		}
		for _, x := range done.plan.Patches {
			if x.ID == patch {
				p.Package, p.Vendor, p.To, p.Advisories = x.Package, x.Vendor, x.To, d.advisoriesNamed(x.Advisories)
			}
		}
	}
	return p
}

// advisoriesNamed are the advisories with these ids, in the order of the ids.
func (d *decider) advisoriesNamed(ids []string) []*advisory.Advisory {
	var list []*advisory.Advisory
	for _, id := range ids {
		i, ok := slices.BinarySearchFunc(d.est.Advisories, id, func(a advisory.Advisory, id string) int { return cmp.Compare(a.ID, id) })
		for ; ok && i < len(d.est.Advisories) && d.est.Advisories[i].ID == id; i++ {
			list = append(list, &d.est.Advisories[i])
		}
	}
	return list
}
