# METADATA
# title: Approvals
# description: |
#   Who must say yes before a plan is merged, by the autonomy and rank of the tiers in it, and by what
#   is unusual about it. Rules go by rank and autonomy, so that they fit any names of tiers.
# schemas:
#   - data.approvals:
#       type: object
#       additionalProperties: false
#       properties:
#         supervised_months: {type: integer, minimum: 0, description: months of own history before anything goes unattended}
#         review_classes: {type: array, items: {type: string, enum: [critical, high, standard, low]}, description: classes for which a semi-autonomous tier asks}
#         two_people_rank: {type: integer, minimum: 0, description: "tiers of this rank and above take two people; 0 is none"}
#         no_tier_tolerance: {type: number, minimum: 0, maximum: 1, description: the risk that a service without a tier tolerates}
package ringmaster.approvals

import data.ringmaster.people

# METADATA
# title: The service's owner
# description: One for each service whose tier, history, class or risk asks for a person.
# scope: rule
# custom:
#   exceptable: false
require contains {
	"msg": sprintf("%s: %s", [s.name, why]),
	"facts": asks(people.owner(s), 1),
	"remedy": sprintf("someone of %s approves the pull request", [people.owner(s)]),
} if {
	input.point == "plan"
	some s in input.plan.services
	some why in reasons(s)
}

# METADATA
# title: A second pair of eyes for the most critical tier
# description: The estate's owners beside the service's; where these are the same team, two of it.
# scope: rule
# custom:
#   exceptable: false
require contains {
	"msg": sprintf("%s is in the most critical tier, %q, which takes two people", [s.name, s.tier]),
	"facts": asks(people.estate_owners, seconds(s)),
	"remedy": sprintf("%d of %s approve the pull request", [seconds(s), people.estate_owners]),
} if {
	input.point == "plan"
	some s in input.plan.services
	s.rank <= data.approvals.two_people_rank
}

# METADATA
# title: Signed acceptance of a deadline that cannot be met
# scope: rule
# custom:
#   exceptable: false
require contains {
	"msg": "the deadline cannot be met as things are; approving accepts the overrun",
	"facts": asks(people.estate_owners, 1),
	"remedy": "take one of the plan's ways out, or accept the overrun",
} if {
	input.point == "plan"
	not input.plan.feasible
}

# METADATA
# title: Hosts that serve nothing have no owner to ask
# scope: rule
# custom:
#   exceptable: false
require contains {
	"msg": "hosts in no service have no owner",
	"facts": {"from": people.estate_owners, "count": 1, "escalate_to": people.estate_owners},
	"remedy": "put the hosts into a service",
} if {
	input.point == "change"
	not input.service.name
}

# The facts that become an approval: due when the first wave starts, where there is one.
asks(team, count) := object.union(
	{"from": team, "count": count, "escalate_to": people.estate_owners},
	object.filter({"by": object.get(input.plan, "start", "")}, due),
)

due contains "by" if object.get(input.plan, "start", "") != ""

# Why a service's owner is asked.
reasons(s) := {why | some why in array.concat(by_autonomy(s), by_history)}

by_history := [sprintf("the estate's own history is %v months, and nothing goes unattended before %d", [input.history.months, months]) |
	months := data.approvals.supervised_months
	input.history.months < months
]

by_autonomy(s) := [sprintf("tier %q recommends only", [s.tier])] if s.autonomy == "recommend"

by_autonomy(s) := array.concat(by_class(s), by_doubt(s)) if s.autonomy == "semi-autonomous"

by_autonomy(s) := by_doubt(s) if s.autonomy == "autonomous"

by_autonomy(s) := [sprintf("autonomy %q of tier %q is not known", [s.autonomy, s.tier])] if {
	not s.autonomy in {"recommend", "semi-autonomous", "autonomous"}
}

by_class(s) := [sprintf("tier %q is asked about class %s", [s.tier, input.plan.class]) |
	input.plan.class in data.approvals.review_classes
]

by_doubt(s) := array.concat(
	["the deadline cannot be met" | not input.plan.feasible],
	[sprintf("the risk of a change may be above what tier %q tolerates (%v)", [s.tier, tolerance(s)]) |
		input.plan.max_risk > tolerance(s)
	],
)

tolerance(s) := object.get(s, "risk_tolerance", data.approvals.no_tier_tolerance)

# How many of the estate's owners, so that there are two people in all.
seconds(s) := 2 if people.owner(s) == people.estate_owners

seconds(s) := 1 if people.owner(s) != people.estate_owners
