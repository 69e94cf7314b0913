package cases

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/fleettest"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/version"
	"github.com/ringmaster-dev/ringmaster/testdata/rig"
)

// Kind is what differs between hosts of one package manager and of another. Tests speak
// of packages in Debian's versions.
type Kind struct {
	Name     string // of the package manager, as the rig has it
	Letter   string // that its hosts' names begin with
	packages version.Type
	versions string // prints those of the packages whose names follow, and what is not whole
	lists    string // reads the repository's lists

	held         string // prints what is held, a name a line
	hold, unhold string // by a person, of the packages whose names follow
	upgrades     string // prints a line for libfoo where an upgrade of the host would move it

	restart     string // has the host ask for one
	Scripted    string // succeeds while barkeep 1.2's script runs
	Once        string // prints 1 where barkeep 1.2 was installed once, and is whole
	lock        string // the package manager's
	halve, mend string // leave a package half done, and put it right
	halved      string // how a refusal speaks of that
	spoil       string // breaks the package manager's database
}

const rpms = "rpm -q --qf '%{EVR} '"

// Kinds are all of them.
var Kinds = []Kind{
	{
		Name: "deb", Letter: "h", packages: version.Deb, versions: "v() { dpkg-query -W -f '${Version}/${db:Status-Status} ' $* | sed 's,/installed,,g'; }; v", lists: "apt-get -qq update",
		held: "apt-mark showhold", hold: "apt-mark hold", unhold: "apt-mark unhold",
		upgrades: "apt-get -s upgrade | grep '^Inst libfoo'",
		restart:  "touch /run/reboot-required",
		Scripted: "dpkg-query -W -f '${db:Status-Abbrev}' barkeep | grep -q iF",
		Once:     "grep -c ' status installed barkeep:all 1.2' /var/log/dpkg.log",
		lock:     "/var/lib/dpkg/lock-frontend",
		halve:    "apt-get -qq update; apt-get -y install shopd=1.3-1 || true",
		mend:     "apt-get -y --allow-downgrades install shopd=1.0-1 libfoo=2.0; rm /run/reboot-required",
		halved:   "shopd (iF)",
		spoil:    "echo broken >/var/lib/dpkg/status",
	},
	{
		Name: "dnf", Letter: "d", packages: version.RPM, versions: rpms, lists: "true",
		held: "sed -n '/^#/!s/-[0-9]*:.*//p' /etc/dnf/plugins/versionlock.list | sort", hold: "dnf -q versionlock add", unhold: "dnf -q versionlock delete",
		upgrades: "dnf -q check-update | grep '^libfoo'",
		restart:  "dnf -q -y reinstall libfoo",
		Scripted: "[ $(rpm -q barkeep | wc -l) = 2 ]",
		Once:     "rpm -V barkeep >/dev/null && rpm -q barkeep | wc -l || true",
		lock:     "/var/lib/rpm/.rpm.lock",
		halve:    "cd /var/tmp && dnf -q download libfoo-2.1-1 && rpm -i --force libfoo-2.1-1.noarch.rpm",
		mend:     "rpm -e --nodeps libfoo-2.1-1",
		halved:   "libfoo (twice)",
		spoil:    "for f in /var/lib/rpm/rpmdb.sqlite*; do echo broken >$f; done",
	},
	{
		Name: "zypper", Letter: "z", packages: version.RPM, versions: rpms, lists: "true",
		held: "sed -n 's/^solvable_name: //p' /etc/zypp/locks | sort", hold: "zypper -n addlock", unhold: "zypper -n removelock",
		upgrades: "zypper -n --xmlout update --dry-run | grep '\"libfoo\".*edition-old'",
		restart:  "touch /run/reboot-needed",
		Scripted: "[ $(rpm -q barkeep | wc -l) = 2 ]",
		Once:     "rpm -V barkeep >/dev/null && rpm -q barkeep | wc -l || true",
		lock:     "/var/lib/rpm/.rpm.lock",
		halve:    "cd /var/tmp && zypper -n --pkg-cache-dir /var/tmp/got download libfoo=1:2.1-1 && rpm -i --force $(find got -name 'libfoo-2.1-*')",
		mend:     "rpm -e --nodeps libfoo-2.1-1",
		halved:   "libfoo (twice)",
		spoil:    "for f in /var/lib/rpm/rpmdb.sqlite*; do echo broken >$f; done",
	},
}

// RPMs are the kinds with packages of that type.
var RPMs = Kinds[1:]

// Of is the kind of a host.
func Of(id string) Kind {
	return Kinds[slices.IndexFunc(Kinds, func(k Kind) bool { return k.Letter == id[:1] })]
}

// Version is one of Debian's, as the package has it here: rpms of the rig have a
// release each, and libfoo an epoch.
func (k Kind) Version(name, v string) string {
	if k.packages != version.RPM || v == "-" {
		return v
	}
	if name == "libfoo" {
		v = "1:" + v
	}
	if !strings.Contains(v, "-") {
		v += "-1"
	}
	return v
}

// Each does something with hosts of each kind, side by side.
func Each(t *testing.T, kinds []Kind, do func(t *testing.T, r *rig.Rig, k Kind)) {
	for _, k := range kinds {
		t.Run(k.Name, func(t *testing.T) {
			r := rig.Up(t, k.Letter)
			t.Parallel()
			do(t, r, k)
		})
	}
}

// Nightly skips what is the nightly run's.
func Nightly(t *testing.T) {
	t.Helper()
	if os.Getenv("RINGMASTER_LONG") == "" {
		t.Skip("set RINGMASTER_LONG=1 to try it")
	}
}

// Long skips what takes long with managers of rpms, and is the nightly run's.
func (k Kind) Long(t *testing.T) {
	t.Helper()
	if k.packages == version.RPM {
		Nightly(t)
	}
}

// Fixture is what the promises of every fleet are tried with, on two hosts made anew.
func (k Kind) Fixture(r *rig.Rig, open func() (fleet.Fleet, error)) fleettest.Fixture {
	hosts := []string{k.Letter + "01", k.Letter + "02"}
	r.Fresh(hosts...)
	p := Step(hosts[0], "barkeep 1.0 1.1").Packages[0]
	p.Patch = plan.PatchID(string(p.Type) + ":" + p.Name + "@" + p.To)
	return fleettest.Fixture{Open: open, Hosts: ids(hosts), Package: p, Now: time.Now()}
}
