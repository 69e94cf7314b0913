package engine

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/policy"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// TestEditLaws: a walk through many versions of policies compiles what judges edits
// once for each version of that, and of policies that do not compile there is none.
func TestEditLaws(t *testing.T) {
	e := demoEnv(t)
	tip, err := e.head()
	if err != nil {
		t.Fatal(err)
	}
	law := func(name, text string) (*policy.Set, bool) {
		t.Helper()
		if tip, err = e.Repo.Write(repo.Next{Base: tip, Changes: map[string][]byte{name: []byte(text)}, Message: name, Author: bot, At: e.At}); err != nil {
			t.Fatal(err)
		}
		l, err := e.lawAt(tip)
		if err != nil {
			t.Fatal(err)
		}
		set, ok, err := e.editLaw(l)
		if err != nil {
			t.Fatal(err)
		}
		return set, ok
	}
	for i := range 20 {
		if set, ok := law("policies/soak/data.json", fmt.Sprintf(`{"critical_rank": %d}`, i)); !ok || !set.JudgesEdits() {
			t.Fatal("the policies judge no edits")
		}
	}
	if n := len(e.editLaws.parts); n != 1 {
		t.Errorf("%d parts are compiled for 20 versions of another policy, want 1", n)
	}
	law("policies/loosening/data.json", `{"people": {"policy": 2}, "teams": {}}`)
	if n := len(e.editLaws.parts); n != 2 {
		t.Errorf("%d parts are compiled, want 2", n)
	}
	if _, ok := law("policies/soak/soak.rego", "package ringmaster.soak\n\nhold contains {\"msg\": \"x\"} if input.wave.knids\n"); !ok {
		t.Error("what is wrong elsewhere keeps edits from being judged")
	}
	if set, ok := law("policies/loosening/more.rego", "package ringmaster.loosening\n\ndeny contains {\"msg\": \"x\"} if input.edit.knids\n"); ok || set != nil {
		t.Error("what does not compile judges edits")
	}
}

// TestEditKinds: what a pull request changes, by its paths and by what stands in them.
func TestEditKinds(t *testing.T) {
	e := demoEnv(t)
	base, r, err := e.judge(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const exception = "exception \"x\" {\n  patch = \"deb:a@*\"\n  owner = \"o\"\n  reason = \"r\"\n  until = \"2026-05-01T00:00:00Z\"\n}\n"
	override := func(kind, value string) string {
		return fmt.Sprintf(`{"schema":"ringmaster/override/v1","at":"2026-03-02T09:00:00Z","by":"ann","kind":%q,"value":%q,"loosens":true,"reason":"r"}`+"\n", kind, value)
	}
	tests := []struct {
		file, text string
		want       []string
	}{
		{"policies/soak/data.json", "{}", []string{"policy"}},
		{"policies/bundles.hcl", "", []string{"policy"}},
		{"rings/rings.hcl", "", []string{"ring"}},
		{"models/deployment.json", "{}", []string{"model"}},
		{"inventory/x.hcl", "freeze \"x\" {\n}\n", []string{"inventory"}},
		{"inventory/x.hcl", "# a comment\n", []string{"inventory"}},
		{"inventory/x.hcl", exception, []string{"exception"}},
		{"inventory/x.hcl", exception + "window \"w\" {\n}\n", []string{"exception", "inventory"}},
		{"inventory/x.hcl", "exception \"x\" {", []string{"exception", "inventory"}},
		{"inventory/sim.json", "{}", []string{"inventory"}},
		{"overrides/x.jsonl", override("risk", "low"), []string{"risk"}},
		{"overrides/x.jsonl", override("exception", ""), []string{"exception"}},
		{"overrides/x.jsonl", override("release", "sha256:0"), []string{"release"}},
		{"overrides/x.jsonl", override("break-glass", "sha256:0"), []string{"break-glass"}},
		{"overrides/x.jsonl", override("unheard", ""), []string{"override"}},
		{"overrides/x.jsonl", "not JSON\n", []string{"override"}},
		{".github/workflows/plan.yml", "", []string{"workflow"}},
		{"fleet.sh", "", []string{"other"}},
		{"inventory/facts/x.jsonl", "", nil},
		{"plans/x/plan.json", "", nil},
		{"outcomes/x.jsonl", "", nil},
	}
	for _, tt := range tests {
		commit, err := e.Repo.Write(repo.Next{Base: base, Changes: map[string][]byte{tt.file: []byte(tt.text)}, Message: "m", Author: bot, At: e.At})
		if err != nil {
			t.Fatal(err)
		}
		pr, err := e.reviewing(t.Context(), commit)
		if err != nil {
			t.Fatal(err)
		}
		d, _, err := e.editOf(base, commit, pr)
		if err != nil {
			t.Fatal(err)
		}
		in, err := e.asking(t.Context(), d, r)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(in.Edit.Kinds, tt.want) {
			t.Errorf("%s: %q is of kinds %v, want %v", tt.file, tt.text, in.Edit.Kinds, tt.want)
		}
		// Policies meet an exception wherever it is written.
		if n := len(in.Edit.Exceptions); slices.Contains(tt.want, "exception") && !strings.HasSuffix(tt.text, "{") && (n != 1 || in.Edit.Exceptions[0].Owner == "") {
			t.Errorf("%s: %q has the exceptions %+v, want one with its owner", tt.file, tt.text, in.Edit.Exceptions)
		}
	}
}
