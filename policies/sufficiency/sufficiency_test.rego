package ringmaster.sufficiency_test

import data.ringmaster.sufficiency

# The tests bring their own thresholds, so that a site sets those in its data.json as it likes.
limits := {"max_age_days": 7, "min_disk_gb": 1}

host(change) := {"host": object.union({"id": "web-01", "known": true, "age_days": 1}, change)}

held(i) := {d.msg | some d in sufficiency.hold with input as i with data.sufficiency as limits}

test_fresh_hosts_pass if {
	held(host({"disk_free_gb": 20})) == set()
	count(sufficiency.warn) == 0 with input as host({}) with data.sufficiency as limits
}

test_unknown_hosts_are_held if {
	held({"host": {"id": "web-01", "known": false}}) == {"nothing was ever reported about the host"}
}

test_stale_facts_are_held if {
	held(host({"age_days": 6})) == set()
	held(host({"age_days": 7})) == {"the host's facts are 7 days old; at 7 they no longer count"}
}

test_undated_facts_are_held if {
	held({"host": {"id": "web-01", "known": true}}) == {"the host's facts do not say when they were taken"}
}

test_a_full_disk_is_held if {
	held(host({"disk_free_gb": 0})) == {"the host has less than 1 GB of disk free"}
	held(host({"disk_free_gb": 1})) == set()
}

test_drift_is_told if {
	count(sufficiency.warn) == 1 with input as host({"drift": true}) with data.sufficiency as limits
}
