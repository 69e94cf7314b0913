package ringmaster.approvals_test

import data.ringmaster.approvals

# The tests bring their own thresholds, so that a site sets those in its data.json as it likes.
limits := {"supervised_months": 6, "review_classes": ["critical", "high"], "two_people_rank": 1, "no_tier_tolerance": 0}

service := {"name": "shop", "owner": "team-shop", "tier": "gold", "rank": 2, "autonomy": "autonomous", "hosts": 3, "risk_tolerance": 0.1}

plan_of(s, change) := {
	"point": "plan",
	"estate": {"owners": ["platform"]},
	"history": {"months": 12},
	"plan": object.union(
		{"class": "standard", "feasible": true, "max_risk": 0.02, "start": "2026-03-03T23:00:00Z", "services": [s]},
		change,
	),
}

asked(i) := {[d.facts.from, d.facts.count] | some d in approvals.require with input as i with data.approvals as limits}

said(i) := concat("\n", sort([d.msg | some d in approvals.require with input as i with data.approvals as limits]))

test_autonomous_needs_nobody if {
	asked(plan_of(service, {})) == set()
}

test_autonomous_with_risk_above_tolerance if {
	i := plan_of(service, {"max_risk": 0.2})
	asked(i) == {["team-shop", 1]}
	contains(said(i), `above what tier "gold" tolerates (0.1)`)
}

test_a_tier_that_tolerates_nothing_known if {
	asked(plan_of(object.remove(service, ["risk_tolerance"]), {})) == {["team-shop", 1]}
}

test_infeasible_asks_both if {
	asked(plan_of(service, {"feasible": false})) == {["team-shop", 1], ["platform", 1]}
}

test_semi_autonomous_asks_by_class if {
	s := object.union(service, {"autonomy": "semi-autonomous"})
	asked(plan_of(s, {})) == set()
	asked(plan_of(s, {"class": "critical"})) == {["team-shop", 1]}
	asked(plan_of(s, {"max_risk": 0.5})) == {["team-shop", 1]}
}

test_recommend_always_asks if {
	i := plan_of(object.union(service, {"autonomy": "recommend"}), {})
	asked(i) == {["team-shop", 1]}
	some d in approvals.require with input as i with data.approvals as limits
	d.facts == {"from": "team-shop", "count": 1, "escalate_to": "platform", "by": "2026-03-03T23:00:00Z"}
}

test_unknown_autonomy_asks if {
	contains(said(plan_of(object.union(service, {"autonomy": "yolo"}), {})), `autonomy "yolo"`)
}

test_young_estates_are_never_unattended if {
	i := object.union(plan_of(service, {}), {"history": {"months": 5.9}})
	asked(i) == {["team-shop", 1]}
	contains(said(i), "own history is 5.9 months, and nothing goes unattended before 6")
}

test_most_critical_tier_takes_two_teams if {
	asked(plan_of(object.union(service, {"rank": 1}), {"max_risk": 0.5})) == {["team-shop", 1], ["platform", 1]}
}

test_most_critical_tier_of_the_estates_owners_takes_two_of_them if {
	asked(plan_of(object.union(service, {"rank": 1, "owner": "platform"}), {})) == {["platform", 2]}
}

test_without_an_owner_the_estates_are_asked if {
	s := object.union(object.remove(service, ["owner"]), {"autonomy": "recommend"})
	asked(plan_of(s, {})) == {["platform", 1]}
}

test_without_a_wave_there_is_no_time if {
	i := plan_of(object.union(service, {"autonomy": "recommend"}), {"start": ""})
	some d in approvals.require with input as i with data.approvals as limits
	not d.facts.by
}

test_hosts_in_no_service if {
	at_change := {"point": "change", "estate": {"owners": ["platform"]}, "patch": {"id": "deb:x@1"}}
	asked(at_change) == {["platform", 1]}
	asked(object.union(at_change, {"service": {"name": "shop"}})) == set()
}
