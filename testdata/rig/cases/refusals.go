package cases

import (
	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/host"
)

// What is looked at before a step: what refuses it leaves nothing on the host, and the
// same key is tried anew.
func refusals(n *night) {
	const h = "h05"
	n.rig.Fresh(h)
	for _, tc := range []struct {
		name, before, after string
		step                string
		code, message       string
	}{
		{name: "an unknown version", step: "shopd 1.0-1 9.9-1", code: "refused", message: "no repository of the host has shopd 9.9-1"},
		{name: "a removal", step: "shopd 1.0-1 1.5-1", code: "refused", message: "the package manager would also remove barkeep"},
		{name: "a hold", step: "barkeep 1.0 1.1", before: "apt-mark hold barkeep", after: "apt-mark unhold barkeep",
			code: "refused", message: "barkeep is held at 1.0 on the host by its administrators"},
		{name: "a full disk", step: "barkeep 1.0 1.1", before: "head -c $(($(df -Pk / | awk 'NR == 2 { print int($4 / 1024) }') - 12))M /dev/zero >/var/tmp/fill", after: "rm /var/tmp/fill",
			code: "refused", message: " MB are free in /, and 20 are needed"},
		{name: "half done", step: "barkeep 1.0 1.1", before: "apt-get -qq update; apt-get -y install shopd=1.3-1 || true", after: "apt-get -y --allow-downgrades install shopd=1.0-1 libfoo=2.0; rm /run/reboot-required",
			code: "refused", message: "packages are left half done: shopd (iF)"},
		{name: "another's install", step: "barkeep 1.0 1.1", code: "busy", message: "somebody else is installing",
			before: `python3 -c 'import fcntl,os,time
f=open("/var/lib/dpkg/lock-frontend","w"); fcntl.lockf(f,fcntl.LOCK_EX)
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
		n.prints(h, "1.0 2.0 1.0-1 1.0-1 0", "dpkg-query -W -f '${Version} ' barkeep libfoo shopd; shopd running; ls -d /var/lib/ringmaster/*/ 2>/dev/null | wc -l")
	}
	n.rig.Inside(h, "touch", "/run/reboot-required")
	n.rig.Inside(h, "sh", "-c", "cd /usr/local/bin; cp /bin/sleep keeper; ./keeper 600 </dev/null >/dev/null 2>&1 & until [ $(cat /proc/$!/comm) = keeper ]; do :; done; rm /usr/local/bin/keeper")
	n.ends(fleet.Succeeded, "the host waited for a restart before; the host waits for a restart; programs run with files that are gone from disk: keeper")(n.apply(Step(h, "barkeep 1.0 1.1"), func(o *host.Options) { o.NoRestart = true }))
	j := n.ends(fleet.Succeeded, "the host waited for a restart before")(n.apply(Step(h, "barkeep 1.1 1.3"), plain))
	if !j.Rebooted {
		n.Errorf("job is %+v, want it restarted", j)
	}
}
