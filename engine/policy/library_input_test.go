package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

func aWave() *Input {
	in := change()
	in.Point, in.Patch, in.Host, in.Service, in.Tier = Wave, nil, nil, nil, nil
	in.Wave = &WaveInput{Number: 2, Start: now.Add(14 * time.Hour), End: now.Add(18 * time.Hour), Hosts: 2, FleetHosts: 40,
		Services: []WaveService{{Name: "shop", Tier: "gold", Rank: 1, Total: 12, InWave: 2, MinAvailable: 8, CostPerMinute: 100}}, Patches: []string{"deb:openssl@3.0.15-1~deb12u1"}}
	in.Plan = thePlan()
	return in
}

func thePlan() *PlanInput {
	return &PlanInput{ID: "high-main-1", Class: "high", Group: "main", Hosts: 2, Patches: 1, Start: now.Add(14 * time.Hour), Deadline: now.Add(99 * time.Hour), Feasible: true, MaxRisk: 0.005, HighestRank: 2,
		Services: []PlanService{{Name: "shop", Owner: "team-shop", Tier: "silver", Rank: 2, Autonomy: "autonomous", Hosts: 2, RiskTolerance: ptr(0.01)}}}
}

func aPlan() *Input {
	in := aWave()
	in.Point, in.Wave, in.Ring = Plan, nil, nil
	return in
}

func rules(list []plan.Decision) string {
	var names []string
	for _, d := range list {
		names = append(names, d.Rule)
	}
	return strings.Join(names, " ")
}

// TestLibraryDecides: the shipped rules together, on whole inputs.
func TestLibraryDecides(t *testing.T) {
	s := shipped(t)
	tests := []struct {
		name string
		in   *Input
		set  func(*Input)
		want string // rules, strongest first
	}{
		{"a change like any", change(), func(in *Input) { in.Host.DeployRisk.High = 0.01 }, ""},
		{"perhaps too risky", change(), func(*Input) {}, "risk.require"},
		{"nothing optional is there", change(), func(in *Input) {
			in.Host = &HostInput{ID: "web-01", Known: true, AgeDays: ptr(int64(0)), DeployRisk: plan.Risk{High: 0.001}}
			in.Service, in.Tier, in.Ring, in.Patch.AgeSeconds, in.Patch.Vendor = nil, nil, nil, nil, ""
		}, "approvals.require"},
		{"nothing is known of the host", change(), func(in *Input) { in.Host = &HostInput{ID: "web-01", DeployRisk: plan.Risk{High: 0.001}} }, "sufficiency.hold"},
		{"old facts", change(), func(in *Input) { in.Host.AgeSeconds, in.Host.DeployRisk.High = ptr(int64(8*86400)), 0 }, "sufficiency.hold"},
		{"facts without a date", change(), func(in *Input) { in.Host.AgeSeconds, in.Host.DeployRisk.High = nil, 0 }, "sufficiency.hold"},
		{"a full disk", change(), func(in *Input) { in.Host.DiskFreeMB, in.Host.DeployRisk.High = ptr(int64(1023)), 0 }, "sufficiency.hold"},
		{"a new release", change(), func(in *Input) { in.Patch.Published, in.Host.DeployRisk.High = now.Add(-time.Hour), 0 }, "release_age.hold"},
		{"an undated release", change(), func(in *Input) { in.Patch.Published, in.Host.DeployRisk.High = time.Time{}, 0 }, "release_age.hold"},
		{"held and in quarantine", change(), func(in *Input) {
			in.Host.Holds = []Override{{Kind: "stop", By: "ann", Reason: "incident"}}
			in.Host.Quarantine = []Quarantine{{Patch: in.Patch.ID, Cohort: "openssl × web", Until: now.Add(time.Hour)}}
		}, "overrides.hold quarantine.hold risk.require"},
		{"what cannot be rolled back", change(), func(in *Input) {
			in.Host.DeployRisk.High = 0.01
			in.Patch.Rollback = RollbackInput{Why: "kernels stay", Instead: "boot the former one"}
		}, "rollback.require"},
		{"a risk that is no number", change(), func(in *Input) { in.Host.DeployRisk.High = nan() }, "engine.missing"},
		{"a wave like any", aWave(), func(in *Input) { in.Wave.Services[0].Reboots = ptr(2) }, ""},
		{"nobody says whether it restarts", aWave(), func(in *Input) { in.Wave.Services[0].InWave = 7; in.Wave.Services[0].MinAvailable = 0 }, "blast.require reboot.warn"},
		{"a first wave that cannot be rolled back, and soaks too short", aWave(), func(in *Input) {
			in.Wave.Services[0].Reboots = ptr(2)
			in.Wave.NoRollback, in.Wave.Earlier, in.Ring.SoakSeconds = 2, []RingProgress{}, 3600
		}, "rollback.require rollback.require"},
		{"a wave in a freeze, due too early", aWave(), func(in *Input) {
			in.Phase = "execute"
			in.Wave.Freezes = []FreezeInput{{Name: "board", From: now, To: now.Add(time.Hour), Reason: "board meeting"}}
			in.Wave.Earlier = []RingProgress{{Name: "canary", Order: 1}}
		}, "freeze.deny rings.hold"},
		{"a wave of hosts in no service", aWave(), func(in *Input) { in.Wave.Services = nil }, ""},
		{"a plan like any", aPlan(), func(*Input) {}, ""},
		{"a plan without anything optional", aPlan(), func(in *Input) {
			in.Plan.Start, in.Plan.Deadline = time.Time{}, time.Time{}
			in.Plan.Services[0].Owner, in.Plan.Services[0].RiskTolerance = "", nil
		}, "approvals.require"},
		{"an estate without owners", aPlan(), func(in *Input) { in.Estate.Owners, in.Plan.Feasible = nil, false }, "approvals.require approvals.require"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.set(tt.in)
			if got := s.Decide(tt.in, nil); rules(got) != tt.want {
				t.Errorf("Decide() = %v, want %s", got, tt.want)
			}
		})
	}
}

