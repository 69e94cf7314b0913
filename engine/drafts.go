package engine

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/clock"
	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/match"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
)

// drafts sorts what matching found into plans: every patch is judged for each
// group of services on its own, since exposure and impact differ, and goes into
// the draft of its class there.
func (d *decider) drafts(found match.Result) []*draft {
	d.unnamed = found.Unnamed
	byKey := map[string]*draft{}
	seen := d.standings()
	for _, group := range d.grouped(found) {
		for _, p := range group.patches {
			p.verdict = d.judge(p, seen)
			key := string(p.verdict.Class) + "-" + group.name
			dr := byKey[key]
			if dr == nil {
				dr = &draft{class: p.verdict.Class, group: group.name}
				dr.id = d.nextID(dr.class, dr.group)
				byKey[key] = dr
			}
			dr.patches = append(dr.patches, p)
		}
	}
	return slices.SortedFunc(maps.Values(byKey), func(a, b *draft) int { return strings.Compare(a.id, b.id) })
}

// nextID is the id of the next plan of a class and group: one more than were
// merged, and never one that was.
func (d *decider) nextID(class plan.Class, group string) string {
	merged := maps.Clone(d.taken)
	if merged == nil {
		merged = map[string]bool{}
	}
	for _, done := range d.deeds {
		merged[done.plan.ID] = true
	}
	n := 1
	for id := range merged {
		if c, g, _, _ := plan.ParseID(id); c == class && g == group {
			n++
		}
	}
	for merged[plan.ID(class, group, n)] {
		n++
	}
	return plan.ID(class, group, n)
}

// fill lists the draft's changes by host, then patch. Those of a host are
// counted first, so that each change goes to its place at once.
func (dr *draft) fill() {
	slices.SortFunc(dr.patches, func(a, b *patchDraft) int { return cmp.Compare(a.id, b.id) })
	last := int32(-1)
	for _, p := range dr.patches {
		for _, f := range p.from {
			last = max(last, f.host)
		}
	}
	next := make([]int32, last+2) // host → place of its next change
	for _, p := range dr.patches {
		for _, f := range p.from {
			next[f.host+1]++
		}
	}
	for h := range last + 1 {
		next[h+1] += next[h]
	}
	dr.changes = make([]change, next[last+1])
	for i, p := range dr.patches {
		for _, f := range p.from {
			dr.changes[next[f.host]] = change{host: f.host, patch: int32(i), from: f.from}
			next[f.host]++
		}
	}
}

// group is the patches that one group of services needs.
type group struct {
	name    string
	patches []*patchDraft
}

// grouped splits each patch by the group of its hosts. Patches of several
// platforms with the same id become one.
func (d *decider) grouped(found match.Result) []group {
	groupOf := make([]string, len(d.hosts))
	for i := range d.hosts {
		groupOf[i] = d.groupOf(&d.hosts[i])
	}
	byGroup := map[string]map[plan.PatchID]*patchDraft{}
	here := map[string]*patchDraft{} // those of the group of hosts at hand
	for i := range found.Patches {
		m := &found.Patches[i]
		for _, g := range m.Groups {
			clear(here)
			for _, h := range g.Hosts {
				p := here[groupOf[h]]
				if p == nil {
					p = draftOf(byGroup, groupOf[h], m)
					here[groupOf[h]] = p
				}
				p.from = append(p.from, from{h, g.From})
			}
		}
	}
	var groups []group
	for _, name := range slices.Sorted(maps.Keys(byGroup)) {
		g := group{name: name}
		for _, id := range slices.Sorted(maps.Keys(byGroup[name])) {
			p := byGroup[name][id]
			slices.SortFunc(p.from, func(a, b from) int { return cmp.Compare(a.host, b.host) })
			p.advisories = d.advisoriesOf(p.found)
			p.describe(d.at)
			g.patches = append(g.patches, p)
		}
		groups = append(groups, g)
	}
	return groups
}

// draftOf is a group's draft of a matched patch, made when it is first met.
func draftOf(byGroup map[string]map[plan.PatchID]*patchDraft, group string, m *match.Patch) *patchDraft {
	patches := byGroup[group]
	if patches == nil {
		patches = map[plan.PatchID]*patchDraft{}
		byGroup[group] = patches
	}
	p := patches[m.ID]
	if p == nil {
		p = &patchDraft{id: m.ID}
		patches[m.ID] = p
	}
	if len(p.found) == 0 || p.found[len(p.found)-1] != m {
		p.found = append(p.found, m)
	}
	return p
}

func (d *decider) groupOf(h *inventory.Host) string {
	if s := d.primary(h); s != nil {
		return s.Group
	}
	return "main"
}

// primary is the service that a host's tier, owner and window come from.
func (d *decider) primary(h *inventory.Host) *inventory.Service {
	if len(h.Services) == 0 {
		return nil
	}
	return d.services[h.Services[0]]
}

// advisoriesOf lists the advisories of matched patches by id, each once.
func (d *decider) advisoriesOf(found []*match.Patch) []*advisory.Advisory {
	var list []*advisory.Advisory
	for _, m := range found {
		for _, i := range m.Advisories {
			list = append(list, &d.est.Advisories[i])
		}
	}
	slices.SortFunc(list, func(a, b *advisory.Advisory) int { return strings.Compare(a.ID, b.ID) })
	return slices.Compact(list)
}

