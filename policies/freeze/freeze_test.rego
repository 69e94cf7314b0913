package ringmaster.freeze_test

import data.ringmaster.freeze

board := {"name": "board", "from": "2026-03-05T00:00:00Z", "to": "2026-03-07T00:00:00Z", "reason": "board meeting"}

test_wave_in_a_freeze_is_denied if {
	some d in freeze.deny with input as {"wave": {"freezes": [board]}}
	d.msg == `the wave touches freeze "board", from 2026-03-05T00:00:00Z to 2026-03-07T00:00:00Z: board meeting`
	d.facts.until == board.to
}

test_each_freeze_is_named if {
	count(freeze.deny) == 2 with input as {"wave": {"freezes": [board, object.union(board, {"name": "year end"})]}}
}

test_wave_outside_passes if {
	count(freeze.deny) == 0 with input as {"wave": {"freezes": []}}
}
