package ringmaster.watch_test

import data.ringmaster.watch

# The tests bring their own thresholds, so that a site sets those in its data.json as it likes.
limits := {"max_model_age_days": 92}

alarm := {
	"kind": "vendor", "name": "Heron", "n": 31, "bad": 9,
	"since": "2026-01-04T00:00:00Z", "until": "2026-03-01T00:00:00Z",
	"says": "9 of 31 changes of vendor Heron failed",
}

change(alarms, deadline, phase) := {
	"point": "change", "phase": phase,
	"estate": {"owners": ["platform"]},
	"host": {"id": "web-01"},
	"service": {"name": "shop", "owner": "team-shop"},
	"patch": {"deadline": deadline, "alarms": alarms},
}

test_without_an_alarm_nothing_is_said if {
	i := change([], "2026-03-20T00:00:00Z", "plan")
	count(watch.hold) == 0 with input as i with data.watch as limits
	count(watch.require) == 0 with input as i with data.watch as limits
}

test_an_alarm_holds_while_the_clock_allows if {
	i := change([alarm], "2026-03-20T00:00:00Z", "plan")
	some d in watch.hold with input as i with data.watch as limits
	d.msg == "9 of 31 changes of vendor Heron failed"
	d.facts.until == "2026-03-01T00:00:00Z"
	count(watch.require) == 0 with input as i with data.watch as limits
}

test_a_pressing_clock_asks_a_person if {
	i := change([alarm], "2026-02-20T00:00:00Z", "plan")
	count(watch.hold) == 0 with input as i with data.watch as limits
	some d in watch.require with input as i with data.watch as limits
	d.facts.from == "team-shop"
	d.msg == "9 of 31 changes of vendor Heron failed; the clock does not allow to wait until 2026-03-01T00:00:00Z"
}

test_trouble_everywhere_asks_a_person if {
	i := change([object.union(alarm, {"kind": "all", "name": ""})], "2026-03-20T00:00:00Z", "plan")
	count(watch.hold) == 0 with input as i with data.watch as limits
	count(watch.require) == 1 with input as i with data.watch as limits
}

test_a_host_in_no_service_asks_the_estate if {
	i := object.remove(change([alarm], "2026-02-20T00:00:00Z", "plan"), ["service"])
	some d in watch.require with input as i with data.watch as limits
	d.facts.from == "platform"
}

test_a_running_plan_is_told if {
	i := change([alarm], "2026-02-20T00:00:00Z", "execute")
	count(watch.require) == 0 with input as i with data.watch as limits
	count(watch.hold) == 0 with input as i with data.watch as limits
	count(watch.warn) == 1 with input as i with data.watch as limits
}

test_old_models_are_told if {
	count(watch.warn) == 1 with input as {"point": "plan", "history": {"model_age_days": 93}} with data.watch as limits
	count(watch.warn) == 0 with input as {"point": "plan", "history": {"model_age_days": 92}} with data.watch as limits
}
