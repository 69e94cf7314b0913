package policy

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

var now = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// one compiles a single policy file, and fails on faults.
func one(t testing.TB, body string) *Set {
	t.Helper()
	return compiled(t, map[string]string{"policies/x/x.rego": "package ringmaster.x\n\n" + body, "policies/any/data.json": "{}"})
}

func compiled(t testing.TB, texts map[string]string) *Set {
	t.Helper()
	s, faults := Compile(bytesOf(texts))
	if len(faults) > 0 {
		t.Fatalf("Compile() = %v", faults)
	}
	return s
}

func bytesOf(texts map[string]string) map[string][]byte {
	files := map[string][]byte{}
	for name, text := range texts {
		files[name] = []byte(text)
	}
	return files
}

func ptr[T any](v T) *T { return &v }

// change is an input in which everything is there.
func change() *Input {
	return &Input{
		Schema: Schema, Point: Change, Phase: "plan", At: now,
		Estate:  Estate{Name: "acme", Clock: "wall", Review: "required", Owners: []string{"owners"}, Tiers: 2},
		History: History{Months: 7.5, Outcomes: 120, Ladder: "advisory"},
		Patch: &PatchInput{ID: "deb:openssl@3.0.15-1~deb12u1", Type: "deb", Package: "openssl", To: "3.0.15-1~deb12u1", Kind: "security", Class: "high",
			Deadline: now.Add(100 * time.Hour), ClockSeconds: 7 * 86400, Published: now.Add(-100 * time.Hour), AgeSeconds: ptr(int64(360000)),
			DeployRisk: plan.Risk{P: 0.01, Low: 0.005, High: 0.02, Source: "prior"}, ExploitRisk: plan.Risk{P: 0.4, Low: 0.3, High: 0.5, Source: "rules"}, CVEs: 1, Rollback: RollbackInput{Possible: true}},
		Host: &HostInput{ID: "web-01", Labels: map[string]string{"role": "web"}, Known: true, AgeSeconds: ptr(int64(3600)), OS: "debian", Version: "12",
			Exposed: ptr(true), DiskFreeMB: ptr(int64(9000)), Modules: []string{}, Quarantine: []Quarantine{}, Holds: []Override{},
			DeployRisk: plan.Risk{P: 0.01, Low: 0.005, High: 0.02, Source: "prior"}},
		Service: &ServiceInput{Name: "shop", Tier: "gold", Owner: "team-shop", Labels: map[string]string{}, Compliance: []string{"pci-dss"}, Hosts: 12},
		Tier:    &TierInput{Name: "gold", Rank: 1, Autonomy: "recommend", RiskTolerance: 0.01, DowntimeCostPerMinute: 5600},
		Ring:    &RingInput{Name: "canary", Order: 1, SoakSeconds: 86400},
	}
}

func TestDecide(t *testing.T) {
	s := one(t, `deny contains {"msg": sprintf("%s on %s: %v", [input.patch.class, input.host.id, input.tier.risk_tolerance]), "facts": {"n": 3}, "remedy": "wait"} if input.tier.rank == 1`)
	want := []plan.Decision{{Rule: "x.deny", Effect: plan.Deny, Message: "high on web-01: 0.01", Facts: map[string]any{"n": 3.0}, Remedy: "wait"}}
	if got := s.Decide(change(), nil); !cmp.Equal(got, want) {
		t.Errorf("Decide() = %v", cmp.Diff(want, got))
	}
}

