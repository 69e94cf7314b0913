package policy

import (
	"slices"
	"strings"
)

// Hand is in whose hands a fact is.
type Hand string

// The hands, those that a person on duty can act on first.
const (
	ByTime      Hand = "time"      // nobody: it comes by itself
	ByReport    Hand = "report"    // the host's next facts, once it is so
	ByOverride  Hand = "override"  // people, by an override or its end
	ByException Hand = "exception" // a merged pull request with an exception
	ByInventory Hand = "inventory" // a merged pull request that changes inventory/
	ByRings     Hand = "rings"     // one that changes rings/
	BySchedule  Hand = "schedule"  // what the plan puts together, and when
	ByFeed      Hand = "feed"      // what advisories and feeds say
	ByScore     Hand = "score"     // what models and their evidence say
	ByHistory   Hand = "history"   // outcomes, as they come
)

var hands = []Hand{ByTime, ByReport, ByOverride, ByException, ByInventory, ByRings, BySchedule, ByFeed, ByScore, ByHistory}

// fixed are attributes that name what is decided about, or follow from what is
// named here: with another value it would be another question.
var fixed = []string{
	"schema", "point", "phase", "estate.name", "estate.tiers", "estate.exceptions",
	"patch.id", "patch.type", "patch.package", "patch.to", "patch.vendor", "patch.kind", "patch.published", "patch.age_seconds",
	"host.id", "host.age_days", "host.disk_free_gb", "service.name", "service.hosts", "service.dependents", "tier.name", "ring.name",
	"wave.number", "wave.start", "wave.end", "wave.seconds", "wave.fleet_hosts", "wave.patches", "wave.earlier.over",
	"plan.id", "plan.class", "plan.group", "plan.author",
}

// owners are the hands of attributes by their beginnings, the longest that fits
// counts.
var owners = map[string]Hand{
	"at": ByTime, "estate": ByInventory, "history": ByHistory,
	"patch": ByFeed, "patch.deploy_risk": ByScore, "patch.exploit_risk": ByScore, "patch.alarms": ByHistory,
	"host": ByReport, "host.labels": ByInventory, "host.deploy_risk": ByScore, "host.quarantine": ByHistory, "host.holds": ByOverride,
	"service": ByInventory, "tier": ByInventory, "ring": ByRings, "wave": BySchedule, "plan": BySchedule,
	"wave.services.min_available": ByInventory, "wave.services.cost_per_minute": ByInventory, "wave.services.tier": ByInventory, "wave.services.rank": ByInventory,
	"wave.services.down": ByReport, "wave.freezes": ByInventory, "wave.services.depends_on": ByInventory, "wave.services.compliance": ByInventory,
	"wave.earlier.failures": ByHistory, "wave.earlier.complete": ByHistory, "wave.earlier.max_failures": ByRings,
	"plan.max_risk": ByScore, "plan.services.autonomy": ByInventory, "plan.services.risk_tolerance": ByInventory, "plan.services.owner": ByInventory,
	"plan.services.rank": ByInventory, "plan.services.tier": ByInventory, "plan.services.compliance": ByInventory,
}

// handOf is in whose hands the attribute at a path is, "" where it is fixed.
func handOf(path []string) Hand {
	words := slices.DeleteFunc(slices.Clone(path), number)
	if names := words; len(names) > 0 && names[len(names)-1] == "name" && len(names) > 1 {
		return ""
	}
	if slices.Contains(fixed, strings.Join(words, ".")) {
		return ""
	}
	for n := len(words); n > 0; n-- {
		if slices.Contains(fixed, strings.Join(words[:n], ".")) {
			return ""
		}
		if h := owners[strings.Join(words[:n], ".")]; h != "" {
			return h
		}
	}
	return ""
}

func number(word string) bool { return word != "" && strings.Trim(word, "0123456789") == "" }

// rank orders flips by the hand that they need most.
func rank(changes []Alteration) int {
	n := 0
	for _, c := range changes {
		n = max(n, slices.Index(hands, c.By))
	}
	return n
}
