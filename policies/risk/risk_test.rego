package ringmaster.risk_test

import data.ringmaster.risk

# The tests bring their own thresholds, so that a site sets those in its data.json as it likes.
limits := {"hold_above": 0.5, "no_tier_tolerance": 0.01}

change(p, high) := {
	"estate": {"owners": ["platform"]},
	"host": {"deploy_risk": {"p": p, "low": 0, "high": high}},
	"service": {"name": "shop", "owner": "team-shop"},
	"tier": {"name": "gold", "risk_tolerance": 0.05},
}

test_within_tolerance_passes if {
	i := change(0.01, 0.05)
	count(risk.require) == 0 with input as i with data.risk as limits
	count(risk.warn) == 0 with input as i with data.risk as limits
	count(risk.hold) == 0 with input as i with data.risk as limits
}

test_perhaps_above_asks_the_owner if {
	some d in risk.require with input as change(0.01, 0.2) with data.risk as limits
	d.msg == `shop: the risk of a change may be above what tier "gold" tolerates (0.05)`
	d.facts.from == "team-shop"
	count(risk.warn) == 0 with input as change(0.01, 0.2) with data.risk as limits
}

test_above_is_told if {
	some d in risk.warn with input as change(0.06, 0.2) with data.risk as limits
	d.msg == `the risk of the change is above what tier "gold" tolerates (0.05)`
}

test_probable_failure_is_held if {
	some d in risk.hold with input as change(0.6, 0.9) with data.risk as limits
	d.facts == {"p": 0.6, "limit": 0.5}
}

test_a_host_in_no_service_asks_the_estate if {
	i := object.remove(change(0.02, 0.2), ["service", "tier"])
	some d in risk.require with input as i with data.risk as limits
	d.facts.from == "platform"
	d.msg == "a host in no service: the risk of a change may be above what a host without a tier tolerates (0.01)"
}
