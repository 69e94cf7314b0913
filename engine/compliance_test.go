package engine

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
)

// leanEstate is a shop that leans on orders, which lean on a database, and a wiki
// that leans on nothing.
func leanEstate(t *testing.T) *decider {
	t.Helper()
	est := &estate.Estate{
		Tiers: []inventory.Tier{{Name: "gold", Rank: 1}},
		Services: []inventory.Service{
			{Name: "db"}, {Name: "orders", DependsOn: []string{"db"}}, {Name: "shop", Tier: "gold", Owner: "team-shop", DependsOn: []string{"orders", "db"}}, {Name: "wiki"},
		},
		Hosts: []inventory.Host{{ID: "a", Services: []string{"wiki"}}, {ID: "b", Services: []string{"shop"}}, {ID: "c", Services: []string{"shop", "db"}}},
	}
	d := &decider{est: est, hosts: est.Hosts, services: map[string]*inventory.Service{}, tiers: map[string]*inventory.Tier{"gold": &est.Tiers[0]}, needed: map[string][]*inventory.Service{}}
	for i := range est.Services {
		s := &est.Services[i]
		d.services[s.Name] = s
		for _, on := range s.DependsOn {
			d.needed[on] = append(d.needed[on], s)
		}
	}
	return d
}

// TestBound: what comes to a service with tags, by when, and whether anything
// else took it before: in a lower ring, or in an earlier plan.
func TestBound(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	wave := func(hours int, changes ...plan.Change) plan.Wave {
		return plan.Wave{End: at.Add(time.Duration(hours) * time.Hour), Changes: changes}
	}
	on := func(host inventory.HostID, patch plan.PatchID) plan.Change {
		return plan.Change{Host: host, Patch: patch}
	}
	rings := []plan.Ring{
		{Waves: []plan.Wave{wave(1, on("a", "deb:x@1"), on("b", "deb:y@1"))}},
		{Waves: []plan.Wave{wave(2, on("b", "deb:x@1")), wave(5, on("c", "deb:x@1"), on("c", "deb:y@1"), on("c", "deb:z@1")), wave(3, on("gone", "deb:x@1"))}},
	}
	d := leanEstate(t)
	d.peers = map[string][]risk.Trial{"deb:z@1": {{Failed: true}, {Imported: true}, {}}, "deb:y@1": {{Failed: true}, {Imported: true}}}
	services := []policy.PlanService{{Name: "db"}, {Name: "shop", Compliance: []string{"nis2"}}, {Name: "wiki"}}
	asked := map[plan.PatchID]int{}
	d.bound(services, rings, func(id plan.PatchID) policy.ServicePatch {
		asked[id]++
		return policy.ServicePatch{ID: string(id)}
	})
	want := []policy.ServicePatch{
		{ID: "deb:x@1", Ends: at.Add(5 * time.Hour), Tested: true},
		{ID: "deb:y@1", Ends: at.Add(5 * time.Hour)},
		{ID: "deb:z@1", Ends: at.Add(5 * time.Hour), Tested: true},
	}
	if diff := cmp.Diff(want, services[1].Patches); diff != "" {
		t.Errorf("bound() for shop: %s", diff)
	}
	for _, i := range []int{0, 2} {
		if services[i].Patches == nil || len(services[i].Patches) > 0 {
			t.Errorf("bound() for %s, which has no tags = %v, want an empty list", services[i].Name, services[i].Patches)
		}
	}
	if diff := cmp.Diff(map[plan.PatchID]int{"deb:x@1": 1, "deb:y@1": 1, "deb:z@1": 1}, asked); diff != "" {
		t.Errorf("patches asked about: %s", diff)
	}
}

func TestLeaning(t *testing.T) {
	d := leanEstate(t)
	for on, want := range map[string][]policy.Dependent{
		"db":     {{Name: "orders", Rank: lastRank}, {Name: "shop", Owner: "team-shop", Rank: 1}},
		"orders": {{Name: "shop", Owner: "team-shop", Rank: 1}},
		"wiki":   {},
	} {
		if diff := cmp.Diff(want, d.leaning(on)); diff != "" {
			t.Errorf("leaning(%q): %s", on, diff)
		}
	}
}
