package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Rules of this package's own.
const (
	ruleError   = "engine.error"
	ruleMissing = "engine.missing"
)

func (c *clause) where() string { return fmt.Sprintf("%s:%d", c.file, c.line) }

// broken is the hold for a rule that could not be evaluated.
func (c *clause) broken(why string) plan.Decision {
	return plan.Decision{
		Rule: ruleError, Effect: plan.Hold,
		Message: fmt.Sprintf("%s could not be evaluated: %s", c.rule, strings.ToValidUTF8(why, "\uFFFD")),
		Facts:   map[string]any{"rule": c.rule, "place": c.where()},
		Remedy:  "correct the rule, or the input that it trips over",
	}
}

// missing is the hold for a rule that reads what is not there.
func (c *clause) missing(attribute string) plan.Decision {
	return plan.Decision{
		Rule: ruleMissing, Effect: plan.Hold,
		Message: fmt.Sprintf("%s reads %s, which is absent", c.rule, attribute),
		Facts:   map[string]any{"rule": c.rule, "attribute": attribute, "place": c.where()},
		Remedy:  "report the attribute, or let the rule say what its absence means",
	}
}

// decision turns what a rule says into a decision.
func (c *clause) decision(t *ast.Term) (plan.Decision, error) {
	o, ok := t.Value.(ast.Object)
	if !ok {
		return plan.Decision{}, fmt.Errorf(`it says %s; expected an object with "msg"`, ast.ValueName(t.Value))
	}
	d := plan.Decision{Rule: c.rule, Effect: c.effect}
	told := false
	err := o.Iter(func(k, v *ast.Term) error {
		var err error
		switch name, _ := k.Value.(ast.String); name {
		case "msg":
			told = true
			d.Message, err = text("msg", v)
		case "remedy":
			d.Remedy, err = text("remedy", v)
		case "facts":
			d.Facts, err = facts(v)
		default:
			err = fmt.Errorf(`it says %v; expected "msg", "facts", "remedy"`, k)
		}
		return err
	})
	if err == nil && !told {
		err = errors.New(`it says no "msg"`)
	}
	return d, err
}

func text(name string, t *ast.Term) (string, error) {
	s, ok := t.Value.(ast.String)
	switch {
	case !ok:
		return "", fmt.Errorf("%s must be of type string, got %s", name, ast.ValueName(t.Value))
	case !utf8.ValidString(string(s)):
		return "", fmt.Errorf("%s is not UTF-8", name)
	}
	return string(s), nil
}

// facts are JSON values as encoding/json has them, so that they are the same
// before and after a plan is written.
func facts(t *ast.Term) (map[string]any, error) {
	if _, ok := t.Value.(ast.Object); !ok {
		return nil, fmt.Errorf("facts must be of type object, got %s", ast.ValueName(t.Value))
	}
	v, err := ast.JSON(t.Value)
	if err != nil {
		return nil, fmt.Errorf("facts: %w", err)
	}
	v, err = plainJSON(v)
	if err != nil {
		return nil, fmt.Errorf("facts: %w", err)
	}
	out := v.(map[string]any)
	if len(out) == 0 {
		return nil, nil
	}
	if _, err := plan.Canonical(out); err != nil {
		return nil, fmt.Errorf("facts: %w", err)
	}
	return out, nil
}

func plainJSON(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			return nil, fmt.Errorf("the number %s is out of range", v)
		}
		return f, nil
	case []any:
		for i := range v {
			if v[i], err = plainJSON(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for k := range v {
			if v[k], err = plainJSON(v[k]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// sorted orders decisions by strength, rule and message and drops repetitions.
func sorted(list []plan.Decision) []plan.Decision {
	slices.SortStableFunc(list, compare)
	return slices.CompactFunc(list, func(a, b plan.Decision) bool { return compare(a, b) == 0 })
}

func compare(a, b plan.Decision) int {
	if n := strength(a.Effect) - strength(b.Effect); n != 0 {
		return n
	}
	for _, pair := range [][2]string{{a.Rule, b.Rule}, {a.Message, b.Message}, {a.Remedy, b.Remedy}} {
		if n := strings.Compare(pair[0], pair[1]); n != 0 {
			return n
		}
	}
	if len(a.Facts) == 0 && len(b.Facts) == 0 {
		return 0
	}
	return strings.Compare(written(a.Facts), written(b.Facts))
}

// written is facts as text; they were checked to have one.
func written(facts map[string]any) string {
	b, err := plan.Canonical(facts)
	if err != nil {
		panic("policy: facts that were checked: " + err.Error())
	}
	return string(b)
}

// Strongest is the strongest effect among decisions, "" when there is none.
func Strongest(decisions []plan.Decision) plan.Effect {
	best := plan.Effect("")
	for _, d := range decisions {
		if best == "" || strength(d.Effect) < strength(best) {
			best = d.Effect
		}
	}
	return best
}
