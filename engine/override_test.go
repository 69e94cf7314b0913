package engine

import (
	"slices"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/testdata/gen/synthetic"
)

// The score that is disagreed with is the worst of what the override is about.
func TestScoreOf(t *testing.T) {
	change := func(host inventory.HostID, patch plan.PatchID, p float64) plan.Change {
		return plan.Change{Host: host, Patch: patch, DeployRisk: plan.Risk{P: p}}
	}
	one := &plan.Plan{ID: "high-main-1", Patches: []plan.Patch{{ID: "deb:a@1", DeployRisk: plan.Risk{P: 0.3}}, {ID: "deb:b@1", DeployRisk: plan.Risk{P: 0.1}}},
		Rings: []plan.Ring{{Waves: []plan.Wave{{Changes: []plan.Change{change("w1", "deb:a@1", 0.3), change("w2", "deb:a@1", 0.2), change("w2", "deb:b@1", 0.1)}}}}}}
	two := &plan.Plan{ID: "high-main-2", Patches: []plan.Patch{{ID: "deb:a@2", DeployRisk: plan.Risk{P: 0.9}}}}
	hosts := []inventory.Host{{ID: "w1", Services: []string{"shop"}}, {ID: "w2", Services: []string{"lab"}}}
	for _, tt := range []struct {
		name string
		o    outcome.Override
		want float64 // 0: nothing is scored
	}{
		{"everything", outcome.Override{}, 0.9},
		{"a plan", outcome.Override{Plan: "high-main-1"}, 0.3},
		{"a patch", outcome.Override{Patch: "deb:b@*"}, 0.1},
		{"a patch that no change brings", outcome.Override{Patch: "deb:a@2"}, 0.9},
		{"a host", outcome.Override{Host: "w2"}, 0.2},
		{"a service", outcome.Override{Service: "lab"}, 0.2},
		{"a patch on a host", outcome.Override{Patch: "deb:b@1", Host: "w2"}, 0.1},
		{"nothing that is planned", outcome.Override{Host: "w3"}, 0},
	} {
		got := scoreOf([]*plan.Plan{one, two}, hosts, tt.o)
		if (got == nil) != (tt.want == 0) || got != nil && *got != tt.want {
			t.Errorf("%s: scoreOf() = %v, want %v", tt.name, got, tt.want)
		}
	}
}

// Reasons that say nothing of a patch teach nothing about it.
func TestTeaches(t *testing.T) {
	e := syntheticEnvOf(t, synthetic.Options{Hosts: 60, Advisories: 40, At: plannedAt})
	list := recallable(t, e, 1)
	at := list[0].plan.At
	list[0].plan.Expires = at.AddDate(0, 1, 0)
	list[0].plan.Rings = []plan.Ring{{Waves: []plan.Wave{{Changes: []plan.Change{{Host: list[0].lines[0].Host, Patch: list[0].lines[0].Patch}}}}}}
	for word, want := range map[string]int{"": 1, "other": 1, "failed-before": 1, "business": 0, "capacity": 0} {
		o := outcome.Override{Kind: "risk", Value: "high", By: "fred", At: at, Reason: "x", ReasonType: word}
		said, err := e.recalled(&estate.Estate{Overrides: []outcome.Override{o}}, slices.Clone(list))
		if err != nil || len(said) != want {
			t.Errorf("because of %q a model learns of %d opinions, want %d (%v)", word, len(said), want, err)
		}
	}
}
