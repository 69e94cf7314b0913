package policy

import (
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
)

// InputSchema is the JSON Schema of what policies read, made from Input. OPA's
// type checker holds every policy to it.
func InputSchema() map[string]any { return inputSchema().(map[string]any) }

func inputSchema() any {
	s := schemaOf(reflect.TypeFor[Input]()).(map[string]any)
	s["$schema"] = "http://json-schema.org/draft-07/schema#"
	s["title"] = Schema
	return s
}

var timeType = reflect.TypeFor[time.Time]()

func schemaOf(t reflect.Type) any {
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem())
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(t.Elem())}
	case reflect.Struct:
		if t == timeType {
			return map[string]any{"type": "string", "format": "date-time"}
		}
		return objectSchema(t)
	}
	panic("policy: input has a " + t.String())
}

func objectSchema(t reflect.Type) map[string]any {
	properties := map[string]any{}
	required := []any{}
	for _, f := range attributes(t) {
		properties[f.name] = schemaOf(t.Field(f.index).Type)
		if f.omit == "" {
			required = append(required, f.name)
		}
	}
	return map[string]any{"type": "object", "additionalProperties": false, "properties": properties, "required": required}
}

// attribute is a field of a section as JSON has it.
type attribute struct {
	name  string
	index int
	omit  string // "", "omitempty" or "omitzero"
	term  *ast.Term
}

var known sync.Map // reflect.Type → []attribute

// attributes are the fields of a struct, sorted by name.
func attributes(t reflect.Type) []attribute {
	if list, ok := known.Load(t); ok {
		return list.([]attribute)
	}
	var list []attribute
	for i := range t.NumField() {
		name, omit, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name != "" && name != "-" {
			list = append(list, attribute{name, i, omit, ast.StringTerm(name)})
		}
	}
	slices.SortFunc(list, func(a, b attribute) int { return strings.Compare(a.name, b.name) })
	known.Store(t, list)
	return list
}
