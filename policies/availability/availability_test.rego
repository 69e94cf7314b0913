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

one_host(dependents) := service({"name": "db", "rank": 2, "total": 1, "in_wave": 1, "min_available": 0, "dependents": dependents})

test_a_more_critical_dependent_is_asked if {
	i := wave([one_host([{"name": "till", "owner": "team-till", "rank": 1}, {"name": "wiki", "rank": 3}])])
	some d in availability.require with input as i
	d.msg == "db is out while the wave runs, and till, which is more critical, leans on it"
	d.facts.from == "team-till"
	some w in availability.warn with input as i
	w.msg == "db is out while the wave runs, and wiki leans on it"
}

test_a_dependent_without_an_owner_is_the_estates if {
	some d in availability.require with input as wave([one_host([{"name": "till", "rank": 1}])])
	d.facts.from == "owners"
}

test_several_that_lean_are_counted if {
	some w in availability.warn with input as wave([one_host([{"name": "b", "rank": 2}, {"name": "a", "rank": 2}])])
	w.msg == "db is out while the wave runs, and a and 1 more lean on it"
}

test_nobody_leans_on_what_stays_up if {
	i := wave([service({"rank": 2, "dependents": [{"name": "till", "rank": 1}, {"name": "wiki", "rank": 3}]})])
	count(availability.require) == 0 with input as i
	count(availability.warn) == 0 with input as i
}
