package ssh_test

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/fleettest"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/ssh"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/testdata/rig"
	"github.com/ringmaster-dev/ringmaster/testdata/rig/cases"
)

// managers are those of rpms, with the letter that their hosts' names begin with.
var managers = []struct{ name, letter string }{{"dnf", "d"}, {"zypper", "z"}}

// rpm is a step of an rpm.
func rpm(host, what string) fleet.Step {
	s := cases.Step(host, what)
	s.Packages[0].Type = "rpm"
	return s
}

// hasRPMs checks the rpm database's word, and that of the service that runs.
func (n *night) hasRPMs(host, shopd, libfoo, barkeep string) {
	n.t.Helper()
	got := n.rig.Inside(host, "sh", "-c", `rpm -q --qf '%{EVR} ' barkeep libfoo shopd; shopd running`)
	if want := barkeep + " " + libfoo + " " + shopd + " " + shopd; got != want {
		n.t.Fatalf("%s has %q, want %q", host, got, want)
	}
}

// The promises of every fleet, nightly.
func TestRPMPromises(t *testing.T) {
	if os.Getenv("RINGMASTER_LONG") == "" {
		t.Skip("set RINGMASTER_LONG=1 for the promises with each manager of rpms")
	}
	for _, m := range managers {
		t.Run(m.name, func(t *testing.T) {
			r := rig.Up(t, m.letter)
			r.Fresh(m.letter+"01", m.letter+"02")
			o := options(t, r)
			fleettest.Test(t, fleettest.Fixture{
				Open:    func() (fleet.Fleet, error) { return ssh.Open(o) },
				Hosts:   []inventory.HostID{inventory.HostID(m.letter + "01"), inventory.HostID(m.letter + "02")},
				Package: fleet.Package{Type: "rpm", Name: "barkeep", From: "1.0-1", To: "1.1-1", Patch: "rpm:barkeep@1.1-1"},
				Now:     time.Now(),
			})
		})
	}
}

func TestRPMForthAndBack(t *testing.T) {
	for _, m := range managers {
		t.Run(m.name, func(t *testing.T) {
			r, h := rig.Up(t, m.letter), m.letter+"01"
			r.Fresh(h)
			n := opened(t, r, options(t, r))
			s := rpm(h, "shopd 1.0-1 1.1-1")
			j, err := n.apply(s)
			if n.done(j, err, fleet.Succeeded, ""); !j.Rebooted || j.Packages["libfoo"] != "1:2.1-1" {
				t.Errorf("job is %+v, want libfoo moved and the host restarted, as it asked", j)
			}
			n.hasRPMs(h, "1.1-1", "1:2.1-1", "1.0-1")
			again, err := n.apply(s)
			if n.done(again, err, fleet.Succeeded, ""); !again.Finished.Equal(j.Finished) {
				t.Errorf("the same key is answered %+v, and was %+v", again, j)
			}
			r.Inside(h, "sh", "-c", "rm -rf /etc/yum.repos.d/* /etc/zypp/repos.d/* /var/cache/dnf /var/cache/zypp")
			j, err = n.rollback(s)
			n.done(j, err, fleet.Succeeded, "")
			n.hasRPMs(h, "1.0-1", "1:2.0-1", "1.0-1")
		})
	}
}

// For rpm a package whose script failed is installed; here its step has failed.
func TestRPMScriptFails(t *testing.T) {
	for _, m := range managers {
		t.Run(m.name, func(t *testing.T) {
			r, h := rig.Up(t, m.letter), m.letter+"01"
			r.Fresh(h)
			o := options(t, r)
			o.Running = nil // nobody says that the service is down
			n := opened(t, r, o)
			s := rpm(h, "shopd 1.0-1 1.3-1")
			j, err := n.apply(s)
			n.done(j, err, fleet.Failed, "cannot migrate the basket store")
			j, err = n.rollback(s)
			n.done(j, err, fleet.Succeeded, "")
			n.hasRPMs(h, "1.0-1", "1:2.0-1", "1.0-1")
		})
	}
}

