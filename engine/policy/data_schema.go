package policy

import (
	"bytes"
	"encoding/json"
	"path"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// A policy says in the METADATA of its package what its data.json may hold, as
// OPA's own `schemas` annotation:
//
//	# schemas:
//	#   - data.blast:
//	#       type: object
//	#       additionalProperties: false
//	#       properties:
//	#         fleet_share: {type: number, minimum: 0, maximum: 1, description: …}
//
// A data.json that does not fit is a fault at its place.

// DataSchema is the JSON Schema of data: what the policies declare of their
// thresholds, joined. Where nothing is declared, anything may be.
func DataSchema(files map[string][]byte) (map[string]any, []Fault) {
	src := read(files)
	root := map[string]any{"type": "object", "properties": map[string]any{}}
	for _, d := range src.declaredData() {
		d.put(root)
	}
	return titled(root, "ringmaster/data/v1"), src.sorted()
}

// declaration is what one package says of data below a path.
type declaration struct {
	file   string
	line   int
	column int
	path   []string // behind data
	schema any
}

// declaredData are the declarations, by file. Those that cannot be are faults.
func (src *source) declaredData() []declaration {
	var list []declaration
	for _, name := range src.names() {
		for _, a := range src.modules[name].Annotations {
			if a.Scope != "package" && a.Scope != "subpackages" {
				continue
			}
			for _, s := range a.Schemas {
				p := constant(s.Path[1:])
				if s.Definition == nil || !s.Path[0].Equal(ast.DefaultRootDocument) {
					continue
				}
				d := declaration{name, a.Location.Row, a.Location.Col, p, *s.Definition}
				if len(p) == 0 || refers(d.schema) {
					src.fault(name, d.line, d.column, "the schema of %s: expected a folder of policies, such as data.blast, and no $ref", s.Path)
					continue
				}
				if i := slices.IndexFunc(list, func(o declaration) bool { return slices.Equal(o.path, d.path) }); i >= 0 {
					src.fault(name, d.line, d.column, "the schema of %s stands in %s already", s.Path, list[i].file)
					continue
				}
				list = append(list, d)
			}
		}
	}
	return list
}

// names are the modules' files, sorted.
func (src *source) names() []string {
	var list []string
	for name := range src.modules {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// refers says whether a schema points elsewhere: what it says would then depend
// on the disk or the network.
func refers(schema any) bool {
	switch s := schema.(type) {
	case map[string]any:
		for k, v := range s {
			if k == "$ref" || k == "$id" || refers(v) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(s, refers)
	}
	return false
}

// put places a declaration into the schema of all data.
func (d declaration) put(root map[string]any) {
	at := root
	for i, word := range d.path {
		properties, ok := at["properties"].(map[string]any)
		if !ok {
			properties = map[string]any{}
			at["properties"] = properties
		}
		if i == len(d.path)-1 {
			properties[word] = d.schema
			return
		}
		next, ok := properties[word].(map[string]any)
		if !ok {
			next = map[string]any{"type": "object"}
			properties[word] = next
		}
		at = next
	}
}

// fitData holds data.json files to what was declared of them.
func (src *source) fitData() {
	for _, d := range src.declaredData() {
		doc, ok := src.at(d.path)
		if !ok {
			continue
		}
		schema, err := ast.InterfaceToValue(d.schema)
		if err != nil {
			src.fault(d.file, d.line, d.column, "the schema of data.%s: %v", strings.Join(d.path, "."), err)
			continue
		}
		err = matchSchema(doc, schema, func(field, why string) { src.misfit(d, field, why) })
		if err != nil {
			src.fault(d.file, d.line, d.column, "the schema of data.%s: %v", strings.Join(d.path, "."), err)
		}
	}
}

// matchSchema calls wrong for each member that does not fit; field is its path
// with dots, "" the whole.
func matchSchema(doc any, schema ast.Value, wrong func(field, why string)) error {
	value, err := ast.InterfaceToValue(doc)
	if err != nil {
		return err
	}
	match := topdown.GetBuiltin("json.match_schema")
	bctx := topdown.BuiltinContext{Context: background, Capabilities: capabilities()}
	return match(bctx, []*ast.Term{ast.NewTerm(value), ast.NewTerm(schema)}, func(answer *ast.Term) error {
		pair, ok := answer.Value.(*ast.Array)
		if !ok || pair.Len() != 2 {
			return nil
		}
		list, ok := pair.Elem(1).Value.(*ast.Array)
		if !ok {
			return nil
		}
		list.Foreach(func(t *ast.Term) {
			text := func(key string) string {
				s, _ := t.Get(ast.StringTerm(key)).Value.(ast.String)
				return string(s)
			}
			wrong(strings.TrimPrefix(text("field"), "(Root)"), text("desc"))
		})
		return nil
	})
}

// misfit is the fault of one member, in the data.json that holds it.
func (src *source) misfit(d declaration, field, why string) {
	member := slices.Clone(d.path)
	if field != "" {
		member = append(member, strings.Split(field, ".")...)
	}
	unknown := ""
	if rest, ok := strings.CutPrefix(why, "Additional property "); ok {
		unknown = strings.TrimSuffix(rest, " is not allowed")
		member = append(member, unknown)
	}
	file, line, column := src.placeOf(member)
	where := "data." + strings.Join(member, ".")
	if unknown != "" {
		src.fault(file, line, column, "%s: there is no %q; %s", where, unknown, nearest(unknown, propertiesOf(d.schema, field)))
		return
	}
	why = strings.TrimPrefix(strings.TrimPrefix(why, "(Root) "), field+" ")
	src.fault(file, line, column, "%s %s", where, lowerFirst(why))
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// propertiesOf are the words that a schema knows below a field.
func propertiesOf(schema any, field string) []string {
	s, _ := schema.(map[string]any)
	if field != "" {
		for _, word := range strings.Split(field, ".") {
			properties, _ := s["properties"].(map[string]any)
			s, _ = properties[word].(map[string]any)
		}
	}
	properties, _ := s["properties"].(map[string]any)
	var words []string
	for w := range properties {
		words = append(words, w)
	}
	return words
}

// at is what data.json files have at a path.
func (src *source) at(p []string) (any, bool) {
	var at any = src.data
	for _, k := range p {
		doc, ok := at.(map[string]any)
		if !ok {
			return nil, false
		}
		if at, ok = doc[k]; !ok {
			return nil, false
		}
	}
	return at, true
}

// placeOf is where a data.json says a member, or the nearest thing above it.
func (src *source) placeOf(member []string) (file string, line, column int) {
	best := -1
	for name, text := range src.documents {
		dirs := strings.Split(path.Dir(name), "/")[1:]
		if len(dirs) > len(member) || !slices.Equal(dirs, member[:len(dirs)]) {
			continue
		}
		found, offset := offsetOf(text, member[len(dirs):])
		if deep := len(dirs) + found; deep > best || deep == best && name < file {
			best, file = deep, name
			before := text[:offset]
			line = 1 + bytes.Count(before, []byte("\n"))
			column = 1 + len(before) - (1 + bytes.LastIndexByte(before, '\n'))
		}
	}
	return file, line, column
}

// offsetOf follows keys into a JSON text and returns how many were found and
// where the last of them begins.
func offsetOf(text []byte, keys []string) (found, offset int) {
	d := json.NewDecoder(bytes.NewReader(text))
	for found < len(keys) {
		if t, err := d.Token(); err != nil || t != json.Delim('{') {
			return found, offset
		}
		at, ok := memberOf(d, text, keys[found])
		if !ok {
			return found, offset
		}
		found, offset = found+1, at
	}
	return found, offset
}

// memberOf reads members until the one named, and stops before its value.
func memberOf(d *json.Decoder, text []byte, name string) (offset int, ok bool) {
	for d.More() {
		before := int(d.InputOffset())
		t, err := d.Token()
		if err != nil {
			return 0, false
		}
		if t == name {
			return before + bytes.IndexByte(text[before:], '"'), true
		}
		var skipped json.RawMessage
		if d.Decode(&skipped) != nil {
			return 0, false
		}
	}
	return 0, false
}
