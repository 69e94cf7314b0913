# METADATA
# title: Ring order
# description: A ring begins when every lower one has ended, soaked and been promoted.
package ringmaster.rings

# METADATA
# title: Planned waves wait for the rings before them
# description: A ring is over when its last wave has ended and soaked.
# scope: rule
# custom:
#   exceptable: false
hold contains {
	"msg": sprintf("the wave starts before ring %q has soaked at %s", [e.name, e.ends]),
	"facts": {"ring": e.name, "ends": e.ends, "until": e.ends},
	"remedy": sprintf("start the wave at %s or later", [e.ends]),
} if {
	input.phase == "plan"
	some e in input.wave.earlier
	not e.over
}

# METADATA
# title: Waves run when the rings before them are promoted
# scope: rule
# custom:
#   exceptable: false
hold contains {
	"msg": sprintf("the wave is due, and ring %q is not promoted", [e.name]),
	"facts": {"ring": e.name},
	"remedy": sprintf("see what keeps ring %q: hosts that have not ended, failures, or its soak", [e.name]),
} if {
	input.phase == "execute"
	some e in input.wave.earlier
	not e.complete
}

# METADATA
# title: A ring with more failures than it allows stops those after it
# scope: rule
# custom:
#   exceptable: false
hold contains {
	"msg": sprintf("ring %q has %d failures, and allows %d", [e.name, e.failures, allowed]),
	"facts": {"ring": e.name, "failures": e.failures, "max_failures": allowed},
	"remedy": "close the plan and let the next one do without the patch, or mend the hosts",
} if {
	input.phase == "execute"
	some e in input.wave.earlier
	allowed := object.get(e, "max_failures", e.failures)
	e.failures > allowed
}
