# METADATA
# title: NIS2
# description: |
#   For services with the tag "nis2": security patch management, point 6.6 of the annex to Implementing Regulation
#   (EU) 2024/2690, which binds the digital providers that its Article 1 names; for others it is a yardstick.
#   "Within a reasonable time" (6.6.1(a)) is the patch's deadline, about which approvals asks. Reasons for not
#   applying a patch (6.6.2) are exceptions, about which compliance asks.
# related_resources:
#   - https://eur-lex.europa.eu/eli/reg_impl/2024/2690/oj
package ringmaster.nis2

import data.ringmaster.compliance
import data.ringmaster.people

# METADATA
# title: Patches are tested before they are applied in production
# description: |
#   Point 6.6.1(b). Tested is: a lower ring of the plan takes it first, or it is healthy since an earlier plan.
# scope: rule
# related_resources:
#   - https://eur-lex.europa.eu/eli/reg_impl/2024/2690/oj
# custom:
#   exceptable: false
require contains {
	"msg": sprintf("%s: nothing takes %s before it (NIS2 6.6.1(b): tested)", [s.name, compliance.named(untested)]),
	"facts": compliance.asks(people.owner(s), s, "(EU) 2024/2690 annex 6.6.1(b)", untested),
	"remedy": "give a ring before it a host of another service, or approve it as it is",
} if {
	input.point == "plan"
	some s in compliance.services("nis2")
	untested := compliance.untested(s)
	count(untested) > 0
}

# METADATA
# title: Patches come from trusted sources
# description: |
#   Point 6.6.1(c): from trusted sources, checked for integrity. Packages are checked by the package managers
#   that install them; a type that has none, generic, is installed by a plugin, and its owner answers for where
#   it comes from.
# scope: rule
# related_resources:
#   - https://eur-lex.europa.eu/eli/reg_impl/2024/2690/oj
# custom:
#   exceptable: false
require contains {
	"msg": sprintf("%s: no package manager checks the integrity of %s (NIS2 6.6.1(c))", [s.name, compliance.named(unchecked)]),
	"facts": compliance.asks(people.owner(s), s, "(EU) 2024/2690 annex 6.6.1(c)", unchecked),
	"remedy": sprintf("someone of %s approves the pull request, having seen where it comes from", [people.owner(s)]),
} if {
	input.point == "plan"
	some s in compliance.services("nis2")
	unchecked := [p | some p in s.patches; startswith(p.id, "generic:")]
	count(unchecked) > 0
}
