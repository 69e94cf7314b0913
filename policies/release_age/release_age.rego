# METADATA
# title: Release age
# description: |
#   Others find out first: a release is left alone for its first days, unless it is known to be exploited
#   or its clock does not allow the wait.
# schemas:
#   - data.release_age:
#       type: object
#       additionalProperties: false
#       properties:
#         days: {type: integer, minimum: 0, description: days for which a release is left alone}
package ringmaster.release_age

# METADATA
# title: Too new
# scope: rule
# custom:
#   exceptable: true
hold contains {
	"msg": sprintf("published at %s; releases are left alone for %d days", [input.patch.published, data.release_age.days]),
	"facts": {"published": input.patch.published, "until": until},
	"remedy": sprintf("wait until %s", [until]),
} if {
	dated
	not pressing
	ends > time.parse_rfc3339_ns(input.at)
	until := time.format([ends, "UTC", "RFC3339"])
}

# METADATA
# title: Nobody says how new
# scope: rule
# custom:
#   exceptable: true
hold contains {
	"msg": "nobody says when the release was published, so it does not count as old enough",
	"facts": {},
	"remedy": "give the patch a date in inventory/patches, or merge an exception that names release_age.hold",
} if {
	input.point == "change"
	not dated
	not pressing
}

default dated := false

dated if input.patch.published

default pressing := false

pressing if input.patch.known_exploited

pressing if input.patch.clock_seconds <= wait_seconds

wait_seconds := data.release_age.days * 86400

ends := time.parse_rfc3339_ns(input.patch.published) + (wait_seconds * 1000000000)
