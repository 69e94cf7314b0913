# METADATA
# title: Watch
# description: |
#   Vendors and packages that fail more often than their record lets expect. An alarm holds their patches
#   until it ends; where that is later than the clock allows, a person decides: no alarm delays a patch past
#   its clock by itself. Trouble that befalls all alike asks people too, since it is nobody's patch.
# schemas:
#   - data.watch:
#       type: object
#       additionalProperties: false
#       properties:
#         max_model_age_days: {type: integer, minimum: 1, description: days after which models that have not learnt are told of}
package ringmaster.watch

import data.ringmaster.people

# METADATA
# title: An alarm stands, and the clock allows the wait
# scope: rule
# custom:
#   exceptable: true
hold contains {
	"msg": a.says,
	"facts": {"kind": a.kind, "name": a.name, "bad": a.bad, "n": a.n, "until": a.until},
	"remedy": sprintf("find out what fails, or wait until %s", [a.until]),
} if {
	some a in input.patch.alarms
	a.kind != "all"
	not pressing(a)
}

# METADATA
# title: An alarm stands, and the clock does not allow the wait
# scope: rule
# custom:
#   exceptable: false
require contains {
	"msg": sprintf("%s; the clock does not allow to wait until %s", [a.says, a.until]),
	"facts": {"from": owner, "count": 1, "escalate_to": people.estate_owners},
	"remedy": sprintf("someone of %s approves the pull request", [owner]),
} if {
	input.point == "change"
	input.phase == "plan"
	some a in input.patch.alarms
	asks(a)
}

# METADATA
# title: An alarm stands while the plan runs
# scope: rule
# custom:
#   exceptable: false
warn contains {
	"msg": a.says,
	"facts": {"kind": a.kind, "name": a.name, "bad": a.bad, "n": a.n, "until": a.until},
	"remedy": "look at what fails; the rings stop what fails here",
} if {
	input.phase == "execute"
	some a in input.patch.alarms
	asks(a)
}

# METADATA
# title: Models that have not learnt for a quarter
# scope: rule
# custom:
#   exceptable: false
warn contains {
	"msg": sprintf("the newest outcome that the models know is %d days old", [model_age]),
	"facts": {"model_age_days": model_age, "max_age_days": data.watch.max_model_age_days},
	"remedy": "run learn, and merge what it proposes",
} if {
	input.point == "plan"
	model_age > data.watch.max_model_age_days
}

# Where nothing was learnt, nothing is old.
model_age := object.get(input, ["history", "model_age_days"], 0)

asks(a) if a.kind == "all"

asks(a) if pressing(a)

pressing(a) if time.parse_rfc3339_ns(a.until) > time.parse_rfc3339_ns(input.patch.deadline)

owner := object.get(input, ["service", "owner"], people.estate_owners)
