package ringmaster.exceptions_test

import data.ringmaster.exceptions

# The tests bring their own thresholds, so that a site sets those in its data.json as it likes.
limits := {"max_days": 90}

plan_with(e) := {"point": "plan", "at": "2026-03-02T09:00:00Z", "estate": {"exceptions": [e]}}

legacy := {"name": "legacy", "owner": "team-db", "reason": "no fix yet", "until_fix": false, "until": "2026-05-31T09:00:00Z"}

test_ninety_days_pass if {
	count(exceptions.hold) == 0 with input as plan_with(legacy) with data.exceptions as limits
}

test_longer_is_held if {
	some d in exceptions.hold with input as plan_with(object.union(legacy, {"until": "2026-05-31T09:00:01Z"})) with data.exceptions as limits
	d.remedy == "let it end by 2026-05-31T09:00:00Z (it can be renewed), or until_fix = true for one version"
}

test_no_end_is_held if {
	endless := object.remove(legacy, ["until"])
	count(exceptions.hold) == 1 with input as plan_with(endless) with data.exceptions as limits
}

test_until_a_fix_exists_passes if {
	i := plan_with(object.union(object.remove(legacy, ["until"]), {"until_fix": true}))
	count(exceptions.hold) == 0 with input as i with data.exceptions as limits
}

test_owner_and_reason if {
	{d.facts.missing | some d in exceptions.hold with input as plan_with(object.union(legacy, {"owner": ""})) with data.exceptions as limits} == {"owner"}
	{d.facts.missing | some d in exceptions.hold with input as plan_with(object.remove(legacy, ["reason"])) with data.exceptions as limits} == {"reason"}
}

edit_with(e) := {"point": "edit", "edit": {"exceptions": [e]}}

new := {"name": "legacy", "until_fix": false}

test_while_under_review if {
	count(exceptions.deny) == 0 with input as edit_with(object.union(new, {"days": 90})) with data.exceptions as limits
	count(exceptions.deny) == 0 with input as edit_with(object.union(new, {"until_fix": true})) with data.exceptions as limits
	some d in exceptions.deny with input as edit_with(object.union(new, {"days": 91})) with data.exceptions as limits
	d.msg == `exception "legacy" does not end within 90 days`
	count(exceptions.deny) == 1 with input as edit_with(new) with data.exceptions as limits
}
