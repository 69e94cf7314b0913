# METADATA
# title: Freezes
# description: Nothing runs while a freeze binds it, neither as planned nor when the wave is due.
package ringmaster.freeze

# METADATA
# title: No wave touches a freeze
# description: Freezes of a wave are those that its interval touches, for the services in it.
# scope: rule
# custom:
#   exceptable: true
deny contains {
	"msg": sprintf("the wave touches freeze %q, from %s to %s: %s", [f.name, f.from, f.to, f.reason]),
	"facts": {"freeze": f.name, "from": f.from, "to": f.to, "until": f.to},
	"remedy": "move the wave out of the freeze, or merge an exception that names freeze.deny",
} if {
	some f in input.wave.freezes
}
