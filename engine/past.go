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
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
)

// meaning is what a merged plan and its ledger mean, whatever the estate and the
// time that they are looked at for.
type meaning struct {
	patches []plan.PatchID // those of the plan
	open    []work         // changes that may still be carried out
	bad     []outcome.Line // that failed, degraded or were rolled back
	stuck   []outcome.Line // that left their hosts to people
	stopped map[plan.PatchID]outcome.Line
	moves   []hostMove // in the ledger's order
	moved   time.Time  // the newest move
}

func meaningOf(done deed) (*meaning, error) {
	m := &meaning{stopped: map[plan.PatchID]outcome.Line{}}
	for i := range done.plan.Patches {
		m.patches = append(m.patches, done.plan.Patches[i].ID)
	}
	g, err := rollout.Read(done.plan, done.lines)
	if err != nil {
		return nil, err
	}
	if !done.gone && !g.Complete {
		for _, c := range g.Changes {
			if !c.State.Ended() && g.Held[c.Patch] == "" {
				m.open = append(m.open, work{c.Host, c.Patch})
			}
		}
	}
	m.take(done.lines)
	return m, nil
}

// take adds what lines mean by themselves.
func (m *meaning) take(lines []outcome.Line) {
	back := map[work]bool{}
	for _, l := range lines {
		w := work{l.Host, l.Patch}
		if left(l, back[w]) {
			m.stuck = append(m.stuck, l)
		}
		back[w] = back[w] || l.Event == outcome.RolledBack
		switch l.Event {
		case outcome.Failed, outcome.Degraded, outcome.RolledBack:
			m.bad = append(m.bad, l)
		case outcome.Held:
			if l.Host == "" && l.Patch != "" {
				m.stopped[l.Patch] = l
			}
		}
		if v := versionAfter(l); v != "" {
			m.moves = append(m.moves, hostMove{l.Host, move{l.At, l.Patch, v}})
			if l.At.After(m.moved) {
				m.moved = l.At
			}
		}
	}
}

// past applies what the ledgers know: what is installed since the facts were
// taken, what is in hand, and what is quarantined.
func (d *decider) past() error {
	list := make([]*meaning, len(d.deeds))
	for i, done := range d.deeds {
		var err error
		if list[i], err = meaningOf(done); err != nil {
			return err
		}
	}
	d.apply(list)
	return nil
}

// apply is past, with what each deed means.
func (d *decider) apply(list []*meaning) {
	d.running = map[work]string{}
	d.hosts = slices.Clone(d.est.Hosts)
	moves := map[inventory.HostID][]move{}
	oldest := d.oldestFacts()
	for i, m := range list {
		if p := d.deeds[i].plan; d.at.Before(p.Expires) {
			for _, w := range m.open {
				d.running[w] = p.ID
			}
		}
		d.quarantine(m)
		if m.moved.Before(oldest) {
			continue // facts know of all of it
		}
		for _, x := range m.moves {
			moves[x.host] = append(moves[x.host], x.move)
		}
	}
	lists := map[string]*inventory.List{}
	for i := range d.hosts {
		if list := moves[d.hosts[i].ID]; list != nil {
			d.hosts[i].Packages = moved(&d.hosts[i], list, lists)
		}
	}
}

// oldestFacts is when the oldest facts of a host were taken, zero where no host
// has any.
func (d *decider) oldestFacts() time.Time {
	var oldest time.Time
	met := false
	for i := range d.hosts {
		if f := d.hosts[i].Facts; f != nil && (!met || f.At.Before(oldest)) {
			oldest, met = f.At, true
		}
	}
	return oldest
}

// move is a package that came to another version.
type move struct {
	at      time.Time
	patch   plan.PatchID
	version string
}

// hostMove is a move of one host.
type hostMove struct {
	host inventory.HostID
	move
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
