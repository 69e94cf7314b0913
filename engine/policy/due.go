package policy

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// SameWhenDue says that two sets have the same rules where execute asks them, and the
// same data: then they answer alike when a wave is due. It may say no of sets that
// answer alike all the same.
func (s *Set) SameWhenDue(other *Set) bool {
	return reflect.DeepEqual(s.data, other.data) && slices.Equal(s.dueRules(), other.dueRules())
}

// dueRules are the texts of the rules that are asked when a wave is due, each with
// those that it leans on, sorted.
func (s *Set) dueRules() []string {
	var list []string
	for _, c := range s.clauses {
		if !slices.Contains(c.points, Change) && !slices.Contains(c.points, Wave) || c.planned() {
			continue
		}
		texts := map[string]bool{}
		closure(s.compiler, c.compiled, func(r *ast.Rule) {
			if r.Location != nil {
				texts[r.Module.Package.Path.String()+" "+string(r.Location.Text)] = true
			}
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
