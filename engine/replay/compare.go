package replay

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Builder gathers plans into a report. The order in which they come does not
// matter.
type Builder struct {
	report  Report
	fates   map[string][]Fate
	trouble map[work][]outcome.Incident
	rules   map[string]*Rule
	teams   map[string]*Approval
	spoken  map[spokenKey][]spoken
	reclass map[reclassKey]int // → hosts
	ends    map[string]map[work]time.Time
}

// New begins a report.
func New() *Builder {
	return &Builder{fates: map[string][]Fate{}, rules: map[string]*Rule{}, teams: map[string]*Approval{}, spoken: map[spokenKey][]spoken{},
		reclass: map[reclassKey]int{}, ends: map[string]map[work]time.Time{}}
}

type reclassKey struct {
	plan  string
	patch plan.PatchID
	was   plan.Class
	is    plan.Class
}

// Happened says what became of a plan's changes: also of a plan that is not
// replayed, since a patch that waited in one plan was perhaps healthy in another.
func (b *Builder) Happened(id string, fates []Fate) {
	if len(fates) > 0 {
		b.fates[id] = fates
	}
}

// Troubled says which incidents the estate recorded. One without a patch or a host was
// nobody's doing, and is passed over.
func (b *Builder) Troubled(list []outcome.Incident) {
	b.trouble = map[work][]outcome.Incident{}
	for _, x := range list {
		if x.Patch != "" && x.Host != "" {
			w := work{x.Host, plan.PatchID(x.Patch)}
			b.trouble[w] = append(b.trouble[w], x)
		}
	}
}

// Skip notes a plan that could not be replayed.
func (b *Builder) Skip(id, why string) {
	b.report.NotReplayed = append(b.report.NotReplayed, NotReplayed{id, why})
}

// Unread notes a plan whose outcomes cannot be read: of its changes it is not
// known what became.
func (b *Builder) Unread(id, why string) {
	b.report.Unread = append(b.report.Unread, NotReplayed{id, why})
}

// Add compares the two sides of a plan. A change that only one side has is passed
// over.
func (b *Builder) Add(p Plan) {
	b.report.Plans++
	b.report.Decisions += p.Questions
	after := p.After.Answers
	for i := range p.Before.Answers {
		x := &p.Before.Answers[i]
		for len(after) > 0 && compareWork(after[0].Host, after[0].Patch, x.Host, x.Patch) < 0 {
			after = after[1:]
		}
		if len(after) > 0 && after[0].Host == x.Host && after[0].Patch == x.Patch {
			b.compare(&p, x, &after[0])
		}
	}
	b.approvals(&p)
}

func (b *Builder) compare(p *Plan, was, is *Answer) {
	if was.Class != is.Class {
		b.reclass[reclassKey{p.ID, was.Patch, was.Class, is.Class}]++
	}
	said, says := was.Decisions, is.Decisions
	if !was.Start.IsZero() && !is.Start.IsZero() { // what is said of waves is compared where both have one
		said, says = was.Planned, is.Planned
	}
	for _, s := range b.differences(said, says) {
		r := b.rule(s.rule, s.says)
		if s.more {
			r.More++
		} else {
			r.Less++
		}
	}
	r := &b.report
	switch {
	case was.Stop == nil && is.Stop == nil:
		b.scheduled(was, is)
	case was.Stop == nil:
		b.flip(p, was, is)
	case is.Stop == nil:
		b.flip(p, was, is)
		ends := b.ends[p.ID]
		if ends == nil {
			ends = map[work]time.Time{}
			b.ends[p.ID] = ends
		}
		ends[work{is.Host, is.Patch}] = is.End
	case was.Stop.Effect == plan.Hold && is.Stop.Effect == plan.Deny:
		r.Harder++
	case was.Stop.Effect == plan.Deny && is.Stop.Effect == plan.Hold:
		r.Softer++
	}
}

// scheduled compares the waves of a change that both sides let pass.
func (b *Builder) scheduled(was, is *Answer) {
	r := &b.report
	switch {
	case was.Start.IsZero():
	case is.Start.IsZero():
		r.Squeezed++
	case !is.Start.Equal(was.Start):
		r.Moved++
		r.MovedDays += days(is.Start.Sub(was.Start))
	}
}

func (b *Builder) flip(p *Plan, was, is *Answer) {
	f := Flip{Plan: p.ID, At: p.At, Host: was.Host, Patch: was.Patch, Was: verdict(was), Is: verdict(is), RiskWas: was.Risk, RiskIs: is.Risk}
	b.report.Flips = append(b.report.Flips, f)
}

func verdict(a *Answer) Verdict {
	if a.Stop == nil {
		return Verdict{}
	}
	return Verdict{Effect: a.Stop.Effect, Rule: a.Stop.Rule, Message: a.Stop.Message, Until: a.Until}
}

