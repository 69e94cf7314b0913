package ssh_test

import (
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/host"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/ssh"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/testdata/rig/cases"
)

// What goes wrong on hosts of rpms once a step has been begun, though all was well
// when it was looked at.

const killManager = "pkill -KILL -x 'dnf|zypper|rpm'"

// repaired takes a step of a fresh host back.
func (n *night) repaired(s fleet.Step) {
	n.t.Helper()
	j, err := n.rollback(s)
	n.done(j, err, fleet.Succeeded, "")
	n.has(string(s.Host), "1.0-1", "2.0", "1.0")
}

func TestRPMManagerKilled(t *testing.T) {
	rpms(t, plain, func(n *night, _ cases.Kind, h string) {
		s := cases.Step(h, "barkeep 1.0 1.2")
		j, err := n.during(n.t.Context(), s, func() { n.rig.Inside(h, "sh", "-c", killManager) })
		n.done(j, err, fleet.Failed, "barkeep is at 1.2-1 (twice), not at 1.2-1; the package manager failed: ")
		other, err := n.apply(cases.Step(h, "libfoo 2.0 2.1"))
		n.denied(other, err, "refused", "packages are left half done: barkeep (twice)")
		n.repaired(s)
	})
}

// A rollback that has failed is whole once it is done again.
func TestRPMManagerKilledGoingBack(t *testing.T) {
	cases.Nightly(t)
	rpms(t, plain, func(n *night, _ cases.Kind, h string) {
		j, err := n.apply(cases.Step(h, "barkeep 1.0 1.2"))
		n.done(j, err, fleet.Succeeded, "")
		s := cases.Step(h, "barkeep 1.2 1.3")
		j, err = n.apply(s)
		n.done(j, err, fleet.Succeeded, "")
		back := cases.Back(s)
		again := func() (fleet.Job, error) { return n.f.Rollback(n.t.Context(), time.Now(), back) }
		j, err = n.whileAt(h, again, func() { n.rig.Inside(h, "sh", "-c", killManager) })
		n.done(j, err, fleet.Failed, "")
		back.Key += "/2"
		j, err = again()
		n.done(j, err, fleet.Succeeded, "")
		n.has(h, "1.0-1", "2.0", "1.2")
	})
}

// A full disk may have no place for a result: nobody knows then, until there is room.
func TestRPMDiskFills(t *testing.T) {
	cases.Nightly(t)
	brief := func(o *ssh.Options) { o.Timeout = 30 * time.Second }
	rpms(t, brief, func(n *night, k cases.Kind, h string) {
		s := cases.Step(h, "barkeep 1.0 1.2")
		j, err := n.during(n.t.Context(), s, func() { n.rig.Fault(h, "diskfull") })
		if err != nil || j.State != fleet.Failed && j.State != fleet.Running {
			n.t.Fatalf("job is %+v, %v, want it failed, or nobody to know", j, err)
		}
		n.rig.Fault(h, "clear")
		if j, err = n.apply(s); err != nil || j.State != fleet.Failed && j.State != fleet.Succeeded {
			n.t.Fatalf("job is %+v, %v, want it settled", j, err)
		}
		if whole := n.rig.Inside(h, "sh", "-c", k.Once); (whole == "1") != (j.State == fleet.Succeeded) {
			n.t.Errorf("job is %+v, and %s prints %q", j, k.Once, whole)
		}
		n.repaired(s)
	})
}

func TestRPMSlowLink(t *testing.T) {
	cases.Nightly(t)
	rpms(t, plain, func(n *night, _ cases.Kind, h string) {
		n.rig.Fault(h, "slow")
		j, err := n.apply(cases.Step(h, "barkeep 1.0 1.1"))
		n.done(j, err, fleet.Succeeded, "")
	})
}

// before runs a script on a host after a step was admitted, and before anything is moved.
func before(script string) func(*ssh.Options) {
	return func(o *ssh.Options) {
		o.Hooks = []host.Hook{{Name: "snapshot", Command: []string{"sh", "-c", script}, Timeout: 30 * time.Second}}
	}
}

func TestRPMRepositoryGone(t *testing.T) {
	cases.Nightly(t)
	rpms(t, before(lost), func(n *night, _ cases.Kind, h string) {
		s := cases.Step(h, "shopd 1.0-1 1.1-1")
		j, err := n.apply(s)
		n.done(j, err, fleet.Failed, "shopd is at 1.0-1 (ok), not at 1.1-1; ")
		n.done(j, err, fleet.Failed, "the package manager failed: ")
		n.has(h, "1.0-1", "2.0", "1.0")
		j, err = n.rollback(s)
		n.denied(j, err, "refused", "shopd is at 1.0-1 already")
	})
}

// Somebody else's install, which goes on while ours begins, is waited for.
func TestRPMAnotherInstalls(t *testing.T) {
	const another = "if command -v zypper >/dev/null; then zypper -n install barkeep=1.2-1; else dnf -y install barkeep-1.2-1; fi </dev/null >/dev/null 2>&1 & " +
		"until [ $(rpm -q barkeep | wc -l) = 2 ]; do sleep 0.1; done"
	rpms(t, before(another), func(n *night, _ cases.Kind, h string) {
		j, err := n.apply(cases.Step(h, "shopd 1.0-1 1.1-1"))
		n.done(j, err, fleet.Succeeded, "")
		n.has(h, "1.1-1", "2.1", "1.2")
	})
}

// Of a database that rpm has made anew, because the one before is gone, nothing is said.
func TestRPMDatabaseGone(t *testing.T) {
	rpms(t, plain, func(n *night, _ cases.Kind, h string) {
		n.rig.Inside(h, "sh", "-c", "rm /var/lib/rpm/rpmdb.sqlite*")
		found, err := n.f.Installed(n.t.Context(), time.Now(), []inventory.HostID{inventory.HostID(h)}, []string{"barkeep", "barlib"})
		if at, told := found[inventory.HostID(h)]; err != nil || !told || len(at) > 0 {
			n.t.Errorf("Installed() = %v, %v, want the host, and nothing said of any package", found, err)
		}
	})
}
