//go:build unix

package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/rhysd/actionlint"
)

// scope is what expressions of a job may name. In an object a name that is not there is an
// error; in texts, as of secrets, it is empty, as at GitHub.
type (
	scope  map[string]any
	object = map[string]any
	texts  = map[string]string
)

var placeholder = regexp.MustCompile(`\$\{\{(.*?)\}\}`)

// fill puts values into the places of a text that hold expressions.
func (s scope) fill(text *actionlint.String) (string, error) {
	if text == nil {
		return "", nil
	}
	var failed error
	out := placeholder.ReplaceAllStringFunc(text.Value, func(m string) string {
		v, err := s.value(m[3 : len(m)-2])
		if err != nil {
			failed = err
		}
		return fmt.Sprint(v)
	})
	return out, failed
}

// holds says whether a condition does. One that asks for no status is about what went
// well so far alone.
func (s scope) holds(condition *actionlint.String, well bool) (bool, error) {
	if condition == nil {
		return well, nil
	}
	text := strings.TrimSpace(condition.Value)
	if m := placeholder.FindStringSubmatch(text); m != nil && m[0] == text {
		text = m[1]
	}
	v, err := s.value(text)
	return truth(v) && (well || strings.Contains(text, "always()")), err
}

func (s scope) value(expression string) (any, error) {
	node, bad := actionlint.NewExprParser().Parse(actionlint.NewExprLexer(expression + "}}"))
	if bad != nil {
		return "", fmt.Errorf("expression %q: %s", expression, bad.Message)
	}
	v, err := s.eval(node)
	if err != nil {
		return "", fmt.Errorf("expression %q: %w", expression, err)
	}
	return v, nil
}

func (s scope) eval(n actionlint.ExprNode) (any, error) {
	switch n := n.(type) {
	case *actionlint.StringNode:
		return n.Value, nil
	case *actionlint.VariableNode:
		return member(s, n.Name)
	case *actionlint.ObjectDerefNode:
		of, err := s.eval(n.Receiver)
		if err != nil {
			return nil, err
		}
		return member(of, n.Property)
	case *actionlint.FuncCallNode:
		if n.Callee == "always" {
			return true, nil
		}
	case *actionlint.CompareOpNode:
		l, r, err := s.both(n.Left, n.Right)
		if n.Kind.IsEqualityOp() {
			return (l == r) == (n.Kind == actionlint.CompareOpNodeKindEq), err
		}
	case *actionlint.LogicalOpNode:
		l, r, err := s.both(n.Left, n.Right)
		if truth(l) == (n.Kind == actionlint.LogicalOpNodeKindAnd) {
			return r, err
		}
		return l, err
	}
	return nil, fmt.Errorf("this runner does not know %T", n)
}

func (s scope) both(left, right actionlint.ExprNode) (l, r any, err error) {
	if l, err = s.eval(left); err == nil {
		r, err = s.eval(right)
	}
	return l, r, err
}

// member is what stands under a name, whose case means nothing.
func member(of any, name string) (any, error) {
	switch of := of.(type) {
	case scope:
		return member(object(of), name)
	case object:
		for n, v := range of {
			if strings.EqualFold(n, name) {
				return v, nil
			}
		}
	case texts:
		for n, v := range of {
			if strings.EqualFold(n, name) {
				return v, nil
			}
		}
		return "", nil
	}
	return nil, fmt.Errorf("this runner knows no %q there", name)
}

func truth(v any) bool { return v == true || v != false && v != "" && v != nil }
