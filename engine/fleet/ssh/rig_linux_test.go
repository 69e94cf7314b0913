package ssh_test

import (
	"os"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/fleettest"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/host"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/ssh"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/testdata/rig"
	"github.com/ringmaster-dev/ringmaster/testdata/rig/cases"
)

func TestMain(m *testing.M) { rig.Main(m) }

func read(t *testing.T, r *rig.Rig, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(r.File(name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// options reach the hosts of a rig.
func options(t *testing.T, r *rig.Rig) ssh.Options {
	t.Helper()
	return ssh.Options{
		Host: func(id inventory.HostID) (inventory.Host, bool) {
			address, ok := r.Hosts[string(id)]
			return inventory.Host{ID: id, Facts: &inventory.Facts{Host: id, Address: address}}, ok
		},
		KnownHosts: read(t, r, "known_hosts"), Key: read(t, r, "key"), Connect: 4 * time.Second,
		Options: host.Options{Parallel: 4, Timeout: 2 * time.Minute, Restart: time.Minute, Policy: host.Policy{MinFree: 20,
			Running: map[string]host.Running{"shopd": {Command: []string{"shopd", "running"}, Restart: []string{"/etc/init.d/shopd", "restart"}}}}},
	}
}

// The promises of every fleet, on real hosts; with managers of rpms nightly.
func TestPromises(t *testing.T) {
	cases.Each(t, cases.Kinds, func(t *testing.T, r *rig.Rig, k cases.Kind) {
		k.Long(t)
		fleettest.Test(t, k.Fixture(r, func() (fleet.Fleet, error) { return ssh.Open(options(t, r)) })) // hosts made anew have new keys
	})
}

// What every fleet of hosts is held to.
func TestCases(t *testing.T) {
	cases.Each(t, cases.Kinds, func(t *testing.T, r *rig.Rig, k cases.Kind) {
		cases.Test(t, r, k, opener(r))
	})
}

// Whatever works on a host is killed, at moments that chance chooses.
func TestKilledAnywhere(t *testing.T) {
	cases.Nightly(t)
	cases.Each(t, cases.Kinds, func(t *testing.T, r *rig.Rig, k cases.Kind) { cases.KilledAnywhere(t, r, k, opener(r)) })
}

// opener opens the fleet anew, with options changed.
func opener(r *rig.Rig) cases.Open {
	return func(t *testing.T, change func(*host.Options)) *host.Carrier {
		o := options(t, r)
		change(&o.Options)
		return opened(t, r, o).f
	}
}
