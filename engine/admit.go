package engine

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/match"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
	"github.com/ringmaster-dev/ringmaster/engine/rollback"
)

// admit asks the policies about every change before it is scheduled. What is
// denied or held is not planned, with the rule's words; the rest keeps its
// decisions.
func (d *decider) admit(dr *draft) {
	d.assign(dr)
	for i := range dr.changes {
		c := &dr.changes[i]
		if id, ok := d.running[work{d.hosts[c.host].ID, dr.patches[c.patch].id}]; ok {
			dr.leave(d, c, inHand+": plan "+id+" has it", time.Time{})
		} else if why := d.numberless(c.host, dr.patches[c.patch]); why != "" {
			dr.leave(d, c, why, time.Time{})
		}
	}
	places := dr.staying()
	decisions := d.ask(dr, places, "plan", d.at)
	for n, i := range places {
		c := &dr.changes[i]
		c.decisions = decisions[n]
		if stop := stopper(c.decisions); stop != nil {
			dr.leave(d, c, stop.Rule+": "+stop.Message, until(stop))
		}
	}
}

// inHand is why a change is not planned that a merged plan has.
const inHand = "already in hand"

// numberless says why a host's patch has no version to install, "" where it has
// one: repositories hold binaries, and those that are numbered apart from their
// source are not what its advisories name.
func (d *decider) numberless(host int32, p *patchDraft) string {
	m := p.found[0]
	b, ok := d.unnamed[match.Built{Host: host, Source: m.Package}]
	if !ok || !m.Source {
		return ""
	}
	return fmt.Sprintf("the binary %s %s is built from source %s %s, and which binary version carries %s is not known: an update in inventory/patches that names %s says it",
		b.Name, b.Version, b.Source, b.SourceVersion, m.To, b.Name)
}

// stopper is the strongest decision that keeps a change out, nil when none does.
func stopper(decisions []plan.Decision) *plan.Decision {
	for i := range decisions {
		if e := decisions[i].Effect; e == plan.Deny || e == plan.Hold {
			return &decisions[i]
		}
	}
	return nil
}

