package engine

import (
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
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
	p := &plan.Plan{ID: "high-main-1", At: plannedAt, Expires: plannedAt.AddDate(0, 1, 0),
		Rings: []plan.Ring{{Waves: []plan.Wave{{Changes: []plan.Change{{Host: "w1", Patch: "deb:a@1"}}}}}}}
	for word, want := range map[string]bool{"": true, "other": true, "failed-before": true, "business": false, "capacity": false} {
		o := outcome.Override{Kind: "risk", Value: "high", At: plannedAt, ReasonType: word}
		if o.Teaches() != want {
			t.Errorf("an override because of %q teaches: %t, want %t", word, o.Teaches(), want)
		}
		if !want {
			if _, ok := new(decider).saidOf(p, o); ok {
				t.Errorf("a model learns from an override because of %q", word)
			}
		}
	}
}
