package policy

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage"
)

// constants are what rules compare with: those in their bodies and in the data
// that they read, and in all that they lean on.
type constants struct {
	numbers []float64 // sorted
	words   []string  // sorted
	scales  []float64 // units that a rule reads an attribute in
}

func (k *constants) scale(by float64) {
	if !slices.Contains(k.scales, by) {
		k.scales = append(k.scales, by)
	}
}

// most of each are kept; rules with more have them in data.
const mostConstants = 200

func (s *set) constantsOf(list []*clause) constants {
	k := constants{scales: []float64{1}}
	for _, c := range list {
		closure(s.compiler, s.ruleOf(c), func(r *ast.Rule) {
			k.from(r.Body)
			if r.Head.Value != nil && r.Head.RuleKind() == ast.SingleValue {
				k.from(r.Head.Value)
			}
			ast.WalkRefs(r, func(ref ast.Ref) bool {
				if p := constant(ref[1:]); ref[0].Equal(ast.DefaultRootDocument) && len(p) > 0 {
					if v := s.dataAt(p); v != nil {
						k.from(v)
					}
				}
				return false
			})
		})
	}
	slices.Sort(k.numbers)
	slices.Sort(k.words)
	k.numbers, k.words = slices.Compact(k.numbers), slices.Compact(k.words)
	return k
}

// from collects the numbers and words of a part of a rule, or of data.
func (k *constants) from(x any) {
	ast.WalkTerms(x, func(t *ast.Term) bool {
		switch v := t.Value.(type) {
		case ast.Number:
			if f, ok := v.Float64(); ok && len(k.numbers) < mostConstants {
				k.numbers = append(k.numbers, f)
			}
		case ast.String:
			if text := string(v); len(k.words) < mostConstants && text != "" && len(text) < 40 && !strings.ContainsAny(text, "% \n") {
				k.words = append(k.words, text)
			}
		case ast.Ref:
			return !v.IsNested() // words of a path are no values
		}
		return false
	})
}

// dataAt is what data.json files have at a path, nil where it is not there.
func (s *set) dataAt(p trail) *ast.Term {
	txn, err := s.store.NewTransaction(background)
	if err != nil {
		return nil
	}
	defer s.store.Abort(background, txn)
	v, err := s.store.Read(background, txn, storage.Path(p))
	if err != nil {
		return nil
	}
	x, err := ast.InterfaceToValue(v)
	if err != nil {
		return nil
	}
	return ast.NewTerm(x)
}

// numbers are the values that a number could have: constants and a little to
// either side, what others have, and steps of growing size.
func (g *gathering) numbers(path []string, t reflect.Type, at any) []any {
	now, _ := amount(at)
	whole := t.Kind() != reflect.Float64
	step := 1.0
	if !whole {
		step = grid(path)
	}
	var list []float64
	for _, n := range g.known.numbers {
		for _, scale := range g.known.scales {
			list = append(list, float64(n*scale)-step, float64(n*scale), float64(n*scale)+step)
		}
		if strings.HasSuffix(path[len(path)-1], "seconds") && n <= 1000 {
			list = append(list, float64(n*3600), float64(n*86400)-1, float64(n*86400), float64(n*86400)+1)
		}
	}
	list = append(list, 0, step, now-step, now+step, now/2, 2*now+step, float64(10*now)+step, float64(1000*now)+1000)
	if probability(path) {
		list = append(list, 0.001, 0.01, 0.1, 0.5, 1)
	}
	var values []any
	values = append(values, g.elsewhere(path)...)
	for _, f := range list {
		if whole {
			f = math.Floor(f)
		} else {
			f = math.Round(f/step) * step
		}
		if f >= 0 && f < 1e15 && (!probability(path) || f <= 1) {
			values = append(values, numeral(f, step))
		}
	}
	return nearestFirst(values, at)
}

// probability says that an attribute is between 0 and 1.
func probability(path []string) bool {
	last := path[len(path)-1]
	return slices.Contains([]string{"p", "low", "high", "risk_tolerance", "max_risk"}, last)
}

// grid is the step of a number that is not whole: that of probabilities, else
// hundredths.
func grid(path []string) float64 {
	if probability(path) {
		return 1e-5
	}
	return 0.01
}

