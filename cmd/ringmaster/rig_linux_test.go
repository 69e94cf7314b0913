package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/testdata/rig"
)

// rigWorld is an estate of a rig's hosts, made anew, whose one plan moves shopd
// to a version and is merged. Runs of it are in the rig's network.
func rigWorld(t testing.TB, r *rig.Rig, fleet, to string) *world {
	t.Helper()
	return rigMerged(t, r, rigFiles(t, r, fleet, to))
}

// rigFiles makes the hosts anew, and what an estate of them has beside the starter's files.
func rigFiles(t testing.TB, r *rig.Rig, fleet, to string) map[string]string {
	t.Helper()
	r.Fresh()
	files := chaosFiles()
	var facts strings.Builder
	for _, h := range r.Names() {
		fmt.Fprintf(&facts, `{"at":"2026-03-02T07:00:00Z","address":%q,"disk_free_mb":2100,"disk_mb":4000,"drift":false,"exposed":false,"host":%q,"labels":{"role":"shop"},"mem_free_mb":3000,"mem_mb":8192,`+
			`"os":{"arch":"amd64","id":"debian","version":"12"},"packages":[{"name":"libfoo","type":"deb","version":"2.0","arch":"all","source":"libfoo"},{"name":"shopd","type":"deb","version":"1.0-1","arch":"all","source":"shopd"}],`+
			`"reboot_pending":false,"source":"test","uptime_s":3456000}`+"\n", r.Hosts[h], h)
	}
	known, err := os.ReadFile(r.File("known_hosts"))
	if err != nil {
		t.Fatal(err)
	}
	delete(files, "inventory/patches/patches.jsonl")
	files["inventory/facts/hosts.jsonl"] = facts.String()
	files["inventory/advisories/osv/DSA-9901-1.json"] = fmt.Sprintf(`{"schema_version":"1.6.0","id":"DSA-9901-1","summary":"shopd - security update","modified":"2026-03-01T09:00:00Z","published":"2026-03-01T09:00:00Z",
 "affected":[{"package":{"name":"shopd","ecosystem":"Debian:12"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":%q}]}]}]}`, to)
	files["inventory/services.hcl"] = `
service "shop" {
  tier          = "development"
  owner         = "team-office"
  hosts         = ["h*"]
  exposure      = "internal"
  min_available = "30%"
}
`
	files["rings/known_hosts"] = string(known)
	reach := fmt.Sprintf("known_hosts = \"rings/known_hosts\"\n  key = %q\n  connect_timeout = \"4s\"", r.File("key"))
	if fleet == "ansible" {
		reach = `command = ["ansible-playbook", "-i", "ansible/hosts"]`
		files["ansible/hosts"] = "[all:vars]\nansible_user=root\nansible_python_interpreter=/usr/bin/python3\nansible_ssh_private_key_file=" + r.File("key") + "\n[shop]\n"
		for _, h := range r.Names() {
			files["ansible/hosts"] += h + " ansible_host=" + r.Hosts[h] + "\n"
		}
		sockets, err := os.MkdirTemp("", "cp") // whose paths must be short
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(sockets) })
		files["ansible.cfg"] = "[ssh_connection]\npipelining = True\ncontrol_path_dir = " + sockets + "\nssh_args = -o UserKnownHostsFile=" + r.File("known_hosts") + " -o ControlMaster=auto -o ControlPersist=30s -o ConnectTimeout=4 -o ServerAliveInterval=4 -o ServerAliveCountMax=3\n"
	}
	files["rings/fleet.hcl"] = fmt.Sprintf(`
fleet %q {
  %s
  parallel        = 3
  min_free_mb     = 20
  restart_timeout = "1m"

  running "shopd" {
    command = ["shopd", "running"]
    restart = ["/etc/init.d/shopd", "restart"]
  }
}

health "command" {
  command = ["./check", "{{address}}"]
}
`, fleet, reach)
	// The business, not whether it is alive: what asks no more than that sees nothing wrong with 1.2-1.
	files["check"] = `#!/usr/bin/python3
import http.client, sys
bad = 0
for _ in range(20):
    try:
        c = http.client.HTTPConnection(sys.argv[1], 8080, timeout=2)
        c.request("GET", "/")
        bad += c.getresponse().status != 200
    except OSError:
        bad += 1
sys.exit(2 if bad > 1 else 0)
`
	return files
}

