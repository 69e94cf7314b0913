package policy

import (
	"errors"
	"math/big"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/topdown/builtins"

	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// OPA's own time built-ins read the machine's zone files, and its TZ for
// "Local". These replace them with the same functions over the embedded
// database: where a machine is must not alter a decision.
func init() {
	replace := map[string]func(moment, []*ast.Term) (*ast.Term, error){
		"time.format":   format,
		"time.date":     date,
		"time.clock":    clock,
		"time.weekday":  weekday,
		"time.add_date": addDate,
		"time.diff":     difference,
	}
	for name, f := range replace {
		topdown.RegisterBuiltinFunc(name, func(_ topdown.BuiltinContext, operands []*ast.Term, iter func(*ast.Term) error) error {
			m, err := momentOf(operands[0].Value)
			if err != nil {
				return err
			}
			out, err := f(m, operands)
			if err != nil {
				return err
			}
			return iter(out)
		})
	}
	topdown.RegisterBuiltinFunc("time.parse_ns", parse)
}

// moment is a time in a zone, and the layout to write it in where one is given.
type moment struct {
	time.Time
	layout string
}

// layouts are the names that OPA has for Go's.
var layouts = map[string]string{
	"ANSIC": time.ANSIC, "UnixDate": time.UnixDate, "RubyDate": time.RubyDate, "RFC822": time.RFC822, "RFC822Z": time.RFC822Z,
	"RFC850": time.RFC850, "RFC1123": time.RFC1123, "RFC1123Z": time.RFC1123Z, "RFC3339": time.RFC3339, "RFC3339Nano": time.RFC3339Nano,
}

func layout(name string) string {
	if l, ok := layouts[name]; ok {
		return l
	}
	return name
}

// momentOf reads ns, [ns, zone] or [ns, zone, layout].
func momentOf(v ast.Value) (moment, error) {
	number, zone, text := v, "", ""
	if list, ok := v.(*ast.Array); ok {
		if list.Len() == 0 {
			return moment{}, builtins.NewOperandTypeErr(1, v, "either number (ns) or [number (ns), string (tz)]")
		}
		number = list.Elem(0).Value
		for i, to := range []*string{&zone, &text} {
			if list.Len() > i+1 {
				s, err := builtins.StringOperand(list.Elem(i+1).Value, 1)
				if err != nil {
					return moment{}, err
				}
				*to = string(s)
			}
		}
	}
	n, err := builtins.NumberOperand(number, 1)
	if err != nil {
		return moment{}, err
	}
	ns, exact := builtins.NumberToFloat(n).Int64()
	if exact != big.Exact {
		return moment{}, errors.New("timestamp too big")
	}
	loc, err := ring.Zone(zone)
	if err != nil {
		return moment{}, err
	}
	return moment{time.Unix(0, ns).In(loc), text}, nil
}

func format(m moment, _ []*ast.Term) (*ast.Term, error) {
	if m.layout == "" {
		return ast.StringTerm(m.Format(time.RFC3339Nano)), nil
	}
	return ast.StringTerm(m.Format(layout(m.layout))), nil
}

func date(m moment, _ []*ast.Term) (*ast.Term, error) {
	y, mo, d := m.Date()
	return numbers(y, int(mo), d), nil
}

func clock(m moment, _ []*ast.Term) (*ast.Term, error) {
	h, mi, s := m.Clock()
	return numbers(h, mi, s), nil
}

func weekday(m moment, _ []*ast.Term) (*ast.Term, error) {
	return ast.StringTerm(m.Weekday().String()), nil
}

func addDate(m moment, operands []*ast.Term) (*ast.Term, error) {
	var n [3]int
	for i := range n {
		var err error
		if n[i], err = builtins.IntOperand(operands[i+1].Value, i+2); err != nil {
			return nil, err
		}
	}
	return nanoseconds(m.AddDate(n[0], n[1], n[2]))
}

// difference counts years, months, days, hours, minutes and seconds from the
// earlier to the later moment, as the calendar of the first one's zone has them.
func difference(m moment, operands []*ast.Term) (*ast.Term, error) {
	other, err := momentOf(operands[1].Value)
	if err != nil {
		return nil, err
	}
	from, to := m.Time, other.In(m.Location())
	if from.After(to) {
		from, to = to, from
	}
	y1, m1, d1 := from.Date()
	y2, m2, d2 := to.Date()
	h1, n1, s1 := from.Clock()
	h2, n2, s2 := to.Clock()
	lastOfMonth := time.Date(y1, m1+1, 0, 0, 0, 0, 0, time.UTC).Day()
	gap := []int{y2 - y1, int(m2 - m1), d2 - d1, h2 - h1, n2 - n1, s2 - s1}
	carry := []int{0, 12, lastOfMonth, 24, 60, 60}
	for i := len(gap) - 1; i > 0; i-- {
		if gap[i] < 0 {
			gap[i] += carry[i]
			gap[i-1]--
		}
	}
	return numbers(gap...), nil
}

func parse(_ topdown.BuiltinContext, operands []*ast.Term, iter func(*ast.Term) error) error {
	form, err := builtins.StringOperand(operands[0].Value, 1)
	if err != nil {
		return err
	}
	text, err := builtins.StringOperand(operands[1].Value, 2)
	if err != nil {
		return err
	}
	t, err := time.ParseInLocation(layout(string(form)), string(text), time.UTC)
	if err != nil {
		return err
	}
	out, err := nanoseconds(t)
	if err != nil {
		return err
	}
	return iter(out)
}

// The instants that nanoseconds since 1970 can hold.
var first, last = time.Unix(0, -1<<63), time.Unix(0, 1<<63-1)

func nanoseconds(t time.Time) (*ast.Term, error) {
	if t.Before(first) || t.After(last) {
		return nil, errors.New("time outside of valid range")
	}
	return ast.NumberTerm(int64Number(t.UnixNano())), nil
}

func numbers(list ...int) *ast.Term {
	terms := make([]*ast.Term, len(list))
	for i, n := range list {
		terms[i] = ast.IntNumberTerm(n)
	}
	return ast.ArrayTerm(terms...)
}
