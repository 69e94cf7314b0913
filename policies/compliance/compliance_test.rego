package ringmaster.compliance_test

import data.ringmaster.compliance

# The tests bring their own tags, so that a site adds to those in its data.json as it likes.
known := {"profiles": {"cis": "CIS Controls", "pci-dss": "PCI DSS"}}

service := {"name": "shop", "compliance": ["archive", "pci-dss", "cis"], "patches": [{"id": "deb:openssl@2"}]}

legacy := {"name": "legacy", "patch": "deb:openssl@*", "services": ["sh*"], "until": "2026-03-03T00:00:00Z"}

plan_of(s, e) := {
	"point": "plan",
	"at": "2026-03-02T09:00:00Z",
	"estate": {"owners": ["team-security"], "exceptions": [e]},
	"plan": {"services": [s]},
}

test_an_exception_says_what_is_done_instead if {
	count(compliance.require) == 0 with input as plan_of(service, object.union(legacy, {"compensating_control": "closed port"})) with data.compliance as known
	some d in compliance.require with input as plan_of(service, legacy) with data.compliance as known
	d.msg == "exception \"legacy\" takes patches of shop (pci-dss, cis) and names no compensating control"
	d.facts.from == "team-security"
}

test_an_exception_for_all_services_and_until_a_fix if {
	e := {"name": "all", "patch": "*", "services": [], "until_fix": true}
	count(compliance.require) == 1 with input as plan_of(service, e) with data.compliance as known
}

test_it_counts_where_it_matters if {
	every change in [{"patch": "deb:bash@*"}, {"services": ["wiki"]}, {"until": "2026-03-02T09:00:00Z"}] {
		count(compliance.require) == 0 with input as plan_of(service, object.union(legacy, change)) with data.compliance as known
	}
}

test_only_regulated_services if {
	count(compliance.require) == 0 with input as plan_of(object.union(service, {"compliance": ["archive"]}), legacy) with data.compliance as known
}
