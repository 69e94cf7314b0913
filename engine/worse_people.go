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

// tried finds rings that a patch comes to after fewer hosts than it would have. Nothing
// moves forward and nothing joins, so that as many are the same ones.
func (c *comparison) tried() {
	was, now := triedBefore(c.was), triedBefore(c.now)
	for _, ring := range sortedKeys(now) {
		for id, n := range now[ring] {
			if n < was[ring][id] {
				c.say("rings that come after fewer hosts", ring)
			}
		}
	}
}

// triedBefore is on how many hosts of earlier rings a patch is tried before it comes
// to each of its rings.
func triedBefore(p *plan.Plan) map[string]map[plan.PatchID]int {
	before := map[string]map[plan.PatchID]int{}
	soFar := map[plan.PatchID]int{}
	for i := range p.Rings {
		before[p.Rings[i].Name] = map[plan.PatchID]int{}
		here := map[plan.PatchID]int{}
		for j := range p.Rings[i].Waves {
			for k := range p.Rings[i].Waves[j].Changes {
				here[p.Rings[i].Waves[j].Changes[k].Patch]++
			}
		}
		for id, n := range here {
			before[p.Rings[i].Name][id] = soFar[id]
			soFar[id] += n
		}
	}
	return before
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
