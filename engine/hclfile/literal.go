package hclfile

import (
	"math"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// value turns an expression into a literal. What is none is reported, and has
// Kind "".
func (c *converter) value(name string, e hclsyntax.Expression) Value {
	v := Value{Place: place(e.Range())}
	switch e := e.(type) {
	case *hclsyntax.LiteralValueExpr:
		c.literal(name, &v, e.Val, e.Range())
	case *hclsyntax.UnaryOpExpr:
		lit, ok := e.Val.(*hclsyntax.LiteralValueExpr)
		if !ok || e.Op != hclsyntax.OpNegate {
			c.notLiteral(name, e.Range(), "an expression")
			break
		}
		c.literal(name, &v, lit.Val, e.Range())
		v.Number = -v.Number
	case *hclsyntax.TemplateExpr:
		c.template(name, &v, e)
	case *hclsyntax.TemplateWrapExpr:
		c.notLiteral(name, e.Range(), "a template")
	case *hclsyntax.TupleConsExpr:
		v.Kind = List
		for _, item := range e.Exprs {
			v.Items = append(v.Items, c.value(name, item))
		}
	case *hclsyntax.ObjectConsExpr:
		c.object(name, &v, e)
	case *hclsyntax.ScopeTraversalExpr:
		c.bareWord(name, e)
	case *hclsyntax.FunctionCallExpr:
		c.notLiteral(name, e.Range(), "a call of function \""+e.Name+"\"")
	case *hclsyntax.ExprSyntaxError:
		// The parser has said what is wrong.
	default:
		c.notLiteral(name, e.Range(), "an expression")
	}
	return v
}

func (c *converter) notLiteral(name string, r hcl.Range, what string) {
	c.fault(r, "attribute %q must be a literal value, got %s", name, what)
}

func (c *converter) bareWord(name string, e *hclsyntax.ScopeTraversalExpr) {
	word := c.text(e.Range())
	if len(e.Traversal) == 1 {
		c.fault(e.Range(), "attribute %q must be a literal value, got the bare word %s; write %q in quotes", name, word, word)
		return
	}
	c.notLiteral(name, e.Range(), "the variable "+word)
}

func (c *converter) literal(name string, v *Value, val cty.Value, r hcl.Range) {
	switch {
	case !val.IsKnown():
		// An unreadable number: the parser has said so.
	case val.IsNull():
		c.fault(r, "attribute %q is null; leave it out instead", name)
	case val.Type() == cty.String:
		v.Kind, v.Text = String, val.AsString()
	case val.Type() == cty.Bool:
		v.Kind, v.Bool = Bool, val.True()
	case val.Type() == cty.Number:
		n, _ := val.AsBigFloat().Float64()
		if math.IsInf(n, 0) {
			c.fault(r, "attribute %q: number is too large", name)
			return
		}
		v.Kind, v.Number = Number, n
	}
}

func (c *converter) template(name string, v *Value, e *hclsyntax.TemplateExpr) {
	var text strings.Builder
	for _, part := range e.Parts {
		lit, ok := part.(*hclsyntax.LiteralValueExpr)
		if !ok || !lit.Val.IsKnown() || lit.Val.IsNull() || lit.Val.Type() != cty.String {
			c.notLiteral(name, part.Range(), "a template; write $${ or %%{ for the characters themselves")
			return
		}
		text.WriteString(lit.Val.AsString())
	}
	v.Kind, v.Text = String, text.String()
}

func (c *converter) object(name string, v *Value, e *hclsyntax.ObjectConsExpr) {
	v.Kind = Map
	first := map[string]int{}
	for _, item := range e.Items {
		key, ok := c.key(name, item.KeyExpr)
		if !ok {
			continue
		}
		if line, twice := first[key.Name]; twice {
			c.fault(item.KeyExpr.Range(), "attribute %q: key %q is set twice; it was first set on line %d", name, key.Name, line)
			continue
		}
		first[key.Name] = key.Line
		v.Keys = append(v.Keys, key)
		v.Items = append(v.Items, c.value(name, item.ValueExpr))
	}
}

// key accepts a bare word or a quoted string.
func (c *converter) key(name string, e hclsyntax.Expression) (Key, bool) {
	key := Key{Place: place(e.Range())}
	inner := e
	if k, ok := e.(*hclsyntax.ObjectConsKeyExpr); ok {
		if word := hcl.ExprAsKeyword(k.Wrapped); word != "" && !k.ForceNonLiteral {
			key.Name = word
			return key, true
		}
		inner = k.Wrapped
	}
	if t, ok := inner.(*hclsyntax.TemplateExpr); ok {
		var v Value
		c.template(name, &v, t)
		key.Name = v.Text
		return key, v.Kind == String
	}
	c.fault(e.Range(), "attribute %q: a key must be a word or a string", name)
	return key, false
}