func rigMerged(t testing.TB, r *rig.Rig, files map[string]string) *world {
	t.Helper()
	return rigMergedAt(t, r, files, chaosAt)
}

// rigMergedAt is an estate of these files whose one plan was made and merged at a time.
func rigMergedAt(t testing.TB, r *rig.Rig, files map[string]string, at time.Time) *world {
	t.Helper()
	w := &world{t: t, base: t.TempDir(), through: r.Through()}
	w.estate(files)
	if err := os.Chmod(filepath.Join(w.dir(), "check"), 0o755); err != nil {
		t.Fatal(err)
	}
	r2 := w.open()
	defer r2.Close()
	if err := gitCommit(r2, "the rig"); err != nil {
		t.Fatal(err)
	}
	w.must(at, "plan", "--open")
	w.must(at, "pr", "approve", "--by", "fred")
	w.must(at, "pr", "merge", "--by", "olivia")
	return w
}

// shops are the versions of shopd by host, dpkg's and the running one, where the two
// differ or dpkg has it half done.
func shops(r *rig.Rig) map[string]string {
	return versions(r, "shopd", "shopd running 2>/dev/null")
}

// versions are a package's by host, and what a command says that runs, where it says
// another or dpkg has the package half done.
func versions(r *rig.Rig, name, running string) map[string]string {
	list := map[string]string{}
	for _, h := range r.Names() {
		list[h] = r.Inside(h, "sh", "-c", `dpkg=$(dpkg-query -W -f '${db:Status-Status} ${Version}' `+name+`); runs=$(`+running+`)
			[ "$dpkg" = "installed $runs" ] && echo "$runs" || echo "$dpkg, $runs runs"`)
	}
	return list
}

// Runs, what they have started and what installs on a host are killed at random moments.
// In the end hosts, ledger and Git agree, and no host was installed to twice.
func TestRealHostsKilled(t *testing.T) {
	r := rig.Up(t)
	for _, fleet := range []string{"ssh", "ansible"} {
		t.Run(fleet, func(t *testing.T) {
			if _, err := osexec.LookPath("ansible-playbook"); fleet == "ansible" && err != nil {
				t.Skip("needs ansible-core: ", err)
			}
			k := &rigKiller{killer: killer{rng: rand.New(rand.NewPCG(7, 7)), left: chaosRounds(t, 3), long: 8 * time.Second}, kills: map[string]int{}}
			began := time.Now()
			for k.left > 0 && !t.Failed() {
				k.night(rigWorld(t, r, fleet, "1.1-1"), r)
				t.Logf("plan %d is over after %.0f s; still to be killed: %d", k.plans, time.Since(began).Seconds(), k.left)
			}
			t.Logf("%d plans, killed: %v, %d ended first; %d times an intent was open; changes end as %v; %.0f s", k.plans, k.kills, k.late, k.intended, k.ended, time.Since(began).Seconds())
		})
	}
}

// rigKiller is a killer who reaches into hosts too.
type rigKiller struct {
	killer
	kills map[string]int
	ended map[outcome.Event]int
}

// night carries out a plan, killing on the way, until it is over.
func (k *rigKiller) night(w *world, r *rig.Rig) {
	w.t.Helper()
	k.plans++
	at := chaosAt
	for range 200 {
		for kills := 1 + k.rng.IntN(4); kills > 0 && k.left > 0; kills-- {
			k.kill(w, r, at)
			at = at.Add(time.Duration(k.rng.IntN(3)) * time.Minute)
		}
		began := time.Now()
		next, ok := due(w.run(at, "execute"))
		if !ok {
			k.ended = w.settled(r, at)
			return
		}
		k.long = max(k.long, time.Since(began))
		at = next
	}
	w.t.Errorf("the plan is not over after 200 runs, at %s", at)
}

