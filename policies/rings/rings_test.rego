package ringmaster.rings_test

import data.ringmaster.rings

wave(earlier) := {"earlier": earlier}

canary := {"name": "canary", "order": 1, "ends": "2026-03-04T00:00:00Z", "over": true, "complete": true, "failures": 0, "max_failures": 0}

test_planned_after_the_soak_passes if {
	count(rings.hold) == 0 with input as {"phase": "plan", "wave": wave([canary])}
}

test_planned_before_the_soak_is_held_until_then if {
	early := object.union(canary, {"ends": "2026-03-05T06:00:00Z", "over": false})
	some d in rings.hold with input as {"phase": "plan", "wave": wave([early])}
	d.facts.until == "2026-03-05T06:00:00Z"
}

test_planned_does_not_ask_for_promotion if {
	count(rings.hold) == 0 with input as {"phase": "plan", "wave": wave([object.union(canary, {"complete": false})])}
}

test_due_after_promotion_passes if {
	count(rings.hold) == 0 with input as {"phase": "execute", "wave": wave([canary])}
}

test_due_before_promotion_is_held if {
	some d in rings.hold with input as {"phase": "execute", "wave": wave([object.union(canary, {"complete": false})])}
	d.msg == `the wave is due, and ring "canary" is not promoted`
}

test_too_many_failures_hold if {
	some d in rings.hold with input as {"phase": "execute", "wave": wave([object.union(canary, {"failures": 2})])}
	d.facts == {"ring": "canary", "failures": 2, "max_failures": 0}
}

test_failures_without_a_limit_are_left_to_promotion if {
	e := object.remove(object.union(canary, {"failures": 2}), ["max_failures"])
	count(rings.hold) == 0 with input as {"phase": "execute", "wave": wave([e])}
}
