package policy

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// SameWhenDue says that two sets have the same rules where execute asks them, with the
// same data: then they answer alike when a wave is due. It may say no of sets that
// answer alike all the same.
func (s *Set) SameWhenDue(other *Set) bool {
	return slices.Equal(s.dueRules(), other.dueRules())
}

// SameAboutEdits says the same of edits of the estate.
func (s *Set) SameAboutEdits(other *Set) bool {
	edits := func(c *clause) bool { return slices.Contains(c.points, Edit) }
	return slices.Equal(s.texts(edits), other.texts(edits))
}

// dueRules are the texts of the rules that are asked when a wave is due, each with
// those that it leans on, sorted.
func (s *Set) dueRules() []string {
	return s.texts(func(c *clause) bool {
		return (slices.Contains(c.points, Change) || slices.Contains(c.points, Wave)) && !c.planned()
	})
}

// texts are those of some rules.
func (s *Set) texts(of func(*clause) bool) []string {
	var list []string
	for _, c := range s.clauses {
		if !of(c) {
			continue
		}
		texts := map[string]bool{}
		closure(s.compiler, c.compiled, func(r *ast.Rule) {
			if r.Location != nil {
				texts[r.Module.Package.Path.String()+" "+string(r.Location.Text)] = true
			}
			ast.WalkRefs(r, func(ref ast.Ref) bool {
				if ref.HasPrefix(ast.DefaultRootRef) {
					texts[s.dataText(constant(ref[1:]))] = true
				}
				return false
			})
		})
		said := "no"
		if c.exceptable {
			said = "yes"
		}
		list = append(list, c.rule+" "+said+"\x00"+strings.Join(slices.Sorted(maps.Keys(texts)), "\x00"))
	}
	slices.Sort(list)
	return list
}

// dataText is a part of the data with its path, only the path where it has none.
func (s *Set) dataText(p []string) string {
	var at any = s.data
	for _, word := range p {
		doc, _ := at.(map[string]any)
		at = doc[word]
	}
	text, err := json.Marshal(at)
	if err != nil {
		return err.Error()
	}
	return strings.Join(p, ".") + "=" + string(text)
}

var phaseRef = ast.MustParseRef("input.phase")

// planned says that a clause asks in so many words to be asked when planning alone.
func (c *clause) planned() bool {
	return slices.ContainsFunc(c.body, func(x *ast.Expr) bool {
		if x.Negated || !x.IsEquality() || len(x.Operands()) != 2 {
			return false
		}
		for i := range 2 {
			ref, isRef := x.Operand(i).Value.(ast.Ref)
			if isRef && ref.Equal(phaseRef) && x.Operand(1-i).Equal(ast.StringTerm("plan")) {
				return true
			}
		}
		return false
	})
}
