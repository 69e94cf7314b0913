package policy

import (
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/types"
)

// look finds what parses and yet may not be: built-ins that are banned, `with`,
// and rules that have an effect's name without being a set of decisions.
func (src *source) look() {
	for _, m := range src.modules {
		src.lookBuiltins(m)
		concern := concernOf(m)
		for _, r := range m.Rules {
			src.lookRule(m, concern, r)
		}
	}
}

// lookBuiltins names each banned built-in that a module calls or hands on.
func (src *source) lookBuiltins(m *ast.Module) {
	ast.WalkTerms(m, func(t *ast.Term) bool {
		ref, ok := t.Value.(ast.Ref)
		if !ok {
			return false
		}
		name := ref.String()
		if why := bannedWhy[name]; why != "" {
			loc := located(t, m)
			src.fault(loc.File, loc.Row, loc.Col, "policies may not use %s: it %s", name, why)
		}
		return false
	})
	ast.WalkWiths(m, func(w *ast.With) bool {
		if loc := w.Location; loc != nil {
			src.fault(loc.File, loc.Row, loc.Col, "`with` alters what a policy reads; it belongs in a _test.rego")
		}
		return false
	})
}

func located(t *ast.Term, m *ast.Module) *ast.Location {
	if t.Location != nil {
		return t.Location
	}
	if ref, ok := t.Value.(ast.Ref); ok && ref[0].Location != nil {
		return ref[0].Location
	}
	return m.Package.Location
}

func (src *source) lookRule(m *ast.Module, concern string, r *ast.Rule) {
	effect, ok := effectOf(r)
	inside := len(m.Package.Path) >= 2 && m.Package.Path[1].Value.Compare(ast.String("ringmaster")) == 0
	if !ok || !inside {
		return
	}
	loc := r.Location
	switch {
	case concern == "":
		src.fault(loc.File, loc.Row, loc.Col, "%s stands in package ringmaster; expected package ringmaster.<concern>", effect)
	case r.Head.RuleKind() != ast.MultiValue || len(r.Head.Ref()) != 1 || len(r.Head.Args) > 0:
		src.fault(loc.File, loc.Row, loc.Col, `%s must be a set of objects with "msg": %s contains {"msg": …} if { … }`, effect, effect)
	default:
		src.lookAnswer(string(effect), r)
	}
}

// lookAnswer checks what a rule says where it stands there literally.
func (src *source) lookAnswer(effect string, r *ast.Rule) {
	key := r.Head.Key
	loc := r.Location
	switch v := key.Value.(type) {
	case ast.Object:
		src.lookObject(effect, r, v)
	case ast.Var, ast.Ref, ast.Call:
		src.worked[place{loc.File, loc.Row, loc.Col}] = true
	default:
		src.fault(loc.File, loc.Row, loc.Col, `%s must be a set of objects with "msg", got %s`, effect, ast.ValueName(v))
	}
}

// members are those of an answer, with what each holds.
var members = map[string]string{"msg": "string", "facts": "object", "remedy": "string"}

func (src *source) lookObject(effect string, r *ast.Rule, o ast.Object) {
	loc := r.Location
	open := false
	var names []string
	o.Foreach(func(k, v *ast.Term) {
		name, ok := k.Value.(ast.String)
		if !ok {
			open = true
			return
		}
		names = append(names, string(name))
		want, known := members[string(name)]
		if !known {
			src.fault(loc.File, loc.Row, loc.Col, `%s says %q; expected "msg", "facts", "remedy"`, effect, string(name))
			return
		}
		if got := ast.ValueName(v.Value); settled(v.Value) && got != want {
			src.fault(loc.File, loc.Row, loc.Col, "%s of %s must be of type %s, got %s", string(name), effect, want, got)
		}
	})
	if !open && !slices.Contains(names, "msg") {
		src.fault(loc.File, loc.Row, loc.Col, `%s must be a set of objects with "msg"; this one has %s`, effect, strings.Join(names, ", "))
	}
}

// settled says that a value's type is known before it is evaluated.
func settled(v ast.Value) bool {
	switch v.(type) {
	case ast.Var, ast.Ref, ast.Call, *ast.TemplateString:
		return false
	case *ast.ObjectComprehension:
		return false
	}
	return true
}

// checkType finds a rule whose answer is worked out, and of a type that is never
// an object. Answers that stand there literally were looked at before.
func (src *source) checkType(c *ast.Compiler, effect string, r *ast.Rule) {
	if !src.worked[place{r.Location.File, r.Location.Row, r.Location.Col}] {
		return
	}
	set, ok := c.TypeEnv.GetByRef(r.Ref()).(*types.Set)
	if !ok {
		return
	}
	all, ok := set.Of().(types.Any)
	if !ok {
		all = types.Any{set.Of()}
	}
	for _, t := range all {
		if _, object := t.(*types.Object); !object {
			src.fault(r.Location.File, r.Location.Row, r.Location.Col, `%s must be a set of objects with "msg", got %s`, effect, types.Sprint(t))
			return
		}
	}
}

// checkData finds references to data that neither a data.json nor a rule has: a
// threshold that is not there would make its rule pass in silence.
func (src *source) checkData(c *ast.Compiler) {
	for _, m := range c.Modules {
		for _, r := range m.Rules { // not in the package's own name
			ast.WalkRefs(r, func(ref ast.Ref) bool {
				if prefix := src.nowhere(c, ref); prefix != nil && ref[0].Location != nil {
					loc := ref[0].Location
					src.fault(loc.File, loc.Row, loc.Col, "%s: neither a data.json nor a rule has it; %sobject.get gives a default", prefix, src.perhaps(c, prefix))
				}
				return false
			})
		}
	}
}

// perhaps is what a reference to nothing was probably meant for, among the data and
// rules beside it; "" where nothing there is like it.
func (src *source) perhaps(c *ast.Compiler, ref ast.Ref) string {
	p := constant(ref[1:])
	have, above := p[len(p)-1], ref[:len(ref)-1]
	var right []string
	if doc, ok := src.at(p[:len(p)-1]); ok {
		if object, ok := doc.(map[string]any); ok {
			right = slices.Sorted(maps.Keys(object))
		}
	}
	for _, r := range c.GetRulesWithPrefix(above) {
		if name := r.Ref(); len(name) > len(above) {
			if word, ok := name[len(above)].Value.(ast.String); ok {
				right = append(right, string(word))
			}
		}
	}
	if near := nearest(have, right); strings.HasPrefix(near, "did you mean") {
		return near + " "
	}
	return ""
}

// nowhere is the beginning of a reference to data that nothing has, nil where
// all of it may be there: rules' own values are OPA's to check.
func (src *source) nowhere(c *ast.Compiler, ref ast.Ref) ast.Ref {
	if !ref[0].Equal(ast.DefaultRootDocument) {
		return nil
	}
	p := constant(ref[1:])
	for n := 1; n <= len(p); n++ {
		if src.has(p[:n]) {
			continue
		}
		prefix := ref[:n+1]
		if len(c.GetRules(prefix)) > 0 || len(c.GetRulesWithPrefix(prefix)) > 0 || c.GetArity(prefix) >= 0 {
			return nil
		}
		return prefix
	}
	return nil
}
