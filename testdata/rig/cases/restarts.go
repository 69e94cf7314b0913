package cases

import (
	"strings"
	"sync"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/host"
)

// Hosts are restarted one after another, and when one does not come back no other is,
// until a later run goes on with them.
func restarts(n *night) {
	hosts := n.rig.Names()
	hosts = hosts[:min(len(hosts), 3)]
	n.rig.Fresh(hosts...)
	for _, h := range hosts {
		n.rig.Fault(h, "lost")
	}
	boots := n.rig.Boots()
	f := n.open(n.T, func(o *host.Options) { o.Restart = 5 * time.Second })
	errs := make([]error, len(hosts))
	var wg sync.WaitGroup
	for i, h := range hosts {
		wg.Go(func() { _, errs[i] = f.Apply(n.Context(), time.Now(), Step(h, "libfoo 2.0 2.1")) })
	}
	wg.Wait()
	var lost string
	for i, err := range errs {
		if err != nil && strings.Contains(err.Error(), "unreachable: "+hosts[i]+" was restarted") {
			lost = hosts[i]
		}
	}
	for i, h := range hosts {
		if h == lost {
			continue
		}
		n.denied("busy", "the packages were moved, and "+h+" waits for its restart: "+lost+", which was restarted before it, is not back")(fleet.Job{}, errs[i])
		n.prints(h, boots[h]+" 1.0-1", "cat /proc/sys/kernel/random/boot_id; shopd running") // its service goes on
	}
	if found, err := f.Installed(n.Context(), time.Now(), ids(hosts), []string{"libfoo", "barkeep"}); err != nil || len(found[ids(hosts)[0]]) > 1 {
		n.Errorf("Installed() = %v, %v, want nothing said of what waits", found, err)
	}
	for _, h := range hosts {
		n.rig.Fault(h, "clear")
	}
	f = n.open(n.T, plain)
	for _, h := range hosts {
		wg.Go(func() {
			if j, err := f.Apply(n.Context(), time.Now(), Step(h, "libfoo 2.0 2.1")); err != nil || j.State != fleet.Succeeded || !j.Rebooted {
				n.Errorf("apply to %s is %+v, %v, want it restarted", h, j, err)
			}
		})
	}
	wg.Wait()
	for _, h := range hosts {
		n.holds(h, "libfoo")
		n.has(h, "libfoo", "2.1")
		n.prints(h, "1.0-1", "shopd running")
	}
}
