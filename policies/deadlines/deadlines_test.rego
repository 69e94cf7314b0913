package ringmaster.deadlines_test

import data.ringmaster.deadlines

at(t) := {"point": "change", "phase": "plan", "at": t, "patch": {"deadline": "2026-03-02T09:00:00Z", "clock": "vendor"}}

test_in_time if {
	count(deadlines.warn) == 0 with input as at("2026-03-02T09:00:00Z")
}

test_late_is_told if {
	some d in deadlines.warn with input as at("2026-03-02T09:00:01Z")
	d.msg == "the deadline passed on 2026-03-02T09:00:00Z (vendor)"
}

test_what_runs_is_not_told_again if {
	i := object.union(at("2026-03-03T09:00:00Z"), {"phase": "execute"})
	count(deadlines.warn) == 0 with input as i
}
