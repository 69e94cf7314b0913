package policy

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Whoever walks a history asks each commit's own policies who may loosen what, and
// compiling a whole library for a handful of rules is most of such a walk. So a file
// is outlined once, and only what those rules rest on is compiled.

// Outline is what a file is to the rules that are asked about edits.
type Outline struct {
	home  ast.Ref   // its package, or where its data stands; nil: it is neither, or does not parse
	reads []ast.Ref // packages and data that it refers to, as far as they are constant
	edits bool      // it speaks of input.edit, or may
	test  bool
}

// Outlined outlines one file of those that Compile reads.
func Outlined(name string, text []byte) Outline {
	if path.Base(name) == "data.json" {
		home := ast.Ref{ast.DefaultRootDocument}
		for _, dir := range strings.Split(path.Dir(name), "/")[1:] { // the first is policies itself
			home = append(home, ast.StringTerm(dir))
		}
		return Outline{home: home}
	}
	if path.Ext(name) != ".rego" {
		return Outline{edits: true} // of a bundle, in which there may be anything
	}
	if strings.HasSuffix(name, "_test.rego") {
		return Outline{test: true}
	}
	m, err := ast.ParseModuleWithOpts(name, string(text), ast.ParserOptions{RegoVersion: ast.RegoV1})
	if err != nil {
		return Outline{edits: true} // the fault is told when it is compiled
	}
	o := Outline{home: m.Package.Path}
	for _, i := range m.Imports {
		if ref, ok := i.Path.Value.(ast.Ref); ok {
			o.reads = append(o.reads, ref)
		}
	}
	ast.WalkTerms(m, func(t *ast.Term) bool {
		switch v := t.Value.(type) {
		case ast.String:
			o.edits = o.edits || v == ast.String(Edit)
		case ast.Ref:
			if v.HasPrefix(ast.DefaultRootRef) {
				o.reads = append(o.reads, v.GroundPrefix())
			}
		}
		return false
	})
	return o
}

// EditPart are the files that rules asked about edits rest on, sorted: those that
// speak of edits, what leans on them, and what all of these lean on.
func EditPart(files map[string]Outline) []string {
	in := map[string]bool{}
	for name, o := range files {
		in[name] = o.edits
	}
	leans := func(a, b Outline) bool {
		return b.home != nil && slices.ContainsFunc(a.reads, func(r ast.Ref) bool { return r.HasPrefix(b.home) || b.home.HasPrefix(r) })
	}
	grow(files, in, func(out, within Outline) bool { return leans(out, within) })
	grow(files, in, func(out, within Outline) bool {
		return leans(within, out) || within.home != nil && within.home.Equal(out.home)
	})
	maps.DeleteFunc(in, func(_ string, is bool) bool { return !is })
	return slices.Sorted(maps.Keys(in))
}

// grow adds files to a set while one belongs to another that is in it.
func grow(files map[string]Outline, in map[string]bool, belongs func(out, within Outline) bool) {
	for more := true; more; {
		more = false
		for name, o := range files {
			if in[name] || o.test {
				continue
			}
			for other, within := range files {
				if in[other] && belongs(o, within) {
					in[name], more = true, true
					break
				}
			}
		}
	}
}

// JudgesEdits says whether any rule is asked about edits.
func (s *Set) JudgesEdits() bool { return len(s.views[Edit].clauses) > 0 }
