package policy

import (
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// tightens finds what of the estate's own would alter a bundle.
func (src *source) tightens() {
	if len(src.bundled.packages) == 0 && len(src.bundled.words) == 0 {
		return
	}
	for file, m := range src.modules {
		if src.bundled.files[file] || src.tests[file] {
			continue
		}
		for _, r := range m.Rules {
			src.tighten(file, m, r)
		}
		if len(m.Rules) == 0 {
			src.tighten(file, m, nil)
		}
	}
}

// tighten finds a rule that stands where a bundle does: in a package of it, or on
// the way to one.
func (src *source) tighten(file string, m *ast.Module, r *ast.Rule) {
	at, row := m.Package.Path, m.Package.Location.Row
	if r != nil {
		at, row = r.Ref().GroundPrefix(), r.Location.Row
	}
	for _, p := range slices.Sorted(maps.Keys(src.bundled.packages)) {
		if whole := ast.MustParseRef(p); at.HasPrefix(whole) || r != nil && whole.HasPrefix(at) {
			src.fault(file, row, 1, "%s is of bundle %q, which the estate adds to and does not alter; expected a package of its own", strings.TrimPrefix(p, "data."), src.bundled.packages[p])
			return
		}
	}
	if len(at) > 1 {
		if word, ok := at[1].Value.(ast.String); ok && src.bundled.words[string(word)] != "" {
			src.fault(file, row, 1, "data.%s is of bundle %q, which the estate adds to and does not alter", string(word), src.bundled.words[string(word)])
		}
	}
}

// owned says that a data.json of the estate says something of a bundle's.
func (src *source) owned(file string, doc map[string]any) bool {
	for _, word := range slices.Sorted(maps.Keys(doc)) {
		if name := src.bundled.words[word]; name != "" {
			src.fault(file, 1, 1, "data.%s is of bundle %q, which the estate adds to and does not alter", word, name)
			return true
		}
	}
	return false
}

// unfed finds what a bundle reads that the estate could say: data and packages that
// no bundle has.
func (src *source) unfed(c *ast.Compiler) {
	for _, file := range slices.Sorted(maps.Keys(src.bundled.files)) {
		m := c.Modules[file]
		if m == nil || src.tests[file] {
			continue
		}
		told := map[string]bool{}
		ast.WalkRefs(m, func(ref ast.Ref) bool {
			if !ref.HasPrefix(ast.DefaultRootRef) || src.organisations(ref) {
				return false
			}
			name := ref.GroundPrefix().String()
			if ref[0].Location != nil && !told[name] {
				told[name] = true
				src.fault(file, ref[0].Location.Row, ref[0].Location.Col, "the bundle reads %s, which is in no bundle: the estate could say what it likes there", name)
			}
			return false
		})
	}
}

// organisations says whether what a reference names lies in bundles whole.
func (src *source) organisations(ref ast.Ref) bool {
	at := ref.GroundPrefix()
	if len(at) > 1 {
		if word, ok := at[1].Value.(ast.String); ok && src.bundled.words[string(word)] != "" {
			return true
		}
	}
	for p := range src.bundled.packages {
		if at.HasPrefix(ast.MustParseRef(p)) {
			return true
		}
	}
	return false
}
