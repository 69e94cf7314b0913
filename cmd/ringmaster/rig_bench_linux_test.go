package main

import (
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/testdata/rig"
)

// plainPlaybook is the same change as people write it.
const plainPlaybook = `- hosts: all
  tasks:
    - name: The new version
      ansible.builtin.apt:
        name: shopd=1.1-1
        install_recommends: false
    - name: It runs
      ansible.builtin.service:
        name: shopd
        state: started
    - name: It answers
      ansible.builtin.uri:
        url: http://127.0.0.1:8080/
      register: page
      retries: 5
      delay: 1
      until: page is succeeded
`

// BenchmarkRealHosts is what moving one package on all hosts of the rig at once costs
// the machine that does it: with ansible-playbook alone, and with execute's fleets in
// the same run, which begin with a merged plan and end when every host's change is in
// the ledger as applied. Nothing restarts. What the hosts do is in the time that
// passes, and not in the processor's.
func BenchmarkRealHosts(b *testing.B) {
	r := rig.Up(b)
	if _, err := osexec.LookPath("ansible-playbook"); err != nil {
		b.Skip("needs ansible-core: ", err)
	}
	type cost struct{ wall, cpu time.Duration }
	costs := map[string]cost{}
	spend := func(name string, cmd *osexec.Cmd) string {
		began := time.Now()
		out, err := cmd.CombinedOutput()
		if err != nil && cmd.ProcessState.ExitCode() != exitHeld {
			b.Fatalf("%s: %v\n%s", name, err, out)
		}
		c := costs[name]
		costs[name] = cost{c.wall + time.Since(began), c.cpu + cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
		return string(out)
	}
	rounds := 0
	for b.Loop() {
		rounds++
		for _, name := range []string{"playbook", "ansible", "ssh"} {
			fleet := strings.Replace(name, "playbook", "ansible", 1)
			w := rigMerged(b, r, allAtOnce(rigFiles(b, r, fleet, "1.1-1"), r.Names()))
			cmd, _ := w.command(chaosAt, "execute")
			cmd.Stdout, cmd.Stderr = nil, nil
			if name == "playbook" {
				cmd = w.playbook(len(r.Hosts))
			}
			said := spend(name, cmd)
			for h, v := range shops(r) {
				if v != "1.1-1" {
					b.Fatalf("%s: %s has %s\n%s", name, h, v, said)
				}
			}
			if name == "playbook" {
				continue
			}
			if _, lines := w.ledger(); events(lines)[outcome.Applied] != len(r.Hosts) {
				b.Fatalf("%s: the ledger has %v", name, events(lines))
			}
		}
	}
	hosts := time.Duration(len(r.Hosts) * rounds)
	for name, c := range costs {
		b.ReportMetric(float64((c.wall / hosts).Milliseconds()), "ms/host/"+name)
		b.ReportMetric(float64((c.cpu / hosts).Milliseconds()), "cpu-ms/host/"+name)
		if plain := costs["playbook"]; name != "playbook" {
			b.ReportMetric(float64(c.wall)/float64(plain.wall), "ratio/"+name)
			b.ReportMetric(float64(c.cpu)/float64(plain.cpu), "cpu-ratio/"+name)
		}
	}
}

// allAtOnce makes one wave of all hosts, which serve a purpose each.
func allAtOnce(files map[string]string, hosts []string) map[string]string {
	files["rings/rings.hcl"] = "ring \"all\" {\n  order = 1\n  soak  = \"30m\"\n}\n"
	files["inventory/services.hcl"] = ""
	for _, h := range hosts {
		files["inventory/services.hcl"] += fmt.Sprintf(`
service "shop-%s" {
  tier          = "development"
  owner         = "team-office"
  hosts         = [%q]
  exposure      = "internal"
  min_available = "0"
}
`, h, h)
	}
	files["rings/fleet.hcl"] = strings.Replace(files["rings/fleet.hcl"], "parallel        = 3", fmt.Sprintf("parallel        = %d\n  reboot          = \"never\"", len(hosts)), 1)
	return files
}

// playbook runs plainPlaybook with the estate's own inventory and ansible.cfg.
func (w *world) playbook(forks int) *osexec.Cmd {
	w.t.Helper()
	file := filepath.Join(w.base, "plain.yml")
	if err := os.WriteFile(file, []byte(plainPlaybook), 0o644); err != nil {
		w.t.Fatal(err)
	}
	cmd := osexec.Command(w.through[0], append(w.through[1:], "ansible-playbook", "-i", "ansible/hosts", "--forks", fmt.Sprint(forks), file)...)
	cmd.Dir, cmd.Env = w.dir(), []string{"HOME=" + w.base, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.Getenv("TMPDIR")}
	return cmd
}
