package policy

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

var update = flag.Bool("update", false, "rewrite what is made: published schemas, expected findings")

// golden compares a file with what it should hold, or rewrites it.
func golden(t *testing.T, name string, want []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(have)); diff != "" {
		t.Errorf("%s is not what it is made from; `go test ./engine/policy -update` rewrites it: %s", name, diff)
	}
}

func indented(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestPublishedSchema: the published schema is that of the types, and everything
// in it is described.
func TestPublishedSchema(t *testing.T) {
	golden(t, "../../docs/policy/input.v1.schema.json", indented(t, InputSchema()))
	var look func(at string, s map[string]any)
	look = func(at string, s map[string]any) {
		if items, ok := s["items"].(map[string]any); ok {
			look(at+"[]", items)
		}
		properties, _ := s["properties"].(map[string]any)
		for name, p := range properties {
			if p := p.(map[string]any); p["description"] == nil {
				t.Errorf("%s.%s is not described; a comment in input.go does", at, name)
			} else {
				look(at+"."+name, p)
			}
		}
	}
	look("input", InputSchema())
}

// TestPublishedData: the library declares everything that its data.json files
// hold, and the published schema is what it declares.
func TestPublishedData(t *testing.T) {
	schema, faults := DataSchema(library(t))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	golden(t, "../../docs/policy/data.v1.schema.json", indented(t, schema))
	declared := schema["properties"].(map[string]any)
	for name := range read(library(t)).data {
		if declared[name] == nil {
			t.Errorf("policies/%s/data.json: data.%s is not declared; `schemas` in the METADATA of its package does", name, name)
		}
	}
}

func TestDataFaults(t *testing.T) {
	const declared = `# METADATA
# title: X
# schemas:
#   - data.x:
#       type: object
#       additionalProperties: false
#       properties:
#         share: {type: number, minimum: 0, maximum: 1}
#         zones: {type: object, additionalProperties: false, properties: {fra: {type: integer}}}
#         words: {type: array, items: {type: string}}
package ringmaster.x
`
	tests := []struct{ name, rego, data, want string }{
		{"fits", declared, `{"share": 0.5, "zones": {"fra": 1}, "words": ["a"]}`, ""},
		{"misspelt", declared, "{\n  \"shrae\": 0.5\n}", `policies/x/data.json:2:3: data.x.shrae: there is no "shrae"; did you mean "share"?`},
		{"misspelt below", declared, "{\"zones\":\n {\"far\": 1}}", `policies/x/data.json:2:3: data.x.zones.far: there is no "far"; expected one of "fra"`},
		{"out of range", declared, `{"share": 25}`, `policies/x/data.json:1:2: data.x.share must be less than or equal to 1`},
		{"wrong type", declared, `{"share": "half"}`, `policies/x/data.json:1:2: data.x.share invalid type. Expected: number, given: string`},
		{"wrong element", declared, `{"words": [1]}`, `policies/x/data.json:1:2: data.x.words.0 invalid type. Expected: string, given: integer`},
		{"whole", strings.Replace(declared, "type: object", "required: [share]", 1), `{}`, `policies/x/data.json:1:1: data.x share is required`},
		{"no schema", "package ringmaster.x", `{"any": 1}`, ""},
		{"refers", strings.Replace(declared, "type: object", `$ref: "file:///etc/passwd"`, 1), `{}`, `policies/x/x.rego:1:1: the schema of data.x: expected a folder of policies, such as data.blast, and no $ref`},
		{"a pattern that is none", strings.Replace(declared, "{type: number, minimum: 0, maximum: 1}", `{type: string, pattern: "("}`, 1), `{}`, `policies/x/x.rego:1:1: the schema of data.x: `},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, faults := Compile(bytesOf(map[string]string{"policies/x/x.rego": tt.rego, "policies/x/data.json": tt.data}))
			var got string
			for _, f := range faults {
				got += fmt.Sprintf("%s:%d:%d: %s\n", f.File, f.Line, f.Column, f.Message)
			}
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("faults = %s, want %s", got, tt.want)
			}
		})
	}
	twice := bytesOf(map[string]string{"policies/x/x.rego": declared, "policies/x/y.rego": strings.Replace(declared, "ringmaster.x", "ringmaster.y", 1)})
	if _, faults := Compile(twice); len(faults) != 1 || faults[0].Message != "the schema of data.x stands in policies/x/x.rego already" {
		t.Errorf("faults = %v, want one of two declarations", faults)
	}
}

