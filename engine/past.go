package engine

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/match"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
)

// quarantineFor is how long a patch that was stopped stays away from the hosts
// that are like those it failed on.
const quarantineFor = 30 * 24 * time.Hour

// past applies what the ledgers know: what is installed since the facts were
// taken, what is in hand, and what is quarantined.
func (d *decider) past() error {
	d.running = map[work]string{}
	d.hosts = slices.Clone(d.est.Hosts)
	moves := map[inventory.HostID][]move{}
	for _, done := range d.deeds {
		g, err := rollout.Read(done.plan, done.lines)
		if err != nil {
			return err
		}
		if !done.gone {
			d.inHand(g)
		}
		d.quarantine(done)
		for _, l := range done.lines {
			if v := versionAfter(l); v != "" {
				moves[l.Host] = append(moves[l.Host], move{l.At, l.Patch, v})
			}
		}
	}
	lists := map[string]*inventory.List{}
	for i := range d.hosts {
		if list := moves[d.hosts[i].ID]; list != nil {
			d.hosts[i].Packages = moved(&d.hosts[i], list, lists)
		}
	}
	return nil
}

// inHand notes the changes that a merged plan may still carry out.
func (d *decider) inHand(g *rollout.Progress) {
	if g.Complete || !d.at.Before(g.Plan.Expires) {
		return
	}
	for _, c := range g.Changes {
		if !c.State.Ended() && g.Held[c.Patch] == "" {
			d.running[work{c.Host, c.Patch}] = g.Plan.ID
		}
	}
}

// move is a package that came to another version.
type move struct {
	at      time.Time
	patch   plan.PatchID
	version string
}

// versionAfter is the version that a host has after an event, "" when the event
// moves none.
func versionAfter(l outcome.Line) string {
	switch l.Event {
	case outcome.Applied:
		return l.To
	case outcome.RolledBack:
		return l.To
	}
	return ""
}

// moved returns a host's packages with the moves applied that are later than its
// facts. Hosts with the same packages that made the same moves go on sharing a
// list, which lists keeps.
func moved(h *inventory.Host, moves []move, lists map[string]*inventory.List) *inventory.List {
	if h.Facts == nil || h.Packages.Len() == 0 {
		return h.Packages
	}
	slices.SortStableFunc(moves, func(a, b move) int { return a.at.Compare(b.at) })
	moves = slices.DeleteFunc(moves, func(m move) bool { return m.at.Before(h.Facts.At) })
	if len(moves) == 0 {
		return h.Packages
	}
	key := fmt.Sprintf("%p", h.Packages)
	for _, m := range moves {
		key += "\x00" + string(m.patch) + "\x00" + m.version
	}
	if lists[key] == nil {
		lists[key] = h.Packages.Changed(func(p inventory.Package) inventory.Package {
			for _, m := range moves {
				p = m.apply(p)
			}
			return p
		})
	}
	return lists[key]
}

// apply brings a package that a move is about to its version.
func (m move) apply(p inventory.Package) inventory.Package {
	typ, name, _, ok := m.patch.Parts()
	if !ok || string(p.Type) != typ || cmp.Or(p.Source, p.Name) != name && p.Name != name {
		return p
	}
	p.Version = m.version
	if p.SourceVersion != "" {
		p.SourceVersion = m.version
	}
	return p
}

// quarantine notes what was stopped, for every cohort that it failed on, and
// what failed, for the host itself.
func (d *decider) quarantine(done deed) {
	stopped := map[plan.PatchID]outcome.Line{}
	for _, l := range done.lines {
		if l.Event == outcome.Held && l.Host == "" && l.Patch != "" {
			stopped[l.Patch] = l
		}
	}
	seen := map[policy.Quarantine]bool{}
	for _, l := range done.lines {
		if l.Event != outcome.Failed && l.Event != outcome.Degraded && l.Event != outcome.RolledBack {
			continue
		}
		q := policy.Quarantine{Patch: string(l.Patch), Plan: l.Plan, Ring: l.Ring, Host: string(l.Host), At: l.At, Until: l.At.Add(quarantineFor), Why: l.Detail}
		if stop, ok := stopped[l.Patch]; ok {
			q.Cohort, q.Host, q.At, q.Until, q.Why = d.cohort(l.Host), "", stop.At, stop.At.Add(quarantineFor), stop.Detail
		}
		if !seen[q] && d.at.Before(q.Until) {
			seen[q] = true
			d.walls = append(d.walls, q)
		}
	}
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

// linesByPlan is what the ledgers say, by plan.
func linesByPlan(list []deed) map[string][]outcome.Line {
	lines := map[string][]outcome.Line{}
	for _, d := range list {
		lines[d.plan.ID] = d.lines
	}
	return lines
}

// leftovers tells the most urgent plan of each group what matching could not
// decide, and where scanners and matching differ.
func (d *decider) leftovers(plans []*plan.Plan, found match.Result) {
	first := map[string]*plan.Plan{}
	for _, p := range plans {
		class, group, _, _ := plan.ParseID(p.ID)
		if o := first[group]; o == nil || plan.Rank(class) < plan.Rank(classOf(o)) {
			first[group] = p
		}
	}
	if len(plans) == 0 {
		return
	}
	at := map[inventory.HostID]*plan.Plan{}
	for i := range d.hosts {
		at[d.hosts[i].ID] = first[d.groupOf(&d.hosts[i])]
	}
	for _, u := range found.Undecided {
		if p := at[u.Host]; p != nil {
			p.NotPlanned = append(p.NotPlanned, undecided(u))
		}
	}
	for _, u := range found.Unfixed {
		d.unfixed(u, at)
	}
	for _, x := range found.Disputes {
		if p := at[x.Host]; p != nil {
			p.Scanners = append(p.Scanners, x)
		}
	}
}

func undecided(u match.Undecided) plan.Skipped {
	why := u.Why
	if u.Advisory != "" {
		why = u.Advisory + ": " + why
	}
	return plan.Skipped{Patch: plan.PatchID(u.Package), Host: u.Host, Why: "undecided: " + why}
}

// unfixed tells each group's plan which of its hosts are affected by something
// that no published version fixes.
func (d *decider) unfixed(u match.Unfixed, at map[inventory.HostID]*plan.Plan) {
	why := d.est.Advisories[u.Advisory].ID + ": no fixed version is published"
	for _, g := range u.Groups {
		for _, h := range g.Hosts {
			id := d.hosts[h].ID
			if p := at[id]; p != nil {
				p.NotPlanned = append(p.NotPlanned, plan.Skipped{Patch: plan.PatchID(string(u.Type) + ":" + u.Package), Host: id, Why: why})
			}
		}
	}
}

func classOf(p *plan.Plan) plan.Class {
	class, _, _, _ := plan.ParseID(p.ID)
	return class
}

// sortedKeys are a map's keys in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
