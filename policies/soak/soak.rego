# METADATA
# title: Soak
# description: |
#   A ring that others follow is watched for as long as it takes to see what fails. What a ring declares is
#   judged; how much of it an urgent plan leaves is the schedule's, which tells.
# schemas:
#   - data.soak:
#       type: object
#       additionalProperties: false
#       properties:
#         minutes: {type: integer, minimum: 0, description: the least that a ring soaks}
#         critical_rank: {type: integer, minimum: 0, description: the rank of a tier from which, upwards, critical_minutes is the least}
#         critical_minutes: {type: integer, minimum: 0, description: the least that a ring soaks whose waves hold a service of such a tier}
package ringmaster.soak

import data.ringmaster.people

# METADATA
# title: A ring soaks for long enough
# description: The floor is that of the most critical tier in the wave; data.soak has the minutes.
# scope: rule
# custom:
#   exceptable: true
require contains {
	"msg": sprintf("ring %q soaks %v minutes; %d are the least where %s is", [input.ring.name, soak, floor, who]),
	"facts": {"from": people.estate_owners, "count": 1, "soak_minutes": soak, "least_minutes": floor},
	"remedy": "let the ring soak longer",
} if {
	soak := round(input.ring.soak_seconds / 0.6) / 100
	rank := min([s.rank | some s in input.wave.services])
	floor := least(rank)
	soak < floor
	who := [s.name | some s in input.wave.services; s.rank == rank][0]
}

least(rank) := data.soak.critical_minutes if rank <= data.soak.critical_rank

least(rank) := data.soak.minutes if rank > data.soak.critical_rank
