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
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/testdata/rig"
	"github.com/ringmaster-dev/ringmaster/testdata/rig/cases"
)

func TestMain(m *testing.M) { rig.Main(m) }

// up is the rig, where there is Ansible to reach it with.
func up(t *testing.T, kinds ...string) *rig.Rig {
	t.Helper()
	r := rig.Up(t, kinds...)
	if _, err := exec.LookPath("ansible-playbook"); err != nil {
		t.Skip("needs ansible-core: ", err)
	}
	return r
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

// The promises of every fleet, on real hosts.
func TestPromises(t *testing.T) {
	r := up(t)
	r.Fresh("h01", "h02")
	o := options(t, r)
	fleettest.Test(t, fleettest.Fixture{
		Open:    func() (fleet.Fleet, error) { return ansible.Open(o) },
		Hosts:   []inventory.HostID{"h01", "h02"},
		Package: fleet.Package{Type: "deb", Name: "barkeep", From: "1.0", To: "1.1", Patch: "deb:barkeep@1.1"},
		Now:     time.Now(),
	})
}

// What every fleet of hosts is held to.
func TestCases(t *testing.T) {
	r := up(t)
	cases.Test(t, r, func(t *testing.T, change func(*host.Options)) *host.Carrier {
		o := options(t, r)
		change(&o.Options)
		f, err := ansible.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	})
}
