package policy

import (
	"encoding/json"
	"path"
	"testing"
)

// TestLibraryTuned: a site sets every threshold of the library within what its
// schema allows, and the library's tests still test the rules. All are set at once,
// since a test that leans on none leans on no combination either.
func TestLibraryTuned(t *testing.T) {
	declared, faults := DataSchema(library(t))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	var schema map[string]any // with plain numbers
	if err := json.Unmarshal(indented(t, declared), &schema); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		tune func(schema map[string]any, shipped any) any
	}{
		{"the least", least},
		{"more than is shipped", more},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := library(t)
			for name, text := range files {
				if path.Base(name) != "data.json" {
					continue
				}
				var shipped any
				if err := json.Unmarshal(text, &shipped); err != nil {
					t.Fatal(err)
				}
				tuned, err := json.Marshal(tt.tune(schemaBelow(schema, path.Base(path.Dir(name))), shipped))
				if err != nil {
					t.Fatal(err)
				}
				if string(tuned) == string(text) {
					t.Errorf("%s is as it is shipped", name)
				}
				files[name] = tuned
			}
			report, err := RunTests(files)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range report.Tests {
				if !r.Passed {
					t.Errorf("%s:%d: %s leans on a data.json: %s", r.File, r.Line, r.Name, r.Message)
				}
			}
			if report.Coverage < 100 {
				t.Errorf("coverage is %v %% with a site's thresholds", report.Coverage)
			}
		})
	}
}

// schemaBelow is what a schema says of a member of an object.
func schemaBelow(schema map[string]any, name string) map[string]any {
	properties, _ := schema["properties"].(map[string]any)
	if s, ok := properties[name].(map[string]any); ok {
		return s
	}
	s, _ := schema["additionalProperties"].(map[string]any)
	return s
}

// least is a threshold as low as its schema allows, and of a list or map of names
// none.
func least(schema map[string]any, shipped any) any {
	switch v := shipped.(type) {
	case map[string]any:
		properties, _ := schema["properties"].(map[string]any)
		tuned := map[string]any{}
		for name := range v {
			if properties[name] != nil {
				tuned[name] = least(schemaBelow(schema, name), v[name])
			}
		}
		return tuned
	case []any:
		return []any{}
	case float64:
		return schema["minimum"]
	}
	return shipped
}

// more is twice a threshold, or the most that its schema allows, and of a list or
// map one name more.
func more(schema map[string]any, shipped any) any {
	switch v := shipped.(type) {
	case map[string]any:
		tuned := map[string]any{}
		for name := range v {
			tuned[name] = more(schemaBelow(schema, name), v[name])
		}
		if each, ok := schema["additionalProperties"].(map[string]any); ok && each["type"] == "string" {
			tuned["archive"], tuned["policy"] = "ours", "ours"
		}
		return tuned
	case []any:
		items, _ := schema["items"].(map[string]any)
		return items["enum"]
	case float64:
		if most, ok := schema["maximum"].(float64); ok {
			return min(2*v+1, most)
		}
		return 2*v + 1
	}
	return shipped
}
