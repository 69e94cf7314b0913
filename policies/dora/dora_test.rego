package ringmaster.dora_test

import data.ringmaster.dora

patch := {"id": "deb:openssl@2", "kind": "security", "class": "critical", "published": "2026-01-31T09:00:00Z", "ends": "2026-02-28T09:00:00Z", "tested": true}

service := {"name": "shop", "owner": "team-shop", "tier": "gold", "rank": 2, "autonomy": "autonomous", "risk_tolerance": 0.1, "exposure": "internal", "compliance": ["dora"], "patches": [patch]}

plan_of(s) := {
	"point": "plan",
	"at": "2026-02-01T09:00:00Z",
	"estate": {"owners": ["owners"], "exceptions": []},
	"history": {"months": 12},
	"plan": {"class": "low", "feasible": true, "max_risk": 0.01, "sla_seconds": 86400, "services": [s]},
}

untagged(change) := plan_of(object.union(service, {"compliance": [], "patches": [object.union(patch, change)]}))

supervised := object.union(service, {"autonomy": "recommend"})

test_tested_and_promised_is_fine if {
	count(dora.require) == 0 with input as plan_of(supervised)
}

test_untested_is_asked if {
	i := plan_of(object.union(supervised, {"patches": [object.union(patch, {"tested": false})]}))
	some d in dora.require with input as i
	d.msg == "shop: nothing takes deb:openssl@2 before it (DORA RTS 10(4)(c): tested)"
}

test_no_deadline_of_its_own_is_asked if {
	i := json.remove(plan_of(supervised), ["plan/sla_seconds"])
	some d in dora.require with input as i
	d.msg == "shop: the estate promises no time for class low (DORA RTS 10(4)(d))"
}

test_somebody_else_approves if {
	some d in dora.require with input as plan_of(service) with data.approvals.supervised_months as 6
	d.msg == "shop: somebody else approves changes (DORA RTS 17(1)(b))"
	d.facts.from == "team-shop"
}

test_nothing_without_the_tag if {
	count(dora.require) == 0 with input as untagged({"tested": false})
}
