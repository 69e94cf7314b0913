# METADATA
# title: Overrides
# description: A person's no holds for as long as it says, whatever anything else says.
package ringmaster.overrides

# METADATA
# title: A person holds it
# scope: rule
hold contains {
	"msg": sprintf("%s by %s: %s", [h.kind, h.by, h.reason]),
	"facts": object.filter({"kind": h.kind, "by": h.by, "reason": h.reason, "until": object.get(h, "until", "")}, told(h)),
	"remedy": sprintf("talk to %s; lifting an override is a pull request", [h.by]),
} if {
	some h in input.host.holds
}

told(h) := {"kind", "by", "reason", "until"} if h.until

told(h) := {"kind", "by", "reason"} if not h.until
