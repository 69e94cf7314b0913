package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

func TestSince(t *testing.T) {
	tests := []struct {
		name string
		edit func(*plan.Plan)
		want []string
	}{
		{"nothing", func(*plan.Plan) {}, nil},
		{"the time it was made", func(p *plan.Plan) { p.At = p.At.Add(time.Minute) }, nil},
		{"a host more", func(p *plan.Plan) {
			w := &p.Rings[1].Waves[0]
			w.Changes = append(w.Changes, plan.Change{Host: "web-0099", Patch: p.Patches[0].ID, From: "1", DeployRisk: p.Patches[0].DeployRisk})
		}, []string{"hosts that were not in it: web-0099"}},
		{"a ring less", func(p *plan.Plan) { p.Rings = p.Rings[:1] }, []string{
			"hosts that left it: web-0002, web-0003, web-0004, web-0005, 15 more",
			"it runs from Mon 2 Mar 2026 09:00 to Mon 2 Mar 2026 10:00, and before from Mon 2 Mar 2026 09:00 to Tue 3 Mar 2026 10:00",
		}},
		{"a risk", func(p *plan.Plan) { p.Patches[0].DeployRisk.P = 0.2 }, []string{
			"rpm:xz-libs@5.2-1 may break with 20.0 % (<0.1–9.1 %), and before with 2.3 % (<0.1–9.1 %)",
		}},
		{"who is asked", func(p *plan.Plan) { p.Approvals = append(p.Approvals, plan.Approval{From: "owners", Count: 2}) }, []string{"approvals that were not asked for: 2 of owners"}},
		{"a rule", func(p *plan.Plan) { p.Patches[2].Decisions = nil }, []string{"policy no longer says: reboot.warn"}},
		{"what waits", func(p *plan.Plan) { p.NotPlanned = p.NotPlanned[1:] }, []string{"changes that wait: 11, and 12 before"}},
		{"what it was made from", func(p *plan.Plan) { p.Inputs.Policies, p.Inputs.Models = "x", "y" }, []string{"made from other policies, models"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now := sample()
			tt.edit(now)
			if diff := cmp.Diff(tt.want, Since(sample(), now)); diff != "" {
				t.Errorf("Since() differs (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSinceIsShort: whatever changed, a reviewer reads it on one screen.
func TestSinceIsShort(t *testing.T) {
	before, now := sample(), sample()
	now.Patches, now.Rings = nil, nil
	for i := range 300 {
		now.Patches = append(now.Patches, patchOf(fmt.Sprintf("p%03d", i), "2"))
		now.Approvals = append(now.Approvals, plan.Approval{From: fmt.Sprintf("team-%d", i), Count: 1})
	}
	now.Rings = []plan.Ring{ringOf("all", wave(at, 100, 140, now.Patches...))}
	list := Since(before, now)
	if len(list) > sinceMost {
		t.Errorf("%d lines", len(list))
	}
	if body := Body(now, 65536, Page{Since: list}); !strings.Contains(body, "## Since the last version\n\n- patches that were not in it: ") {
		t.Error("the body does not say what changed")
	}
}

// TestReviewed: whoever approved an earlier version finds whether that still
// counts, and what changed since; who must look again stands first.
func TestReviewed(t *testing.T) {
	now := sample()
	now.Timezone = "Europe/Berlin"
	body := Body(now, 65536, Page{Reviewed: []Reviewed{
		{By: "alice", At: at, Counts: true, Why: "a subset of its hosts"},
		{By: "bob\n# x", At: at, Since: []string{"hosts that were not in it: web-0099", "policy now says: @all"}},
	}})
	want := "## Since each approval\n\n" +
		"- `bob # x` approved on Mon 2 Mar 2026 10:00, which **no longer counts**\n" +
		"    - hosts that were not in it: web-0099\n" +
		"    - policy now says: @&#8203;all\n" +
		"- `alice` approved on Mon 2 Mar 2026 10:00, which **still counts**: a subset of its hosts\n\n"
	if !strings.Contains(body, want) {
		t.Errorf("Body() = %s\nwant in it\n%s", body, want)
	}
	if body := Body(now, 65536, Page{}); strings.Contains(body, "Since each approval") {
		t.Error("approvals are told that nobody gave")
	}
}
