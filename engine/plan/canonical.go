package plan

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// Canonical returns the RFC 8785 (JSON Canonicalization Scheme) bytes of v, a
// value made of structs with json tags, maps with string keys, slices,
// pointers, strings, numbers, booleans and times. Members are sorted by UTF-16
// code units, numbers are written as ECMAScript does. Beyond the standard: nil
// slices are [], nil maps {}, and times are UTC, whole seconds, "Z". It refuses
// NaN, infinities and text that is not UTF-8.
func Canonical(v any) ([]byte, error) {
	return encode(nil, reflect.ValueOf(v))
}

// AppendCanonical appends the canonical bytes of v to b.
func AppendCanonical(b []byte, v any) ([]byte, error) {
	return encode(b, reflect.ValueOf(v))
}

var timeType = reflect.TypeFor[time.Time]()

func encode(b []byte, v reflect.Value) ([]byte, error) {
	switch v.Kind() {
	case reflect.Invalid:
		return append(b, "null"...), nil
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return integer(b, v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return number(b, float64(v.Uint()))
	case reflect.Float32, reflect.Float64:
		return number(b, v.Float())
	case reflect.String:
		return text(b, v)
	case reflect.Slice, reflect.Array:
		return list(b, v)
	case reflect.Map:
		return object(b, v)
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return append(b, "null"...), nil
		}
		return encode(b, v.Elem())
	case reflect.Struct:
		if v.Type() == timeType {
			return instant(b, v.Interface().(time.Time)), nil
		}
		return structure(b, v)
	}
	return nil, fmt.Errorf("canonical JSON of %s: no such thing in JSON", v.Type())
}

// instant writes a time: UTC, whole seconds.
func instant(b []byte, at time.Time) []byte {
	return append(at.UTC().Truncate(time.Second).AppendFormat(append(b, '"'), time.RFC3339), '"')
}

var numberType = reflect.TypeFor[json.Number]()

// text writes a string, or a json.Number as the number it is.
func text(b []byte, v reflect.Value) ([]byte, error) {
	if v.Type() == numberType {
		n := json.Number(v.String())
		f, err := n.Float64()
		if err != nil {
			return nil, fmt.Errorf("canonical JSON: number %q: %w", n, err)
		}
		return number(b, f)
	}
	return quote(b, v.String())
}

func list(b []byte, v reflect.Value) ([]byte, error) {
	b = append(b, '[')
	for i := range v.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = encode(b, v.Index(i)); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

func object(b []byte, v reflect.Value) ([]byte, error) {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(x, y reflect.Value) int { return order(x.String(), y.String()) })
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = quote(b, k.String()); err != nil {
			return nil, err
		}
		if b, err = encode(append(b, ':'), v.MapIndex(k)); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

// member is a field of a struct as JSON has it.
type member struct {
	name  string
	index []int
	omit  string // "", "omitempty" or "omitzero"
}

var members sync.Map // reflect.Type → []member, sorted by name

func structure(b []byte, v reflect.Value) ([]byte, error) {
	b = append(b, '{')
	first := true
	for _, m := range fields(v.Type()) {
		f := v.FieldByIndex(m.index)
		if m.omit == "omitzero" && zero(f) || m.omit == "omitempty" && empty(f) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(append(append(b, '"'), m.name...), '"', ':')
		var err error
		if b, err = encode(b, f); err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return append(b, '}'), nil
}

func fields(t reflect.Type) []member {
	if list, ok := members.Load(t); ok {
		return list.([]member)
	}
	var list []member
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" || f.Anonymous {
			continue
		}
		list = append(list, member{name: cmp.Or(name, f.Name), index: f.Index, omit: options})
	}
	slices.SortFunc(list, func(x, y member) int { return order(x.name, y.name) })
	members.Store(t, list)
	return list
}

func zero(v reflect.Value) bool {
	if v.Type() == timeType {
		return v.Interface().(time.Time).IsZero()
	}
	return v.IsZero()
}

func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.String, reflect.Array:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

// order compares by UTF-16 code units (RFC 8785, section 3.2.3).
func order(x, y string) int {
	if ascii(x) && ascii(y) {
		return strings.Compare(x, y)
	}
	return slices.Compare(utf16.Encode([]rune(x)), utf16.Encode([]rune(y)))
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// plain says that a string is ASCII and its own JSON.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

const hexDigits = "0123456789abcdef"

// quote writes a string with the escapes of RFC 8785, section 3.2.2.2, and no others.
func quote(b []byte, s string) ([]byte, error) {
	if plain(s) {
		return append(append(append(b, '"'), s...), '"'), nil
	}
	if !utf8.ValidString(s) {
		return nil, fmt.Errorf("canonical JSON: %q is not UTF-8", s)
	}
	b = append(b, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		start = i + 1
		if j := strings.IndexByte("\b\t\n\f\r\"\\", c); j >= 0 {
			b = append(b, '\\', "btnfr\"\\"[j])
		} else {
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(append(b, s[start:]...), '"'), nil
}

// integer writes a whole number. Beyond 2^53 it is no longer exact as an
// ECMAScript number, so it is refused rather than changed.
func integer(b []byte, n int64) ([]byte, error) {
	if n > 1<<53 || n < -1<<53 {
		return nil, fmt.Errorf("canonical JSON: %d is beyond 2^53", n)
	}
	return strconv.AppendInt(b, n, 10), nil
}

// number writes a float as ECMAScript's Number::toString does (ECMA-262 6.1.6.1.20).
func number(b []byte, f float64) ([]byte, error) {
	switch size := math.Abs(f); {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return nil, fmt.Errorf("canonical JSON: %v is not a number in JSON", f)
	case f == 0:
		return append(b, '0'), nil
	case size >= 1e-6 && size < 1e21:
		return strconv.AppendFloat(b, f, 'f', -1, 64), nil
	}
	b = strconv.AppendFloat(b, f, 'e', -1, 64)
	// Go writes at least two digits of exponent, ECMAScript as few as needed.
	if n := len(b); n >= 4 && b[n-4] == 'e' && b[n-2] == '0' {
		b = append(b[:n-2], b[n-1])
	}
	return b, nil
}

// Generic reads JSON into maps, slices and json.Number, so that Canonical of
// it loses nothing. Members given twice are refused.
func generic(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, fmt.Errorf("something follows the document")
	}
	return v, nil
}