func TestRPMRefusals(t *testing.T) {
	for _, m := range managers {
		t.Run(m.name, func(t *testing.T) {
			r, h := rig.Up(t, m.letter), m.letter+"02"
			r.Fresh(h)
			o := options(t, r)
			n := opened(t, r, o)
			hold, free := "echo 'barkeep-0:1.0-1.*' >/etc/dnf/plugins/versionlock.list", "echo >/etc/dnf/plugins/versionlock.list"
			if m.name == "zypper" {
				hold, free = "zypper -n addlock 'bark*'", "zypper -n removelock 'bark*'"
			}
			for _, tc := range []struct{ name, before, after, step, code, message string }{
				{name: "an unknown version", step: "shopd 1.0-1 9.9-1", code: "refused", message: "no repository of the host has shopd 9.9-1 ("},
				{name: "a removal", step: "shopd 1.0-1 1.5-1", code: "refused", message: "the package manager would also remove barkeep"},
				{name: "another version", step: "shopd 1.1-1 1.2-1", code: "refused", message: "shopd is at 1.0-1, not at 1.1-1"},
				{name: "a hold", step: "barkeep 1.0-1 1.1-1", before: hold, after: free, code: "refused", message: "barkeep is held at 1.0-1 on the host by its administrators"},
				{name: "a full disk", step: "barkeep 1.0-1 1.1-1", before: "cat /dev/zero >/var/tmp/fill || true", after: "rm /var/tmp/fill",
					code: "refused", message: "0 MB are free in /, and 20 are needed"},
				{name: "another's install", step: "barkeep 1.0-1 1.1-1", code: "busy", message: "somebody else is installing",
					before: `python3 -c 'import fcntl,os,time
f=open("/var/lib/rpm/.rpm.lock","r+")
if os.fork()==0: os.setsid(); fcntl.lockf(f,fcntl.LOCK_EX); open("/run/holds","w").write(str(os.getpid())); time.sleep(60)' </dev/null >/dev/null 2>&1; while [ ! -e /run/holds ]; do sleep 0.1; done`,
					after: "kill $(cat /run/holds)"},
				{name: "dnf 5", step: "barkeep 1.0-1 1.1-1", code: "refused", message: "no package manager for packages of the type rpm that is known here",
					before: "mv /usr/bin/dnf /usr/bin/dnf4; cp /usr/bin/true /usr/bin/dnf", after: "mv /usr/bin/dnf4 /usr/bin/dnf"},
				{name: "two versions of a package", step: "barkeep 1.0-1 1.1-1", code: "refused", message: "packages are left half done: libfoo (twice)",
					before: "cd /run && python3 -c 'import urllib.request as u; open(\"/run/f.rpm\",\"wb\").write(u.urlopen(\"http://" + gateway(r, h) + ":8088/rpm/libfoo-2.1-1.noarch.rpm\").read())' && rpm -i --force f.rpm",
					after:  "rpm -e --nodeps libfoo-2.1-1"},
			} {
				t.Run(tc.name, func(t *testing.T) {
					if tc.name == "dnf 5" && m.name != "dnf" {
						t.Skip("the host has zypper")
					}
					n := &night{t, r, n.f}
					if tc.before != "" {
						r.Inside(h, "sh", "-c", tc.before)
					}
					j, err := n.apply(rpm(h, tc.step))
					if tc.after != "" {
						r.Inside(h, "sh", "-c", tc.after)
					}
					n.denied(j, err, tc.code, tc.message)
					n.hasRPMs(h, "1.0-1", "1:2.0-1", "1.0-1")
				})
			}
			j, err := n.apply(rpm(h, "barkeep 1.0-1 1.1-1"))
			n.done(j, err, fleet.Succeeded, "")
		})
	}
}

// What was moved is held where nobody else moves it, and ringmaster's next step lets go
// of what it holds, and of nothing else.
func TestRPMHeld(t *testing.T) {
	for _, m := range managers {
		t.Run(m.name, func(t *testing.T) {
			r, h := rig.Up(t, m.letter), m.letter+"02"
			r.Fresh(h)
			n := opened(t, r, options(t, r))
			locked, upgrade, hold := "sed -n 's/-.*//p' /etc/dnf/plugins/versionlock.list", "dnf -q -y upgrade barkeep", "echo 'libfoo-1:2.0-1.*' >>/etc/dnf/plugins/versionlock.list"
			if m.name == "zypper" {
				locked, upgrade, hold = "sed -n 's/^solvable_name: //p' /etc/zypp/locks", "zypper -n update barkeep", "zypper -n addlock 'libf*'"
			}
			for _, what := range []string{"barkeep 1.0-1 1.1-1", "barkeep 1.1-1 1.2-1"} {
				s := rpm(h, what)
				j, err := n.apply(s)
				n.done(j, err, fleet.Succeeded, "")
				if got := r.Inside(h, "sh", "-c", locked); got != "barkeep" {
					t.Fatalf("after %s %q is held, want barkeep", what, got)
				}
			}
			r.Inside(h, "sh", "-c", upgrade+" >/dev/null 2>&1 || true")
			n.hasRPMs(h, "1.0-1", "1:2.0-1", "1.2-1")
			r.Inside(h, "sh", "-c", hold)
			j, err := n.apply(rpm(h, "shopd 1.0-1 1.1-1"))
			n.denied(j, err, "refused", "libfoo would move to 1:2.1-1 with it, and is held on the host by its administrators")
			j, err = n.rollback(rpm(h, "barkeep 1.1-1 1.2-1"))
			n.done(j, err, fleet.Succeeded, "")
			n.hasRPMs(h, "1.0-1", "1:2.0-1", "1.1-1")
		})
	}
}

