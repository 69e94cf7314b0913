// Package rig is what tests need of the real hosts in this folder; README.md
// tells of them.
package rig

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Wanted says whether tests on real hosts were asked for.
func Wanted() bool { return os.Getenv("RINGMASTER_RIG") != "" }

// Main runs a package's tests in the rig's network, where one was asked for: a
// process that is outside becomes one that is inside.
func Main(m *testing.M) {
	const inside = "RINGMASTER_RIG_INSIDE"
	if Wanted() && os.Getenv(inside) == "" {
		os.Setenv(inside, "1")
		args := append([]string{program(), "exec"}, os.Args...)
		if err := syscall.Exec(args[0], args, os.Environ()); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// program is the script beside this file, found from the folder of the tests.
func program() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "testdata", "rig", "rig")
		}
	}
	panic("no go.mod above the folder of the tests")
}

// Rig is a rig that is up.
type Rig struct {
	t       testing.TB
	program string
	Hosts   map[string]string // address by name
	Folder  string            // has key, ca, known_hosts
}

// Up returns the rig, with its hosts of some kinds: those whose names begin so (d for
// dnf, z for zypper), Debian's (h) where none is named. Without a rig a test that was
// not asked to use it is skipped, and one that was fails.
func Up(t testing.TB, kinds ...string) *Rig {
	t.Helper()
	if !Wanted() {
		t.Skip("needs real hosts: testdata/rig/rig up 6 dnf 2 zypper 2, then RINGMASTER_RIG=1")
	}
	if len(kinds) == 0 {
		kinds = []string{"h"}
	}
	r := &Rig{t: t, program: program(), Hosts: map[string]string{}}
	for line := range strings.Lines(r.run("hosts")) {
		name, address, _ := strings.Cut(strings.TrimSpace(line), " ")
		if slices.Contains(kinds, name[:1]) {
			r.Hosts[name] = address
		}
	}
	for _, k := range kinds {
		if !slices.ContainsFunc(r.Names(), func(name string) bool { return name[:1] == k }) {
			t.Fatalf("the rig has no hosts %s01…; rig up 6 dnf 2 zypper 2 makes hosts of all kinds", k)
		}
	}
	r.Folder = strings.TrimSpace(r.run("run"))
	return r
}

// For is the same rig, for another test, as a subtest is: what fails fails that one, and
// faults are over when that is.
func (r *Rig) For(t testing.TB) *Rig {
	other := *r
	other.t = t
	return &other
}

// File is the path of a file in the rig's folder.
func (r *Rig) File(name string) string { return filepath.Join(r.Folder, name) }

// Fresh makes hosts anew, all where none is named.
func (r *Rig) Fresh(hosts ...string) {
	r.t.Helper()
	if len(hosts) == 0 {
		hosts = r.Names()
	}
	r.run(append([]string{"fresh"}, hosts...)...)
}

// Fault makes something go wrong on a host, until the test is over or clears it.
func (r *Rig) Fault(host, what string) {
	r.t.Helper()
	r.run("fault", host, what)
	if what != "clear" {
		r.t.Cleanup(func() { r.run("fault", host, "clear") })
	}
}

// Inside runs a command in a host, past its network, and returns what it prints.
func (r *Rig) Inside(host string, command ...string) string {
	r.t.Helper()
	return strings.TrimSpace(r.run(append([]string{"inside", host}, command...)...))
}

// Strike kills one of a host's processes whose command line matches an extended
// regular expression, the youngest. It is false where there is none, or no host.
func (r *Rig) Strike(host, matching string) bool {
	return exec.Command(r.program, "inside", host, "pkill", "-KILL", "-n", "-f", "--", matching).Run() == nil
}

// Names are the hosts' names, sorted.
func (r *Rig) Names() []string { return slices.Sorted(maps.Keys(r.Hosts)) }

// Through are the words that start a command in the rig's network, whatever its
// environment.
func (r *Rig) Through() []string {
	words := []string{"env"}
	for _, name := range []string{"RIG_DIR", "RIG_NAME"} {
		words = append(words, name+"="+os.Getenv(name))
	}
	return append(words, r.program, "exec")
}

// Restart restarts a host, whatever runs there, and waits until it can be logged in to again.
func (r *Rig) Restart(host string) {
	r.t.Helper()
	const boot = "/proc/sys/kernel/random/boot_id"
	before := r.Inside(host, "cat", boot)
	r.Inside(host, "shutdown", "-r", "now")
	for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(100 * time.Millisecond) {
		const logins = "grep -q ':0016 0*:0000 0A ' /proc/net/tcp && cat " // sshd listens
		if now, err := exec.Command(r.program, "inside", host, "sh", "-c", logins+boot).Output(); err == nil && len(now) > 0 && strings.TrimSpace(string(now)) != before {
			return
		}
	}
	r.t.Fatalf("%s was restarted and is not up a minute later", host)
}

// Boots are the hosts' boot ids, which a restart changes.
func (r *Rig) Boots() map[string]string {
	r.t.Helper()
	ids := map[string]string{}
	for _, h := range r.Names() {
		ids[h] = r.Inside(h, "cat", "/proc/sys/kernel/random/boot_id")
	}
	return ids
}

func (r *Rig) run(args ...string) string {
	r.t.Helper()
	cmd := exec.Command(r.program, args...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		r.t.Fatalf("rig %s: %v\n%s%s", strings.Join(args, " "), err, out, said.String())
	}
	return string(out)
}
