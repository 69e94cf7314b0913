package policy

import (
	"bytes"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/util"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// materialise builds the values of a group from the key that names their class,
// so that equal classes cannot have different values.
func (g *group) materialise(key []byte, fault string) groupValue {
	v := groupValue{fault: fault, present: true}
	if fault != "" {
		return v
	}
	root := &branch{}
	for i, piece := range bytes.Split(key[:len(key)-1], []byte{0}) {
		p := g.getters[i].path
		if piece[0] == absentMark {
			v.trace = true
			depth := int(piece[1] - '0')
			if depth == 0 {
				v.present = g.section == 0
				continue
			}
			root.add(p[:min(depth-1, len(p))], nil)
			continue
		}
		if piece[0] == floatMark {
			piece, _ = plan.AppendCanonical(nil, float(piece[1:])) // finite: absent else
		}
		value := parsed(piece)
		v.trace = v.trace || !v.look(value.Value, g.getters[i].kind)
		root.add(p, value)
	}
	if root.leaf != nil {
		root.leaf.Value.(ast.Object).Foreach(func(k, x *ast.Term) { v.members = append(v.members, [2]*ast.Term{k, x}) })
		return v
	}
	v.members = root.members()
	return v
}

// parsed reads canonical JSON as OPA reads it, numbers as they are written.
func parsed(text []byte) *ast.Term {
	var x any
	if err := util.UnmarshalJSON(text, &x); err != nil {
		panic("policy: canonical JSON is not JSON: " + err.Error())
	}
	v, err := ast.InterfaceToValue(x)
	if err != nil {
		panic("policy: JSON is no value: " + err.Error())
	}
	return ast.NewTerm(v)
}

// composite says that attributes may be absent inside a value.
func composite(t *ast.Term) bool {
	switch v := t.Value.(type) {
	case ast.Object:
		return true
	case *ast.Array:
		return v.Len() > 0 && v.Until(composite)
	}
	return false
}

// branch is an object in the making.
type branch struct {
	names []string
	kids  []*branch
	leaf  *ast.Term
}

// add puts a value at a path; a nil one only makes the objects that lead there.
func (b *branch) add(p trail, value *ast.Term) {
	for _, word := range p {
		i := slices.Index(b.names, word)
		if i < 0 {
			i = len(b.names)
			b.names, b.kids = append(b.names, word), append(b.kids, &branch{})
		}
		b = b.kids[i]
	}
	if value != nil {
		b.leaf = value
	}
}

func (b *branch) members() [][2]*ast.Term {
	var list [][2]*ast.Term
	for i, name := range b.names {
		kid := b.kids[i].leaf
		if kid == nil {
			kid = ast.ObjectTerm(b.kids[i].members()...)
		}
		list = append(list, [2]*ast.Term{ast.StringTerm(name), kid})
	}
	return list
}
