package policy

import (
	"bytes"
	"context"
	"encoding/json"
	"path"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/util"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Compile compiles policies/**/*.rego and data.json, and the bundles that
// policies/*.hcl declares, by path; other files are passed over. policies/freeze/data.json is data.freeze, as for `opa test
// policies/`. Test files are parsed for faults and left out. All faults are
// returned, sorted by place: what OPA finds, attributes of input and data that do
// not exist, rules that are no decisions, built-ins that read clock, network,
// environment or dice.
func Compile(files map[string][]byte) (*Set, []Fault) {
	_, end := begin("", "compiling the policies")
	defer end()
	_, s, faults := compile(files)
	return s, faults
}

// compile is Compile, with what was read.
func compile(files map[string][]byte) (*source, *Set, []Fault) {
	src := read(files)
	for name := range src.tests {
		delete(src.modules, name)
	}
	src.look()
	src.fitData()
	c := src.compile(src.modules)
	if len(src.faults) > 0 {
		return nil, nil, src.sorted()
	}
	src.unfed(c)
	s := &Set{set{compiler: c, store: src.store(), data: src.data}}
	s.clauses = src.clauses(c)
	src.checkData(c)
	src.program = newProgram(c)
	src.checkKeys()
	if len(src.faults) > 0 {
		return nil, nil, src.sorted()
	}
	s.views = views(s.clauses)
	s.settled = settledRules(c)
	return src, s, nil
}

// source is policy files as read, with what was wrong so far.
type source struct {
	modules map[string]*ast.Module
	tests   map[string]bool // those of modules that are tests
	data    map[string]any
	bundled bundled // what an organisation's bundles hold
	// documents are the data.json files as they are written, for places.
	documents map[string][]byte
	program   *program       // of what was compiled
	worked    map[place]bool // rules whose answer is no literal
	faults    []Fault
}

// place is where a rule begins.
type place struct {
	file         string
	line, column int
}

func read(files map[string][]byte) *source {
	src := &source{modules: map[string]*ast.Module{}, tests: map[string]bool{}, data: map[string]any{}, documents: map[string][]byte{}, worked: map[place]bool{}}
	src.bundles(files)
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		switch {
		case path.Ext(name) == ".rego":
			src.module(name, files[name])
		case path.Base(name) == "data.json":
			src.document(name, files[name])
		}
	}
	src.tightens()
	return src
}

func (src *source) module(name string, text []byte) {
	if src.oversize(name, text, mostRego) {
		return
	}
	if len(bytes.TrimSpace(text)) == 0 {
		src.fault(name, 1, 1, "the file is empty; expected a package and its rules")
		return
	}
	m, err := ast.ParseModuleWithOpts(name, string(text), ast.ParserOptions{RegoVersion: ast.RegoV1, ProcessAnnotation: true})
	if err != nil {
		src.failed(name, err)
		return
	}
	src.modules[name] = m
	if strings.HasSuffix(name, "_test.rego") {
		src.tests[name] = true
	}
}

// document merges a data.json at the path of its folder.
func (src *source) document(name string, text []byte) {
	if src.oversize(name, text, mostData) {
		return
	}
	var v any
	if err := util.UnmarshalJSON(text, &v); err != nil {
		src.fault(name, 1, 1, "data.json is not JSON: %v", err)
		return
	}
	doc, ok := v.(map[string]any)
	if !ok {
		src.fault(name, 1, 1, "data.json must hold an object: {…}")
		return
	}
	src.documents[name] = text
	dirs := strings.Split(path.Dir(name), "/")
	for i := len(dirs) - 1; i > 0; i-- { // dirs[0] is policies itself
		doc = map[string]any{dirs[i]: doc}
	}
	if src.owned(name, doc) {
		return
	}
	if at := merge(src.data, doc); at != "" {
		src.fault(name, 1, 1, "data.%s is said twice", at)
	}
}

// merge puts b into a and returns the path at which both have a value, "" where
// they never do.
func merge(a, b map[string]any) string {
	for k, v := range b {
		old, taken := a[k]
		if !taken {
			a[k] = v
			continue
		}
		x, ok := old.(map[string]any)
		y, ok2 := v.(map[string]any)
		if !ok || !ok2 {
			return k
		}
		if at := merge(x, y); at != "" {
			return k + "." + at
		}
	}
	return ""
}