// TestLibraryLarge: a wave of 3,000 services stays within the limits, as does a rule
// that asks for a sum once for each; so does one of a third in a third of the steps.
func TestLibraryLarge(t *testing.T) {
	files := library(t)
	files["policies/share/share.rego"] = []byte("package ringmaster.share\n\nall := sum([s.in_wave | some s in input.wave.services])\n\nwarn contains {\"msg\": s.name} if {\n some s in input.wave.services\n s.in_wave / all > 0.5\n}")
	s, faults := Compile(files)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	in := aWave()
	in.Wave.Services = nil
	n := rounds(1000, 3000)
	s = s.WithLimits(Limits{Steps: DefaultSteps * n / 3000})
	for i := range n {
		in.Wave.Services = append(in.Wave.Services, WaveService{Name: fmt.Sprint("s", i), Total: 10, InWave: 1, Reboots: ptr(1), DependsOn: []string{fmt.Sprint("s", i/2)}})
	}
	in.Wave.Hosts, in.Wave.FleetHosts = n, 10*n
	got := s.Decide(in, nil)
	if len(got) != n || Strongest(got) != plan.Warn {
		t.Errorf("%d decisions, the first %v; want a warning for each dependency", len(got), got[0])
	}
}

func nan() float64 { zero := 0.0; return zero / zero }

// TestLibraryBatch: the property of TestBatchIsNaive on the shipped rules.
func TestLibraryBatch(t *testing.T) {
	s := shipped(t)
	r := rand.New(rand.NewPCG(3, 4))
	v := newVaried(r)
	ins := make([]*Input, rounds(40, 150))
	for i := range ins {
		in := *change()
		v.vary(r, &in)
		in.Estate.Exceptions = []ExceptionInput{}
		ins[i] = &in
	}
	got := s.Batch(len(ins), *change(), func(i int, in *Input) { *in = *ins[i] }, nil)
	for i, in := range ins {
		if want := naive(t, s, in); !cmp.Equal(got[i], want) {
			t.Fatalf("input %d: %s", i, cmp.Diff(want, got[i]))
		}
	}
}

// TestApprovals: the library's require decisions become approvals.
func TestApprovals(t *testing.T) {
	s := shipped(t)
	in := aPlan()
	in.History.Months = 2
	in.Plan.Services = append(in.Plan.Services, PlanService{Name: "till", Owner: "team-shop", Tier: "gold", Rank: 1, Autonomy: "recommend", Hosts: 1})
	got := Approvals(s.Decide(in, nil))
	want := []plan.Approval{
		{From: "owners", Count: 1, By: in.Plan.Start, EscalateTo: "owners", Because: `till is in the most critical tier, "gold", which takes two people`},
		{From: "team-shop", Count: 1, By: in.Plan.Start, EscalateTo: "owners", Because: `shop: the estate's own history is 2 months, and nothing goes unattended before 6; till: the estate's own history is 2 months, and nothing goes unattended before 6; till: tier "gold" recommends only`},
	}
	if !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
}

func TestApprovalsJoin(t *testing.T) {
	say := func(msg string, facts map[string]any) plan.Decision {
		return plan.Decision{Rule: "x.require", Effect: plan.Require, Message: msg, Facts: facts}
	}
	got := Approvals([]plan.Decision{
		say("b", map[string]any{"from": "t", "count": 2.0, "by": "2026-03-04T00:00:00Z"}),
		say("a", map[string]any{"from": "t", "count": 1.5, "by": "2026-03-03T00:00:00+01:00", "escalate_to": "u"}),
		say("a", map[string]any{"from": "t", "count": 1.0}),
		say("c", nil),
		say("d", map[string]any{"from": 5.0, "count": -3.0, "by": "soon"}),
		{Rule: "x.warn", Effect: plan.Warn, Message: "no"},
	})
	want := []plan.Approval{
		{From: "owners", Count: 1, Because: "c; d"},
		{From: "t", Count: 2, By: time.Date(2026, 3, 2, 23, 0, 0, 0, time.UTC), EscalateTo: "u", Because: "a; b"},
	}
	if !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
}

