package ringmaster.availability_test

import data.ringmaster.availability

service(change) := object.union(
	{"name": "shop", "total": 10, "in_wave": 2, "down": 0, "min_available": 6, "depends_on": []},
	change,
)

wave(services) := {"wave": {"services": services}}

test_enough_stays_up if {
	i := wave([service({})])
	count(availability.hold) == 0 with input as i
	count(availability.warn) == 0 with input as i
}

test_below_the_minimum_holds if {
	some d in availability.hold with input as wave([service({"in_wave": 5})])
	d.msg == "shop would have 5 of 10 hosts up, and needs 6"
}

test_hosts_that_are_down_count if {
	count(availability.hold) == 1 with input as wave([service({"in_wave": 2, "down": 3})])
}

test_all_hosts_at_once_holds if {
	some d in availability.hold with input as wave([service({"in_wave": 10, "min_available": 0})])
	d.msg == "the wave takes every host of shop that is up"
}

test_the_only_host_may_be_taken if {
	count(availability.hold) == 0 with input as wave([service({"total": 1, "in_wave": 1, "min_available": 0})])
}

test_dependency_in_the_same_wave_warns if {
	i := wave([service({"depends_on": ["db"]}), service({"name": "db"})])
	count(availability.warn) == 1 with input as i
	count(availability.hold) == 0 with input as i
}

test_dependency_that_goes_down_whole_holds if {
	i := wave([service({"depends_on": ["db"]}), service({"name": "db", "total": 2, "min_available": 0})])
	some d in availability.hold with input as i
	d.msg == "shop depends on db, of which the wave leaves nothing up"
}
