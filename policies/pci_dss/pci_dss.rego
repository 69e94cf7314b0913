# METADATA
# title: PCI DSS 4.0.1
# description: |
#   For services with the tag "pci-dss". Whether a vulnerability is critical is the estate's own ranking
#   (Requirement 6.3.1), which is the class here. Not seen: components that are not in the estate, and patches
#   for which no plan was made.
# related_resources:
#   - https://www.pcisecuritystandards.org/document_library/
package ringmaster.pci_dss

import data.ringmaster.compliance
import data.ringmaster.people

# METADATA
# title: Critical patches are installed within one month of release
# description: |
#   Requirement 6.3.3 (v4.0.1), first bullet. For all others the time is the entity's own: the estate's SLA.
#   It proves what is planned; that it was done is in the ledgers.
# scope: rule
# related_resources:
#   - https://www.pcisecuritystandards.org/document_library/
# custom:
#   exceptable: false
require contains {
	"msg": sprintf("%s gets %s later than one month after release (PCI DSS 6.3.3)", [s.name, compliance.named(late)]),
	"facts": compliance.asks(people.estate_owners, s, "PCI DSS v4.0.1 6.3.3", late),
	"remedy": "bring it forward, or document a compensating control and approve the overrun",
} if {
	input.point == "plan"
	some s in compliance.services("pci-dss")
	late := [p | some p in compliance.late(s, 1); p.class == "critical"]
	count(late) > 0
}

# METADATA
# title: Changes in production are approved by those who may
# description: |
#   Requirement 6.5.1, third bullet: documented change approval by authorized parties. It asks where no other
#   rule would. That the author's approval does not count is the engine's own rule.
# scope: rule
# related_resources:
#   - https://www.pcisecuritystandards.org/document_library/
# custom:
#   exceptable: false
require contains {
	"msg": sprintf("%s: changes are approved (PCI DSS 6.5.1)", [s.name]),
	"facts": compliance.asks(people.owner(s), s, "PCI DSS v4.0.1 6.5.1", []),
	"remedy": sprintf("someone of %s approves the pull request", [people.owner(s)]),
} if {
	input.point == "plan"
	some s in compliance.services("pci-dss")
	compliance.unasked(s)
}
