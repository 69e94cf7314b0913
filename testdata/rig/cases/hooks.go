package cases

import (
	"errors"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/host"
)

// hooked declares hooks that write down what they are told, and fail or take their
// time where a file says so.
func hooked(o *host.Options) {
	const script = `echo "$RINGMASTER_HOOK $RINGMASTER_OP $RINGMASTER_HOST $RINGMASTER_PACKAGES" >>/var/tmp/hooks; ` +
		`[ ! -e /var/tmp/slow-$RINGMASTER_HOOK ] || sleep 8; [ ! -e /var/tmp/bad-$RINGMASTER_HOOK ] || { echo "no $RINGMASTER_HOOK"; exit 7; }`
	for _, name := range []string{"snapshot", "drain", "undrain"} {
		o.Hooks = append(o.Hooks, host.Hook{Name: name, Command: []string{"sh", "-c", script}, Timeout: 20 * time.Second})
	}
}

// hooks checks which hooks ran since it was last asked.
func (n *night) hooks(id, want string) {
	n.Helper()
	n.prints(id, want, "cut -d' ' -f1 /var/tmp/hooks; rm /var/tmp/hooks")
}

// The site's commands run around a step, in order, and what they say is heeded.
func hooks(n *night) {
	h := n.Letter + "02"
	n.rig.Fresh(h)
	told := n.ends(fleet.Succeeded, "snapshot took")(n.apply(Step(h, "barkeep 1.0 1.1"), hooked))
	if !strings.Contains(told.Detail, "; drain took ") || !strings.Contains(told.Detail, "; undrain took ") {
		n.Errorf("the job says %q, want what each hook did", told.Detail)
	}
	n.prints(h, "drain apply "+h+" barkeep="+n.Version("barkeep", "1.1"), "grep ^drain /var/tmp/hooks")
	n.hooks(h, "snapshot drain undrain")

	s := Step(h, "barkeep 1.1 1.3")
	n.rig.Inside(h, "touch", "/var/tmp/bad-drain")
	n.denied("refused", "drain failed with 7 (no drain); undrain took")(n.apply(s, hooked))
	n.hooks(h, "snapshot drain undrain")
	n.prints(h, "1", "ls -d /var/lib/ringmaster/*/ | wc -l") // it left nothing
	n.has(h, "barkeep", "1.1")
	n.rig.Inside(h, "sh", "-c", "rm /var/tmp/bad-drain; touch /var/tmp/slow-snapshot")
	n.denied("refused", "snapshot did not end within 1 s")(n.apply(s, func(o *host.Options) { hooked(o); o.Hooks[0].Timeout = time.Second }))
	n.hooks(h, "snapshot undrain")
	n.rig.Inside(h, "rm", "/var/tmp/slow-snapshot")
	n.ends(fleet.Succeeded, "")(n.apply(s, hooked))
	n.hooks(h, "snapshot drain undrain")

	broken := Step(h, "shopd 1.0-1 1.3-1")
	n.ends(fleet.Failed, "it stays drained")(n.apply(broken, hooked))
	n.hooks(h, "snapshot drain")
	n.rig.Inside(h, "touch", "/var/tmp/bad-drain") // what is broken goes back all the same
	n.ends(fleet.Succeeded, "undrain took")(n.back(broken, hooked))
	n.hooks(h, "drain undrain drain undrain") // libfoo, which came along, had asked for a restart
	n.rig.Inside(h, "rm", "/var/tmp/bad-drain")

	j := n.ends(fleet.Succeeded, "")(n.apply(Step(h, "libfoo 2.0 2.1"), hooked))
	if n.hooks(h, "snapshot drain undrain drain undrain"); !j.Rebooted { // in its traffic until it is its turn
		n.Errorf("job is %+v, want a restart", j)
	}
}

// A job that ends in the middle of a drain has moved nothing, and the host has its
// traffic again.
func hooksThroughKill(n *night) {
	h := n.Letter + "02"
	for _, how := range []func(string){n.kill, n.rig.Restart} {
		n.rig.Fresh(h)
		n.rig.Inside(h, "touch", "/var/tmp/slow-drain")
		s := Step(h, "barkeep 1.0 1.1")
		n.cut(s, hooked, "grep -q ^drain /var/tmp/hooks", how)
		n.rig.Inside(h, "rm", "/var/tmp/slow-drain")
		j, err := n.apply(s, hooked)
		if e := (*fleet.Error)(nil); errors.As(err, &e) && strings.Contains(e.Message, "it was cut off, and nothing was moved") {
			j, err = n.apply(s, hooked)
		}
		n.ends(fleet.Succeeded, "")(j, err)
		n.hooks(h, "snapshot drain undrain snapshot drain undrain")
		n.has(h, "barkeep", "1.1")
	}
}