// describe gathers what the advisories say of the update as such.
func (p *patchDraft) describe(at time.Time) {
	for _, a := range p.advisories {
		if a.Reboot != nil && (p.reboot == nil || *a.Reboot) {
			p.reboot = a.Reboot
		}
		for _, k := range a.KnownIssues {
			if !k.At.After(at) && (k.Resolved == nil || k.Resolved.After(at)) {
				p.knownIssues++
			}
		}
	}
}

// judge works out class and deadline for the hosts of one group. Where waiting
// costs more than the rules' class allows for, it becomes stricter.
func (d *decider) judge(p *patchDraft, seen []standing) clock.Verdict {
	f := clock.Facts{Advisories: p.advisories, Knowledge: &d.est.Knowledge, Detected: d.at, At: d.at, SLA: d.est.Settings.SLA}
	f.Exposure, f.Impact = worst(p, seen)
	v := clock.Judge(f)
	balance := d.weigh(p, v.KnownExploited)
	if tight := balance.Tighten(v.Class); tight != v.Class {
		f.Loss = tight
		v = clock.Judge(f)
	}
	v.Reasons = slices.Concat(v.Reasons, balance.Reasons)
	return v
}

// weigh balances deploying a patch now against waiting, in money.
func (d *decider) weigh(p *patchDraft, exploited bool) risk.Balance {
	if d.costs == nil {
		d.costs = risk.Costs(d.est.Services, d.est.Tiers)
		d.economy = economyOf(d.est, d.at)
		d.exploits = risk.NewExploits(&d.est.Knowledge, d.at)
	}
	hosts := map[string]int{}
	for _, f := range p.from {
		for _, s := range d.hosts[f.host].Services {
			hosts[s]++
		}
	}
	var stakes []risk.Stake
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		s := d.services[name]
		stake := risk.Stake{
			Service: name, Tier: s.Tier, Cost: d.costs[name], Exposure: s.Exposure, Hosts: hosts[name], Of: d.sizes[name],
			Install: s.Install, Rollback: s.Rollback,
		}
		if t := d.tiers[s.Tier]; t != nil {
			stake.Tolerance = t.RiskTolerance
		}
		stakes = append(stakes, stake)
	}
	deploy := d.outlook(p, p.found[0].Groups[0].From).Score(nil)
	exploit, _ := d.exploits.Score(p.advisories)
	return d.economy.Weigh(stakes, deploy, exploit, exploited)
}

// economyOf is what an estate declares and, of failed changes until a time, has
// seen.
func economyOf(est *estate.Estate, at time.Time) risk.Economy {
	e := est.Settings.Economy
	return risk.Economy{Currency: e.Currency, Detection: e.Detection, Compromise: e.Compromise, Reach: e.Reach, Past: risk.PastDowntime(est.Services, est.Incidents, at)}
}

var (
	exposures = []string{"isolated", "internal", "internet"}
	impacts   = []string{"low", "medium", "high", "very high"}
)

// standing is how much a host is exposed, and what its failing means to people;
// "" where it is unknown.
type standing struct{ exposure, impact string }

// standings are those of all hosts.
func (d *decider) standings() []standing {
	list := make([]standing, len(d.hosts))
	for i := range d.hosts {
		list[i] = standing{d.exposure(&d.hosts[i]), d.impact(&d.hosts[i])}
	}
	return list
}

// worst is the worst exposure and human impact among a patch's hosts. One host
// of which it is unknown makes it unknown, unless another is at the top already.
func worst(p *patchDraft, seen []standing) (exposure, impact string) {
	e, i := worstOf{words: exposures}, worstOf{words: impacts}
	for _, f := range p.from {
		e.see(seen[f.host].exposure)
		i.see(seen[f.host].impact)
	}
	return e.word(), i.word()
}

// worstOf is the last of an ascending list of words that was seen.
type worstOf struct {
	words   []string
	top     int // 1 + index
	unknown bool
}

func (w *worstOf) see(word string) {
	if i := slices.Index(w.words, word); i >= 0 {
		w.top = max(w.top, i+1)
		return
	}
	w.unknown = true
}

func (w *worstOf) word() string {
	if w.top == 0 || w.unknown && w.top < len(w.words) {
		return ""
	}
	return w.words[w.top-1]
}

// exposure is a host's: what its facts say when they say exposed, else the
// widest of its services'.
func (d *decider) exposure(h *inventory.Host) string {
	if h.Facts != nil && h.Facts.Exposed != nil && *h.Facts.Exposed {
		return "internet"
	}
	w := worstOf{words: exposures}
	for _, s := range h.Services {
		w.see(d.services[s].Exposure)
	}
	if word := w.word(); word != "" {
		return word
	}
	if h.Facts != nil && h.Facts.Exposed != nil {
		return "internal"
	}
	return ""
}

// impact is SSVC's human impact of a host: the service's own word, else from
// the rank of its tier.
func (d *decider) impact(h *inventory.Host) string {
	w := worstOf{words: impacts}
	for _, name := range h.Services {
		s := d.services[name]
		word := s.HumanImpact
		if t := d.tiers[s.Tier]; word == "" && t != nil {
			word = impacts[max(0, len(impacts)-t.Rank)]
		}
		w.see(word)
	}
	return w.word()
}
