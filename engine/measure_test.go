package engine

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
)

// A host is held against hosts that are measured as it is, and that nothing was
// done to: another service's probe asks for a page that they do not have.
func TestPeers(t *testing.T) {
	est := &estate.Estate{Healths: []ring.Health{
		{Kind: "prometheus"},
		{Kind: "http", Select: ring.Select{Hosts: []string{"web-*"}}},
	}}
	var changes []*rollout.Change
	add := func(state rollout.State, ids ...inventory.HostID) {
		for _, id := range ids {
			est.Hosts = append(est.Hosts, inventory.Host{ID: id})
			changes = append(changes, &rollout.Change{Change: plan.Change{Host: id, Patch: "p"}, State: state})
		}
	}
	add(rollout.Pending, "db-1", "db-2")
	add(rollout.Applied, "db-3")
	for i := range maxPeers + 5 {
		add(rollout.Pending, inventory.HostID(fmt.Sprintf("mail-%02d", i)))
	}
	add(rollout.Applied, "web-1")
	add(rollout.Pending, "web-2", "web-3")
	est.Hosts = append(est.Hosts, inventory.Host{ID: "web-4"}) // which the plan does not touch
	d := frame(est, basis{})
	d.hosts = est.Hosts
	h := &hand{t: &tip{est: est, decider: d}}
	l := &live{progress: &rollout.Progress{Changes: changes}}
	for host, want := range map[inventory.HostID][]inventory.HostID{"web-1": {"web-2", "web-3"}, "gone": nil} {
		got := h.peers([]*job{{live: l, change: &rollout.Change{Change: plan.Change{Host: host}}}})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("peers of %s (-want +got):\n%s", host, diff)
		}
	}
	got := h.peers([]*job{{live: l, change: changes[2]}})
	if len(got) != maxPeers || got[0] != "db-1" || got[1] != "db-2" || got[2] != "mail-00" {
		t.Errorf("peers of db-3 = %v, want %d that Prometheus measures, in the order of the plan", got, maxPeers)
	}
}
