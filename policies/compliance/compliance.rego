# METADATA
# title: Compliance
# description: |
#   What the profiles of regulated services share. A service turns a profile on by its tag, as in
#   `compliance = ["pci-dss"]`; data.compliance.profiles are the tags that mean something here. A profile asks
#   for people where a clause would be missed: holding a patch back makes nothing safer. None of them proves
#   compliance: they see what is in this repository, and neither what is not nor what people do.
# schemas:
#   - data.compliance:
#       type: object
#       additionalProperties: false
#       properties:
#         profiles: {type: object, additionalProperties: {type: string}, description: "the tags that mean something here, and what each stands for"}
package ringmaster.compliance

import data.ringmaster.approvals
import data.ringmaster.people

# METADATA
# title: An exception on a regulated service says what is done instead
# description: |
#   Every profile lets a patch wait only where the risk is met in another way: compensating controls in PCI DSS,
#   additional measures in point 6.6.1(d) of the annex to (EU) 2024/2690. It counts where the exception takes a
#   patch of this plan. What is written there is not judged: that is what the approval is for.
# scope: rule
# related_resources:
#   - https://www.pcisecuritystandards.org/document_library/
#   - https://eur-lex.europa.eu/eli/reg_impl/2024/2690/oj
# custom:
#   exceptable: false
require contains {
	"msg": sprintf("exception %q takes patches of %s (%s) and names no compensating control", [e.name, s.name, tags]),
	"facts": {"from": people.estate_owners, "count": 1, "exception": e.name, "service": s.name},
	"remedy": "say in its compensating_control what is done instead",
} if {
	input.point == "plan"
	some s in input.plan.services
	tags := concat(", ", [tag | some tag in s.compliance; data.compliance.profiles[tag]])
	tags != ""
	some e in input.estate.exceptions
	object.get(e, "compensating_control", "") == ""
	object.get(e, "until", "9999-12-31T00:00:00Z") > input.at
	takes(e.services, s.name)
	some p in s.patches
	glob.match(e.patch, null, p.id)
}

# An exception without services takes all of them.
takes([], _)

takes(patterns, name) if {
	some pattern in patterns
	glob.match(pattern, null, name)
}

# METADATA
# title: The services of a plan that turn a profile on
# description: Plans without such a service are done with here.
services(tag) := [s | some s in input.plan.services; tag in s.compliance]

# METADATA
# title: The patches of a service that end later than so many months after their release
# description: A patch that nobody dates is not among them; release_age holds those.
late(s, months) := [p |
	some p in s.patches
	published := object.get(p, "published", "")
	published != ""
	time.parse_rfc3339_ns(p.ends) > time.add_date(time.parse_rfc3339_ns(published), 0, months, 0)
]

# METADATA
# title: The patches of a service that nothing else took before it does
untested(s) := [p | some p in s.patches; not p.tested]

# METADATA
# title: Whether nobody would be asked about a service's changes
unasked(s) if count(approvals.reasons(s)) == 0

# METADATA
# title: What a requirement of a profile asks for
# description: Clause is what the plan's reader may look up, ids are at most three of the patches.
asks(team, s, clause, patches) := {
	"from": team,
	"count": 1,
	"escalate_to": people.estate_owners,
	"service": s.name,
	"clause": clause,
	"patches": array.slice([p.id | some p in patches], 0, 3),
}

# METADATA
# title: Patches in words
named(patches) := patches[0].id if count(patches) == 1

named(patches) := sprintf("%s and %d more", [patches[0].id, count(patches) - 1]) if count(patches) > 1
