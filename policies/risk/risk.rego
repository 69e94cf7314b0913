# METADATA
# title: Deploy risk
# description: |
#   A change that may be riskier than its tier tolerates asks for its owner, one that probably fails is held.
#   What is compared is the upper end of the interval: little knowledge is risk too.
# schemas:
#   - data.risk:
#       type: object
#       additionalProperties: false
#       properties:
#         hold_above: {type: number, minimum: 0, maximum: 1, description: the probability of failure above which a change is held}
#         no_tier_tolerance: {type: number, minimum: 0, maximum: 1, description: the risk that a host without a tier tolerates}
package ringmaster.risk

import data.ringmaster.people

# METADATA
# title: More likely to fail than not
# scope: rule
# custom:
#   exceptable: true
hold contains {
	"msg": sprintf("the change fails with a probability of %v, above %v", [input.host.deploy_risk.p, data.risk.hold_above]),
	"facts": {"p": input.host.deploy_risk.p, "limit": data.risk.hold_above},
	"remedy": "test the patch on a host like this one first, or wait for a new build",
} if {
	input.host.deploy_risk.p > data.risk.hold_above
}

# METADATA
# title: Perhaps riskier than the tier tolerates
# scope: rule
# custom:
#   exceptable: true
require contains {
	"msg": sprintf("%s: the risk of a change may be above what %s tolerates (%v)", [served, tier, tolerance]),
	"facts": {"from": owner, "count": 1, "escalate_to": people.estate_owners, "tolerance": tolerance},
	"remedy": sprintf("someone of %s approves the pull request", [owner]),
} if {
	input.host.deploy_risk.high > tolerance
}

# METADATA
# title: Riskier than the tier tolerates
# scope: rule
# custom:
#   exceptable: false
warn contains {
	"msg": sprintf("the risk of the change is above what %s tolerates (%v)", [tier, tolerance]),
	"facts": {"tolerance": tolerance},
	"remedy": "look at the plan's reasons for the risk",
} if {
	input.host.deploy_risk.p > tolerance
}

tolerance := object.get(input, ["tier", "risk_tolerance"], data.risk.no_tier_tolerance)

owner := object.get(input, ["service", "owner"], people.estate_owners)

served := object.get(input, ["service", "name"], "a host in no service")

default tier := "a host without a tier"

tier := sprintf("tier %q", [input.tier.name])
