# METADATA
# title: NIST SP 800-53 SI-2 and SP 800-40
# description: |
#   For services with the tag "nist-800-53": flaw remediation, SI-2, as SP 800-40 Rev. 4 plans it. Not seen:
#   firmware, and whether a flaw was reported (SI-2 a).
# related_resources:
#   - https://doi.org/10.6028/NIST.SP.800-53r5
#   - https://doi.org/10.6028/NIST.SP.800-40r4
package ringmaster.nist_800_53

import data.ringmaster.compliance
import data.ringmaster.people

# METADATA
# title: Updates are tested before they are installed
# description: |
#   SI-2 b. Tested is: a lower ring of the plan takes it first, or it is healthy since an earlier plan. The
#   control's discussion lets an organization decide that no test is needed; that is what is approved here.
# scope: rule
# related_resources:
#   - https://doi.org/10.6028/NIST.SP.800-53r5
# custom:
#   exceptable: false
require contains {
	"msg": sprintf("%s: nothing takes %s before it (SI-2 b: tested before installation)", [s.name, compliance.named(untested)]),
	"facts": compliance.asks(people.owner(s), s, "NIST SP 800-53 SI-2 b", untested),
	"remedy": "give a ring before it a host of another service, or approve that no test is needed",
} if {
	input.point == "plan"
	some s in compliance.services("nist-800-53")
	untested := compliance.untested(s)
	count(untested) > 0
}

# METADATA
# title: The time that updates may take is the organization's own
# description: SI-2 c. It is the estate's SLA for the class; that a plan keeps it is asked by approvals.
# scope: rule
# related_resources:
#   - https://doi.org/10.6028/NIST.SP.800-53r5
# custom:
#   exceptable: false
require contains {
	"msg": sprintf("%s: the estate promises no time for class %s (SI-2 c)", [s.name, input.plan.class]),
	"facts": compliance.asks(people.estate_owners, s, "NIST SP 800-53 SI-2 c", []),
	"remedy": "declare it in the estate's sla block",
} if {
	input.point == "plan"
	some s in compliance.services("nist-800-53")
	not input.plan.sla_seconds
}

# METADATA
# title: Flaw remediation goes through configuration management
# description: SI-2 d, as CM-3 has changes approved. It asks where no other rule would.
# scope: rule
# related_resources:
#   - https://doi.org/10.6028/NIST.SP.800-53r5
# custom:
#   exceptable: false
require contains {
	"msg": sprintf("%s: changes are approved (SI-2 d, CM-3)", [s.name]),
	"facts": compliance.asks(people.owner(s), s, "NIST SP 800-53 SI-2 d", []),
	"remedy": sprintf("someone of %s approves the pull request", [people.owner(s)]),
} if {
	input.point == "plan"
	some s in compliance.services("nist-800-53")
	compliance.unasked(s)
}