// gateway is the address of the rig's repository, as a host sees it.
func gateway(r *rig.Rig, host string) string {
	address := r.Hosts[host]
	return address[:strings.LastIndex(address, ".")] + ".1"
}

// A cut link ends nothing, and a host that went down in the middle of a transaction
// has one version of each package again.
func TestRPMCutOff(t *testing.T) {
	for _, m := range managers {
		for name, cut := range map[string]func(r *rig.Rig, h string){
			"the link": func(r *rig.Rig, h string) { r.Fault(h, "drop") },
			"the host": func(r *rig.Rig, h string) { r.Restart(h) },
		} {
			t.Run(m.name+"/"+name, func(t *testing.T) {
				r, h := rig.Up(t, m.letter), m.letter+"02"
				r.Fresh(h)
				n := opened(t, r, options(t, r))
				s := rpm(h, "barkeep 1.0-1 1.2-1")
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var j fleet.Job
				var err error
				var wg sync.WaitGroup
				wg.Go(func() { j, err = n.f.Apply(ctx, time.Now(), s) })
				// rpm is at the script of 1.2-1, which takes 6 seconds, and 1.0-1 is still there
				r.Inside(h, "sh", "-c", "for i in $(seq 300); do [ \"$(rpm -q barkeep | wc -l)\" = 2 ] && exit; sleep 0.1; done; exit 1")
				cut(r, h)
				wg.Wait()
				if name != "the host" || j.State != fleet.Succeeded { // that may be back in time to be asked
					n.done(j, err, fleet.Running, "")
				}
				r.Fault(h, "clear")
				j, err = opened(t, r, options(t, r)).apply(s)
				n.done(j, err, fleet.Succeeded, "")
				n.hasRPMs(h, "1.0-1", "1:2.0-1", "1.2-1")
				if wrong := r.Inside(h, "sh", "-c", "rpm -V barkeep || true"); wrong != "" {
					t.Errorf("rpm -V barkeep says %q", wrong)
				}
			})
		}
	}
}

func TestRPMOwnRules(t *testing.T) {
	for _, m := range managers {
		t.Run(m.name, func(t *testing.T) {
			r, h := rig.Up(t, m.letter), m.letter+"01"
			r.Fresh(h)
			o := options(t, r)
			n := opened(t, r, o)
			t.Run("a kernel stands beside its former one", func(t *testing.T) {
				n := &night{t, r, n.f}
				s := rpm(h, "kernel-rig 6.1-1 6.2-1")
				j, err := n.apply(s)
				n.done(j, err, fleet.Succeeded, "")
				if got := r.Inside(h, "rpm", "-q", "kernel-rig"); got != "kernel-rig-6.1-1.noarch\nkernel-rig-6.2-1.noarch" {
					t.Errorf("rpm -q kernel-rig says %q, want both", got)
				}
				j, err = n.rollback(s)
				n.denied(j, err, "refused", "kernel-rig is installed beside its former version")
			})
			t.Run("an edited configuration file stays, and what came along goes", func(t *testing.T) {
				n := &night{t, r, n.f}
				r.Inside(h, "sh", "-c", "echo mine >/etc/barkeep.conf")
				s := rpm(h, "barkeep 1.0-1 1.3-1")
				j, err := n.apply(s)
				if n.done(j, err, fleet.Succeeded, ""); j.Packages["barlib"] != "1.0-1" {
					t.Errorf("job is %+v, want barlib installed with it", j)
				}
				if got := r.Inside(h, "cat", "/etc/barkeep.conf"); got != "mine" {
					t.Errorf("barkeep.conf is %q", got)
				}
				j, err = n.rollback(s)
				n.done(j, err, fleet.Succeeded, "")
				if got := r.Inside(h, "sh", "-c", "rpm -q barlib || true"); got != "package barlib is not installed" {
					t.Errorf("barlib came with barkeep 1.3-1, and is still there: %s", got)
				}
			})
			if m.name == "dnf" {
				t.Run("no module's stream is enabled", func(t *testing.T) {
					n := &night{t, r, n.f}
					s := rpm(h, "barmod - 1.0-1")
					s.Packages[0].From = ""
					j, err := n.apply(s)
					n.denied(j, err, "refused", "barmod 1.0-1 is in a module stream that is not enabled")
					r.Inside(h, "dnf", "-y", "module", "enable", "bar:1")
					j, err = n.apply(s)
					n.done(j, err, fleet.Succeeded, "")
				})
			}
			t.Run("or is replaced", func(t *testing.T) {
				o.NewConffiles, o.Running = true, nil
				n := opened(t, r, o)
				j, err := n.apply(rpm(h, "barkeep 1.0-1 1.1-1"))
				n.done(j, err, fleet.Succeeded, "")
				if got := r.Inside(h, "cat", "/etc/barkeep.conf"); got != "# barkeep 1.1-1" {
					t.Errorf("barkeep.conf is %q, want that of 1.1-1", got)
				}
			})
		})
	}
}
