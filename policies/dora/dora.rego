# METADATA
# title: DORA
# description: |
#   For services with the tag "dora": vulnerability and patch management (Article 10) and change management
#   (Article 17) of Delegated Regulation (EU) 2024/1774 under Regulation (EU) 2022/2554. Not seen: providers'
#   own patching, emergency procedures on paper, and environments that are not in the estate.
# related_resources:
#   - https://eur-lex.europa.eu/eli/reg_del/2024/1774/oj
#   - https://eur-lex.europa.eu/eli/reg/2022/2554/oj
package ringmaster.dora

import data.ringmaster.compliance
import data.ringmaster.people

# METADATA
# title: Patches are tested before they are deployed
# description: |
#   Article 10(4)(c). Tested is: a lower ring of the plan takes it first, or it is healthy since an earlier plan.
# scope: rule
# related_resources:
#   - https://eur-lex.europa.eu/eli/reg_del/2024/1774/oj
# custom:
#   exceptable: false
require contains {
	"msg": sprintf("%s: nothing takes %s before it (DORA RTS 10(4)(c): tested)", [s.name, compliance.named(untested)]),
	"facts": compliance.asks(people.owner(s), s, "(EU) 2024/1774 Article 10(4)(c)", untested),
	"remedy": "give a ring before it a host of another service, or approve it as it is",
} if {
	input.point == "plan"
	some s in compliance.services("dora")
	untested := compliance.untested(s)
	count(untested) > 0
}

# METADATA
# title: Patches have deadlines
# description: |
#   Article 10(4)(d): deadlines for the installation, and escalation where they cannot be met. The deadlines are
#   the estate's SLA; approvals asks its owners where one cannot be met, and every approval names whom it
#   escalates to.
# scope: rule
# related_resources:
#   - https://eur-lex.europa.eu/eli/reg_del/2024/1774/oj
# custom:
#   exceptable: false
require contains {
	"msg": sprintf("%s: the estate promises no time for class %s (DORA RTS 10(4)(d))", [s.name, input.plan.class]),
	"facts": compliance.asks(people.estate_owners, s, "(EU) 2024/1774 Article 10(4)(d)", []),
	"remedy": "declare it in the estate's sla block",
} if {
	input.point == "plan"
	some s in compliance.services("dora")
	not input.plan.sla_seconds
}

# METADATA
# title: Who approves does not ask for the change
# description: |
#   Article 17(1)(b): those who approve changes are independent of those who request and implement them. It asks
#   for a person where no other rule would; that the author's approval does not count is the engine's own rule.
# scope: rule
# related_resources:
#   - https://eur-lex.europa.eu/eli/reg_del/2024/1774/oj
# custom:
#   exceptable: false
require contains {
	"msg": sprintf("%s: somebody else approves changes (DORA RTS 17(1)(b))", [s.name]),
	"facts": compliance.asks(people.owner(s), s, "(EU) 2024/1774 Article 17(1)(b)", []),
	"remedy": sprintf("someone of %s approves the pull request", [people.owner(s)]),
} if {
	input.point == "plan"
	some s in compliance.services("dora")
	compliance.unasked(s)
}
