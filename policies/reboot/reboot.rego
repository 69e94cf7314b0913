# METADATA
# title: Reboots
# description: Hosts that restart together are out together, so that a service keeps its quorum.
# schemas:
#   - data.reboot:
#       type: object
#       additionalProperties: false
#       properties:
#         quorum_share: {type: number, minimum: 0, maximum: 1, description: the share of a service that may restart together}
package ringmaster.reboot

# METADATA
# title: A service keeps its quorum while hosts restart
# scope: rule
# custom:
#   exceptable: true
hold contains {
	"msg": sprintf("%d of the %d hosts of %s restart in one wave, more than %d", [s.reboots, s.total, s.name, allowed(s)]),
	"facts": {"service": s.name, "reboots": s.reboots, "allowed": allowed(s)},
	"remedy": sprintf("restart %s in more waves", [s.name]),
} if {
	some s in input.wave.services
	object.get(s, "reboots", 0) > allowed(s)
}

# METADATA
# title: Hosts that may restart together
# description: Where a patch does not say whether it restarts its host, all hosts of the wave might.
# scope: rule
# custom:
#   exceptable: false
warn contains {
	"msg": sprintf("nobody says whether the %d hosts of %s restart; %d at once keep its quorum", [s.in_wave, s.name, allowed(s)]),
	"facts": {"service": s.name, "hosts": s.in_wave, "allowed": allowed(s)},
	"remedy": "find out from the vendor, or watch the wave",
} if {
	some s in input.wave.services
	not s.reboots
	s.in_wave > allowed(s)
}

# METADATA
# title: An earlier restart is still due
# scope: rule
# custom:
#   exceptable: false
warn contains {
	"msg": "a restart is pending on the host, so that earlier updates take effect together with this one",
	"facts": {},
	"remedy": "restart it before the wave, to tell their effects apart",
} if {
	object.get(input.host, "reboot_pending", false)
}

allowed(s) := max([1, floor(s.total * data.reboot.quorum_share)])