func TestMissing(t *testing.T) {
	const fires = `contains {"msg": "m"} if `
	tests := []struct {
		name, body string
		set        func(*Input)
		want       []string // messages of engine.missing
	}{
		{"a fact nobody reported", `deny ` + fires + `input.host.exposed`, func(in *Input) { in.Host.Exposed = nil }, []string{"input.host.exposed"}},
		{"compared", `deny ` + fires + `input.host.disk_free_mb < 5`, func(in *Input) { in.Host.DiskFreeMB = nil }, []string{"input.host.disk_free_mb"}},
		{"in a call", `deny ` + fires + `sprintf("%v", [input.host.disk_free_mb]) == "1"`, func(in *Input) { in.Host.DiskFreeMB = nil }, []string{"input.host.disk_free_mb"}},
		{"in the answer", `deny contains {"msg": input.service.owner} if input.patch.class == "high"`, func(in *Input) { in.Service.Owner = "" }, []string{"input.service.owner"}},
		{"a section", `deny ` + fires + `input.service.tier == "gold"`, func(in *Input) { in.Service = nil }, []string{"input.service"}},
		{"a section whole", `deny ` + fires + `count(input.tier) > 99`, func(in *Input) { in.Tier = nil }, []string{"input.tier"}},
		{"a label", `deny ` + fires + `input.host.labels.rack == "b"`, func(*Input) {}, []string{"input.host.labels.rack"}},
		{"behind what is false", "deny " + fires + "{\n input.patch.class == \"low\"\n input.host.exposed }", func(in *Input) { in.Host.Exposed = nil }, nil},
		{"behind what is true", "deny " + fires + "{\n input.patch.class == \"high\"\n input.host.exposed }", func(in *Input) { in.Host.Exposed = nil }, []string{"input.host.exposed"}},
		{"object.get", `deny ` + fires + `object.get(input.host, "exposed", false)`, func(in *Input) { in.Host.Exposed = nil }, nil},
		{"object.get from the top", `deny ` + fires + `object.get(input, ["service", "owner"], "") == "x"`, func(in *Input) { in.Service = nil }, nil},
		{"object.get of an absent section", `deny ` + fires + `object.get(input.service, "owner", "") == "x"`, func(in *Input) { in.Service = nil }, []string{"input.service"}},
		{"not", `deny ` + fires + `not input.host.exposed`, func(in *Input) { in.Host.Exposed = nil }, nil},
		{"not compared, which OPA reads before the not", `deny ` + fires + `not input.host.disk_free_mb > 5`, func(in *Input) { in.Host.DiskFreeMB = nil }, []string{"input.host.disk_free_mb"}},
		{"not a rule", "fresh if input.host.age_seconds < 5\ndeny " + fires + `not fresh`, func(in *Input) { in.Host.AgeSeconds = nil }, nil},
		{"not not", "fresh if input.host.age_seconds < 5\nstale if not fresh\ndeny " + fires + `not stale`, func(in *Input) { in.Host.AgeSeconds = nil }, []string{"input.host.age_seconds"}},
		{"a rule", "fresh if input.host.age_seconds < 5\ndeny " + fires + `fresh`, func(in *Input) { in.Host.AgeSeconds = nil }, []string{"input.host.age_seconds"}},
		{"a rule first under not", "fresh if input.host.age_seconds < 5\nother if not fresh\ndeny " + fires + "{\n other\n fresh }", func(in *Input) { in.Host.AgeSeconds = nil }, []string{"input.host.age_seconds"}},
		{"a rule under not and then not", "fresh if input.host.age_seconds < 5\ndeny " + fires + "{\n not fresh\n fresh }", func(in *Input) { in.Host.AgeSeconds = nil }, []string{"input.host.age_seconds"}},
		{"a function under not and then not", "old(h) if h.age_seconds > 5\ndeny " + fires + "{\n not old(input.host)\n old(input.host) }", func(in *Input) { in.Host.AgeSeconds = nil }, []string{"input.host.age_seconds"}},
		{"a default", "default fresh := false\nfresh if input.host.age_seconds < 5\ndeny " + fires + `fresh`, func(in *Input) { in.Host.AgeSeconds = nil }, nil},
		{"an else", "fresh := true if input.host.age_seconds < 5\nelse := false\ndeny " + fires + `fresh`, func(in *Input) { in.Host.AgeSeconds = nil }, nil},
		{"the last else", "fresh := true if input.patch.class == \"low\"\nelse := true if input.host.age_seconds < 5\ndeny " + fires + `fresh`, func(in *Input) { in.Host.AgeSeconds = nil }, []string{"input.host.age_seconds"}},
		{"a function", "old(h) if h.age_seconds > 5\ndeny " + fires + `old(input.host)`, func(in *Input) { in.Host.AgeSeconds = nil }, []string{"input.host.age_seconds"}},
		{"a variable", "deny " + fires + "{\n h := input.host\n h.age_seconds > 5 }", func(in *Input) { in.Host.AgeSeconds = nil }, []string{"input.host.age_seconds"}},
		{"a comprehension", `deny ` + fires + `count([1 | input.host.exposed]) > 3`, func(in *Input) { in.Host.Exposed = nil }, []string{"input.host.exposed"}},
		{"an indexed rule", "bad if input.host.os == \"plan9\"\ndeny " + fires + `bad`, func(in *Input) { in.Host.OS = "" }, []string{"input.host.os"}},
		{"an element", "deny " + fires + "{\n some h in input.host.holds\n h.until == \"x\" }", func(in *Input) { in.Host.Holds = []Override{{Kind: "hold"}, {Kind: "hold", Until: now}} }, []string{"input.host.holds[].until"}},
		{"an element by place", "deny " + fires + `input.host.holds[_].until == "x"`, func(in *Input) { in.Host.Holds = []Override{{Kind: "hold"}} }, []string{"input.host.holds[].until"}},
		{"an element of a set of a rule", "open contains h if some h in input.host.holds\ndeny " + fires + "{\n some h in open\n h.until == \"x\" }", func(in *Input) { in.Host.Holds = []Override{{Kind: "hold"}} }, []string{"input.host.holds[].until"}},
		{"every element", "deny " + fires + "{\n every h in input.host.holds { h.until > \"2027\" } }", func(in *Input) { in.Host.Holds = []Override{{Kind: "hold"}} }, []string{"input.host.holds[].until"}},
		{"an element under not", "deny " + fires + "{\n some h in input.host.holds\n not h.until }", func(in *Input) { in.Host.Holds = []Override{{Kind: "hold"}} }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := change()
			tt.set(in)
			var got []string
			for _, d := range one(t, tt.body).Decide(in, nil) {
				if d.Rule == ruleMissing {
					got = append(got, d.Facts["attribute"].(string))
				} else if d.Rule == ruleError {
					t.Error(d.Message)
				}
			}
			if !cmp.Equal(got, tt.want) {
				t.Errorf("missing = %q, want %q", got, tt.want)
			}
		})
	}
}
