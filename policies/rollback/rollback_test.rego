package ringmaster.rollback_test

import data.ringmaster.rollback

# The tests bring their own thresholds, so that a site sets those in its data.json as it likes.
limits := {"first_hosts": 1, "soak_minutes": 240}

patch(change) := {"patch": {"id": "deb:linux@6.1.2-1", "rollback": change}}

wave(hosts, earlier, seconds) := {
	"ring": {"name": "canary", "soak_seconds": seconds},
	"wave": {"no_rollback": hosts, "earlier": earlier},
}

lab := {"name": "lab", "order": 0}

test_what_can_be_rolled_back_asks_nobody if {
	count(rollback.require) == 0 with input as patch({"possible": true}) with data.rollback as limits
	count(rollback.require) == 0 with input as wave(0, [], 0) with data.rollback as limits
}

test_somebody_knows_what_is_done_instead if {
	i := patch({"possible": false, "why": "kernels stay", "instead": "boot the former one"})
	some d in rollback.require with input as i with data.rollback as limits
	d.msg == "deb:linux@6.1.2-1 cannot be rolled back (kernels stay), and what is done instead is ready (boot the former one)"
	d.facts.from == "owners"
}

test_a_first_wave_of_several_hosts_asks if {
	count(rollback.require) == 0 with input as wave(1, [], 14400) with data.rollback as limits
	count(rollback.require) == 0 with input as wave(2, [lab], 14400) with data.rollback as limits
	some d in rollback.require with input as wave(2, [], 14400) with data.rollback as limits
	d.facts.hosts == 2
	d.msg == "a first wave takes what cannot be rolled back to 2 hosts at once; 1 may be tried first"
}

test_a_short_soak_asks if {
	some d in rollback.require with input as wave(1, [], 14340) with data.rollback as limits
	d.facts.soak_minutes == 239
	d.msg == "ring \"canary\" soaks 239 minutes; 240 are the least for what cannot be rolled back"
}
