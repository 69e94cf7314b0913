package ringmaster.quarantine_test

import data.ringmaster.quarantine

failed := {
	"patch": "deb:openssl@3.0.15-1", "cohort": "openssl × web", "plan": "high-main-2", "ring": "canary",
	"host": "web-02", "at": "2026-02-20T00:00:00Z", "until": "2026-03-20T00:00:00Z", "why": "error ratio tripled",
}

test_quarantined_is_held_until_its_end if {
	some d in quarantine.hold with input as {"host": {"quarantine": [failed]}}
	d.facts.until == "2026-03-20T00:00:00Z"
	contains(d.msg, "error ratio tripled")
}

test_nothing_in_quarantine_passes if {
	count(quarantine.hold) == 0 with input as {"host": {"quarantine": []}}
}

test_a_host_that_needs_a_person_is_held if {
	some d in quarantine.hold with input as {"host": {"quarantine": [object.union(failed, {"whole": true, "cohort": "web-02"})]}}
	startswith(d.msg, "web-02 needs a person after deb:openssl@3.0.15-1, and nothing else begins there until 2026-03-20T00:00:00Z: error ratio tripled")
	startswith(d.remedy, "see to the host, or wait")
}
