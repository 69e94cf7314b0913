package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// worse says in what a plan may be worse than a version of it that somebody
// approved; nothing, when it is provably not, and the approval may stand: it
// does no more than that version, on no other host, from and to no other
// version, no sooner, in no earlier ring or wave, after no fewer hosts of earlier
// rings, with no other host at once, at no higher risk, watched no less, under no weaker rule, and it
// asks no fewer people. What it was not proven of counts as worse: another engine's plan, a
// new warning, an advisory that is no longer fixed.
//
// What may differ in any way: the inputs (policies, rings and models speak by
// what they made of the plan), the population seen, deadlines and clocks, the
// reasons of scores, what is not planned, ways out, and when approvals are due.
func worse(was, now *plan.Plan) []string {
	c := &comparison{was: was, now: now, before: spots(was)}
	c.document()
	c.patches()
	c.rings()
	c.changes()
	c.tried()
	c.people()
	return c.said()
}

// comparison is one pass over an approved plan and the one in its place.
type comparison struct {
	was, now *plan.Plan
	before   map[work]spot // where changes were
	kinds    []string      // of what is worse, in the order in which they were found
	names    map[string][]string
}

// spot is where a change stands in a plan.
type spot struct {
	r, w   int // of the ring among the plan's, of the wave in the ring
	ring   *plan.Ring
	wave   *plan.Wave
	change *plan.Change
}

func spots(p *plan.Plan) map[work]spot {
	at := map[work]spot{}
	for i := range p.Rings {
		r := &p.Rings[i]
		for j := range r.Waves {
			for k := range r.Waves[j].Changes {
				c := &r.Waves[j].Changes[k]
				at[work{c.Host, c.Patch}] = spot{i, j, r, &r.Waves[j], c}
			}
		}
	}
	return at
}

// say notes something worse, and of what.
func (c *comparison) say(kind, name string) {
	if c.names == nil {
		c.names = map[string][]string{}
	}
	if _, ok := c.names[kind]; !ok {
		c.kinds = append(c.kinds, kind)
	}
	if list := c.names[kind]; name != "" && !slices.Contains(list, name) {
		c.names[kind] = append(list, name)
	} else if list == nil {
		c.names[kind] = []string{}
	}
}

// worseNames is how many names are told of one kind.
const worseNames = 3

func (c *comparison) said() []string {
	var list []string
	for _, kind := range c.kinds {
		names := c.names[kind]
		text := strings.Join(names[:min(worseNames, len(names))], ", ")
		if more := len(names) - worseNames; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		if text != "" {
			kind += ": " + text
		}
		list = append(list, kind)
	}
	return list
}

func (c *comparison) document() {
	switch {
	case c.now.ID != c.was.ID || c.now.Schema != c.was.Schema:
		c.say("it is another plan", c.was.ID)
	case c.now.Inputs.Engine != c.was.Inputs.Engine:
		c.say("another engine made it, which may mean other things by it", c.now.Inputs.Engine)
	case c.now.At.Before(c.was.At):
		c.say("it is older than what was approved", "")
	}
}

// patches compares what holds for each patch that is still planned.
func (c *comparison) patches() {
	planned := map[plan.PatchID]bool{}
	for w := range spots(c.now) {
		planned[w.patch] = true
	}
	for i := range c.now.Patches {
		b := &c.now.Patches[i]
		if !planned[b.ID] {
			continue
		}
		n := slices.IndexFunc(c.was.Patches, func(p plan.Patch) bool { return p.ID == b.ID })
		if n < 0 {
			c.say("patches that were not in it", string(b.ID))
			continue
		}
		c.patch(&c.was.Patches[n], b)
	}
}

func (c *comparison) patch(a, b *plan.Patch) {
	id := string(b.ID)
	if a.Type != b.Type || a.Package != b.Package || a.To != b.To || a.Vendor != b.Vendor {
		c.say("patches that install something else", id)
	}
	if a.Class != b.Class {
		c.say("patches of another class", id)
	}
	if !subset(a.Advisories, b.Advisories) || !subset(a.CVEs, b.CVEs) || a.KnownExploited && !b.KnownExploited {
		c.say("patches with less reason to be installed", id)
	}
	if riskier(a.DeployRisk, b.DeployRisk) {
		c.say("higher risk of deploying", id)
	}
	if riskier(a.ExploitRisk, b.ExploitRisk) {
		c.say("higher risk of waiting", id)
	}
	if a.Test != b.Test && slices.Index(tests, b.Test) <= slices.Index(tests, a.Test) {
		c.say("patches that are tested less", id)
	}
	conflicts := func(p *plan.Patch) (list []string) {
		for _, x := range p.Conflict {
			list = append(list, x.Kind+" "+x.Name)
		}
		return list
	}
	if !b.Feasible && (a.Feasible || !subset(conflicts(b), conflicts(a))) {
		c.say("deadlines that can no longer be met", id)
	}
}

// tests are ways to try a patch, from the least thorough; an unknown one is less.
var tests = []string{"fast", "canary", "sandbox"}

