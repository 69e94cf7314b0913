package cases

import (
	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/host"
)

// What was moved is held where nobody else moves it, and only what ringmaster holds
// is let go by its own next step.
func held(n *night) {
	h := n.Letter + "01"
	n.rig.Fresh(h)
	person := func(does, name string) { n.rig.Inside(h, "sh", "-c", does+" "+name) }
	n.rig.Inside(h, "sh", "-c", n.lists)
	n.prints(h, "1", n.upgrades+" | wc -l")
	n.moves(h, "libfoo 2.0 2.1")
	n.ends(fleet.Succeeded, "")(n.back(Step(h, "libfoo 2.0 2.1"), plain))
	n.prints(h, "0", n.upgrades+" | wc -l") // nobody puts it there again
	person(n.unhold, "libfoo")
	n.moves(h, "barkeep 1.0 1.1")
	n.holds(h, "barkeep")

	n.moves(h, "barkeep 1.1 1.3")
	n.holds(h, "barkeep")
	n.has(h, "barkeep", "1.3")
	n.has(h, "barlib", "1.0")
	n.ends(fleet.Succeeded, "")(n.back(Step(h, "barkeep 1.1 1.3"), plain))
	n.holds(h, "barkeep")
	n.has(h, "barkeep", "1.1")

	person(n.hold, "libfoo")
	n.denied("refused", "libfoo would move to "+n.Version("libfoo", "2.1")+" with it, and is held on the host by its administrators")(n.apply(Step(h, "shopd 1.0-1 1.1-1"), plain))
	person(n.unhold, "libfoo")

	person(n.unhold, "barkeep") // a person lets go, and what they hold later is theirs
	again := Step(h, "libfoo 2.0 2.1")
	again.Key += "/2"
	n.ends(fleet.Succeeded, "")(n.apply(again, plain))
	n.holds(h, "libfoo")
	person(n.hold, "barkeep")
	n.denied("refused", "barkeep is held at "+n.Version("barkeep", "1.1")+" on the host by its administrators")(n.apply(Step(h, "barkeep 1.1 1.2"), plain))
	person(n.unhold, "barkeep")

	n.moves(h, "shopd 1.0-1 1.1-1") // beside a dependency that it holds itself
	n.holds(h, "libfoo shopd")
	loose := Step(h, "shopd 1.1-1 1.4-1")
	n.ends(fleet.Succeeded, "")(n.apply(loose, func(o *host.Options) { o.NoHold = true }))
	n.holds(h, "libfoo")
}

// A job that is killed while nothing is held leaves that to whoever asks next.
func heldThroughKill(n *night) {
	h := n.Letter + "01"
	n.rig.Fresh(h)
	n.moves(h, "barkeep 1.0 1.1")
	s := Step(h, "barkeep 1.1 1.2")
	n.cut(s, plain, n.Scripted, n.kill)
	n.holds(h, "")
	j, err := n.apply(s, plain)
	if err != nil || j.State != fleet.Succeeded && j.State != fleet.Failed {
		n.Fatalf("job is %+v, %v, want it settled", j, err)
	}
	n.holds(h, "barkeep")
	n.has(h, "barkeep", "1.2")
}
