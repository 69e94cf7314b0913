package ringmaster.reboot_test

import data.ringmaster.reboot

# The tests bring their own thresholds, so that a site sets those in its data.json as it likes.
limits := {"quorum_share": 0.5}

service(change) := object.union({"name": "db", "total": 5, "in_wave": 2, "reboots": 2}, change)

wave(change) := {"wave": {"services": [service(change)]}}

test_quorum_stays if {
	count(reboot.hold) == 0 with input as wave({}) with data.reboot as limits
	count(reboot.warn) == 0 with input as wave({}) with data.reboot as limits
}

test_quorum_lost_is_held if {
	some d in reboot.hold with input as wave({"in_wave": 3, "reboots": 3}) with data.reboot as limits
	d.msg == "3 of the 5 hosts of db restart in one wave, more than 2"
}

test_the_only_host_may_restart if {
	count(reboot.hold) == 0 with input as wave({"total": 1, "in_wave": 1, "reboots": 1}) with data.reboot as limits
}

test_unknown_restarts_are_told if {
	i := {"wave": {"services": [{"name": "db", "total": 5, "in_wave": 3}]}}
	count(reboot.warn) == 1 with input as i with data.reboot as limits
	count(reboot.hold) == 0 with input as i with data.reboot as limits
}

test_a_pending_restart_is_told if {
	count(reboot.warn) == 1 with input as {"host": {"reboot_pending": true}} with data.reboot as limits
	count(reboot.warn) == 0 with input as {"host": {}} with data.reboot as limits
}
