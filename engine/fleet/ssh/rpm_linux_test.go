package ssh_test

import (
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/ssh"
	"github.com/ringmaster-dev/ringmaster/testdata/rig"
	"github.com/ringmaster-dev/ringmaster/testdata/rig/cases"
)

// rpms is a night on a host of each manager of rpms, which is made anew.
func rpms(t *testing.T, change func(*ssh.Options), night func(n *night, k cases.Kind, h string)) {
	cases.Each(t, cases.RPMs, func(t *testing.T, r *rig.Rig, k cases.Kind) {
		h := k.Letter + "01"
		r.Fresh(h)
		o := options(t, r)
		change(&o)
		night(opened(t, r, o), k, h)
	})
}

func plain(*ssh.Options) {}

// silent says of no service at which version it runs.
func silent(o *ssh.Options) { o.Running = nil }

func TestRPMForthAndBack(t *testing.T) {
	rpms(t, plain, func(n *night, k cases.Kind, h string) {
		s := cases.Step(h, "shopd 1.0-1 1.1-1")
		j, err := n.apply(s)
		if n.done(j, err, fleet.Succeeded, ""); !j.Rebooted || j.Packages["libfoo"] != "1:2.1-1" {
			n.t.Errorf("job is %+v, want libfoo moved and the host restarted, as it asked", j)
		}
		n.has(h, "1.1-1", "2.1", "1.0")
		again, err := n.apply(s)
		if n.done(again, err, fleet.Succeeded, ""); !again.Finished.Equal(j.Finished) {
			n.t.Errorf("the same key is answered %+v, and was %+v", again, j)
		}
		n.rig.Inside(h, "sh", "-c", lost)
		j, err = n.rollback(s)
		n.done(j, err, fleet.Succeeded, "")
		n.has(h, "1.0-1", "2.0", "1.0")
	})
}

// lost takes a host's repositories away, and what it has of their lists and packages.
const lost = "rm -rf /etc/yum.repos.d/* /etc/zypp/repos.d/* /var/cache/dnf /var/cache/zypp"

// For rpm a package whose script failed is installed; here its step has failed.
func TestRPMScriptFails(t *testing.T) {
	rpms(t, silent, func(n *night, k cases.Kind, h string) { // nobody says that the service is down
		s := cases.Step(h, "shopd 1.0-1 1.3-1")
		j, err := n.apply(s)
		n.done(j, err, fleet.Failed, "cannot migrate the basket store")
		j, err = n.rollback(s)
		n.done(j, err, fleet.Succeeded, "")
		n.has(h, "1.0-1", "2.0", "1.0")
	})
}

// What rpms have of their own.
func TestRPMOwnRules(t *testing.T) {
	rpms(t, plain, func(n *night, k cases.Kind, h string) {
		n.t.Run("a kernel stands beside its former one", func(t *testing.T) {
			n := n.of(t)
			s := cases.Step(h, "kernel-rig 6.1-1 6.2-1")
			j, err := n.apply(s)
			n.done(j, err, fleet.Succeeded, "")
			n.prints(h, "kernel-rig-6.1-1.noarch\nkernel-rig-6.2-1.noarch", "rpm -q kernel-rig")
			j, err = n.rollback(s)
			n.denied(j, err, "refused", "kernel-rig is installed beside its former version")
		})
		n.t.Run("an edited configuration file stays, and what came along goes", func(t *testing.T) {
			n := n.of(t)
			n.rig.Inside(h, "sh", "-c", "echo mine >/etc/barkeep.conf")
			s := cases.Step(h, "barkeep 1.0 1.3")
			j, err := n.apply(s)
			if n.done(j, err, fleet.Succeeded, ""); j.Packages["barlib"] != "1.0-1" {
				t.Errorf("job is %+v, want barlib installed with it", j)
			}
			n.prints(h, "mine", "cat /etc/barkeep.conf")
			j, err = n.rollback(s)
			n.done(j, err, fleet.Succeeded, "")
			n.prints(h, "package barlib is not installed", "rpm -q barlib || true")
		})
		n.t.Run("or is replaced", func(t *testing.T) {
			o := options(t, n.rig)
			o.NewConffiles = true
			n := opened(t, n.rig.For(t), o)
			j, err := n.apply(cases.Step(h, "barkeep 1.0 1.1"))
			n.done(j, err, fleet.Succeeded, "")
			n.prints(h, "# barkeep 1.1-1", "cat /etc/barkeep.conf")
		})
		n.t.Run("a lock may be a pattern", func(t *testing.T) {
			n := n.of(t)
			lock := map[string]string{"dnf": "echo 'libf*-2.0-1.noarch # keep it' >>/etc/dnf/plugins/versionlock.list", "zypper": "zypper -n addlock 'libf*'"}[k.Name]
			n.rig.Inside(h, "sh", "-c", lock)
			j, err := n.apply(cases.Step(h, "libfoo 2.0 2.1"))
			n.denied(j, err, "refused", "libfoo is held at 1:2.0-1 on the host by its administrators")
		})
		if k.Name != "dnf" {
			return
		}
		n.t.Run("no module's stream is enabled", func(t *testing.T) {
			n := n.of(t)
			s := cases.Step(h, "barmod - 1.0-1")
			s.Packages[0].From = ""
			j, err := n.apply(s)
			n.denied(j, err, "refused", "barmod 1.0-1 is in a module stream that is not enabled")
			n.rig.Inside(h, "dnf", "-y", "module", "enable", "bar:1")
			j, err = n.apply(s)
			n.done(j, err, fleet.Succeeded, "")
		})
		n.t.Run("dnf 5 is not known", func(t *testing.T) {
			n := n.of(t)
			n.rig.Inside(h, "sh", "-c", "mv /usr/bin/dnf /usr/bin/dnf4; cp /usr/bin/true /usr/bin/dnf")
			j, err := n.apply(cases.Step(h, "barkeep 1.1 1.3"))
			n.rig.Inside(h, "mv", "/usr/bin/dnf4", "/usr/bin/dnf")
			n.denied(j, err, "refused", `packages of the type rpm are moved by dnf 4 or zypper, and the host has dnf 5; a plugin (fleet "exec") can move them`)
		})
	})
}
