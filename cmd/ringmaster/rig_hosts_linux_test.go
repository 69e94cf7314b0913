package main

import (
	"fmt"
	osexec "os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/testdata/rig"
)

// night is one plan on three real hosts, and what is to come of it: one host is the
// canary, and two follow.
type night struct {
	name string
	to   string // the version of shopd that the plan moves to; of barkeep, where it is one of its
	play func(t *testing.T, r *rig.Rig, fleet string, n night) *world
	soak string // of every ring, where Prometheus watches

	fault  string // what goes wrong on the canary
	during bool   // in the middle of an install, and not before it
	lasts  bool   // until the plan is over, and not for one run
	once   string // how the canary stands after the first run

	want  map[outcome.Event]int // how changes end
	hosts map[string]int        // how many hosts have which version in the end
	said  []string              // each in some line of the ledger
}

type counts = map[outcome.Event]int

// The whole way on real hosts, with each fleet that reaches them: a plan that is
// merged is carried out ring by ring, what does not do well is taken back, and a
// second run changes nothing.
func TestRealHosts(t *testing.T) {
	r := rig.Up(t)
	if len(r.Names()) < 3 {
		t.Fatalf("the rig has %d hosts; three are the least: testdata/rig/rig up 15", len(r.Names()))
	}
	nights := slices.Concat(brokenNights, watchedNights) // the longest first
	fleets := []string{"ansible", "ssh"}
	if _, err := osexec.LookPath("ansible-playbook"); err != nil {
		fleets = fleets[1:]
		t.Log("ansible is left out, which needs ansible-core: ", err)
	}
	type stage struct {
		fleet string
		night
	}
	queue := make(chan stage)
	var lanes sync.WaitGroup
	for hosts := range slices.Chunk(r.Names(), 3) {
		if len(hosts) < 3 {
			continue
		}
		lanes.Go(func() {
			for s := range queue {
				t.Run(s.fleet+" "+s.name, func(t *testing.T) { s.run(t, r.Only(t, hosts...), s.fleet) })
			}
		})
	}
	for _, n := range nights {
		for _, f := range fleets {
			queue <- stage{f, n}
		}
	}
	close(queue)
	lanes.Wait()
}

// barkeep says whether the night is about barkeep, of which 1.2 takes six seconds.
func (n night) barkeep() bool { return n.to == "1.2" }

// versions are those of the night's package, by host.
func (n night) versions(r *rig.Rig) map[string]string {
	if n.barkeep() {
		return versions(r, "barkeep", `dpkg-query -W -f '${Version}' barkeep`)
	}
	return shops(r)
}

// run plays a night and checks its end.
func (n night) run(t *testing.T, r *rig.Rig, fleet string) {
	began := time.Now()
	w := n.play(t, r, fleet, n)
	p, lines := w.ledger()
	ended, hosts := counts{}, map[string]int{}
	for _, e := range ends(lines) {
		ended[e]++
	}
	for _, v := range n.versions(r) {
		hosts[v]++
	}
	if fmt.Sprint(ended, hosts) != fmt.Sprint(n.want, n.hosts) || events(lines)[outcome.Completed] != 1 {
		t.Errorf("changes end as %v, hosts have %v, want %v, %v and the plan completed", ended, hosts, n.want, n.hosts)
	}
	for _, said := range n.said {
		if !slices.ContainsFunc(lines, func(l outcome.Line) bool { return strings.Contains(lineText(l, false), said) }) {
			t.Errorf("no line says %q", said)
		}
	}
	at := p.At
	for _, l := range lines {
		at = l.At
	}
	if w.wall {
		at = time.Now()
	}
	boots := r.Boots()
	w.run(at, "execute")
	if _, again := w.ledger(); len(again) != len(lines) || fmt.Sprint(boots) != fmt.Sprint(r.Boots()) {
		t.Errorf("a second run wrote %d lines; hosts' boots before and after it are %v and %v", len(again)-len(lines), boots, r.Boots())
	}
	w.must(at, "audit", "verify")
	if t.Failed() {
		for _, l := range lines {
			t.Log(l.At.Format("15:04:05"), lineText(l, false))
		}
	}
	t.Logf("%.0f s", time.Since(began).Seconds())
}
