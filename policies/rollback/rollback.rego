# METADATA
# title: What cannot be rolled back
# description: |
#   Nobody is surprised by it: one person more knows what is done instead, it is tried on one host first, and for
#   longer. A plan that holds such a change is never merged without a person.
# schemas:
#   - data.rollback:
#       type: object
#       additionalProperties: false
#       properties:
#         first_hosts: {type: integer, minimum: 1, description: hosts on which it may be tried at once before any other}
#         soak_minutes: {type: integer, minimum: 0, description: the least that its rings soak}
package ringmaster.rollback

import data.ringmaster.people

# METADATA
# title: Somebody knows what is done instead
# scope: rule
# custom:
#   exceptable: false
require contains {
	"msg": sprintf("%s cannot be rolled back (%s), and what is done instead is ready (%s)", [input.patch.id, why, instead]),
	"facts": {"from": people.estate_owners, "count": 1, "escalate_to": people.estate_owners, "instead": instead},
	"remedy": "see to it that it is (the snapshot, the backup), and approve",
} if {
	not input.patch.rollback.possible
	why := object.get(input.patch.rollback, "why", "nobody says why")
	instead := object.get(input.patch.rollback, "instead", "nobody says what")
}

# METADATA
# title: It is tried on one host first
# scope: rule
# custom:
#   exceptable: true
require contains {
	"msg": sprintf("a first wave takes what cannot be rolled back to %d hosts at once; %d may be tried first", [
		input.wave.no_rollback,
		data.rollback.first_hosts,
	]),
	"facts": {"from": people.estate_owners, "count": 1, "hosts": input.wave.no_rollback},
	"remedy": "let the first ring take one host (count = 1)",
} if {
	count(input.wave.earlier) == 0
	input.wave.no_rollback > data.rollback.first_hosts
}

# METADATA
# title: It is watched for longer
# scope: rule
# custom:
#   exceptable: true
require contains {
	"msg": sprintf("ring %q soaks %d minutes; %d are the least for what cannot be rolled back", [input.ring.name, soak, data.rollback.soak_minutes]),
	"facts": {"from": people.estate_owners, "count": 1, "soak_minutes": soak, "least_minutes": data.rollback.soak_minutes},
	"remedy": "let the ring soak longer",
} if {
	input.wave.no_rollback > 0
	soak := input.ring.soak_seconds / 60
	soak < data.rollback.soak_minutes
}
