package policy

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
)

// InputSchema is the JSON Schema (draft-07, the newest that OPA's type checker
// reads) of what policies read, made from Input with its comments as
// descriptions. It is the whole: every section, whatever the point.
func InputSchema() map[string]any {
	s := schemaOf(reflect.TypeFor[Input](), described())
	return titled(s, Schema)
}

// PointSchema is the JSON Schema of input at one decision point: the sections
// of that point, and those required that are always there.
func PointSchema(point Point) map[string]any {
	s := titled(schemaOf(reflect.TypeFor[Input](), described()), Schema+" at "+string(point))
	properties := s["properties"].(map[string]any)
	there := slices.Concat(scalars, sections[point])
	maps.DeleteFunc(properties, func(name string, _ any) bool { return !slices.Contains(there, name) })
	properties["point"].(map[string]any)["enum"] = []any{string(point)}
	required := []any{}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if slices.Contains(scalars, name) || slices.Contains(certain[point], name) {
			required = append(required, name)
		}
	}
	s["required"] = required
	return s
}

func titled(s map[string]any, title string) map[string]any {
	s["$schema"], s["title"] = "http://json-schema.org/draft-07/schema#", title
	return s
}

// bareSchema is InputSchema without descriptions: OPA's type checker reads it
// at every Compile, and passes descriptions over.
func bareSchema() any { return titled(schemaOf(reflect.TypeFor[Input](), nil), Schema) }

var timeType = reflect.TypeFor[time.Time]()

// schemaOf is the schema of a type. says are the descriptions, nil for none.
func schemaOf(t reflect.Type, says descriptions) map[string]any {
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem(), says)
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem(), says)}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(t.Elem(), says)}
	case reflect.Struct:
		if t == timeType {
			return map[string]any{"type": "string", "format": "date-time"}
		}
		return objectSchema(t, says)
	}
	panic("policy: input has a " + t.String())
}

func objectSchema(t reflect.Type, says descriptions) map[string]any {
	properties := map[string]any{}
	required := []any{}
	for _, f := range attributes(t) {
		p := schemaOf(t.Field(f.index).Type, says)
		says.describe(p, t, f.name)
		if len(f.words) > 0 {
			if items, list := p["items"].(map[string]any); list {
				items["enum"] = wordList(f.words)
			} else {
				p["enum"] = wordList(f.words)
			}
		}
		properties[f.name] = p
		if f.omit == "" {
			required = append(required, f.name)
		}
	}
	return map[string]any{"type": "object", "additionalProperties": false, "properties": properties, "required": required}
}

func wordList(words []string) []any {
	list := make([]any, len(words))
	for i, w := range words {
		list[i] = w
	}
	return list
}

// attribute is a field of a section as JSON has it.
type attribute struct {
	name  string
	index int
	omit  string   // "", "omitempty" or "omitzero"
	words []string // the only ones that it, or an element of it, can be; none: any
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
			list = append(list, attribute{name, i, omit, strings.Fields(t.Field(i).Tag.Get("enum")), ast.StringTerm(name)})
		}
	}
	slices.SortFunc(list, func(a, b attribute) int { return strings.Compare(a.name, b.name) })
	known.Store(t, list)
	return list
}
