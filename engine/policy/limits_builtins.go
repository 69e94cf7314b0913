package policy

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"unicode"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// What a built-in may be handed, and may make. A value within is some
// megabytes; the counts are the same on every machine.
const (
	mostText    = 1 << 20 // bytes of a string
	mostEntries = 1 << 19 // of a list, set or object
	mostWritten = 4 << 20 // of what is written out, as weigh counts
	mostPattern = 2000    // characters of a pattern
	mostRepeats = 20_000  // of a pattern, all its counts multiplied
	mostShift   = 4096    // bits
	mostFree    = 18      // bits of an address that a range leaves open
)

// unguarded are built-ins that cost next to nothing whatever they are handed and
// make nothing: OPA calls them most often.
var unguarded = map[string]bool{
	"eq": true, "equal": true, "neq": true, "lt": true, "lte": true, "gt": true, "gte": true, "assign": true,
	"internal.member_2": true, "internal.member_3": true, "internal.print": true, "internal.test_case": true, "count": true, "type_name": true,
	"is_number": true, "is_string": true, "is_boolean": true, "is_array": true, "is_set": true, "is_object": true, "is_null": true,
}

// writers write out all of what they are handed.
var writers = map[string]bool{
	"sprintf": true, "json.marshal": true, "json.marshal_with_options": true, "yaml.marshal": true, "concat": true,
	"internal.template_string": true, "strings.render_template": true, "json.patch": true, "urlquery.encode_object": true,
	"object.union_n": true, "array.flatten": true, "sort": true, "product": true, "sum": true, "graph.reachable_paths": true,
}

// Every other built-in is replaced by itself with its operands looked at before,
// and its answer after.
func init() {
	for _, b := range ast.Builtins {
		f := topdown.GetBuiltin(b.Name)
		if f == nil || unguarded[b.Name] || bannedWhy[b.Name] != "" {
			continue
		}
		topdown.RegisterBuiltinFunc(b.Name, guarded(b.Name, f))
	}
}

func guarded(name string, f topdown.BuiltinFunc) topdown.BuiltinFunc {
	before := befores[name]
	return func(c topdown.BuiltinContext, operands []*ast.Term, iter func(*ast.Term) error) error {
		for _, t := range operands {
			if why := large(t.Value); why != "" {
				return exceeds(c, name, "is handed "+why)
			}
		}
		if writers[name] {
			for _, t := range operands {
				if weigh(t.Value, mostWritten) >= mostWritten {
					return exceeds(c, name, fmt.Sprintf("would write out more than %d bytes", mostWritten))
				}
			}
		}
		if before != nil {
			if why := before(operands); why != "" {
				return exceeds(c, name, why)
			}
		}
		return f(c, operands, func(t *ast.Term) error {
			if why := large(t.Value); why != "" {
				return exceeds(c, name, "makes "+why)
			}
			return iter(t)
		})
	}
}

// exceeds ends an evaluation, whatever it makes of the errors of built-ins.
func exceeds(c topdown.BuiltinContext, name, why string) error {
	return topdown.Halt{Err: &topdown.Error{Code: topdown.BuiltinErr, Message: name + " " + why, Location: c.Location}}
}

// large says what of a value is larger than a policy needs, "" where nothing is.
func large(v ast.Value) string {
	n, most := 0, mostEntries
	switch v := v.(type) {
	case ast.String:
		if len(v) > mostText {
			return fmt.Sprintf("a string of more than %d bytes", mostText)
		}
	case ast.Number:
		if !tame(string(v)) {
			return "a number of more than 1000 digits"
		}
	case *ast.Array:
		n = v.Len()
	case ast.Set:
		n = v.Len()
	case ast.Object:
		n = v.Len()
	}
	if n > most {
		return fmt.Sprintf("more than %d entries", most)
	}
	return ""
}

// befores say why operands would make more than may be, "" where they would not.
var befores = map[string]func([]*ast.Term) string{
	"numbers.range":                    func(o []*ast.Term) string { return span(o[0], o[1], nil) },
	"numbers.range_step":               func(o []*ast.Term) string { return span(o[0], o[1], o[2]) },
	"net.cidr_expand":                  addresses,
	"bits.lsh":                         shift,
	"mul":                              digits,
	"concat":                           joined,
	"sprintf":                          widths,
	"replace":                          func(o []*ast.Term) string { return grown(o[0], o[1], o[2]) },
	"regex.replace":                    func(o []*ast.Term) string { return firstOf(pattern(o[1]), rewritten(o[0], o[2])) },
	"strings.replace_n":                replacements,
	"regex.match":                      func(o []*ast.Term) string { return pattern(o[0]) },
	"re_match":                         func(o []*ast.Term) string { return pattern(o[0]) },
	"regex.is_valid":                   func(o []*ast.Term) string { return pattern(o[0]) },
	"regex.split":                      func(o []*ast.Term) string { return pattern(o[0]) },
	"regex.find_n":                     func(o []*ast.Term) string { return pattern(o[0]) },
	"regex.find_all_string_submatch_n": func(o []*ast.Term) string { return pattern(o[0]) },
	"regex.template_match":             func(o []*ast.Term) string { return pattern(o[0]) },
	"regex.globs_match":                func(o []*ast.Term) string { return firstOf(pattern(o[0]), pattern(o[1])) },
	"glob.match":                       func(o []*ast.Term) string { return pattern(o[0]) },
	"to_number":                        number1,
	"units.parse":                      number1,
	"units.parse_bytes":                number1,
}

