package ansible_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/ansible"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/fleettest"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/host"
	"github.com/ringmaster-dev/ringmaster/testdata/rig"
	"github.com/ringmaster-dev/ringmaster/testdata/rig/cases"
)

func TestMain(m *testing.M) { rig.Main(m) }

// there skips a test where there is no Ansible.
func there(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("ansible-playbook"); err != nil {
		t.Skip("needs ansible-core: ", err)
	}
}

// up is the rig, where there is Ansible to reach it with.
func up(t *testing.T, kinds ...string) *rig.Rig {
	t.Helper()
	there(t)
	return rig.Up(t, kinds...)
}

// options are those of a site with an inventory, an ansible.cfg and an ssh_config
// of its own.
func options(t *testing.T, r *rig.Rig) ansible.Options {
	t.Helper()
	dir := t.TempDir()
	var hosts strings.Builder
	for name, address := range r.Hosts {
		fmt.Fprintf(&hosts, "%s ansible_host=%s\n", name, address)
	}
	for name, text := range map[string]string{
		"hosts": hosts.String() + "[all:vars]\nansible_user=root\nansible_python_interpreter=/usr/bin/python3\n",
		"ansible.cfg": "[defaults]\ninventory = hosts\ntimeout = 5\n[ssh_connection]\npipelining = True\nssh_args = -F " + dir + "/ssh_config -o ControlMaster=auto -o ControlPersist=30s\n" +
			"control_path_dir = " + dir + "/cp\n",
		"ssh_config": fmt.Sprintf("Host *\n  IdentityFile %s\n  UserKnownHostsFile %s\n  StrictHostKeyChecking yes\n  ConnectTimeout 4\n  ServerAliveInterval 2\n  ServerAliveCountMax 2\n", r.File("key"), r.File("known_hosts")),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return ansible.Options{Dir: dir, Env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LANG=C.UTF-8"}, Log: func(line string) { t.Log(line) },
		Options: host.Options{Parallel: 6, Timeout: 3 * time.Minute, Restart: time.Minute,
			Policy: host.Policy{MinFree: 20, Running: map[string]host.Running{"shopd": {Command: []string{"shopd", "running"}, Restart: []string{"/etc/init.d/shopd", "restart"}}}}}}
}

// The promises of every fleet, on real hosts; with managers of rpms where there is time.
func TestPromises(t *testing.T) {
	there(t)
	cases.Each(t, cases.Kinds, func(t *testing.T, r *rig.Rig, k cases.Kind) {
		k.Long(t)
		o := options(t, r)
		fleettest.Test(t, k.Fixture(r, func() (fleet.Fleet, error) { return ansible.Open(o) }))
	})
}

// What every fleet of hosts is held to, with managers of rpms where there is time.
func TestCases(t *testing.T) {
	there(t)
	cases.Each(t, cases.Kinds, func(t *testing.T, r *rig.Rig, k cases.Kind) {
		k.Long(t)
		cases.Test(t, r, k, func(t *testing.T, change func(*host.Options)) *host.Carrier {
			o := options(t, r)
			change(&o.Options)
			return opened(t, o)
		})
	})
}