func (src *source) store() storage.Store {
	return inmem.NewFromObjectWithOpts(src.data, inmem.OptReturnASTValuesOnRead(true))
}

// compiler is OPA's, held to the input schema and without banned built-ins.
func (src *source) compiler() *ast.Compiler {
	schemas := ast.NewSchemaSet()
	schemas.Put(ast.SchemaRootRef, bareSchema())
	return ast.NewCompiler().WithCapabilities(capabilities()).WithSchemas(schemas).SetErrorLimit(0).
		WithPathConflictsCheck(func(p []string) (bool, error) { return src.has(p), nil })
}

func (src *source) compile(modules map[string]*ast.Module) *ast.Compiler {
	c := src.compiler()
	c.Compile(modules)
	for _, e := range c.Errors {
		src.compileFault(e)
	}
	return c
}

// has says whether data.json files have something at a path.
func (src *source) has(p []string) bool {
	_, ok := src.at(p)
	return ok
}

// clauses are the rules that decide, sorted by rule and place.
func (src *source) clauses(c *ast.Compiler) []*clause {
	var list []*clause
	for name := range src.modules {
		m := c.Modules[name]
		concern := concernOf(m)
		if concern == "" {
			continue
		}
		for _, r := range m.Rules {
			if effect, ok := effectOf(r); ok {
				list = append(list, src.clause(c, m, concern, effect, r))
			}
		}
	}
	slices.SortFunc(list, func(a, b *clause) int {
		if a.rule != b.rule {
			return strings.Compare(a.rule, b.rule)
		}
		if a.file != b.file {
			return strings.Compare(a.file, b.file)
		}
		return a.line - b.line
	})
	return list
}

func (src *source) clause(c *ast.Compiler, m *ast.Module, concern string, effect plan.Effect, r *ast.Rule) *clause {
	cl := &clause{rule: concern + "." + string(effect), effect: effect, file: r.Location.File, line: r.Location.Row}
	cl.compiled, cl.body = r, slices.Clone(r.Body)
	capture := ast.Equality.Expr(ast.NewTerm(answerVar), r.Head.Key).SetLocation(r.Location)
	cl.body.Append(capture)
	cl.reads, cl.lookups = reads(c, r), lookupsOf(c, r)
	src.checkType(c, string(effect), r)
	for _, a := range annotations(c, r) {
		if cl.title == "" {
			cl.title = a.Title
		}
		switch v := a.Custom["exceptable"].(type) {
		case nil:
		case bool:
			cl.exceptable = cl.exceptable || v
		default:
			src.fault(cl.file, cl.line, r.Location.Col, "custom.exceptable of %s is true or false, got %v", cl.rule, v)
		}
	}
	if err := cl.place(); err != nil {
		src.fault(cl.file, cl.line, r.Location.Col, "%v", err)
	}
	return cl
}

// annotations are the METADATA of a rule and of all rules of its name. Those of
// a package do not count: a loosening is said where it applies.
func annotations(c *ast.Compiler, r *ast.Rule) []*ast.Annotations {
	list := slices.Clone(r.Annotations)
	if as := c.GetAnnotationSet(); as != nil {
		list = append(list, as.GetRuleScope(r)...)
		if doc := as.GetDocumentScope(r.Ref().GroundPrefix()); doc != nil {
			list = append(list, doc)
		}
	}
	return list
}

// concernOf is what stands behind data.ringmaster in a package's path, "" for
// library code.
func concernOf(m *ast.Module) string {
	p := m.Package.Path
	if len(p) < 3 || p[1].Value.Compare(ast.String("ringmaster")) != 0 {
		return ""
	}
	var words []string
	for _, t := range p[2:] {
		words = append(words, string(t.Value.(ast.String)))
	}
	return strings.Join(words, ".")
}

func effectOf(r *ast.Rule) (plan.Effect, bool) {
	e := plan.Effect(headName(r))
	return e, slices.Contains(effects, e)
}

// headName is the first word of a rule's head.
func headName(r *ast.Rule) string {
	if ref := r.Head.Ref(); len(ref) > 0 {
		if v, ok := ref[0].Value.(ast.Var); ok {
			return string(v)
		}
	}
	return string(r.Head.Name)
}

func int64Number(n int64) json.Number {
	b, _ := json.Marshal(n) // an integer always has a text
	return json.Number(b)
}

// background is never cancelled: OPA asks for a context where it reads its own
// memory.
var background = context.Background()
