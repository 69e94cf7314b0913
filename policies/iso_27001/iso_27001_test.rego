package ringmaster.iso_27001_test

import data.ringmaster.iso_27001

plan_of(s) := {"point": "plan", "plan": {"services": [s]}}

service := {"name": "shop", "owner": "team-shop", "exposure": "internal", "compliance": ["iso-27001"], "patches": []}

test_evaluated_is_fine if {
	count(iso_27001.require) == 0 with input as plan_of(service)
}

test_unknown_exposure_is_asked if {
	some d in iso_27001.require with input as plan_of(object.remove(service, ["exposure"]))
	d.msg == "shop: nobody says how exposed it is (ISO/IEC 27001 A.8.8)"
	d.facts.from == "team-shop"
}

test_nothing_without_the_tag if {
	i := plan_of(object.union(object.remove(service, ["exposure"]), {"compliance": ["archive"]}))
	count(iso_27001.require) == 0 with input as i
}