// riskier says whether b may be the higher of two risks. Those of two sources do
// not compare.
func riskier(a, b plan.Risk) bool { return b.P > a.P || b.High > a.High || b.Source != a.Source }

// subset says whether every element of a is in b.
func subset(a, b []string) bool {
	return !slices.ContainsFunc(a, func(x string) bool { return !slices.Contains(b, x) })
}

// rings compares what holds for each ring.
func (c *comparison) rings() {
	last := -1
	for i := range c.now.Rings {
		b := &c.now.Rings[i]
		n := slices.IndexFunc(c.was.Rings, func(r plan.Ring) bool { return r.Name == b.Name })
		if n <= last {
			c.say("rings that were not in it, or stood later", b.Name)
			continue
		}
		last = n
		a := &c.was.Rings[n]
		if b.MaxFailures > a.MaxFailures {
			c.say("rings in which more may fail", b.Name)
		}
		if shorter(a.Soak, b.Soak) || !subset(numberless(a.Gates), numberless(b.Gates)) || b.Sandbox && !a.Sandbox {
			c.say("rings that wait for less", b.Name)
		}
		if b.StandsFor != nil && (a.StandsFor == nil || *b.StandsFor < *a.StandsFor) {
			c.say("rings whose hosts stand for fewer", b.Name)
		}
		if a.Watch != nil && blinder(*a.Watch, b.Watch) {
			c.say("rings that are watched less", b.Name)
		}
	}
}

// shorter says whether b may be the shorter of two durations.
func shorter(a, b string) bool {
	x, err := hclfile.ParseDuration(a)
	y, err2 := hclfile.ParseDuration(b)
	return a != b && (err != nil || err2 != nil || y < x)
}

// blinder says whether b may see less than a of hosts that go wrong.
func blinder(a plan.Watch, b *plan.Watch) bool {
	return b == nil || !subset(a.Signals, b.Signals) || b.Points < a.Points || b.MinRequests < a.MinRequests ||
		a.Within != "" && (b.Within == "" || shorter(b.Within, a.Within)) ||
		a.Rise > 0 && (b.Rise == 0 || b.Rise > a.Rise)
}

// changes compares each change with itself as it was.
func (c *comparison) changes() {
	old, fresh := decisionsOf(c.was), decisionsOf(c.now)
	late := map[plan.PatchID]bool{}
	for _, p := range c.now.Patches {
		late[p.ID] = !p.Feasible
	}
	stayed, stays := c.was.Stays(), c.now.Stays()
	for i := range c.now.Rings {
		for j := range c.now.Rings[i].Waves {
			var together *plan.Wave // in which the wave's changes were
			for k := range c.now.Rings[i].Waves[j].Changes {
				ring := &c.now.Rings[i]
				b := spot{i, j, ring, &ring.Waves[j], &ring.Waves[j].Changes[k]}
				name := string(b.change.Patch) + " on " + string(b.change.Host)
				a, ok := c.before[work{b.change.Host, b.change.Patch}]
				if !ok {
					c.say("changes that were not in it", name)
					continue
				}
				if together == nil {
					together = a.wave
				} else if together != a.wave {
					c.say("changes at once with others than before", name)
				}
				c.change(name, a, b, late[b.change.Patch])
				c.back(name, stayed(b.change.Host, b.change.Patch), stays(b.change.Host, b.change.Patch))
				c.policy(name, slices.Concat(old[b.change.Patch], a.change.Decisions), slices.Concat(fresh[b.change.Patch], b.change.Decisions))
			}
		}
	}
}

func (c *comparison) change(name string, a, b spot, late bool) {
	if a.change.From != b.change.From {
		c.say("changes from another version", name)
	}
	if riskier(a.change.DeployRisk, b.change.DeployRisk) {
		c.say("changes of higher risk", name)
	}
	place := slices.IndexFunc(c.was.Rings, func(r plan.Ring) bool { return r.Name == b.ring.Name })
	if place < a.r || place == a.r && b.w < a.w {
		c.say("changes in an earlier ring or wave", name)
	}
	if b.wave.Start.Before(a.wave.Start) {
		c.say("changes that begin earlier", name)
	}
	if open(b.wave) > open(a.wave) || b.wave.End.Sub(b.wave.Start) > a.wave.End.Sub(a.wave.Start) {
		c.say("changes whose wave lasts longer", name)
	}
	if shorter(a.wave.Soak, b.wave.Soak) {
		c.say("changes that soak for less", name)
	}
	if late && b.wave.End.After(a.wave.End) {
		c.say("changes that miss their deadline by more", name)
	}
}

// back compares whether a change can be rolled back: who approved what cannot be
// did so for the reason that was there, and knew what is done instead.
func (c *comparison) back(name string, a, b *plan.NoRollback) {
	if b != nil && (a == nil || a.Why != b.Why || a.Instead != b.Instead) {
		c.say("changes that cannot be rolled back, or for another reason", name)
	}
}

func open(w *plan.Wave) time.Duration { return w.NotAfter.Sub(w.Start) }
