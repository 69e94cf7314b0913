# METADATA
# title: Quarantine
# description: A patch that failed or was rolled back stays away from hosts of the same kind until its time is over.
package ringmaster.quarantine

# METADATA
# title: What failed on hosts like this one
# scope: rule
# custom:
#   exceptable: false
hold contains {
	"msg": sprintf("%s is in quarantine for %s until %s: %s (plan %s, ring %s)", [q.patch, q.cohort, q.until, q.why, q.plan, q.ring]),
	"facts": {"plan": q.plan, "ring": q.ring, "host": q.host, "cohort": q.cohort, "until": q.until},
	"remedy": "wait for a new build or the end of the quarantine, or find out what failed and override it by pull request",
} if {
	some q in input.host.quarantine
}
