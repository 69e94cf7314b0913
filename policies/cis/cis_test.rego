package ringmaster.cis_test

import data.ringmaster.cis

patch := {"id": "deb:openssl@2", "kind": "security", "class": "critical", "published": "2026-01-31T09:00:00Z", "ends": "2026-02-28T09:00:00Z", "tested": true}

service := {"name": "shop", "owner": "team-shop", "tier": "gold", "rank": 2, "autonomy": "autonomous", "risk_tolerance": 0.1, "exposure": "internal", "compliance": ["cis"], "patches": [patch]}

plan_of(s) := {
	"point": "plan",
	"at": "2026-02-01T09:00:00Z",
	"estate": {"owners": ["owners"], "exceptions": []},
	"history": {"months": 12},
	"plan": {"class": "low", "feasible": true, "max_risk": 0.01, "sla_seconds": 86400, "services": [s]},
}

with_patch(change) := plan_of(object.union(service, {"patches": [object.union(patch, change)]}))

untagged(change) := plan_of(object.union(service, {"compliance": [], "patches": [object.union(patch, change)]}))

test_monthly_is_fine if {
	count(cis.require) == 0 with input as with_patch({"class": "low"})
}

test_later_is_asked_for_any_class if {
	some d in cis.require with input as with_patch({"class": "low", "ends": "2026-03-04T09:00:00Z"})
	d.msg == "shop gets deb:openssl@2 later than one month after release (CIS 7.3, 7.4, 7.7)"
	d.facts.from == "team-shop"
}

test_features_may_wait if {
	count(cis.require) == 0 with input as with_patch({"kind": "feature", "ends": "2026-09-01T09:00:00Z"})
}

test_nothing_without_the_tag if {
	count(cis.require) == 0 with input as untagged({"ends": "2026-09-01T09:00:00Z"})
}
