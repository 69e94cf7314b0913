package ringmaster.blast_test

import data.ringmaster.blast

# The tests bring their own thresholds, so that a site sets those in its data.json as it likes.
limits := {"fleet_share": 0.25, "fleet_hosts": 10, "service_share": 0.5, "money_require": 250000, "money_hold": 5000000}

wave(hosts, fleet, services) := {
	"estate": {"owners": ["platform"]},
	"wave": {
		"hosts": hosts,
		"fleet_hosts": fleet,
		"services": services,
		"seconds": 14400,
	},
}

shop(in_wave, total, cost) := {"name": "shop", "in_wave": in_wave, "total": total, "cost_per_minute": cost}

test_small_waves_pass if {
	i := wave(10, 12, [shop(1, 1, 10)])
	count(blast.require) == 0 with input as i with data.blast as limits
	count(blast.hold) == 0 with input as i with data.blast as limits
}

test_a_quarter_of_the_fleet_passes_and_more_asks if {
	count(blast.require) == 0 with input as wave(25, 100, []) with data.blast as limits
	some d in blast.require with input as wave(26, 100, []) with data.blast as limits
	d.msg == "a wave takes 26 of 100 hosts, more than 25 % of the fleet"
	d.facts.from == "platform"
}

test_most_of_a_service_asks if {
	count(blast.require) == 0 with input as wave(5, 100, [shop(5, 10, 1)]) with data.blast as limits
	some d in blast.require with input as wave(6, 100, [shop(6, 10, 1)]) with data.blast as limits
	d.facts.service == "shop"
}

test_money_asks_then_holds if {
	# 240 minutes, half of the service
	asks := wave(5, 100, [shop(5, 10, 5600)])
	some d in blast.require with input as asks with data.blast as limits
	d.facts.money == 672000
	count(blast.hold) == 0 with input as asks with data.blast as limits
	some h in blast.hold with input as wave(5, 100, [shop(5, 10, 56000)]) with data.blast as limits
	h.facts == {"money": 6720000, "limit": 5000000}
}

test_a_service_without_hosts_costs_nothing if {
	count(blast.require) == 0 with input as wave(1, 100, [shop(0, 0, 5600000)]) with data.blast as limits
}