func (b *Builder) rule(name, says string) *Rule {
	r := b.rules[name]
	if r == nil {
		r = &Rule{Rule: name, Says: says}
		b.rules[name] = r
	}
	if says != "" && (r.Says == "" || says < r.Says) {
		r.Says = says // the first by letter, whatever order plans come in
	}
	return r
}

// spoken is a rule that one side has and the other has not.
type spoken struct {
	rule, says string
	more       bool
}

// spokenKey is two lists of decisions by where they lie in memory: answers to
// equal questions share a list.
type spokenKey struct {
	was, is   *plan.Decision
	nWas, nIs int
}

func (b *Builder) differences(was, is []plan.Decision) []spoken {
	key := spokenKey{nWas: len(was), nIs: len(is)}
	if len(was) > 0 {
		key.was = &was[0]
	}
	if len(is) > 0 {
		key.is = &is[0]
	}
	if key.was == key.is && key.nWas == key.nIs {
		return nil
	}
	list, ok := b.spoken[key]
	if !ok {
		list = append(only(is, was, true), only(was, is, false)...)
		b.spoken[key] = list
	}
	return list
}

// only are the rules that speak in a and not in b, each once.
func only(a, b []plan.Decision, more bool) []spoken {
	var list []spoken
	for _, d := range a {
		has := func(x plan.Decision) bool { return x.Rule == d.Rule && x.Effect == d.Effect }
		if !slices.ContainsFunc(b, has) && !slices.ContainsFunc(list, func(s spoken) bool { return s.rule == d.Rule }) {
			list = append(list, spoken{d.Rule, d.Message, more})
		}
	}
	return list
}

func (b *Builder) approvals(p *Plan) {
	counts := map[string][2]int{}
	for side, list := range [2][]plan.Approval{p.Before.Approvals, p.After.Approvals} {
		for _, a := range list {
			c := counts[a.From]
			c[side] += a.Count
			counts[a.From] = c
		}
	}
	for team, c := range counts {
		t := b.teams[team]
		if t == nil {
			t = &Approval{From: team, More: []string{}, Fewer: []string{}}
			b.teams[team] = t
		}
		t.Before, t.After = t.Before+c[0], t.After+c[1]
		switch {
		case c[1] > c[0]:
			t.More = append(t.More, p.ID)
		case c[1] < c[0]:
			t.Fewer = append(t.Fewer, p.ID)
		}
	}
}

// Report is what was gathered, as known at a time. The builder is used up.
func (b *Builder) Report(at time.Time) *Report {
	r := &b.report
	r.Schema, r.At = Schema, at
	slices.SortFunc(r.Flips, func(a, b Flip) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Plan, b.Plan), compareWork(a.Host, a.Patch, b.Host, b.Patch))
	})
	slices.SortFunc(r.NotReplayed, func(a, b NotReplayed) int { return strings.Compare(a.Plan, b.Plan) })
	b.tally()
	b.tallyGates()
	for key, hosts := range b.reclass {
		r.Reclassed = append(r.Reclassed, Reclassed{key.plan, key.patch, key.was, key.is, hosts})
	}
	slices.SortFunc(r.Reclassed, func(a, b Reclassed) int { return cmp.Or(cmp.Compare(a.Plan, b.Plan), cmp.Compare(a.Patch, b.Patch)) })
	for _, x := range b.rules {
		x.Days = round(x.Days)
		r.Rules = append(r.Rules, *x)
	}
	slices.SortFunc(r.Rules, func(a, b Rule) int {
		return cmp.Or(b.Stops-a.Stops, b.Opens-a.Opens, b.DueStops+b.DueOpens-a.DueStops-a.DueOpens, b.More+b.Less-a.More-a.Less, strings.Compare(a.Rule, b.Rule))
	})
	for _, t := range b.teams {
		if len(t.More) > 0 || len(t.Fewer) > 0 {
			slices.Sort(t.More)
			slices.Sort(t.Fewer)
			r.Approvals = append(r.Approvals, *t)
		}
	}
	slices.SortFunc(r.Approvals, func(a, b Approval) int { return strings.Compare(a.From, b.From) })
	r.MovedDays = round(r.MovedDays)
	r.whole()
	return r
}

