package ringmaster.release_age_test

import data.ringmaster.release_age

# The tests bring their own thresholds, so that a site sets those in its data.json as it likes.
limits := {"days": 3}

patch(change) := {
	"point": "change",
	"at": "2026-03-02T09:00:00Z",
	"patch": object.union(
		{"id": "deb:x@1", "published": "2026-03-01T09:00:00Z", "known_exploited": false, "clock_seconds": 604800},
		change,
	),
}

test_new_releases_wait if {
	some d in release_age.hold with input as patch({}) with data.release_age as limits
	d.facts.until == "2026-03-04T09:00:00Z"
}

test_three_days_are_enough if {
	count(release_age.hold) == 0 with input as patch({"published": "2026-02-27T09:00:00Z"}) with data.release_age as limits
}

test_exploited_does_not_wait if {
	count(release_age.hold) == 0 with input as patch({"known_exploited": true}) with data.release_age as limits
}

test_a_short_clock_does_not_wait if {
	count(release_age.hold) == 0 with input as patch({"clock_seconds": 259200}) with data.release_age as limits
}

test_no_date_is_not_old_enough if {
	some d in release_age.hold with input as undated(patch({})) with data.release_age as limits
	startswith(d.msg, "nobody says when")
}

test_no_date_and_exploited_passes if {
	count(release_age.hold) == 0 with input as undated(patch({"known_exploited": true})) with data.release_age as limits
}

undated(i) := {"point": i.point, "at": i.at, "patch": object.remove(i.patch, ["published"])}
