package policy

import (
	"embed"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
	"sync"
)

// inputSources are the files that declare Input: their comments are the schema's
// descriptions, so that the two cannot part.
//
//go:embed input.go input_edit.go
var inputSources embed.FS

// descriptions are what is said of types ("HostInput") and of their fields as
// JSON names them ("HostInput.os").
type descriptions map[string]string

// described are those of the input.
var described = sync.OnceValue(func() descriptions {
	says := descriptions{
		"Risk":        "Risk is a probability and how sure it is.",
		"Risk.p":      "the probability that it goes wrong",
		"Risk.low":    "the lower end of the interval",
		"Risk.high":   "the upper end of the interval: little knowledge is risk too",
		"Risk.source": "what it was worked out from, such as model, prior, rules or cvss",
	}
	for _, name := range []string{"input.go", "input_edit.go"} {
		source, err := inputSources.ReadFile(name)
		if err != nil {
			panic("policy: a file that is embedded cannot be read: " + err.Error())
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			panic("policy: a file that was compiled does not parse: " + err.Error())
		}
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE {
				says.read(g)
			}
		}
	}
	return says
})

// read takes the comments of one declared struct.
func (says descriptions) read(g *ast.GenDecl) {
	for _, spec := range g.Specs {
		t := spec.(*ast.TypeSpec)
		s, ok := t.Type.(*ast.StructType)
		if !ok {
			continue
		}
		says[t.Name.Name] = oneLine(g.Doc)
		for _, field := range s.Fields.List {
			comment := field.Comment // what stands behind a field is meant for readers of the schema
			if comment == nil {
				comment = field.Doc
			}
			if field.Tag != nil {
				says[t.Name.Name+"."+jsonName(field.Tag.Value)] = oneLine(comment)
			}
		}
	}
}

func jsonName(tag string) string {
	name, _, _ := strings.Cut(reflect.StructTag(strings.Trim(tag, "`")).Get("json"), ",")
	return name
}

func oneLine(c *ast.CommentGroup) string {
	return strings.Join(strings.Fields(c.Text()), " ")
}

// describe adds what is said of a field to its schema; nil descriptions add
// nothing.
func (says descriptions) describe(schema map[string]any, t reflect.Type, name string) {
	if text := says[t.Name()+"."+name]; text != "" {
		schema["description"] = text
	}
}
