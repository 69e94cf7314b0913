package policy

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// getter reads one attribute of a section, found once by its path.
type getter struct {
	path  trail // within the section
	steps []step
	kind  reflect.Type // of what it leads to, nil where nothing lies below
}

// step goes one word down: to a field, or to a key of a map.
type step struct {
	field int    // -1: the key of a map
	omit  string // of the field
	key   string
}

// newGetter finds the way to an attribute. What lies below a list or a scalar is
// not an attribute: the type checker has seen to that.
func newGetter(t reflect.Type, p trail) (getter, error) {
	g := getter{path: p}
	for _, word := range p {
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		switch {
		case t.Kind() == reflect.Map:
			g.steps = append(g.steps, step{field: -1, key: word})
			t = t.Elem()
		case t.Kind() == reflect.Struct && t != timeType:
			a, ok := find(t, word)
			if !ok {
				return getter{}, fmt.Errorf("there is no %q", word)
			}
			g.steps = append(g.steps, step{field: a.index, omit: a.omit})
			t = t.Field(a.index).Type
		default:
			return getter{}, fmt.Errorf("%q is below what has nothing below it", word)
		}
	}
	g.kind = element(t)
	return g, nil
}

func find(t reflect.Type, name string) (attribute, bool) {
	for _, a := range attributes(t) {
		if a.name == name {
			return a, true
		}
	}
	return attribute{}, false
}

// value goes to the attribute. Where it is absent, depth says how many steps
// there still was something; ok is false.
func (g *getter) value(v reflect.Value) (at reflect.Value, depth int, ok bool) {
	for i, s := range g.steps {
		for v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return v, i, false
			}
			v = v.Elem()
		}
		if s.field < 0 {
			if v = v.MapIndex(reflect.ValueOf(s.key)); !v.IsValid() {
				return v, i + 1, false
			}
			continue
		}
		v = v.Field(s.field)
		if absent(v, s.omit) {
			return v, i + 1, false
		}
	}
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return v, len(g.steps), false
		}
		v = v.Elem()
	}
	return v, 0, true
}

// absent says whether a field is left out: what nobody reported, and numbers
// that are none.
func absent(v reflect.Value, omit string) bool {
	switch v.Kind() {
	case reflect.Pointer:
		return v.IsNil()
	case reflect.Float64:
		f := v.Float()
		return math.IsNaN(f) || math.IsInf(f, 0)
	case reflect.String:
		return omit != "" && v.Len() == 0
	case reflect.Struct:
		return omit == "omitzero" && v.Type() == timeType && v.Interface().(time.Time).IsZero()
	}
	return false
}

// Marks that no JSON begins with.
const (
	absentMark = '~' // an absent attribute; the depth follows
	floatMark  = '#' // a number that is no integer; its bits in hex follow, which is quicker than its digits
)

// appendKey appends the attribute's canonical JSON, or the mark of its absence,
// and a byte that is in neither.
func (g *getter) appendKey(b []byte, section reflect.Value) ([]byte, error) {
	v, depth, ok := g.value(section)
	if !ok {
		return append(b, absentMark, byte('0'+depth), 0), nil
	}
	if v.Kind() == reflect.Float64 {
		b = append(b, floatMark)
		return append(strconv.AppendUint(b, math.Float64bits(v.Float()), 16), 0), nil
	}
	b, err := appendJSON(b, v)
	return append(b, 0), err
}

// float reads what follows a floatMark.
func float(hex []byte) float64 {
	bits, err := strconv.ParseUint(string(hex), 16, 64)
	if err != nil {
		panic("policy: a key that is none: " + err.Error())
	}
	return math.Float64frombits(bits)
}

// appendJSON is plan.AppendCanonical with short ways for what most attributes
// are.
func appendJSON(b []byte, v reflect.Value) ([]byte, error) {
	switch v.Kind() {
	case reflect.String:
		if s := v.String(); plain(s) {
			return append(append(append(b, '"'), s...), '"'), nil
		}
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool()), nil
	case reflect.Int, reflect.Int64:
		return strconv.AppendInt(b, v.Int(), 10), nil
	case reflect.Slice:
		if v.Len() == 0 {
			return append(b, "[]"...), nil
		}
	case reflect.Map:
		if v.Len() == 0 {
			return append(b, "{}"...), nil
		}
	}
	return plan.AppendCanonical(b, v.Interface())
}

// plain says that a string is its own JSON.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
