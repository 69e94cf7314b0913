package main

import (
	"strings"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/testdata/rig"
)

// brokenNights are those on which something goes wrong with hosts and the way to
// them. Their time is given, so that nobody waits for it.
var brokenNights = []night{
	{name: "slow", to: "1.1-1", play: broken, fault: "slow", once: "applied", want: counts{outcome.Healthy: 3}, hosts: map[string]int{"1.1-1": 3}},
	{name: "1.3-1", to: "1.3-1", play: broken, want: counts{outcome.RolledBack: 1}, hosts: map[string]int{"1.0-1": 3},
		said: []string{"failed      canary/1", "cannot migrate the basket store", "rolled back canary/1", "1 rolled back, 2 not begun"}},
	{name: "drop", to: "1.1-1", play: broken, fault: "drop", once: "unreachable", want: counts{outcome.Healthy: 3}, hosts: map[string]int{"1.1-1": 3},
		said: []string{"3 healthy"}},
	{name: "drop, lasting", to: "1.1-1", play: broken, fault: "drop", lasts: true, once: "unreachable", want: counts{outcome.Unreachable: 1}, hosts: map[string]int{"1.0-1": 3},
		said: []string{"unreachable 3 times", "1 of 1 hosts in ring \"canary\" went wrong", "1 unknown, 2 not begun"}},
	{name: "drop, installing", to: "1.2", play: broken, fault: "drop", during: true, once: "intended", want: counts{outcome.Healthy: 3}, hosts: map[string]int{"1.2": 3}},
	{name: "kill, installing", to: "1.2", play: broken, fault: "kill", during: true, once: "intended", want: counts{outcome.Healthy: 3}, hosts: map[string]int{"1.2": 3}},
	{name: "diskfull", to: "1.1-1", play: broken, fault: "diskfull", once: "skipped", want: counts{outcome.Skipped: 1}, hosts: map[string]int{"1.0-1": 3},
		said: []string{"refused: ", "1 skipped, 2 not begun"}},
	{name: "lost", to: "1.1-1", play: broken, fault: "lost", once: "unreachable", want: counts{outcome.Healthy: 3}, hosts: map[string]int{"1.1-1": 3},
		said: []string{"was restarted after the packages were moved, and is not back"}},
	{name: "lost, lasting", to: "1.1-1", play: broken, fault: "lost", lasts: true, once: "unreachable", want: counts{outcome.Unreachable: 1}, hosts: map[string]int{"1.1-1": 1, "1.0-1": 2},
		said: []string{"unreachable 3 times", "whether it was changed is not known", "1 unknown, 2 not begun"}},
}

// broken plays a night on which something goes wrong with the canary, in a first run
// or until the plan is over.
func broken(t *testing.T, r *rig.Rig, fleet string, n night) *world {
	t.Helper()
	files := rigFiles(t, r, fleet, n.to)
	if n.barkeep() {
		for _, name := range []string{"inventory/facts/hosts.jsonl", "inventory/advisories/osv/DSA-9901-1.json"} {
			files[name] = strings.ReplaceAll(strings.ReplaceAll(files[name], "shopd", "barkeep"), "1.0-1", "1.0")
		}
	}
	if n.fault == "lost" {
		files["rings/fleet.hcl"] = strings.ReplaceAll(files["rings/fleet.hcl"], `restart_timeout = "1m"`, `restart_timeout = "8s"`)
	}
	if n.fault == "slow" { // Ansible sends a hundred kilobytes for each task, and a link is given the time that takes
		files["ansible.cfg"] = strings.NewReplacer("ConnectTimeout=4", "ConnectTimeout=20", "ServerAliveInterval=4", "ServerAliveInterval=20").Replace(files["ansible.cfg"])
	}
	if n.during {
		files["rings/fleet.hcl"] = strings.ReplaceAll(files["rings/fleet.hcl"], `restart_timeout = "1m"`, `timeout = "40s"`) // a lost link is waited for
	}
	w := rigMerged(t, r, files)
	if n.fault == "" {
		w.finish(chaosAt)
		return w
	}
	p, _ := w.ledger()
	canary := string(p.Rings[0].Waves[0].Changes[0].Host)
	cmd, out := w.command(chaosAt, "execute")
	if !n.during {
		r.Fault(canary, n.fault)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if n.during { // dpkg is at what takes six seconds
		r.Inside(canary, "sh", "-c", "for i in $(seq 1200); do dpkg-query -W -f '${db:Status-Abbrev}' barkeep | grep -q iF && exit; sleep 0.1; done; exit 1")
		r.Fault(canary, n.fault)
	}
	if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() != exitHeld {
		t.Fatalf("execute: %v\n%s", err, out)
	}
	t.Logf("the first run says:\n%s", out)
	_, lines := w.ledger()
	last := outcome.Event("")
	for _, l := range lines {
		if string(l.Host) == canary && l.Event != outcome.Held {
			last = l.Event
		}
	}
	if string(last) != n.once || len(lines) == 0 {
		t.Errorf("after a run %s is %q, want %q", canary, last, n.once)
	}
	if !n.lasts {
		r.Fault(canary, "clear")
	}
	w.finish(chaosAt)
	r.Fault(canary, "clear")
	// A host that was lost until now has only just begun to come back.
	r.Inside(canary, "sh", "-c", "for i in $(seq 300); do shopd running >/dev/null 2>&1 && exit; sleep 0.1; done; exit 1")
	return w
}
