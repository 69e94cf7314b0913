package githubtest

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
)

//go:generate go run ./cut

//go:embed api.json
var api []byte

// description is GitHub's own of what is answered here.
var description = sync.OnceValue(func() *openapi3.T {
	doc, err := openapi3.NewLoader().LoadFromData(api)
	if err != nil {
		panic(err) // it is generated
	}
	return doc
})

// operation is one request as GitHub describes it.
type operation struct {
	name string // "GET /repos/{owner}/{repo}"
	*openapi3.Operation
}

func described(name string) operation {
	method, path, _ := strings.Cut(name, " ")
	return operation{name, description().Paths.Value(path).GetOperation(method)}
}

// request holds a request to the description. A body that GitHub refuses is
// refused in its words; what GitHub does not know and passes over is a mistake
// of the client that nobody would notice, and an error.
func (o operation) request(req *http.Request, body any) (reply, error) {
	for name, values := range req.URL.Query() {
		i := slices.IndexFunc(o.Parameters, func(p *openapi3.ParameterRef) bool { return p.Value.In == "query" && p.Value.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("%s: GitHub knows no query parameter %q", o.name, name)
		}
		s := o.Parameters[i].Value.Schema.Value
		if err := s.VisitJSON(typed(s, values[0]), openapi3.DisableSchemaErrorDetails()); err != nil && len(s.Enum) == 0 { // what is none of the words GitHub refuses by itself
			return nil, fmt.Errorf("%s: query parameter %s=%s: %w", o.name, name, values[0], err)
		}
	}
	if o.RequestBody == nil {
		if body != nil {
			return nil, fmt.Errorf("%s: GitHub takes no body", o.name)
		}
		return nil, nil
	}
	s := o.RequestBody.Value.Content.Get("application/json").Schema.Value
	if body == nil {
		if !o.RequestBody.Value.Required {
			return nil, nil
		}
		body = map[string]any{}
	}
	if more := unknown(s, body, ""); len(more) > 0 {
		return nil, fmt.Errorf("%s: GitHub knows no %s of the body", o.name, strings.Join(more, ", "))
	}
	if err := s.VisitJSON(body, openapi3.VisitAsRequest()); err != nil {
		return refuse(422, "Invalid request.\n\n"+inWords(err)), nil
	}
	return nil, nil
}

// typed is a query parameter as JSON.
func typed(s *openapi3.Schema, text string) any {
	var v any
	if s.Type.Is("string") || json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	return v
}

// inWords says what is wrong with a body as GitHub does.
func inWords(err error) string {
	var e *openapi3.SchemaError
	for errors.As(err, &e) && e.Origin != nil && errors.As(e.Origin, new(*openapi3.SchemaError)) {
		err = e.Origin
	}
	at := "properties/" + strings.Join(e.JSONPointer(), "/properties/")
	value, _ := json.Marshal(e.Value)
	switch e.SchemaField {
	case "required":
		_, name, _ := strings.Cut(e.Reason, `"`)
		name, _, _ = strings.Cut(name, `"`)
		return fmt.Sprintf("%q wasn't supplied.", name)
	case "type", "nullable":
		return fmt.Sprintf("For '%s', %s is not %s.", at, value, article(e.Schema.Type))
	case "enum":
		words, _ := json.Marshal(e.Schema.Enum)
		return fmt.Sprintf("For '%s', %s is not a member of %s.", at, value, words)
	case "maxItems":
		return fmt.Sprintf("For '%s', no more than %d items are allowed; %d were supplied.", at, *e.Schema.MaxItems, len(e.Value.([]any)))
	}
	return e.Reason
}

func article(t *openapi3.Types) string {
	if t.Is("object") || t.Is("array") || t.Is("integer") {
		return "an " + t.Slice()[0]
	}
	return "a " + t.Slice()[0]
}

// anyway are the statuses that any operation may answer, whether or not GitHub
// describes it of that one; 422 any that takes a body.
var anyway = []int{400, 401, 403, 404}

// beside are statuses that GitHub answers and does not describe.
var beside = map[string]int{
	"GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls": 422, // for a commit that is not there
}

// response completes an answer with what GitHub requires and this server does
// not model, each as empty as may be, and holds it to the description.
func (o operation) response(status int, value any) (any, error) {
	r := o.Responses.Value(strconv.Itoa(status))
	switch {
	case r == nil && (slices.Contains(anyway, status) || beside[o.name] == status || status == 422 && o.RequestBody != nil):
		return value, nil
	case r == nil:
		return nil, fmt.Errorf("%s: GitHub does not answer %d", o.name, status)
	}
	content := r.Value.Content.Get("application/json")
	if content == nil {
		return value, nil
	}
	data, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, err
	}
	s := content.Schema.Value
	more := unknown(s, v, "")
	if status >= 400 { // which all refusals have, and not all descriptions
		more = slices.DeleteFunc(more, func(name string) bool { return name == `"status"` })
	}
	if len(more) > 0 {
		return nil, fmt.Errorf("%s: GitHub's answer has no %s", o.name, strings.Join(more, ", "))
	}
	v = completed(s, v)
	if err := s.VisitJSON(v, openapi3.VisitAsResponse(), openapi3.EnableFormatValidation(), openapi3.DisableSchemaErrorDetails()); err != nil {
		return nil, fmt.Errorf("%s: the answer is not GitHub's: %w", o.name, err)
	}
	return v, nil
}

