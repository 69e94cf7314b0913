package ringmaster.pci_dss_test

import data.ringmaster.pci_dss

patch := {"id": "deb:openssl@2", "kind": "security", "class": "critical", "published": "2026-01-31T09:00:00Z", "ends": "2026-02-28T09:00:00Z", "tested": true}

service := {"name": "shop", "owner": "team-shop", "tier": "gold", "rank": 2, "autonomy": "autonomous", "risk_tolerance": 0.1, "exposure": "internal", "compliance": ["pci-dss"], "patches": [patch]}

plan_of(s) := {
	"point": "plan",
	"at": "2026-02-01T09:00:00Z",
	"estate": {"owners": ["owners"], "exceptions": []},
	"history": {"months": 12},
	"plan": {"class": "low", "feasible": true, "max_risk": 0.01, "sla_seconds": 86400, "services": [s]},
}

untagged(change) := plan_of(object.union(service, {"compliance": [], "patches": [object.union(patch, change)]}))

supervised := object.union(service, {"autonomy": "recommend"})

test_within_a_month_is_fine if {
	count(pci_dss.require) == 0 with input as plan_of(supervised)
}

test_later_than_a_month_is_asked if {
	i := plan_of(object.union(supervised, {"patches": [object.union(patch, {"ends": "2026-03-03T09:00:01Z"})]}))
	some d in pci_dss.require with input as i
	d.msg == "shop gets deb:openssl@2 later than one month after release (PCI DSS 6.3.3)"
	d.facts.from == "owners"
	d.facts.patches == ["deb:openssl@2"]
}

test_one_line_for_many_patches if {
	late := [object.union(patch, {"id": sprintf("deb:p%d@1", [n]), "ends": "2026-09-01T09:00:00Z"}) | some n in numbers.range(1, 5)]
	some d in pci_dss.require with input as plan_of(object.union(supervised, {"patches": late}))
	d.msg == "shop gets deb:p1@1 and 4 more later than one month after release (PCI DSS 6.3.3)"
	count(d.facts.patches) == 3
}

test_only_critical_ones_have_the_month if {
	late := object.union(patch, {"class": "high", "ends": "2026-09-01T09:00:00Z"})
	count(pci_dss.require) == 0 with input as plan_of(object.union(supervised, {"patches": [late]}))
}

test_undated_is_release_ages if {
	undated := object.remove(object.union(patch, {"ends": "2026-09-01T09:00:00Z"}), ["published"])
	count(pci_dss.require) == 0 with input as plan_of(object.union(supervised, {"patches": [undated]}))
}

test_somebody_approves if {
	some d in pci_dss.require with input as plan_of(service) with data.approvals.supervised_months as 6
	d.msg == "shop: changes are approved (PCI DSS 6.5.1)"
	d.facts.from == "team-shop"
}

test_nothing_without_the_tag if {
	count(pci_dss.require) == 0 with input as untagged({"ends": "2026-09-01T09:00:00Z"})
}