// until is the time a decision names as its end, zero when it names none.
func until(x *plan.Decision) time.Time {
	text, _ := x.Facts["until"].(string)
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// assign puts the draft's hosts into rings.
func (d *decider) assign(dr *draft) {
	var hosts []int32
	var members []ring.Member
	for _, c := range dr.changes {
		if n := len(hosts); n > 0 && hosts[n-1] == c.host {
			continue
		}
		hosts = append(hosts, c.host)
		m := d.member(&d.hosts[c.host])
		m.Kind = d.kinds().Of(int(c.host))
		members = append(members, m)
	}
	made := ring.Assign(d.est.Rings, members, d.kinds(), d.est.Settings.Name)
	dr.stands, dr.ringOf = made.Stands, make(map[int32]int, len(hosts))
	for i, h := range hosts {
		dr.ringOf[h] = made.Ring[i]
	}
}

func (d *decider) member(h *inventory.Host) ring.Member {
	m := ring.Member{Host: h.ID, Services: h.Services, Labels: h.Labels, Rank: lastRank}
	if s := d.primary(h); s != nil {
		m.Tier = s.Tier
		if t := d.tiers[s.Tier]; t != nil {
			m.Rank = t.Rank
		}
	}
	return m
}

// lastRank is that of a host in no service: less critical than any tier.
const lastRank = 1 << 20

// ask puts the changes at places to the policies.
func (d *decider) ask(dr *draft, places []int, phase string, at time.Time) [][]plan.Decision {
	base, vary := d.changeInputs(dr, places, phase, at)
	return d.policies.Batch(len(places), base, vary, d.est.Exceptions)
}

// changeInputs are the inputs of the changes at places, as a Batch takes them.
func (d *decider) changeInputs(dr *draft, places []int, phase string, at time.Time) (policy.Input, func(int, *policy.Input)) {
	type moving struct {
		patch int32
		back  rollback.Verdict
	}
	patches := map[moving]*policy.PatchInput{}
	views := newHostViews(d, dr.id)
	rings := make([]*policy.RingInput, len(d.est.Rings))
	for i := range d.est.Rings {
		rings[i] = ringInput(&d.est.Rings[i])
	}
	return d.input(policy.Change, phase, at), func(n int, in *policy.Input) {
		c := &dr.changes[places[n]]
		h := &d.hosts[c.host]
		m := moving{c.patch, d.goingBack(dr.patches[c.patch], c.from, h)}
		if patches[m] == nil {
			patches[m] = d.patchInput(dr.patches[c.patch], at)
			patches[m].Rollback = rollbackInput(m.back)
		}
		in.Patch = patches[m]
		in.Host = views.of(c.host, at, dr.patches[c.patch].id, c.risk)
		in.Service, in.Tier = views.service(h), views.tier(h)
		in.Ring = nil
		if r := dr.ringOf[c.host]; r >= 0 {
			in.Ring = rings[r]
		}
	}
}

// input is what every question shares.
func (d *decider) input(point policy.Point, phase string, at time.Time) policy.Input {
	s := d.est.Settings
	return policy.Input{
		Schema: policy.Schema, Point: point, Phase: phase, At: at,
		Estate:  policy.Estate{Name: s.Name, Clock: s.Clock, Review: cmp.Or(s.Review, "required"), Owners: s.Owners, Tiers: len(d.tiers)},
		History: policy.History{Months: d.history.Months, Outcomes: d.history.Outcomes, Ladder: string(d.history.Ladder), ModelAgeDays: d.modelAge()},
	}
}

func (d *decider) patchInput(p *patchDraft, at time.Time) *policy.PatchInput {
	m := p.found[0]
	in := &policy.PatchInput{
		ID: string(p.id), Type: string(m.Type), Package: m.Package, To: m.To, Vendor: m.Vendor,
		Kind: p.kind(), Class: string(p.verdict.Class), Deadline: p.verdict.Deadline,
		Clock: p.verdict.Clock, ClockSeconds: int64(p.verdict.Deadline.Sub(p.verdict.Start) / time.Second),
		KnownExploited: p.verdict.KnownExploited, DeployRisk: p.deploy, ExploitRisk: p.exploit, Reboot: p.reboot, KnownIssues: p.knownIssues,
		Alarms: d.alarmsOn(m.Vendor, m.Package),
	}
	cves := map[string]bool{}
	for _, a := range p.advisories {
		in.Reports += a.Reports
		for _, c := range a.CVEs {
			cves[c.ID] = true
		}
	}
	in.CVEs = len(cves)
	if at0 := p.published(); !at0.IsZero() {
		age := int64(at.Sub(at0) / time.Second)
		in.Published, in.AgeSeconds = at0, &age
	}
	return in
}

// kind is what a patch is for: security where any of its advisories is about it.
func (p *patchDraft) kind() string {
	kind := "security"
	for i, a := range p.advisories {
		if i == 0 || a.Kind == "security" {
			kind = string(a.Kind)
		}
	}
	return kind
}

// published is when the version that a patch moves to came out: the newest
// advisory that is fixed there, zero when none is dated.
func (p *patchDraft) published() time.Time {
	var last time.Time
	for _, a := range p.advisories {
		for _, f := range a.Fixes {
			if f.Fixed == p.found[0].To && a.Published.After(last) {
				last = a.Published
			}
		}
	}
	return last
}

func ringInput(r *ring.Ring) *policy.RingInput {
	return &policy.RingInput{Name: r.Name, Order: r.Order, SoakSeconds: int64(r.Soak / time.Second), MaxFailures: r.MaxFailures}
}

// hostViews are hosts, services and tiers as policies see them in a plan, made
// once each.
type hostViews struct {
	d        *decider
	plan     string // its id
	hosts    map[int32]*policy.HostInput
	services map[string]*policy.ServiceInput
	tiers    map[string]*policy.TierInput
}

func newHostViews(d *decider, id string) *hostViews {
	return &hostViews{d, id, map[int32]*policy.HostInput{}, map[string]*policy.ServiceInput{}, map[string]*policy.TierInput{}}
}

// of is a host with what depends on the patch.
func (v *hostViews) of(i int32, at time.Time, patch plan.PatchID, r plan.Risk) *policy.HostInput {
	base := v.hosts[i]
	if base == nil {
		base = v.d.hostInput(&v.d.hosts[i], at)
		v.hosts[i] = base
	}
	in := *base
	in.DeployRisk = r
	h := &v.d.hosts[i]
	in.Quarantine = append(in.Quarantine, v.d.walled(patch, h)...)
	for _, o := range v.d.est.Overrides {
		held := o.Kind == "stop" && o.Plan == "" || (o.Kind == "hold" || o.Kind == "exclude") && (o.Plan == "" || o.Plan == v.plan)
		if held && v.d.stands(o, patch, h) {
			in.Holds = append(in.Holds, policy.Override{Kind: o.Kind, By: o.By, Reason: o.Reason, Until: o.Until})
		}
	}
	return &in
}

func (d *decider) hostInput(h *inventory.Host, at time.Time) *policy.HostInput {
	in := &policy.HostInput{ID: string(h.ID), Labels: h.Labels, Modules: []string{}, Quarantine: []policy.Quarantine{}, Holds: []policy.Override{}}
	if in.Labels == nil {
		in.Labels = map[string]string{}
	}
	f := h.Facts
	if f == nil {
		return in
	}
	in.Known = true
	if !f.At.IsZero() {
		age := int64(at.Sub(f.At) / time.Second)
		in.AgeSeconds = &age
	}
	if f.OS != nil {
		in.OS, in.Version = f.OS.ID, f.OS.Version
	}
	in.Exposed, in.RebootPending, in.Drift, in.DiskFreeMB, in.MemFreeMB = f.Exposed, f.RebootPending, f.Drift, f.DiskFreeMB, f.MemFreeMB
	in.Modules = append(in.Modules, f.Modules...)
	return in
}

func (v *hostViews) service(h *inventory.Host) *policy.ServiceInput {
	s := v.d.primary(h)
	if s == nil {
		return nil
	}
	in := v.services[s.Name]
	if in == nil {
		in = &policy.ServiceInput{
			Name: s.Name, Tier: s.Tier, Owner: s.Owner, Labels: s.Labels, Exposure: s.Exposure, Compliance: slices.Concat([]string{}, s.Compliance),
			MinAvailable: s.MinAvailable, Users: s.Users, Hosts: v.d.sizes[s.Name], Dependents: len(v.d.needed[s.Name]),
		}
		if in.Labels == nil {
			in.Labels = map[string]string{}
		}
		v.services[s.Name] = in
	}
	return in
}

func (v *hostViews) tier(h *inventory.Host) *policy.TierInput {
	s := v.d.primary(h)
	if s == nil || v.d.tiers[s.Tier] == nil {
		return nil
	}
	in := v.tiers[s.Tier]
	if in == nil {
		t := v.d.tiers[s.Tier]
		in = &policy.TierInput{Name: t.Name, Rank: t.Rank, Autonomy: t.Autonomy, RiskTolerance: t.RiskTolerance, DowntimeCostPerMinute: t.DowntimeCostPerMinute}
		v.tiers[s.Tier] = in
	}
	return in
}