func firstOf(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

func textOf(t *ast.Term) string {
	s, _ := t.Value.(ast.String)
	return string(s)
}

func floatOf(t *ast.Term) (float64, bool) {
	n, ok := t.Value.(ast.Number)
	if !ok {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(n), 64)
	return f, err == nil
}

// span is a range of numbers.
func span(from, to, step *ast.Term) string {
	a, ok := floatOf(from)
	b, ok2 := floatOf(to)
	by := 1.0
	if step != nil {
		if f, ok := floatOf(step); ok && f > 0 {
			by = f
		}
	}
	if ok && ok2 && math.Abs(b-a)/by >= mostEntries {
		return fmt.Sprintf("would make more than %d numbers", mostEntries)
	}
	return ""
}

func addresses(o []*ast.Term) string {
	p, err := netip.ParsePrefix(textOf(o[0]))
	if err == nil && p.Addr().BitLen()-p.Bits() > mostFree {
		return fmt.Sprintf("would make more than %d addresses", 1<<mostFree)
	}
	return ""
}

func shift(o []*ast.Term) string {
	if n, ok := floatOf(o[1]); ok && n > mostShift {
		return fmt.Sprintf("would shift by more than %d bits", mostShift)
	}
	return ""
}

func digits(o []*ast.Term) string {
	n := 0
	for _, t := range o[:2] {
		if x, ok := t.Value.(ast.Number); ok {
			n += len(x)
		}
	}
	if n > 1000 {
		return "would make a number of more than 1000 digits"
	}
	return ""
}

func joined(o []*ast.Term) string {
	n := 0
	add := func(t *ast.Term) { n += len(textOf(t)) + len(textOf(o[0])) }
	switch v := o[1].Value.(type) {
	case *ast.Array:
		v.Foreach(add)
	case ast.Set:
		v.Foreach(add)
	}
	return longer(n)
}

func longer(n int) string {
	if n > mostText {
		return fmt.Sprintf("would make a string of more than %d bytes", mostText)
	}
	return ""
}

// widths looks at what a format says of widths and precisions.
func widths(o []*ast.Term) string {
	run, verbs, inside := 0, 0, false
	for _, r := range textOf(o[0]) {
		switch {
		case r == '%':
			inside, run = !inside, 0
			verbs++
		case inside && unicode.IsDigit(r):
			if run++; run > 3 {
				return "is given a width or precision of more than 999"
			}
		case inside && strings.ContainsRune("+-# .*[]", r):
			run = 0
		default:
			inside = false
		}
	}
	if args, ok := o[1].Value.(*ast.Array); ok && strings.Contains(textOf(o[0]), "*") {
		for i := range args.Len() {
			if n, ok := floatOf(args.Elem(i)); ok && math.Abs(n) > 999 {
				return "is given a width or precision of more than 999"
			}
		}
	}
	return longer(weigh(o[1].Value, mostText+1) + len(textOf(o[0])) + 1000*min(verbs, 1000))
}

// grown is a string in which a part is replaced wherever it is.
func grown(text, old, by *ast.Term) string {
	n := strings.Count(textOf(text), textOf(old))
	return longer(len(textOf(text)) + n*len(textOf(by)))
}

// rewritten is a string in which a pattern is replaced wherever it fits, at most
// at every place.
func rewritten(text, by *ast.Term) string {
	return longer((len(textOf(text)) + 1) * max(1, len(textOf(by))))
}

func replacements(o []*ast.Term) string {
	n := 0
	if pairs, ok := o[0].Value.(ast.Object); ok {
		pairs.Foreach(func(_, v *ast.Term) { n = max(n, len(textOf(v))) })
	}
	return longer(len(textOf(o[1])) * max(1, n))
}

// pattern looks at a regular expression or a glob: how long it is, and how often
// it repeats, since a repetition is as many copies.
func pattern(t *ast.Term) string {
	text := textOf(t)
	if len(text) > mostPattern {
		return fmt.Sprintf("is given a pattern of more than %d characters", mostPattern)
	}
	product := 1
	for rest := text; ; {
		_, after, found := strings.Cut(rest, "{")
		if !found {
			break
		}
		inside, _, _ := strings.Cut(after, "}")
		low, high, _ := strings.Cut(inside, ",")
		for _, s := range []string{high, low} {
			if n, err := strconv.Atoi(s); err == nil && n > 1 {
				if product *= min(n, mostRepeats); product > mostRepeats {
					return fmt.Sprintf("is given a pattern that repeats more than %d times", mostRepeats)
				}
				break
			}
		}
		rest = after
	}
	return ""
}

// number1 looks at a text that stands for a number.
func number1(o []*ast.Term) string {
	text := strings.ToLower(textOf(o[0]))
	if i := strings.IndexByte(text, 'e'); i >= 0 && !tame(strings.TrimRight(text, "kmgtpib\" ")) {
		return "is handed a number of more than 1000 digits"
	}
	return ""
}