// matching validates a document with OPA's own built-in, as authors may.
func matching(t *testing.T, doc, schema any) string {
	t.Helper()
	rs, err := rego.New(rego.Query("json.match_schema(input.doc, input.schema)"), rego.Input(map[string]any{"doc": doc, "schema": schema})).Eval(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	answer := rs[0].Expressions[0].Value.([]any)
	if answer[0] == true {
		return ""
	}
	text, err := json.Marshal(answer[1])
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// document is an input as policies read it.
func document(t *testing.T, in *Input) map[string]any {
	t.Helper()
	text, err := plan.Canonical(in)
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestPointSchema: inputs fit the schema of their point and that of the whole,
// and what does not is told.
func TestPointSchema(t *testing.T) {
	for _, in := range []*Input{change(), aWave(), aPlan()} {
		in.Estate.Exceptions = []ExceptionInput{}
		doc := document(t, in)
		if p, ok := doc["patch"].(map[string]any); ok {
			p["clock"] = "ssvc"
		}
		for _, schema := range []map[string]any{InputSchema(), PointSchema(in.Point)} {
			if wrong := matching(t, doc, schema); wrong != "" {
				t.Errorf("%s: %s", in.Point, wrong)
			}
		}
	}
	tests := []struct {
		name, want string
		point      Point
		spoil      func(map[string]any)
	}{
		{"misspelt", "teir", Change, func(d map[string]any) { d["host"].(map[string]any)["teir"] = "x" }},
		{"another point's section", "wave", Change, func(d map[string]any) { d["wave"] = map[string]any{} }},
		{"no host", "host is required", Change, func(d map[string]any) { delete(d, "host") }},
		{"a word that is none", "phase", Change, func(d map[string]any) { d["phase"] = "planing" }},
		{"another point", "point", Change, func(d map[string]any) { d["point"] = "wave" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc := document(t, change())
			tt.spoil(doc)
			if wrong := matching(t, doc, PointSchema(tt.point)); !strings.Contains(wrong, tt.want) {
				t.Errorf("json.match_schema() = %s, want %s", wrong, tt.want)
			}
		})
	}
}

// TestSchemaAndCompiler: what is published is what OPA's type checker takes, so
// that `opa check -s` finds the same.
func TestSchemaAndCompiler(t *testing.T) {
	text, err := os.ReadFile("../../docs/policy/input.v1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema any
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	check := func(files map[string][]byte) *ast.Compiler {
		set := ast.NewSchemaSet()
		set.Put(ast.SchemaRootRef, schema)
		c := ast.NewCompiler().WithSchemas(set)
		c.Compile(read(files).modules)
		return c
	}
	if c := check(library(t)); c.Failed() {
		t.Error(c.Errors)
	}
	c := check(map[string][]byte{"policies/x/x.rego": []byte("package ringmaster.x\n\ndeny contains {\"msg\": f.name} if {\n\tsome f in input.wave.freezes\n\tf.nmae\n}")})
	if !c.Failed() || !strings.Contains(c.Errors.Error(), "nmae") {
		t.Errorf("errors = %v, want the misspelt name", c.Errors)
	}
}

// TestExamples: each published example fits the schema of its point, and plain
// OPA, given it, finds what Decide does.
func TestExamples(t *testing.T) {
	files := library(t)
	s, faults := Compile(files)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	names, err := filepath.Glob("../../docs/policy/examples/*.json")
	if err != nil || len(names) < 5 {
		t.Fatalf("%d examples, %v", len(names), err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var doc map[string]any
			var in Input
			if err := json.Unmarshal(text, &doc); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, &in); err != nil {
				t.Fatal(err)
			}
			if want := doc["point"].(string) + "." + doc["phase"].(string) + ".json"; want != filepath.Base(name) {
				t.Errorf("it is %s", want)
			}
			if wrong := matching(t, doc, PointSchema(in.Point)); wrong != "" {
				t.Error(wrong)
			}
			var got []string
			for _, d := range s.Decide(&in, nil) {
				got = append(got, d.Rule+": "+d.Message)
			}
			slices.Sort(got)
			if want := plainly(t, files, doc); !cmp.Equal(got, want) {
				t.Errorf("Decide() = %q, OPA says %q", got, want)
			}
			if again, err := in.Document(nil); err != nil || !cmp.Equal(string(indented(t, doc)), string(indented(t, reread(t, again)))) {
				t.Errorf("Document() = %s, %v", again, err)
			}
		})
	}
}

// plainly is what OPA's own library says of a document, all rules at once.
func plainly(t *testing.T, files map[string][]byte, doc any) (list []string) {
	t.Helper()
	src := read(files)
	options := []func(*rego.Rego){rego.Query("data.ringmaster"), rego.StrictBuiltinErrors(true), rego.Store(src.store()), rego.Input(doc)}
	for name, m := range src.modules {
		if !src.tests[name] {
			options = append(options, rego.ParsedModule(m))
		}
	}
	rs, err := rego.New(options...).Eval(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for concern, v := range rs[0].Expressions[0].Value.(map[string]any) {
		rules, _ := v.(map[string]any)
		for _, e := range effects {
			said, _ := rules[string(e)].([]any)
			for _, d := range said {
				list = append(list, fmt.Sprintf("%s.%s: %s", concern, e, d.(map[string]any)["msg"]))
			}
		}
	}
	slices.Sort(list)
	return list
}

func reread(t *testing.T, text []byte) (v map[string]any) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
