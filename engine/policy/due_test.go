package policy

import (
	"strings"
	"testing"
)

// TestSameWhenDue: what is asked when a wave is due differs, or it does not.
func TestSameWhenDue(t *testing.T) {
	base := map[string]string{
		"policies/a/a.rego":    "package ringmaster.a\n\nimport data.ringmaster.h\n\nhold contains {\"msg\": \"m\"} if h.bad(input.host)\n",
		"policies/h/h.rego":    "package ringmaster.h\n\nbad(host) if host.disk_free_gb < data.a.least\n",
		"policies/a/data.json": `{"least": 3}`,
		"policies/p/p.rego":    "package ringmaster.p\n\nrequire contains {\"msg\": \"m\"} if input.plan.feasible\n\nwarn contains {\"msg\": \"m\"} if {\n\tinput.phase == \"plan\"\n\tinput.wave.hosts > 3\n}\n",
	}
	tests := []struct {
		name, file, text string
		same             bool
	}{
		{"nothing", "policies/a/a.rego", base["policies/a/a.rego"], true},
		{"moved down a line", "policies/a/a.rego", "# a note\n" + base["policies/a/a.rego"], true},
		{"a rule about plans", "policies/q/q.rego", "package ringmaster.q\n\nwarn contains {\"msg\": \"m\"} if {\n\tinput.point == \"plan\"\n\tinput.plan.hosts > 3\n}\n", true},
		{"a rule about waves as planned", "policies/p/p.rego", strings.Replace(base["policies/p/p.rego"], "> 3", "> 5", 1), true},
		{"a rule about waves", "policies/q/q.rego", "package ringmaster.q\n\nhold contains {\"msg\": \"m\"} if input.wave.hosts > 3\n", false},
		{"a rule about changes", "policies/a/a.rego", "package ringmaster.a\n\nhold contains {\"msg\": \"n\"} if input.host.drift\n", false},
		{"what a rule leans on", "policies/h/h.rego", "package ringmaster.h\n\nbad(host) if host.disk_free_gb <= data.a.least\n", false},
		{"another's threshold", "policies/z/data.json", `{"least": 4}`, true},
		{"a threshold", "policies/a/data.json", `{"least": 4}`, false},
		{"whether it yields", "policies/a/a.rego", "package ringmaster.a\n\nimport data.ringmaster.h\n\n# METADATA\n# custom:\n#   exceptable: true\nhold contains {\"msg\": \"m\"} if h.bad(input.host)\n", false},
	}
	a, faults := Compile(bytesOf(base))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	for _, tt := range tests {
		files := bytesOf(base)
		files[tt.file] = []byte(tt.text)
		b, faults := Compile(files)
		if len(faults) > 0 {
			t.Fatalf("%s: %v", tt.name, faults)
		}
		if got := a.SameWhenDue(b); got != tt.same {
			t.Errorf("%s: SameWhenDue() = %v, want %v", tt.name, got, tt.same)
		}
	}
}
