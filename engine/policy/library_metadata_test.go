package policy

import (
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
)

// profiles are the concerns that a service turns on by a compliance tag.
var profiles = []string{"cis", "compliance", "dora", "iso_27001", "nis2", "nist_800_53", "pci_dss"}

// TestLibraryMetadata: every package says what it is for, every rule has a title
// and says in so many words whether it yields to an exception, and a rule of a
// standard says where that can be read.
func TestLibraryMetadata(t *testing.T) {
	for name, text := range library(t) {
		if path.Ext(name) != ".rego" || strings.HasSuffix(name, "_test.rego") {
			continue
		}
		m, err := ast.ParseModuleWithOpts(name, string(text), ast.ParserOptions{ProcessAnnotation: true})
		if err != nil {
			t.Fatal(err)
		}
		set, errs := ast.BuildAnnotationSet([]*ast.Module{m})
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		pkg := set.GetPackageScope(m.Package)
		if pkg == nil || pkg.Title == "" || pkg.Description == "" {
			t.Errorf("%s: the package has no title or no description", name)
			continue
		}
		standard := slices.Contains(profiles, path.Base(path.Dir(name)))
		for _, rule := range m.Rules {
			if !slices.Contains([]string{"deny", "hold", "require", "warn"}, rule.Head.Name.String()) {
				continue
			}
			found := set.GetRuleScope(rule)
			if len(found) != 1 {
				t.Errorf("%s:%d: the rule has no METADATA", name, rule.Location.Row)
				continue
			}
			a := found[0]
			if _, said := a.Custom["exceptable"].(bool); a.Title == "" || !said {
				t.Errorf("%s:%d: the rule has no title, or does not say whether it is exceptable", name, rule.Location.Row)
			}
			if !standard {
				continue
			}
			if a.Description == "" || len(a.RelatedResources) == 0 {
				t.Errorf("%s:%d: a rule of a standard names its clause and where it can be read", name, rule.Location.Row)
			}
			for _, r := range a.RelatedResources {
				if r.Ref.Scheme != "https" {
					t.Errorf("%s:%d: %s is no public address", name, rule.Location.Row, r.Ref.String())
				}
			}
		}
	}
}

// TestLibraryTags: every profile is one that services can name, and the other way
// round.
func TestLibraryTags(t *testing.T) {
	files := library(t)
	for _, tag := range []string{"cis", "dora", "iso-27001", "nis2", "nist-800-53", "pci-dss"} {
		concern := strings.ReplaceAll(tag, "-", "_")
		if text := string(files["policies/"+concern+"/"+concern+".rego"]); !strings.Contains(text, `compliance.services("`+tag+`")`) {
			t.Errorf("no rule of %s is about services with the tag %q", concern, tag)
		}
		if !strings.Contains(string(files["policies/compliance/data.json"]), `"`+tag+`"`) {
			t.Errorf("policies/compliance/data.json does not name %q", tag)
		}
	}
}
