package replay

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Gate is what both sides say of a change whose wave was due, when execute asked.
type Gate struct {
	Plan    string
	At      time.Time
	Host    inventory.HostID
	Patch   plan.PatchID
	Was, Is Verdict
}

// Says is a verdict in the words of a ledger, "" where nothing stops the change.
func (v Verdict) Says() string {
	if v.Effect == "" {
		return ""
	}
	return v.Rule + ": " + v.Message
}

// Gates is what would have been otherwise when waves were due. A change that was
// stopped when it was planned, on either side, is counted there and not here.
type Gates struct {
	Asked       bool          `json:"asked"`    // it was wanted
	Replayed    bool          `json:"replayed"` // false: nothing that is asked when a wave is due differs, and so none was asked again
	Answers     int           `json:"answers"`  // that ledgers have, and that came out the same under their own policies
	Held        Gated         `json:"held"`     // changes that began and would have been held
	Begun       Gated         `json:"begun"`    // that were held and would have begun
	NotReplayed []NotReplayed `json:"not_replayed"`
	Flips       []GateFlip    `json:"flips"` // by time, plan, host, patch
}

// Gated counts changes, each once however often it was asked about.
type Gated struct {
	Changes int `json:"changes"`
	Hosts   int `json:"hosts"`
	Failed  int `json:"failed"`  // of them failed, degraded or were rolled back then
	Healthy int `json:"healthy"` // of them were healthy then
	Never   int `json:"never"`   // of them had no result
	// Days are exposure-days: of Held those added at least, from when the change was
	// healthy until the rule opens, where it says so; of Begun those gained at most,
	// from when it would have begun until it was healthy.
	Days float64 `json:"exposure_days"`
}

// GateFlip is an answer that is another now.
type GateFlip struct {
	Plan  string           `json:"plan"`
	At    time.Time        `json:"at"` // when it was asked
	Host  inventory.HostID `json:"host"`
	Patch plan.PatchID     `json:"patch"`
	Was   Verdict          `json:"was"`
	Is    Verdict          `json:"is"`
	Then  outcome.Event    `json:"then"`           // what became of it, "" where it had no result
	Since time.Time        `json:"since,omitzero"` // when that was
}

// Gated says that what was asked when waves were due is asked again.
func (b *Builder) Gated() { b.report.Gates.Asked, b.report.Gates.Replayed = true, true }

// AddGates compares answers.
func (b *Builder) AddGates(list []Gate) {
	g := &b.report.Gates
	g.Answers += len(list)
	for _, x := range list {
		if (x.Was.Effect == "") != (x.Is.Effect == "") {
			g.Flips = append(g.Flips, GateFlip{Plan: x.Plan, At: x.At, Host: x.Host, Patch: x.Patch, Was: x.Was, Is: x.Is})
		}
	}
}

// SkipGate notes answers that could not be asked for again.
func (b *Builder) SkipGate(id, why string) {
	b.report.Gates.NotReplayed = append(b.report.Gates.NotReplayed, NotReplayed{id, why})
}

// gateKey is a change of a plan.
type gateKey struct {
	plan string
	work
}

// tallyGates counts what flipped when waves were due, the first time for each change.
func (b *Builder) tallyGates() {
	g := &b.report.Gates
	planned := map[gateKey]bool{}
	for _, f := range b.report.Flips {
		planned[gateKey{f.Plan, work{f.Host, f.Patch}}] = true
	}
	g.Flips = slices.DeleteFunc(g.Flips, func(f GateFlip) bool { return planned[gateKey{f.Plan, work{f.Host, f.Patch}}] })
	slices.SortFunc(g.Flips, func(a, b GateFlip) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Plan, b.Plan), compareWork(a.Host, a.Patch, b.Host, b.Patch))
	})
	slices.SortStableFunc(g.NotReplayed, func(a, b NotReplayed) int {
		return cmp.Or(strings.Compare(a.Plan, b.Plan), strings.Compare(a.Why, b.Why))
	})
	met := map[gateKey]bool{}
	hosts := [2]map[inventory.HostID]bool{{}, {}}
	for i := range g.Flips {
		f := &g.Flips[i]
		if fate := fateOf(b.fates[f.Plan], f.Host, f.Patch); fate != nil {
			f.Then, f.Since = fate.Event, fate.At
		}
		key := gateKey{f.Plan, work{f.Host, f.Patch}}
		if met[key] {
			continue
		}
		met[key] = true
		if f.Was.Effect == "" {
			g.Held.count(f, f.Is.Until.Sub(f.Since), f.Is.Until.IsZero())
			hosts[0][f.Host] = true
			b.rule(f.Is.Rule, f.Is.Message).DueStops++
		} else {
			g.Begun.count(f, f.Since.Sub(f.At), false)
			hosts[1][f.Host] = true
			b.rule(f.Was.Rule, f.Was.Message).DueOpens++
		}
	}
	g.Held.Hosts, g.Begun.Hosts = len(hosts[0]), len(hosts[1])
	g.Held.Days, g.Begun.Days = round(g.Held.Days), round(g.Begun.Days)
	g.NotReplayed, g.Flips = orEmpty(g.NotReplayed), orEmpty(g.Flips)
}

// count takes in one change, with the exposure of one that was healthy then.
func (g *Gated) count(f *GateFlip, exposure time.Duration, unknown bool) {
	g.Changes++
	switch {
	case f.Then == "":
		g.Never++
	case f.Then != outcome.Healthy:
		g.Failed++
	default:
		g.Healthy++
		if !unknown {
			g.Days += days(max(0, exposure))
		}
	}
}

func (g *Gated) says() string {
	return fmt.Sprintf("%s on %s: of these %s", count(g.Changes, "change"), count(g.Hosts, "host"),
		parts(fmt.Sprintf("%s failed then", thousands(g.Failed)), counted(g.Healthy, "were healthy"), counted(g.Never, "had no result")))
}

// totals are the lines about gates.
func (g *Gates) totals(add func(what, says string)) {
	if g.Held.Changes > 0 {
		add("held when due", g.Held.says())
		if g.Held.Days > 0 {
			add("", fmt.Sprintf("exposure at least %.1f host-days longer, from when they were healthy until the rule opens", g.Held.Days))
		}
	}
	if g.Begun.Changes > 0 {
		add("begun when due", g.Begun.says())
		if g.Begun.Days > 0 {
			add("", fmt.Sprintf("exposure at most %.1f host-days shorter, from when they would have begun until they were healthy", g.Begun.Days))
		}
	}
}

func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func were(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// limit says how far what was asked when waves were due is in the figures.
func (g *Gates) limit(name func(string) string) string {
	switch {
	case !g.Asked:
		return "What is asked when a wave is due was left out."
	case !g.Replayed:
		return "Nothing that is asked when a wave is due differs."
	case g.Answers == 0 && len(g.NotReplayed) == 0:
		return "No ledger has an answer of the policies to a wave that was due."
	}
	s := fmt.Sprintf("%s to waves that were due %s asked for again, from the commit before each; runs that wrote nothing,\nsince all was held with the same words, left none, and who approved is taken as it was.", count(g.Answers, "answer"), were(g.Answers))
	if n := len(g.NotReplayed); n > 0 {
		s += fmt.Sprintf("\n%s came out otherwise under the policies of then, or could not be asked for, and %s not counted: %s: %s.", count(n, "gate"), are(n), name(g.NotReplayed[0].Plan), name(clip(g.NotReplayed[0].Why, 200)))
	}
	return s
}
