# METADATA
# title: Data sufficiency
# description: Nothing is done to a host about which too little is known.
# schemas:
#   - data.sufficiency:
#       type: object
#       additionalProperties: false
#       properties:
#         max_age_days: {type: integer, minimum: 1, description: days after which facts no longer count}
#         min_disk_gb: {type: integer, minimum: 0, description: gigabytes of disk without which nothing is installed}
package ringmaster.sufficiency

# METADATA
# title: Hosts that nobody has reported on
# scope: rule
# custom:
#   exceptable: false
hold contains {
	"msg": "nothing was ever reported about the host",
	"facts": {},
	"remedy": "import its facts, or take it out of the inventory",
} if {
	input.host.known == false
}

# METADATA
# title: Facts that are too old
# scope: rule
# custom:
#   exceptable: true
hold contains {
	"msg": sprintf("the host's facts are %d days old; at %d they no longer count", [input.host.age_days, limit]),
	"facts": {"age_days": input.host.age_days, "max_age_days": limit},
	"remedy": "import its facts again",
} if {
	input.host.known
	dated
	limit := data.sufficiency.max_age_days
	input.host.age_days >= limit
}

# METADATA
# title: Facts that nobody dates
# scope: rule
# custom:
#   exceptable: true
hold contains {
	"msg": "the host's facts do not say when they were taken",
	"facts": {},
	"remedy": "import its facts from a source that dates them",
} if {
	input.host.known
	not dated
}

# METADATA
# title: No room to install
# scope: rule
# custom:
#   exceptable: true
hold contains {
	"msg": sprintf("the host has less than %d GB of disk free", [data.sufficiency.min_disk_gb]),
	"facts": {"disk_free_gb": input.host.disk_free_gb},
	"remedy": "make room on its disk",
} if {
	object.get(input.host, "disk_free_gb", data.sufficiency.min_disk_gb) < data.sufficiency.min_disk_gb
}

# METADATA
# title: Somebody changed the host by hand
# scope: rule
# custom:
#   exceptable: false
warn contains {
	"msg": "the host has drifted from what was declared",
	"facts": {},
	"remedy": "look at what was changed by hand before the wave",
} if {
	object.get(input.host, "drift", false)
}

default dated := false

dated if input.host.age_days >= 0
