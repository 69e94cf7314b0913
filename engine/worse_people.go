package engine

import (
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

func decisionsOf(p *plan.Plan) map[plan.PatchID][]plan.Decision {
	list := map[plan.PatchID][]plan.Decision{}
	for _, x := range p.Patches {
		list[x.ID] = x.Decisions
	}
	return list
}

// policy compares what rules say. What they required they must still require; a
// warning that went is no harm, and one that came was never read.
func (c *comparison) policy(name string, a, b []plan.Decision) {
	for _, x := range a {
		if x.Effect != plan.Warn && !slices.ContainsFunc(b, func(y plan.Decision) bool {
			return y.Rule == x.Rule && y.Effect == x.Effect && numbersOut(y.Message) == numbersOut(x.Message)
		}) {
			c.say("policy no longer says "+x.Rule, name)
		}
	}
	for _, y := range b {
		if y.Effect != plan.Require && !slices.ContainsFunc(a, func(x plan.Decision) bool { return x.Rule == y.Rule && x.Effect == y.Effect && x.Message == y.Message }) {
			c.say("policy now says "+y.Rule, name)
		}
	}
}

// leftOut finds rings in which a patch was tried before it came to those where
// it still comes.
func (c *comparison) leftOut() {
	was, now := ringsOfPatches(c.was), ringsOfPatches(c.now)
	for _, id := range sortedKeys(now) {
		for i := range c.was.Rings {
			name := c.was.Rings[i].Name
			later := slices.ContainsFunc(c.was.Rings[i+1:], func(r plan.Ring) bool { return now[id][r.Name] })
			if was[id][name] && !now[id][name] && later {
				c.say("rings that came first and are left out", name)
			}
		}
	}
}

func ringsOfPatches(p *plan.Plan) map[string]map[string]bool {
	in := map[string]map[string]bool{}
	for w, s := range spots(p) {
		if in[string(w.patch)] == nil {
			in[string(w.patch)] = map[string]bool{}
		}
		in[string(w.patch)][s.ring.Name] = true
	}
	return in
}

// people compares who is asked. Whoever is asked for a reason that was not there
// has not answered to it.
func (c *comparison) people() {
	for _, a := range c.was.Approvals {
		n := slices.IndexFunc(c.now.Approvals, func(b plan.Approval) bool { return b.From == a.From })
		switch {
		case n < 0 || c.now.Approvals[n].Count < a.Count:
			c.say("fewer people are asked", a.From)
		case !subset(reasonsOf(c.now.Approvals[n]), reasonsOf(a)):
			c.say("people who are asked for another reason", a.From)
		}
	}
}

func reasonsOf(a plan.Approval) []string { return numberless(strings.Split(a.Because, "; ")) }

func numberless(texts []string) []string {
	list := make([]string, len(texts))
	for i, t := range texts {
		list[i] = numbersOut(t)
	}
	return list
}

// numbersOut is a text without the numbers that stand alone in it: the months of
// an estate's own history grow by themselves, and web-01 is a name.
func numbersOut(text string) string {
	words := strings.Fields(text)
	for i, w := range words {
		if n := strings.Trim(w, "(),;.:%"); n != "" && strings.Trim(n, "0123456789.") == "" {
			words[i] = "#"
		}
	}
	return strings.Join(words, " ")
}
