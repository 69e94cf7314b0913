# METADATA
# title: Ring order
# description: A ring begins when every lower one has ended, soaked and been promoted.
package ringmaster.rings

# METADATA
# title: Planned waves wait for the rings before them
# description: Times are UTC with whole seconds, so that their text compares as they do.
# scope: rule
hold contains {
	"msg": sprintf("wave %d starts at %s, before ring %q has soaked at %s", [input.wave.number, input.wave.start, e.name, e.ends]),
	"facts": {"ring": e.name, "ends": e.ends, "until": e.ends},
	"remedy": sprintf("start the wave at %s or later", [e.ends]),
} if {
	input.phase == "plan"
	some e in input.wave.earlier
	e.ends > input.wave.start
}

# METADATA
# title: Waves run when the rings before them are promoted
# scope: rule
hold contains {
	"msg": sprintf("wave %d is due, and ring %q is not promoted", [input.wave.number, e.name]),
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