// kill starts a run and kills it, a process that it has started here, or one that
// installs on a host.
func (k *rigKiller) kill(w *world, r *rig.Rig, at time.Time) {
	w.t.Helper()
	what := []string{"the run", "the run", "what it started", "on a host"}[k.rng.IntN(4)]
	moment := after(time.Duration(k.rng.Int64N(int64(k.long))))
	hit := true
	switch what {
	case "the run":
		hit = k.stop(w, at, true, moment)
	case "what it started":
		hit = k.hurt(w, at, moment, func(pid int) bool {
			list := descendants(pid)
			return len(list) > 0 && syscall.Kill(list[k.rng.IntN(len(list))], syscall.SIGKILL) == nil
		})
	default:
		h := r.Names()[k.rng.IntN(len(r.Hosts))]
		hit = k.hurt(w, at, moment, func(int) bool { return r.Strike(h, "dpkg|apt-get|sh -s|ansible") })
	}
	if !hit {
		k.late++
		return
	}
	k.left--
	k.kills[what]++
	if _, lines := w.ledger(); open(lines) {
		k.intended++
	}
}

// hurt starts a run, does something to it when the moment has come, and waits for its
// end. It is false where nothing was there to be hurt.
func (k *rigKiller) hurt(w *world, at time.Time, moment func(chan error), do func(pid int) bool) bool {
	w.t.Helper()
	cmd, out := w.command(at, "execute")
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	moment(ended)
	hit := do(cmd.Process.Pid)
	<-ended
	if code := cmd.ProcessState.ExitCode(); code != exitDone && code != exitHeld {
		w.t.Errorf("execute ended with %d:\n%s", code, out)
	}
	return hit
}

// descendants are a process's children, and theirs.
func descendants(pid int) []int {
	var list []int
	for _, child := range children(pid) {
		list = append(append(list, child), descendants(child)...)
	}
	return list
}

// settled checks a plan that is over: every host has what the ledger says of it, whole,
// installed once at most, and the ledger says it once. It returns how changes end.
func (w *world) settled(r *rig.Rig, at time.Time) map[outcome.Event]int {
	w.t.Helper()
	_, lines := w.ledger()
	applied, count := map[string]int{}, map[outcome.Event]int{}
	last := map[string]outcome.Event{}
	for _, l := range lines {
		if l.Event == outcome.Applied {
			applied[string(l.Host)]++
		}
		if l.Host != "" {
			last[string(l.Host)] = l.Event
		}
	}
	found := shops(r)
	for _, h := range r.Names() {
		want, times := "1.0-1", 0
		switch e := last[h]; e {
		case outcome.Healthy:
			want, times = "1.1-1", 1
		case outcome.RolledBack, outcome.Skipped, "":
		default:
			w.t.Errorf("%s ends %s, which is no end", h, e)
		}
		count[last[h]]++
		installs := r.Inside(h, "sh", "-c", "grep -c ' status installed shopd:all 1.1-1' /var/log/dpkg.log || true")
		if applied[h] != times && last[h] != outcome.RolledBack || found[h] != want || installs != fmt.Sprint(times) && last[h] != outcome.RolledBack || installs != "0" && installs != "1" {
			w.t.Errorf("%s ends %q and has %s, want %s; it was installed %s times, and the ledger says applied %d times", h, last[h], found[h], want, installs, applied[h])
		}
	}
	if n := events(lines)[outcome.Completed]; n != 1 {
		w.t.Errorf("completed %d times, want once", n)
	}
	w.must(at, "audit", "verify")
	if w.t.Failed() {
		for _, l := range lines {
			w.t.Log(l.At.Format("15:04"), l.Run, lineText(l, false))
		}
	}
	return count
}
