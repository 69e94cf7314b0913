# METADATA
# title: Loosening
# description: |
#   Who may change what takes caution away: exceptions, overrides, lowered scores, break-glass, policies, rings,
#   models, inventory, workflows. One owner of the estate who did not propose it approves in any case; these rules
#   ask for more. They are put to the base branch's policies, so that nobody brings his own.
# related_resources:
#   - description: NIST SP 800-53 Rev. 5, AC-5 separation of duties and CM-3 configuration change control
#     ref: https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final
# schemas:
#   - data.loosening:
#       type: object
#       additionalProperties: false
#       properties:
#         people:
#           type: object
#           additionalProperties: {type: integer, minimum: 1}
#           description: how many of the estate's owners approve, by what is changed
#         teams:
#           type: object
#           additionalProperties: {type: string}
#           description: a team that approves too, by what is changed
package ringmaster.loosening

# METADATA
# title: More than one owner
# description: What is changed takes the approvals that data.loosening.people says.
# scope: rule
# custom:
#   exceptable: false
require contains {
	"msg": sprintf("it changes what is of kind %q, which takes %d people", [kind, count_of]),
	"facts": {"count": count_of, "kind": kind},
	"remedy": "that many of the estate's owners approve the pull request",
} if {
	some kind in input.edit.kinds
	count_of := data.loosening.people[kind]
	count_of > 1
}

# METADATA
# title: A team of its own
# description: Someone of the team that data.loosening.teams names for what is changed.
# scope: rule
# custom:
#   exceptable: false
require contains {
	"msg": sprintf("it changes what is of kind %q", [kind]),
	"facts": {"from": team, "count": 1, "kind": kind},
	"remedy": sprintf("someone of %s approves the pull request", [team]),
} if {
	some kind in input.edit.kinds
	team := data.loosening.teams[kind]
}

# METADATA
# title: Whoever answers for an exception knows of it
# description: The owner that an exception names proposes or approves it.
# scope: rule
# custom:
#   exceptable: false
require contains {
	"msg": sprintf("%s answers for exception %q", [e.owner, e.name]),
	"facts": {"from": e.owner, "count": 1, "exception": e.name},
	"remedy": sprintf("someone of %s approves the pull request", [e.owner]),
} if {
	some e in input.edit.exceptions
	not e.owner in input.edit.author_teams
}
