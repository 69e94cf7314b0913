# METADATA
# title: Deadlines
# description: |
#   What clocks say is worked out by the engine: the class's own, the vendor's, SSVC's, BOD 26-04's, the estate's
#   SLA; the strictest binds, and no policy can loosen it. Here is what follows when it has run out.
# related_resources:
#   - https://certcc.github.io/SSVC/
#   - https://www.cisa.gov/known-exploited-vulnerabilities-catalog
package ringmaster.deadlines

# METADATA
# title: A deadline has passed
# description: It asks for nobody (approvals does), it names the clock.
# scope: rule
# custom:
#   exceptable: true
warn contains {
	"msg": sprintf("the deadline passed on %s (%s)", [input.patch.deadline, input.patch.clock]),
	"facts": {"deadline": input.patch.deadline, "clock": input.patch.clock},
	"remedy": "take one of the plan's ways out, and look at why it was not planned before",
} if {
	input.point == "change"
	input.phase == "plan"
	time.parse_rfc3339_ns(input.at) > time.parse_rfc3339_ns(input.patch.deadline)
}
