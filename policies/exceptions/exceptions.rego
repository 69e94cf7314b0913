# METADATA
# title: Exceptions
# description: |
#   An exception has an owner, a reason and an end that is near, or stands until a fix exists: for one version,
#   until another is published. One that has not holds every plan. An exception counts only where it mattered:
#   where a rule that yields would have spoken, its warning stands in that rule's place.
# schemas:
#   - data.exceptions:
#       type: object
#       additionalProperties: false
#       properties:
#         max_days: {type: integer, minimum: 1, description: days after which an exception ends at the latest}
package ringmaster.exceptions

# METADATA
# title: Exceptions end
# scope: rule
# custom:
#   exceptable: false
hold contains {
	"msg": sprintf("exception %q ends at %s, more than %d days from now", [e.name, ends, data.exceptions.max_days]),
	"facts": {"exception": e.name, "ends": ends},
	"remedy": sprintf("let it end by %s (it can be renewed), or until_fix = true for one version", [latest]),
} if {
	input.point == "plan"
	some e in input.estate.exceptions
	not e.until_fix
	ends := object.get(e, "until", "9999-12-31T00:00:00Z")
	ends > latest
}

# METADATA
# title: Exceptions have an owner and a reason
# scope: rule
# custom:
#   exceptable: false
hold contains {
	"msg": sprintf("exception %q has no %s", [e.name, word]),
	"facts": {"exception": e.name, "missing": word},
	"remedy": "write down who answers for it and why it is needed",
} if {
	input.point == "plan"
	some e in input.estate.exceptions
	some word in ["owner", "reason"]
	object.get(e, word, "") == ""
}

# METADATA
# title: An exception that lasts too long is not merged
# description: What would hold every plan later is said while it is under review.
# scope: rule
# custom:
#   exceptable: false
deny contains {
	"msg": sprintf("exception %q does not end within %d days", [e.name, data.exceptions.max_days]),
	"facts": {"exception": e.name},
	"remedy": "let it end earlier (it can be renewed), or until_fix = true for one version",
} if {
	some e in input.edit.exceptions
	not e.until_fix
	not near(e)
}

# What does not say when it ends does not end.
near(e) if e.days <= data.exceptions.max_days

# Text of times in UTC compares as the times do.
latest := time.format([time.add_date(time.parse_rfc3339_ns(input.at), 0, 0, data.exceptions.max_days), "UTC", "RFC3339"])
