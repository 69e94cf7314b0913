# METADATA
# title: Overrides
# description: A person's no holds for as long as it says, whatever anything else says.
package ringmaster.overrides

# METADATA
# title: A person holds it
# scope: rule
# custom:
#   exceptable: false
hold contains {
	"msg": sprintf("%s by %s: %s", [h.kind, h.by, h.reason]),
	"facts": object.union({"kind": h.kind, "by": h.by, "reason": h.reason}, end(h)),
	"remedy": sprintf("talk to %s; lifting an override is a pull request", [h.by]),
} if {
	some h in input.host.holds
}

# An override may have no end.
end(h) := {word: h[word] | some word in object.keys(h); word == "until"}
