# METADATA
# title: Blast radius
# description: How much may go wrong at once, in hosts, in shares of a service and in money.
# schemas:
#   - data.blast:
#       type: object
#       additionalProperties: false
#       properties:
#         fleet_share: {type: number, minimum: 0, maximum: 1, description: the share of the fleet that a wave takes without a question}
#         fleet_hosts: {type: integer, minimum: 0, description: hosts that a wave takes without a question}
#         service_share: {type: number, minimum: 0, maximum: 1, description: the share of a service that a wave takes without a question}
#         money_require: {type: number, minimum: 0, description: money at risk in a wave above which a person is asked}
#         money_hold: {type: number, minimum: 0, description: money at risk in a wave above which it is held}
package ringmaster.blast

import data.ringmaster.people

# METADATA
# title: A wave takes a bounded share of the fleet
# scope: rule
# custom:
#   exceptable: true
require contains {
	"msg": sprintf("a wave takes %d of %d hosts, more than %v %% of the fleet", [
		input.wave.hosts,
		input.wave.fleet_hosts,
		data.blast.fleet_share * 100,
	]),
	"facts": {"from": people.estate_owners, "count": 1, "hosts": input.wave.hosts, "fleet": input.wave.fleet_hosts},
	"remedy": "give the ring a smaller share, or split it",
} if {
	input.wave.hosts > data.blast.fleet_hosts
	input.wave.hosts > input.wave.fleet_hosts * data.blast.fleet_share
}

# METADATA
# title: A wave takes a bounded share of a service
# scope: rule
# custom:
#   exceptable: true
require contains {
	"msg": sprintf("a wave takes %d of the %d hosts of %s", [s.in_wave, s.total, s.name]),
	"facts": {"from": people.estate_owners, "count": 1, "service": s.name, "hosts": s.in_wave, "total": s.total},
	"remedy": sprintf("give %s more rings, or fewer lanes at once", [s.name]),
} if {
	some s in input.wave.services
	s.in_wave > 1
	s.in_wave > s.total * data.blast.service_share
}

# METADATA
# title: Money at risk asks for a person
# description: What it costs when every host of the wave is down for as long as the wave is planned.
# scope: rule
# custom:
#   exceptable: true
require contains {
	"msg": sprintf("up to %d are at stake in a wave, by the tiers' cost of downtime", [ceil(money)]),
	"facts": {"from": people.estate_owners, "count": 1, "money": ceil(money)},
	"remedy": "fewer hosts at once, or a shorter wave",
} if {
	money > data.blast.money_require
	money <= data.blast.money_hold
}

# METADATA
# title: Too much money at risk
# scope: rule
# custom:
#   exceptable: true
hold contains {
	"msg": sprintf("up to %d are at stake in a wave, more than %d", [ceil(money), data.blast.money_hold]),
	"facts": {"money": ceil(money), "limit": data.blast.money_hold},
	"remedy": "fewer hosts at once, or a shorter wave",
} if {
	money > data.blast.money_hold
}

money := sum([cost |
	some s in input.wave.services
	cost := ((s.in_wave / max([s.total, 1])) * s.cost_per_minute) * (input.wave.seconds / 60)
])
