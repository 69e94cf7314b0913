package ringmaster.soak_test

import data.ringmaster.soak

# The tests bring their own thresholds, so that a site sets those in its data.json as it likes.
limits := {"minutes": 30, "critical_rank": 1, "critical_minutes": 60}

wave(seconds, services) := {"ring": {"name": "canary", "soak_seconds": seconds}, "wave": {"services": services}}

shop := {"name": "shop", "rank": 1}

wiki := {"name": "wiki", "rank": 3}

test_long_enough if {
	count(soak.require) == 0 with input as wave(3600, [shop, wiki]) with data.soak as limits
	count(soak.require) == 0 with input as wave(1800, [wiki]) with data.soak as limits
}

test_too_short_for_the_most_critical if {
	some d in soak.require with input as wave(3540, [wiki, shop]) with data.soak as limits
	d.msg == "ring \"canary\" soaks 59 minutes; 60 are the least where shop is"
	d.facts.from == "owners"
}

test_a_soak_of_seconds if {
	some d in soak.require with input as wave(20, [wiki]) with data.soak as limits
	d.msg == "ring \"canary\" soaks 0.33 minutes; 30 are the least where wiki is"
}

test_too_short_for_anything if {
	some d in soak.require with input as wave(0, [wiki]) with data.soak as limits
	d.facts.least_minutes == 30
}

test_hosts_in_no_service_set_no_floor if {
	count(soak.require) == 0 with input as wave(0, []) with data.soak as limits
}
