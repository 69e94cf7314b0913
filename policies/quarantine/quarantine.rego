# METADATA
# title: Quarantine
# description: |
#   A patch that failed or was rolled back stays away from hosts of the same kind until its time is over, and
#   everything from a host that was left to people.
package ringmaster.quarantine

# METADATA
# title: What failed on hosts like this one
# scope: rule
# custom:
#   exceptable: false
hold contains {
	"msg": sprintf("%s until %s: %s (plan %s, ring %s)", [state(q), q.until, q.why, q.plan, q.ring]),
	"facts": {"plan": q.plan, "ring": q.ring, "host": q.host, "cohort": q.cohort, "until": q.until},
	"remedy": sprintf("%s, or wait for the end of the quarantine; `ringmaster override lift` proposes to end it", [remedy(q)]),
} if {
	some q in input.host.quarantine
}

whole(q) if object.get(q, "whole", false)

state(q) := sprintf("%s needs a person after %s, and nothing else begins there", [q.cohort, q.patch]) if whole(q)

state(q) := sprintf("%s is in quarantine for %s", [q.patch, q.cohort]) if not whole(q)

remedy(q) := "see to the host" if whole(q)

remedy(q) := "find out what failed, or take a new build" if not whole(q)