// parts are a schema with those that it is made of.
func parts(s *openapi3.Schema) []*openapi3.Schema {
	out := []*openapi3.Schema{s}
	for _, list := range []openapi3.SchemaRefs{s.AllOf, s.AnyOf, s.OneOf} {
		for _, r := range list {
			out = append(out, parts(r.Value)...)
		}
	}
	return out
}

// member is the schema of an object's member, nil where there is none; open says
// that the object may have any.
func member(s *openapi3.Schema, name string) (m *openapi3.Schema, open bool) {
	open = true
	for _, p := range parts(s) {
		if r := p.Properties[name]; r != nil {
			return r.Value, false
		}
		open = open && len(p.Properties) == 0
		if a := p.AdditionalProperties; a.Schema != nil {
			return a.Schema.Value, false
		}
	}
	return nil, open
}

func items(s *openapi3.Schema) *openapi3.Schema {
	for _, p := range parts(s) {
		if p.Items != nil {
			return p.Items.Value
		}
	}
	return nil
}

// unknown are the members of a value that its schema does not name.
func unknown(s *openapi3.Schema, v any, at string) []string {
	var out []string
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			switch m, open := member(s, name); {
			case m != nil:
				out = append(out, unknown(m, v[name], at+name+".")...)
			case !open:
				out = append(out, strconv.Quote(at+name))
			}
		}
	case []any:
		if of := items(s); of != nil && len(v) > 0 {
			return unknown(of, v[0], at)
		}
	}
	return out
}

// completed adds what is required and missing.
func completed(s *openapi3.Schema, v any) any {
	for _, list := range []openapi3.SchemaRefs{s.AnyOf, s.OneOf} {
		for _, r := range list {
			if whole := completed(r.Value, v); r.Value.VisitJSON(whole) == nil {
				return whole
			}
		}
	}
	switch v := v.(type) {
	case map[string]any:
		for _, p := range parts(s) {
			for _, name := range p.Required {
				if _, given := v[name]; !given {
					m, _ := member(s, name)
					v[name] = empty(m)
				}
			}
		}
		for name, x := range v {
			if m, _ := member(s, name); m != nil {
				v[name] = completed(m, x)
			}
		}
	case []any:
		if of := items(s); of != nil {
			for i := range v {
				v[i] = completed(of, v[i])
			}
		}
	}
	return v
}

// empty is as little as a schema takes.
func empty(s *openapi3.Schema) any {
	switch {
	case s == nil || s.PermitsNull():
		return nil
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Type.Is("string") && s.Format == "date-time":
		return "2000-01-01T00:00:00Z"
	case s.Type.Is("string") && s.Format == "uri":
		return "https://github.invalid/"
	case s.Type.Is("string"):
		return ""
	case s.Type.Is("integer"), s.Type.Is("number"):
		return float64(0)
	case s.Type.Is("boolean"):
		return false
	case s.Type.Is("array"):
		return []any{}
	}
	if list := append(slices.Clone(s.OneOf), s.AnyOf...); len(list) > 0 && len(s.Properties) == 0 {
		return empty(list[0].Value)
	}
	return completed(s, map[string]any{})
}
