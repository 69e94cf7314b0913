package ringmaster.overrides_test

import data.ringmaster.overrides

hold := {"kind": "hold", "by": "ann", "reason": "inventory week", "until": "2026-03-09T00:00:00Z"}

test_a_hold_holds_until_its_end if {
	some d in overrides.hold with input as {"host": {"holds": [hold]}}
	d.msg == "hold by ann: inventory week"
	d.facts.until == "2026-03-09T00:00:00Z"
}

test_a_stop_without_end if {
	some d in overrides.hold with input as {"host": {"holds": [{"kind": "stop", "by": "bob", "reason": "incident"}]}}
	d.facts == {"kind": "stop", "by": "bob", "reason": "incident"}
}

test_no_override_passes if {
	count(overrides.hold) == 0 with input as {"host": {"holds": []}}
}
