package policy

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// regulated is a plan with a service that has every profile, and nothing amiss.
func regulated() *Input {
	in := aPlan()
	in.Plan.SLASeconds = ptr(int64(86400))
	s := &in.Plan.Services[0]
	s.Compliance, s.Exposure, s.Autonomy = []string{"cis", "dora", "iso-27001", "nis2", "nist-800-53", "pci-dss"}, "internet", "recommend"
	s.Patches = []ServicePatch{{ID: "deb:openssl@3.0.15-1~deb12u1", Kind: "security", Class: "critical", Published: now, Deadline: now.Add(24 * time.Hour), Ends: now.AddDate(0, 1, 0), Tested: true}}
	return in
}

// TestLibraryCompliance: what each profile asks of a plan, and nothing where
// nothing is amiss: whom it asks, and by which rule.
func TestLibraryCompliance(t *testing.T) {
	s := shipped(t)
	const owner = "approvals.require" // the tier recommends only
	tests := []struct {
		name string
		set  func(*Input, *PlanService)
		want string
	}{
		{"nothing is amiss", func(*Input, *PlanService) {}, owner},
		{"a month and a second", func(_ *Input, s *PlanService) { s.Patches[0].Ends = now.AddDate(0, 1, 0).Add(time.Second) }, owner + " cis.require pci_dss.require"},
		{"a month and a second, not critical", func(_ *Input, s *PlanService) {
			s.Patches[0].Ends, s.Patches[0].Class = now.AddDate(0, 1, 0).Add(time.Second), "high"
		}, owner + " cis.require"},
		{"nobody dates it", func(_ *Input, s *PlanService) {
			s.Patches[0].Ends, s.Patches[0].Published = now.AddDate(1, 0, 0), time.Time{}
		}, owner},
		{"untested", func(_ *Input, s *PlanService) { s.Patches[0].Tested = false }, owner + " dora.require nis2.require nist_800_53.require"},
		{"no SLA", func(in *Input, _ *PlanService) { in.Plan.SLASeconds = nil }, owner + " dora.require nist_800_53.require"},
		{"unknown exposure", func(_ *Input, s *PlanService) { s.Exposure = "" }, owner + " iso_27001.require"},
		{"nobody would be asked", func(_ *Input, s *PlanService) { s.Autonomy = "autonomous" }, "dora.require nist_800_53.require pci_dss.require"},
		{"no package manager", func(_ *Input, s *PlanService) { s.Patches[0].ID = "generic:heron-web@4.2.2" }, owner + " nis2.require"},
		{"an exception without a control", func(in *Input, _ *PlanService) {
			in.Estate.Exceptions = []ExceptionInput{{Name: "x", Patch: "deb:*", Owner: "o", Reason: "r", Until: now.AddDate(0, 1, 0)}}
		}, owner + " compliance.require"},
		{"an exception with one", func(in *Input, _ *PlanService) {
			in.Estate.Exceptions = []ExceptionInput{{Name: "x", Patch: "deb:*", Owner: "o", Reason: "r", Until: now.AddDate(0, 1, 0), CompensatingControl: "closed"}}
		}, owner},
		{"everything at once, without a tag", func(in *Input, s *PlanService) {
			s.Compliance, s.Autonomy, s.Exposure, in.Plan.SLASeconds = []string{"archive"}, "autonomous", "", nil
			s.Patches[0].Tested, s.Patches[0].Ends = false, now.AddDate(1, 0, 0)
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := regulated()
			tt.set(in, &in.Plan.Services[0])
			if got := s.Decide(in, nil); rules(got) != tt.want {
				t.Errorf("Decide() = %s, want %s: %v", rules(got), tt.want, got)
			}
		})
	}
}

// TestLibraryComplianceCost: profiles are asked about once a plan, never about
// changes or waves, however many there are.
func TestLibraryComplianceCost(t *testing.T) {
	s := shipped(t)
	for _, r := range s.Reads() {
		concern, _, _ := strings.Cut(r.Rule, ".")
		if slices.Contains(profiles, concern) && !cmp.Equal(r.Points, []Point{Plan}) {
			t.Errorf("%s:%d: %s is asked at %v, want plan alone", r.File, r.Line, r.Rule, r.Points)
		}
	}
}

// TestUntilFix: an exception until a fix exists has no date, and ends with the
// version that it names.
func TestUntilFix(t *testing.T) {
	s := one(t, exceptable+`hold contains {"msg": "no"} if input.patch.class == "high"
`)
	x := Exceptions{{Name: "waits", Patch: "deb:openssl@3.0.15-1~deb12u1", Owner: "team-db", Reason: "it breaks the card reader", UntilFix: true, CompensatingControl: "a closed port"}}
	in := change()
	in.At = now.AddDate(5, 0, 0)
	want := []plan.Decision{{Rule: "exception.waits", Effect: plan.Warn, Message: `exception "waits" of team-db waives x.hold until a fix exists: it breaks the card reader`,
		Facts: map[string]any{"exception": "waits", "owner": "team-db", "reason": "it breaks the card reader", "until": "a fix exists", "rule": "x.hold", "waived": "no", "compensating_control": "a closed port"}}}
	if got := s.Decide(in, x); !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	in = change()
	in.Patch.ID = "deb:openssl@3.0.16-1~deb12u1"
	if got := s.Decide(in, x); rules(got) != "x.hold" {
		t.Errorf("Decide() of the version that fixes it = %v, want x.hold", got)
	}
	dated := slices.Clone(x)
	dated[0].Until = now
	if got := s.Decide(change(), dated); rules(got) != "x.hold" {
		t.Errorf("Decide() = %v after the date that it has as well, want x.hold", got)
	}
	if got := s.Decide(change(), Exceptions{inventory.Exception{Name: "endless", Patch: "*"}}); rules(got) != "x.hold" {
		t.Errorf("Decide() = %v with an exception that has no end, want x.hold", got)
	}
}