// whole makes lists that are nil empty.
func (r *Report) whole() {
	r.Changed, r.NotReplayed, r.Reclassed = orEmpty(r.Changed), orEmpty(r.NotReplayed), orEmpty(r.Reclassed)
	r.Unread = orEmpty(r.Unread)
	r.Rules, r.Hosts, r.Approvals, r.Flips = orEmpty(r.Rules), orEmpty(r.Hosts), orEmpty(r.Approvals), orEmpty(r.Flips)
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// tally counts flips, which are sorted, by rule and host.
func (b *Builder) tally() {
	t := tally{b: b, hosts: map[inventory.HostID]*Host{}, met: map[work]bool{}, troubled: map[work]bool{}}
	wanted := map[work]bool{}
	for i := range b.report.Flips {
		if f := &b.report.Flips[i]; f.Was.Effect != "" {
			wanted[work{f.Host, f.Patch}] = true
		}
	}
	t.healthy = healthyOn(b.fates, wanted)
	for i := range b.report.Flips {
		f := &b.report.Flips[i]
		if fate := fateOf(b.fates[f.Plan], f.Host, f.Patch); fate != nil {
			f.Then, f.Since = fate.Event, fate.At
		}
		h := t.hosts[f.Host]
		if h == nil {
			h = &Host{Host: f.Host}
			t.hosts[f.Host] = h
		}
		if f.Was.Effect == "" {
			t.stopped(f, h)
		} else {
			t.opened(f, h)
		}
	}
	r := &b.report
	for _, h := range t.hosts {
		if h.Stopped > 0 {
			r.Stopped.Hosts++
		}
		if h.Opened > 0 {
			r.Opened.Hosts++
		}
		h.Days = round(h.Days)
		r.Hosts = append(r.Hosts, *h)
	}
	slices.SortFunc(r.Hosts, func(a, b Host) int {
		return cmp.Or(b.Failed-a.Failed, b.Stopped-a.Stopped, b.Opened-a.Opened, cmp.Compare(a.Host, b.Host))
	})
	r.Opened.Unplaced = r.Opened.Changes - r.Opened.Ended - r.Opened.Waiting
	r.Stopped.Days, r.Stopped.Minutes, r.Opened.Days = round(r.Stopped.Days), round(r.Stopped.Minutes), round(r.Opened.Days)
}

type tally struct {
	b        *Builder
	hosts    map[inventory.HostID]*Host
	healthy  map[work][]time.Time
	met      map[work]bool // let pass by an earlier plan → in a wave
	troubled map[work]bool // whose incidents were counted
}

// incidents counts those of a change, once however many plans had it.
func (t *tally) incidents(f *Flip) {
	w := work{f.Host, f.Patch}
	if t.troubled[w] {
		return
	}
	t.troubled[w] = true
	s := &t.b.report.Stopped
	for _, x := range t.b.trouble[w] {
		if x.Opened.Before(f.At) {
			continue
		}
		s.Incidents++
		if x.Minutes != nil {
			s.Minutes += *x.Minutes
		}
	}
}

// stopped counts a change that was let pass and is stopped. Where it was healthy
// then, the host would have been exposed until the rule opens.
func (t *tally) stopped(f *Flip, h *Host) {
	s, r := &t.b.report.Stopped, t.b.rule(f.Is.Rule, f.Is.Message)
	s.Changes, r.Stops, h.Stopped = s.Changes+1, r.Stops+1, h.Stopped+1
	t.incidents(f)
	switch {
	case f.Then == "":
		s.Never++
	case f.Then != outcome.Healthy:
		s.Failed, r.Failed, h.Failed = s.Failed+1, r.Failed+1, h.Failed+1
	case f.Is.Until.IsZero():
		s.Healthy, r.Healthy = s.Healthy+1, r.Healthy+1
		s.OpenEnd, r.OpenEnd = s.OpenEnd+1, r.OpenEnd+1
	default:
		s.Healthy, r.Healthy = s.Healthy+1, r.Healthy+1
		d := days(max(0, f.Is.Until.Sub(f.Since)))
		f.Days = pointer(round(d))
		s.Days, r.Days, h.Days = s.Days+d, r.Days+d, h.Days+d
	}
}

// opened counts a change that was stopped and is let pass. A patch waits for a
// host once, however many plans ask: the earliest that lets it pass counts.
func (t *tally) opened(f *Flip, h *Host) {
	o := &t.b.report.Opened
	o.Decisions, h.Opened = o.Decisions+1, h.Opened+1
	t.b.rule(f.Was.Rule, f.Was.Message).Opens++
	w := work{f.Host, f.Patch}
	placed, met := t.met[w]
	if !met {
		o.Changes++
	}
	end := t.b.ends[f.Plan][w]
	if t.met[w] = placed || !end.IsZero(); placed || end.IsZero() {
		return
	}
	then := firstFrom(t.healthy[w], f.At)
	if then.IsZero() {
		o.Waiting++
		return
	}
	d := days(max(0, then.Sub(end)))
	f.Days = pointer(round(d))
	o.Ended++
	o.Days += d
	h.Days -= d
}

func days(d time.Duration) float64 { return d.Hours() / 24 }

func round(x float64) float64 { return math.Round(x*10) / 10 }

func pointer(x float64) *float64 { return &x }