func TestStrongest(t *testing.T) {
	list := []plan.Decision{{Effect: plan.Warn}, {Effect: plan.Hold}, {Effect: plan.Require}}
	if got := Strongest(list); got != plan.Hold {
		t.Errorf("Strongest() = %s", got)
	}
	if got := Strongest(nil); got != "" {
		t.Errorf("Strongest(nil) = %s", got)
	}
}

const exceptable = "# METADATA\n# custom:\n#   exceptable: true\n"

func TestExceptions(t *testing.T) {
	s := one(t, exceptable+`hold contains {"msg": "no"} if input.patch.class == "high"

deny contains {"msg": "never"} if input.host.id == "held"

`+exceptable+`deny contains {"msg": "frozen"} if input.wave.number == 2

`+exceptable+`warn contains {"msg": "broken"} if 1 / input.history.outcomes > 1

`+exceptable+`hold contains {"msg": "whole"} if input.plan.class == "low"
`)
	legacy := Exceptions{{Name: "legacy", Patch: "deb:openssl@*", Services: []string{"sh?p"}, Owner: "team-db", Reason: "no fix", Until: now.Add(time.Hour)}}
	with := func(f func(x Exceptions)) Exceptions {
		x := slices.Clone(legacy)
		f(x)
		return x
	}
	tests := []struct {
		name string
		in   *Input
		set  func(*Input)
		x    Exceptions
		want string
	}{
		{"none", change(), nil, nil, "x.hold"},
		{"covers", change(), nil, legacy, "exception.legacy"},
		{"only where it matters", change(), func(in *Input) { in.Patch.Class = "low" }, legacy, ""},
		{"another patch", change(), func(in *Input) { in.Patch.ID = "deb:bash@1" }, legacy, "x.hold"},
		{"another service", change(), func(in *Input) { in.Service = &ServiceInput{Name: "other"} }, legacy, "x.hold"},
		{"no service", change(), func(in *Input) { in.Service = nil }, legacy, "x.hold"},
		{"every service", change(), func(in *Input) { in.Service = nil }, with(func(x Exceptions) { x[0].Services = nil }), "exception.legacy"},
		{"this rule", change(), nil, with(func(x Exceptions) { x[0].Rules = []string{"y.deny", "x.hold"} }), "exception.legacy"},
		{"another rule", change(), nil, with(func(x Exceptions) { x[0].Rules = []string{"x.deny"} }), "x.hold"},
		{"ended", change(), func(in *Input) { in.At = now.Add(time.Hour) }, legacy, "x.hold"},
		{"about to end", change(), func(in *Input) { in.At = now.Add(time.Hour - 1) }, legacy, "exception.legacy"},
		{"a rule that does not yield", change(), func(in *Input) { in.Host.ID = "held" }, legacy, "x.deny exception.legacy"},
		{"the first by name", change(), nil, append(slices.Clone(legacy), inventoryException("earlier")), "exception.earlier"},
		{"an error is never waived", change(), func(in *Input) { in.History.Outcomes = 0 }, legacy, "exception.legacy"},
		{"a wave of nothing else", aWave(), nil, legacy, "exception.legacy"},
		{"a wave with another service", aWave(), func(in *Input) { in.Wave.Services = append(in.Wave.Services, WaveService{Name: "other", InWave: 1}) }, legacy, "x.deny"},
		{"a wave with another patch", aWave(), func(in *Input) { in.Wave.Patches = append(in.Wave.Patches, "deb:zlib@1") }, legacy, "x.deny"},
		{"a wave with hosts in no service", aWave(), func(in *Input) { in.Wave.Hosts = 5 }, legacy, "x.deny"},
		{"a wave that names no patch", aWave(), func(in *Input) { in.Wave.Patches = nil }, legacy, "x.deny"},
		{"a plan as a whole", aPlan(), func(in *Input) { in.Plan.Class = "low" }, with(func(x Exceptions) { x[0].Patch, x[0].Services = "*", nil }), "x.hold"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.set != nil {
				tt.set(tt.in)
			}
			got := slices.DeleteFunc(slices.Clone(s.Decide(tt.in, tt.x)), func(d plan.Decision) bool { return d.Rule == ruleError })
			if rules(got) != tt.want {
				t.Errorf("Decide() = %v, want %s", got, tt.want)
			}
		})
	}
	in := change()
	in.History.Outcomes = 0
	got := s.Decide(in, legacy)
	want := []plan.Decision{got[0], {Rule: "exception.legacy", Effect: plan.Warn, Message: `exception "legacy" of team-db waives x.hold until 2026-03-02T10:00:00Z: no fix`,
		Facts: map[string]any{"exception": "legacy", "owner": "team-db", "reason": "no fix", "until": "2026-03-02T10:00:00Z", "rule": "x.hold", "waived": "no"}}}
	if got[0].Rule != ruleError {
		want[0] = plan.Decision{Rule: ruleError}
	}
	if !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
}

func inventoryException(name string) inventory.Exception {
	return inventory.Exception{Name: name, Patch: "*", Owner: "x", Reason: "y", Until: now.Add(time.Hour)}
}
