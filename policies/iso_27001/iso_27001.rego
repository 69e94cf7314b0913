# METADATA
# title: ISO/IEC 27001:2022 A.8.8
# description: |
#   For services with the tag "iso-27001": management of technical vulnerabilities. The control wants
#   vulnerabilities known, the exposure to them evaluated and measures taken; what can be tested here is that
#   somebody said what the exposure is. The plan itself is the record of the rest.
# related_resources:
#   - https://www.iso.org/standard/27001
package ringmaster.iso_27001

import data.ringmaster.compliance
import data.ringmaster.people

# METADATA
# title: The exposure of a service is evaluated
# description: Where nobody says, clocks and risk take the worst; that is safe, and no evaluation.
# scope: rule
# related_resources:
#   - https://www.iso.org/standard/27001
# custom:
#   exceptable: false
require contains {
	"msg": sprintf("%s: nobody says how exposed it is (ISO/IEC 27001 A.8.8)", [s.name]),
	"facts": compliance.asks(people.owner(s), s, "ISO/IEC 27001:2022 A.8.8", []),
	"remedy": "declare the service's exposure: internet, internal or isolated",
} if {
	input.point == "plan"
	some s in compliance.services("iso-27001")
	not s.exposure
}
