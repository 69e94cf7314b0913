package exec_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	osexec "os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/exec"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/testdata/plugin/reference"
)

// once checks that the journal has one install of each host, and no more.
func once(t *testing.T, dir string, hosts int, all bool) {
	t.Helper()
	entries, err := reference.ReadJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	installs := map[string]int{}
	for _, e := range entries {
		installs[e.Host]++
	}
	for host, n := range installs {
		if n != 1 {
			t.Errorf("host %q was changed %d times", host, n)
		}
	}
	if all && len(installs) != hosts {
		t.Errorf("%d hosts were changed, want %d", len(installs), hosts)
	}
}

func names(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("h-%d", i)
	}
	return list
}

// The reference plugin, killed at any moment with requests under way, and asked
// again by the next process, changes each host once.
func TestKilledAtAnyMoment(t *testing.T) {
	const hosts = 40
	dir, rng := t.TempDir(), rand.New(rand.NewPCG(1, 2))
	o := options(t, dir)
	command := append(o.Command, "-hosts", strings.Join(names(hosts), ","))
	rounds := 8
	if os.Getenv("RINGMASTER_LONG") != "" {
		rounds = 50
	}
	for round := range rounds {
		p := osexec.Command(command[0], command[1:]...)
		stdin, err := p.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		stdout, err := p.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		var requests strings.Builder
		for i, h := range names(hosts) {
			fmt.Fprintf(&requests, `{"id":%d,"op":"apply","now":"2026-03-03T23:00:00Z","key":"p/%s/1","host":"%s","packages":[{"name":"heron-web","from":"4.2.1","to":"4.2.2"}]}`+"\n", i+1, h, h)
		}
		go stdin.Write([]byte(requests.String())) // the kill may come first
		answers := bufio.NewScanner(stdout)
		for range rng.IntN(hosts) {
			if !answers.Scan() {
				t.Fatalf("round %d: the plugin ended by itself", round)
			}
		}
		p.Process.Kill()
		p.Wait()
		once(t, dir, hosts, false)
	}
	f := opened(t, exec.Options{Command: command, Dir: dir})
	applyAll(t, f, hosts, true)
	once(t, dir, hosts, true)
}

// applyAll asks for all hosts at once.
func applyAll(t *testing.T, f *exec.Fleet, hosts int, must bool) {
	t.Helper()
	var wg sync.WaitGroup
	for _, h := range names(hosts) {
		wg.Go(func() {
			j, err := f.Apply(t.Context(), now, step(inventory.HostID(h), "p/"+h+"/1"))
			if must && (err != nil || j.State != fleet.Succeeded) {
				t.Errorf("Apply(%s) = %+v, %v", h, j, err)
			}
		})
	}
	wg.Wait()
}

// Plugins that die, lose answers, stop in the middle of one or write nonsense,
// run after run: what could not be told is asked again, and done once.
func TestEveryMisfortune(t *testing.T) {
	const hosts = 12
	dir := t.TempDir()
	for _, misdeed := range []string{"die=3", "lose=2", "cut=4", "garbage=3", "stranger=5", "twice=2", "long=3"} {
		o := options(t, dir, "-misbehave", misdeed, "-hosts", strings.Join(names(hosts), ","))
		applyAll(t, opened(t, o), hosts, false)
		once(t, dir, hosts, false)
	}
	o := options(t, dir, "-hosts", strings.Join(names(hosts), ","))
	applyAll(t, opened(t, o), hosts, true)
	once(t, dir, hosts, true)
}
