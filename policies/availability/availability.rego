# METADATA
# title: Availability
# description: What must stay up while a wave runs, and what leans on it.
package ringmaster.availability

import data.ringmaster.people

# METADATA
# title: A service keeps its declared minimum
# description: Hosts known to be down now count as down during the wave, also where they are in it.
# scope: rule
# custom:
#   exceptable: false
hold contains {
	"msg": sprintf("%s would have %d of %d hosts up, and needs %d", [s.name, up(s), s.total, s.min_available]),
	"facts": {"service": s.name, "up": up(s), "needs": s.min_available, "down": s.down},
	"remedy": sprintf("take fewer hosts of %s at once, or mend those that are down", [s.name]),
} if {
	some s in input.wave.services
	up(s) < s.min_available
}

# METADATA
# title: Never all hosts of a service at once
# scope: rule
# custom:
#   exceptable: false
hold contains {
	"msg": sprintf("the wave takes every host of %s that is up", [s.name]),
	"facts": {"service": s.name, "total": s.total, "down": s.down},
	"remedy": sprintf("take %s in two waves or more", [s.name]),
} if {
	some s in input.wave.services
	exhausted(s)
}

# METADATA
# title: A service is not taken with the whole of what it depends on
# scope: rule
# custom:
#   exceptable: false
hold contains {
	"msg": sprintf("%s depends on %s, of which the wave leaves nothing up", [s.name, on]),
	"facts": {"service": s.name, "depends_on": on},
	"remedy": sprintf("do %s in a wave of its own, before %s", [on, s.name]),
} if {
	gone := {t.name | some t in input.wave.services; exhausted(t)}
	some s in input.wave.services
	some on in s.depends_on
	on in gone
}

# METADATA
# title: A service and what it depends on share a wave
# scope: rule
# custom:
#   exceptable: false
warn contains {
	"msg": sprintf("%s is in the same wave as %s, on which it depends", [s.name, on]),
	"facts": {"service": s.name, "depends_on": on},
	"remedy": sprintf("do %s in an earlier wave", [on]),
} if {
	some s in input.wave.services
	some on in s.depends_on
}

# METADATA
# title: What leans on a service that is out is more critical than it
# description: |
#   A service of one host has no host left while that is done, and those that depend on it, directly or through
#   others, lose it. Its own tier would not ask for them.
# scope: rule
# custom:
#   exceptable: true
require contains {
	"msg": sprintf("%s is out while the wave runs, and %s, which is more critical, leans on it", [s.name, d.name]),
	"facts": {"from": people.owner(d), "count": 1, "escalate_to": people.estate_owners, "service": s.name, "dependent": d.name},
	"remedy": sprintf("give %s a second host, or ask %s for a time", [s.name, people.owner(d)]),
} if {
	some s in input.wave.services
	some d in s.dependents
	d.rank < s.rank
	up(s) == 0
}

# METADATA
# title: A service is out that others lean on
# scope: rule
# custom:
#   exceptable: true
warn contains {
	"msg": sprintf("%s is out while the wave runs, and %s on it", [s.name, leaning(names)]),
	"facts": {"service": s.name, "dependents": names},
	"remedy": sprintf("give %s a second host, or tell who uses what leans on it", [s.name]),
} if {
	some s in input.wave.services
	count(s.dependents) > 0
	up(s) == 0
	names := sort([d.name | some d in s.dependents; d.rank >= s.rank])
	count(names) > 0
}

leaning(names) := sprintf("%s leans", [names[0]]) if count(names) == 1

leaning(names) := sprintf("%s and %d more lean", [names[0], count(names) - 1]) if count(names) > 1

up(s) := max([0, (s.total - s.down) - s.in_wave])

exhausted(s) if {
	s.total > 1
	up(s) == 0
}
