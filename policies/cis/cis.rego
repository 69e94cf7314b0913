# METADATA
# title: CIS Control 7
# description: |
#   For services with the tag "cis": continuous vulnerability management, version 8.1. Not seen: scans (7.5, 7.6)
#   and what no feed or finding tells of.
# related_resources:
#   - https://www.cisecurity.org/controls/continuous-vulnerability-management
package ringmaster.cis

import data.ringmaster.compliance
import data.ringmaster.people

# METADATA
# title: Updates are made monthly or more often
# description: |
#   Safeguards 7.3 and 7.4 (operating systems, applications) and 7.7 (detected vulnerabilities). A month is
#   counted from release: it is the longest that a monthly rhythm leaves an update out.
# scope: rule
# related_resources:
#   - https://www.cisecurity.org/controls/continuous-vulnerability-management
# custom:
#   exceptable: false
require contains {
	"msg": sprintf("%s gets %s later than one month after release (CIS 7.3, 7.4, 7.7)", [s.name, compliance.named(late)]),
	"facts": compliance.asks(people.owner(s), s, "CIS v8.1 7.7", late),
	"remedy": "bring it forward, or approve the overrun",
} if {
	input.point == "plan"
	some s in compliance.services("cis")
	late := [p | some p in compliance.late(s, 1); p.kind == "security"]
	count(late) > 0
}
