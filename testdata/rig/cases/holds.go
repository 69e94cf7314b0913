package cases

import (
	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/host"
)

// What was moved is held where nobody else moves it, and only what ringmaster holds
// is let go by its own next step.
func held(n *night) {
	const h = "h01"
	n.rig.Fresh(h)
	n.rig.Inside(h, "apt-get", "-qq", "update")
	n.prints(h, "1", "apt-get -s upgrade | grep -c '^Inst libfoo'")
	n.moves(h, "libfoo 2.0 2.1")
	n.ends(fleet.Succeeded, "")(n.back(Step(h, "libfoo 2.0 2.1"), plain))
	n.prints(h, "0", "apt-get -s upgrade | grep -c '^Inst libfoo' || true") // nobody puts it there again
	n.rig.Inside(h, "apt-mark", "unhold", "libfoo")
	n.moves(h, "barkeep 1.0 1.1")
	n.prints(h, "barkeep", "apt-mark showhold")

	n.moves(h, "barkeep 1.1 1.3")
	n.prints(h, "barkeep 1.3 1.0", "apt-mark showhold; dpkg-query -W -f '${Version} ' barkeep barlib")
	n.ends(fleet.Succeeded, "")(n.back(Step(h, "barkeep 1.1 1.3"), plain))
	n.prints(h, "barkeep 1.1", "apt-mark showhold; dpkg-query -W -f '${Version}' barkeep")

	n.rig.Inside(h, "apt-mark", "hold", "libfoo")
	n.denied("refused", "libfoo would move to 2.1 with it, and is held on the host by its administrators")(n.apply(Step(h, "shopd 1.0-1 1.1-1"), plain))
	n.rig.Inside(h, "apt-mark", "unhold", "libfoo")

	n.rig.Inside(h, "apt-mark", "unhold", "barkeep") // a person lets go, and what they hold later is theirs
	again := Step(h, "libfoo 2.0 2.1")
	again.Key += "/2"
	n.ends(fleet.Succeeded, "")(n.apply(again, plain))
	n.prints(h, "libfoo", "apt-mark showhold")
	n.rig.Inside(h, "apt-mark", "hold", "barkeep")
	n.denied("refused", "barkeep is held at 1.1 on the host by its administrators")(n.apply(Step(h, "barkeep 1.1 1.2"), plain))
	n.rig.Inside(h, "apt-mark", "unhold", "barkeep")

	n.moves(h, "shopd 1.0-1 1.1-1") // beside a dependency that it holds itself
	n.prints(h, "libfoo shopd", "apt-mark showhold")
	loose := Step(h, "shopd 1.1-1 1.4-1")
	n.ends(fleet.Succeeded, "")(n.apply(loose, func(o *host.Options) { o.NoHold = true }))
	n.prints(h, "libfoo", "apt-mark showhold")
}

// A job that is killed while nothing is held leaves that to whoever asks next.
func heldThroughKill(n *night) {
	const h = "h01"
	n.rig.Fresh(h)
	n.moves(h, "barkeep 1.0 1.1")
	s := Step(h, "barkeep 1.1 1.2")
	n.cut(s, plain, "dpkg-query -W -f '${db:Status-Abbrev}' barkeep | grep -q iF", n.kill)
	n.prints(h, "", "apt-mark showhold")
	j, err := n.apply(s, plain)
	if err != nil || j.State != fleet.Succeeded && j.State != fleet.Failed {
		n.Fatalf("job is %+v, %v, want it settled", j, err)
	}
	n.prints(h, "barkeep installed", "apt-mark showhold; dpkg-query -W -f '${db:Status-Status}' barkeep")
}