// numeral writes a number of a grid.
func numeral(f, step float64) json.Number {
	if step == 1 {
		return json.Number(strconv.FormatFloat(f, 'f', 0, 64))
	}
	digits := 2
	if step < 0.01 {
		digits = 5
	}
	text := strings.TrimRight(strings.TrimRight(strconv.FormatFloat(f, 'f', digits, 64), "0"), ".")
	return json.Number(text)
}

// times are the values that a time could have: those that the input names, and
// a second to either side.
func (g *gathering) times(at any) []any {
	var values []any
	for _, t := range g.named() {
		for _, d := range []time.Duration{-time.Second, 0, time.Second} {
			values = append(values, t.Add(d).Format(time.RFC3339))
		}
	}
	return nearestFirst(values, at)
}

// named are the times that the input and its exceptions name, sorted.
func (g *gathering) named() []time.Time {
	var list []time.Time
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, x := range v {
				walk(x)
			}
		case []any:
			for _, x := range v[:min(len(v), 10*mostElements)] {
				walk(x)
			}
		case string:
			if t, err := time.Parse(time.RFC3339, v); err == nil {
				list = append(list, t.UTC())
			}
		}
	}
	walk(g.finder.doc)
	for _, e := range g.finder.exceptions {
		list = append(list, e.Until.UTC())
	}
	slices.SortFunc(list, time.Time.Compare)
	return slices.CompactFunc(list, time.Time.Equal)
}

// longest is how far ahead a time is looked for.
const longest = 400 * 24 * time.Hour

// moments are later times at which something may be otherwise: those that the
// input names, those that lie one of the rules' numbers of days or hours after
// them, and steps of growing size; the earliest first.
func (g *gathering) moments(from time.Time) []time.Time {
	var list []time.Time
	add := func(t time.Time) {
		if t.After(from) && !t.After(from.Add(longest)) {
			list = append(list, t.Truncate(time.Second))
		}
	}
	for _, t := range g.named() {
		add(t)
		add(t.Add(time.Second))
		for _, n := range g.known.numbers {
			if n > 0 && n <= 400 {
				add(t.Add(time.Duration(n * float64(24*time.Hour))))
				add(t.Add(time.Duration(n * float64(time.Hour))))
			}
		}
	}
	for _, step := range []time.Duration{time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour, 90 * 24 * time.Hour, 366 * 24 * time.Hour} {
		add(from.Add(step))
	}
	slices.SortFunc(list, time.Time.Compare)
	list = slices.CompactFunc(list, time.Time.Equal)
	for len(list) > 2*mostValues { // every other one: what lies between is found by halving
		var fewer []time.Time
		for i := 0; i < len(list); i += 2 {
			fewer = append(fewer, list[i])
		}
		list = fewer
	}
	return list
}

// nearer brings the i-th change of a flip as near to what is as the flip lasts,
// by halving: what lies between is taken to flip from some point on. What is
// kept was evaluated.
func (f *finder) nearer(changes []Alteration, i int) {
	c := changes[i]
	from, okFrom := amount(c.From)
	to, okTo := amount(c.To)
	if !okFrom || !okTo {
		return
	}
	step := 1.0
	_, isTime := c.To.(string)
	if n, ok := c.To.(json.Number); ok && !wholeAt(c.path) {
		_ = n
		step = grid(c.path)
	}
	near, far := int64(math.Round(from/step)), int64(math.Round(to/step))
	for near-far > 1 || far-near > 1 {
		mid := near + (far-near)/2
		var v any = numeral(float64(float64(mid)*step), step)
		if isTime {
			v = time.Unix(mid, 0).UTC().Format(time.RFC3339)
		}
		try := slices.Clone(changes)
		try[i].To = v
		if Stops(f.evaluate([][]Alteration{try})[0]) != f.result.Stopped {
			far = mid
			changes[i].To = v
		} else {
			near = mid
		}
	}
}

// wholeAt says that the attribute at a path is a whole number.
func wholeAt(path []string) bool {
	t := reflect.TypeFor[Input]()
	for _, word := range path {
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() == reflect.Slice {
			t = t.Elem()
			continue
		}
		t, _, _ = member(t, word)
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() != reflect.Float64
}
