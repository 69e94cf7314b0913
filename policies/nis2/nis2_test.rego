package ringmaster.nis2_test

import data.ringmaster.nis2

patch := {"id": "deb:openssl@2", "kind": "security", "class": "critical", "published": "2026-01-31T09:00:00Z", "ends": "2026-02-28T09:00:00Z", "tested": true}

service := {"name": "shop", "owner": "team-shop", "tier": "gold", "rank": 2, "autonomy": "autonomous", "risk_tolerance": 0.1, "exposure": "internal", "compliance": ["nis2"], "patches": [patch]}

plan_of(s) := {
	"point": "plan",
	"at": "2026-02-01T09:00:00Z",
	"estate": {"owners": ["owners"], "exceptions": []},
	"history": {"months": 12},
	"plan": {"class": "low", "feasible": true, "max_risk": 0.01, "sla_seconds": 86400, "services": [s]},
}

with_patch(change) := plan_of(object.union(service, {"patches": [object.union(patch, change)]}))

untagged(change) := plan_of(object.union(service, {"compliance": [], "patches": [object.union(patch, change)]}))

test_tested_and_checked_is_fine if {
	count(nis2.require) == 0 with input as with_patch({})
}

test_untested_is_asked if {
	some d in nis2.require with input as with_patch({"tested": false})
	d.msg == "shop: nothing takes deb:openssl@2 before it (NIS2 6.6.1(b): tested)"
}

test_what_nobody_checks_is_asked if {
	some d in nis2.require with input as with_patch({"id": "generic:heron-web@4.2.2"})
	d.msg == "shop: no package manager checks the integrity of generic:heron-web@4.2.2 (NIS2 6.6.1(c))"
}

test_nothing_without_the_tag if {
	count(nis2.require) == 0 with input as untagged({"tested": false, "id": "generic:heron-web@4.2.2"})
}
