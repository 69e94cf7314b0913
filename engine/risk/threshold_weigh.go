package risk

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

const termLoss = "expected loss"

// longest is the most hours a break-even time is given as: ten years or more.
const longest = 10 * 365 * 24

// Balance is deploying a patch now against waiting with it.
type Balance struct {
	Class     plan.Class    // that follows, "" where none does: the rules' class stands
	Service   string        // whose balance makes that class
	Hosts     int           // of services whose cost is known
	Waiting   float64       // money per hour, over those services
	Deploying float64       // money once, over those services
	BreakEven Hours         // Deploying / Waiting
	Above     float64       // the probability of exploitation within 30 days above which waiting for 30 days costs Service more than deploying now
	Reasons   []plan.Reason // what is said of it: the money, the class, and what was missing; effects are 0
}

// Hours is a time with the interval it is known to: from the low end of deploy
// risk and the high end of exploit risk to the opposite. 87600 is ten years or
// more.
type Hours struct{ H, Low, High float64 }

// Weigh balances deploying a patch now against waiting. deploy is the risk on one
// host of the patch, exploit the probability that it is needed within 30 days; a
// patch that is known to be needed is taken at 0.9 or more. A service without a
// known cost is left out, and said to be; where none is left, or nothing is to be
// exploited, there is no class.
//
// The class is the strictest that any service has by itself, so that one with
// much to lose by deploying does not outweigh one with much to lose by waiting.
// It is for Tighten: it never makes a class less strict than the rules do.
func (e Economy) Weigh(stakes []Stake, deploy, exploit plan.Risk, knownExploited bool) Balance {
	if exploit.Source == FromNone && !knownExploited {
		return Balance{Reasons: []plan.Reason{{Term: termLoss, Value: "fixes no vulnerability: nothing that can be counted is lost by waiting; the rules' class stands"}}}
	}
	if knownExploited {
		exploit.P = max(exploit.P, likely)
		exploit.High = max(exploit.High, exploit.P)
	}
	w := weighing{Economy: e, deploy: deploy, exploit: exploit}
	for _, s := range slices.SortedFunc(slices.Values(stakes), func(a, b Stake) int { return cmp.Compare(a.Service, b.Service) }) {
		w.add(s)
	}
	return w.balance()
}

// Tighten is the stricter of the rules' class and the balance's.
func (b Balance) Tighten(rules plan.Class) plan.Class {
	if b.Class != "" && plan.Rank(b.Class) < plan.Rank(rules) {
		return b.Class
	}
	return rules
}

// weighing is a Weigh under way.
type weighing struct {
	Economy
	deploy, exploit plan.Risk
	hosts, services int
	down, exposed   float64 // Σ C·M·a, Σ 60·C·r·H
	decides         Stake
	class           plan.Class
	without         []string // services whose cost is not known
	notes           []string
}

// add takes a service into the balance.
func (w *weighing) add(s Stake) {
	if !s.Cost.Known() {
		w.without = append(w.without, s.Service)
		return
	}
	sc := w.scale(s)
	w.services++
	w.hosts += s.Hosts
	w.down += float64(s.Cost.PerMinute * sc.deploying)
	w.exposed += float64(s.Cost.PerMinute * sc.exposed)
	w.note(s)
	class := sc.class(w.deploy.P, hazard(w.exploit.P))
	if w.class == "" || plan.Rank(class) < plan.Rank(w.class) {
		w.class, w.decides = class, s
	}
}

// note keeps what a service's balance had to take for granted.
func (w *weighing) note(s Stake) {
	if !(s.Tolerance > 0 && s.Tolerance <= 1) {
		w.say(fmt.Sprintf("missing: tier %q has no risk_tolerance; taken as 1: no waiting beyond break-even", s.Tier))
	}
	if _, ok := reach[s.Exposure]; !ok {
		w.say(fmt.Sprintf("missing: the exposure of %q; taken as internet", s.Service))
	}
	if len(s.Cost.Missing) > 0 {
		w.say(fmt.Sprintf("missing: what downtime of %s costs, which %s on %q: money is at least this", quoted(s.Cost.Missing), plural(len(s.Cost.Missing), "depends", "depend"), s.Service))
	}
	if p := w.Past[s.Tier]; p.Incidents > 0 {
		w.say(fmt.Sprintf("tier %q: %d past %s of patches took %s min on average", s.Tier, p.Incidents, plural(p.Incidents, "incident", "incidents"), amount(p.Minutes/float64(p.Incidents))))
	}
}

func (w *weighing) say(text string) {
	if !slices.Contains(w.notes, text) {
		w.notes = append(w.notes, text)
	}
}

func (w *weighing) balance() Balance {
	if w.services == 0 {
		return Balance{Reasons: []plan.Reason{{Term: termLoss, Value: w.moneyless()}}}
	}
	rate := hazard(w.exploit.P)
	b := Balance{
		Class: w.class, Service: w.decides.Service, Hosts: w.hosts,
		Waiting: exact.Round5(float64(rate * w.exposed)), Deploying: exact.Round5(float64(w.deploy.P * w.down)),
		BreakEven: Hours{
			H:    w.hours(w.deploy.P, w.exploit.P),
			Low:  w.hours(w.deploy.Low, w.exploit.High),
			High: w.hours(w.deploy.High, w.exploit.Low),
		},
		Above: exact.Round5(w.scale(w.decides).breakEven(w.deploy.P, spans[plan.Standard], 1)),
	}
	for _, text := range append([]string{w.money(b), w.likely(b), w.because(b)}, w.taken()...) {
		b.Reasons = append(b.Reasons, plan.Reason{Term: termLoss, Value: text})
	}
	return b
}

// hours is the break-even time.
func (w *weighing) hours(p, q float64) float64 {
	waiting := float64(hazard(q) * w.exposed)
	deploying := float64(p * w.down)
	if !(deploying < float64(longest*waiting)) {
		return longest
	}
	return exact.Round5(deploying / waiting)
}
