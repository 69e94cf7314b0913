package ringmaster.rollback_test

import data.ringmaster.rollback

patch(change) := {"patch": {"id": "deb:linux@6.1.2-1", "rollback": change}}

wave(hosts, earlier, seconds) := {
	"ring": {"name": "canary", "soak_seconds": seconds},
	"wave": {"no_rollback": hosts, "earlier": earlier},
}

lab := {"name": "lab", "order": 0}

test_what_can_be_rolled_back_asks_nobody if {
	count(rollback.require) == 0 with input as patch({"possible": true})
	count(rollback.require) == 0 with input as wave(0, [], 0)
}

test_somebody_knows_what_is_done_instead if {
	i := patch({"possible": false, "why": "kernels stay", "instead": "boot the former one"})
	some d in rollback.require with input as i
	d.msg == "deb:linux@6.1.2-1 cannot be rolled back (kernels stay), and what is done instead is ready (boot the former one)"
	d.facts.from == "owners"
}

test_a_first_wave_of_several_hosts_asks if {
	count(rollback.require) == 0 with input as wave(1, [], 14400)
	count(rollback.require) == 0 with input as wave(2, [lab], 14400)
	some d in rollback.require with input as wave(2, [], 14400)
	d.facts.hosts == 2
	d.msg == "a first wave takes what cannot be rolled back to 2 hosts at once; 1 may be tried first"
}

test_a_short_soak_asks if {
	some d in rollback.require with input as wave(1, [], 14340)
	d.facts.soak_minutes == 239
	d.msg == "ring \"canary\" soaks 239 minutes; 240 are the least for what cannot be rolled back"
}
