package cases

import (
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/host"
)

// What is looked at before a step: what refuses it leaves nothing on the host, and the
// same key is tried anew.
func refusals(n *night) {
	h := n.Letter + "01"
	n.rig.Fresh(h)
	for _, tc := range []struct {
		name, before, after string
		step                string
		code, message       string
	}{
		{name: "an unknown version", step: "shopd 1.0-1 9.9-1", code: "refused", message: "no repository of the host has shopd 9.9-1"},
		{name: "a removal", step: "shopd 1.0-1 1.5-1", code: "refused", message: "the package manager would also remove barkeep"},
		{name: "a hold", step: "barkeep 1.0 1.1", before: n.hold + " barkeep", after: n.unhold + " barkeep",
			code: "refused", message: "barkeep is held at " + n.Version("barkeep", "1.0") + " on the host by its administrators"},
		{name: "a full disk", step: "barkeep 1.0 1.1", before: "head -c $(($(df -Pk / | awk 'NR == 2 { print int($4 / 1024) }') - 12))M /dev/zero >/var/tmp/fill", after: "rm /var/tmp/fill",
			code: "refused", message: " MB are free in /, and 20 are needed"},
		{name: "half done", step: "barkeep 1.0 1.1", before: n.halve, after: n.mend, code: "refused", message: "packages are left half done: " + n.halved},
		{name: "mounted read-only", step: "barkeep 1.0 1.1", before: "mount --bind /usr /usr && mount -o remount,bind,ro /usr", after: "umount -l /usr", code: "refused", message: "the host cannot write to /usr, which is mounted read-only"},
		{name: "another's install", step: "barkeep 1.0 1.1", code: "busy", message: "somebody else is installing",
			before: `python3 -c 'import fcntl,os,time
f=open("` + n.lock + `","r+"); fcntl.lockf(f,fcntl.LOCK_EX)
if os.fork()==0: os.setsid(); fcntl.lockf(f,fcntl.LOCK_EX); open("/run/holds","w").write(str(os.getpid())); time.sleep(600)' </dev/null >/dev/null 2>&1; while [ ! -e /run/holds ]; do sleep 0.1; done`,
			after: "kill $(cat /run/holds)"},
	} {
		if tc.before != "" {
			n.rig.Inside(h, "sh", "-c", tc.before)
		}
		j, err := n.apply(Step(h, tc.step), plain)
		if tc.after != "" {
			n.rig.Inside(h, "sh", "-c", tc.after)
		}
		n.Log(tc.name)
		n.denied(tc.code, tc.message)(j, err)
		if wrong := Has(n.rig, h, "1.0-1", "2.0", "1.0"); wrong != "" {
			n.Fatal(wrong)
		}
		n.prints(h, "0", "ls -d /var/lib/ringmaster/*/ 2>/dev/null | wc -l")
	}
	n.denied("refused", "what is to tell the version of shopd that runs cannot be run: ")(n.apply(Step(h, "shopd 1.0-1 1.1-1"), func(o *host.Options) {
		o.Running = map[string]host.Running{"shopd": {Command: []string{"shopd-ctl", "version"}}}
	}))
	if wrong := Has(n.rig, h, "1.0-1", "2.0", "1.0"); wrong != "" {
		n.Fatal(wrong)
	}
	n.rig.Inside(h, "sh", "-c", n.restart)
	n.rig.Inside(h, "sh", "-c", "cd /usr/local/bin; cp /bin/sleep keeper; ./keeper 600 </dev/null >/dev/null 2>&1 & until [ $(cat /proc/$!/comm) = keeper ]; do :; done; rm /usr/local/bin/keeper")
	n.ends(fleet.Succeeded, "the host waited for a restart before; the host waits for a restart; programs run with files that are gone from disk: keeper")(n.apply(Step(h, "barkeep 1.0 1.1"), func(o *host.Options) { o.NoRestart = true }))
	j := n.ends(fleet.Succeeded, "the host waited for a restart before; the host was restarted")(n.apply(Step(h, "barkeep 1.1 1.3"), plain))
	if !j.Rebooted {
		n.Errorf("job is %+v, want it restarted", j)
	}
	n.rig.Inside(h, "sh", "-c", n.spoil)
	n.unreadable(h)
}

// A package that a script of its own keeps from being installed: the step has failed, and
// the host is as it was.
func keptOut(n *night) {
	h := n.Letter + "01"
	n.rig.Fresh(h)
	s := Step(h, "barkeep 1.0 1.4")
	n.ends(fleet.Failed, "the cellar is locked")(n.apply(s, plain))
	n.has(h, "barkeep", "1.0")
	n.denied("refused", "barkeep is at "+n.Version("barkeep", "1.0")+" already")(n.back(s, plain))
	n.moves(h, "barkeep 1.0 1.1")
}

// unreadable checks that nothing is said of packages where the database is broken, least of
// all that one is not installed, and that no step begins.
func (n *night) unreadable(h string) {
	n.Helper()
	at := ids([]string{h})
	found, err := n.open(n.T, plain).Installed(n.Context(), time.Now(), at, []string{"barkeep", "nothing"})
	if told, answers := found[at[0]]; err != nil || !answers || len(told) > 0 {
		n.Errorf("Installed() = %v, %v, want the host, and nothing said of any package", found, err)
	}
	n.denied("refused", "the host's package manager cannot read its database, and say at which version shopd is")(n.apply(Step(h, "shopd 1.0-1 1.1-1"), plain))
}
