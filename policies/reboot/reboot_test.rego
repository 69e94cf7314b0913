package ringmaster.reboot_test

import data.ringmaster.reboot

service(change) := object.union({"name": "db", "total": 5, "in_wave": 2, "reboots": 2}, change)

wave(change) := {"wave": {"services": [service(change)]}}

test_quorum_stays if {
	count(reboot.hold) == 0 with input as wave({})
	count(reboot.warn) == 0 with input as wave({})
}

test_quorum_lost_is_held if {
	some d in reboot.hold with input as wave({"in_wave": 3, "reboots": 3})
	d.msg == "3 of the 5 hosts of db restart in one wave, more than 2"
}

test_the_only_host_may_restart if {
	count(reboot.hold) == 0 with input as wave({"total": 1, "in_wave": 1, "reboots": 1})
}

test_unknown_restarts_are_told if {
	i := {"wave": {"services": [{"name": "db", "total": 5, "in_wave": 3}]}}
	count(reboot.warn) == 1 with input as i
	count(reboot.hold) == 0 with input as i
}

test_a_pending_restart_is_told if {
	count(reboot.warn) == 1 with input as {"host": {"reboot_pending": true}}
	count(reboot.warn) == 0 with input as {"host": {}}
}
