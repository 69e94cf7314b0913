package policy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEditPart: what is compiled for edits alone says of an edit what all policies
// say, and leaves most of them out.
func TestEditPart(t *testing.T) {
	files := library(t)
	files["policies/who/who.rego"] = []byte("package ringmaster.who\n\nnobody if input.edit.author == \"somebody\"\n")
	files["policies/leans/leans.rego"] = []byte("package ringmaster.leans\n\nimport data.ringmaster.who\n\nhold contains {\"msg\": data.leans.says} if who.nobody\n")
	files["policies/leans/data.json"] = []byte(`{"says": "it leans"}`)
	files["policies/below/below.rego"] = []byte("package ringmaster.below\n\nimport data.ringmaster.helper\n\nwarn contains {\"msg\": helper.said} if input[\"edit\"].kinds[_] == \"policy\"\n")
	files["policies/helper/helper.rego"] = []byte("package ringmaster.helper\n\nsaid := data.ringmaster.deeper.text\n")
	files["policies/deeper/deeper.rego"] = []byte("package ringmaster.deeper\n\ntext := \"from below\"\n")

	outlines := map[string]Outline{}
	for name, text := range files {
		if IsPolicy(name) {
			outlines[name] = Outlined(name, text)
		}
	}
	part := map[string][]byte{}
	rego := 0
	for _, name := range EditPart(outlines) {
		part[name] = files[name]
		if strings.HasSuffix(name, ".rego") {
			rego++
		}
	}
	if rego > 8 {
		t.Errorf("%d files are compiled for edits: %v", rego, EditPart(outlines))
	}
	whole, faults := Compile(files)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	few, faults := Compile(part)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	in := edited([]string{"owners"})
	in.Edit.Kinds = []string{"exception", "policy"}
	in.Edit.Exceptions = []EditException{{Name: "legacy", Owner: "team-db"}}
	got, want := few.Decide(in, nil), whole.Decide(in, nil)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if rules(got) != "exceptions.deny leans.hold loosening.require below.warn" {
		t.Errorf("Decide() = %v", rules(got))
	}
	if !few.JudgesEdits() {
		t.Error("JudgesEdits() = false")
	}
}

// TestEditAlone: rules that do not read input.edit are not asked about edits: one
// that stops whatever comes would stop its own correction.
func TestEditAlone(t *testing.T) {
	s, faults := Compile(bytesOf(map[string]string{"policies/x/x.rego": "package ringmaster.x\n\ndeny contains {\"msg\": \"nothing happens\"}\n\ndeny contains {\"msg\": \"not in this estate\"} if input.estate.name == \"estate\"\n\ndeny contains {\"msg\": \"whatever it is\"} if count(input) > 0\n"}))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if got := s.Decide(edited(nil), nil); len(got) > 0 || s.JudgesEdits() {
		t.Errorf("Decide() = %v", got)
	}
}
