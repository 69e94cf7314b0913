package policy

import (
	"cmp"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// fact is something that could be other than it is, with what it could be: the
// nearest first.
type fact struct {
	attribute string
	changes   []Alteration
}

// The bounds of what is considered.
const (
	mostElements = 8  // of a list
	mostValues   = 24 // of a fact
	mostObserved = 6  // different values of an attribute elsewhere
)

// gathering is the facts of a search in the making.
type gathering struct {
	finder   *finder
	known    constants
	observed []map[string]any
	facts    map[string]*fact
}

// gather lists the facts that clauses read, sorted by hand and attribute.
func (f *finder) gather(list []*clause, observed []map[string]any) []fact {
	g := &gathering{finder: f, known: f.set.constantsOf(list), observed: observed, facts: map[string]*fact{}}
	for _, c := range list {
		for _, p := range c.reads {
			g.read(p)
		}
	}
	if len(list) > 0 {
		g.time()
	}
	all := make([]fact, 0, len(g.facts))
	for _, name := range slices.Sorted(maps.Keys(g.facts)) {
		all = append(all, *g.facts[name])
	}
	slices.SortStableFunc(all, func(a, b fact) int { return rank(a.changes[:1]) - rank(b.changes[:1]) })
	return all
}

// read gathers the facts at an attribute that a rule reads, and below it.
func (g *gathering) read(p trail) {
	switch p.String() {
	case "input.host.age_days":
		p = trail{"host", "age_seconds"}
		g.known.scale(86400)
	case "input.host.disk_free_gb":
		p = trail{"host", "disk_free_mb"}
		g.known.scale(1024)
	}
	t := reflect.TypeFor[Input]()
	var at any = g.finder.doc
	var words []string
	optional := false
	for i, word := range p {
		o, _ := at.(map[string]any)
		if o == nil && i > 0 {
			g.absent(p[:i], t) // the section as a whole
			return
		}
		t, words, optional = member(t, word)
		at = o[word]
	}
	g.below(p, t, words, at, optional)
}

// member is the type of what a word leads to, the words that it can be, and
// whether it may be absent.
func member(t reflect.Type, word string) (reflect.Type, []string, bool) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Map {
		return t.Elem(), nil, true
	}
	a, _ := find(t, word) // the type checker knows that it is there
	return t.Field(a.index).Type, wordsOf(t, a), a.omit != ""
}

// wordsOf are the words that an attribute can be, none: any.
func wordsOf(t reflect.Type, a attribute) []string {
	return strings.Fields(t.Field(a.index).Tag.Get("enum"))
}

// below gathers what is at a path: a scalar itself, all inside of anything else.
func (g *gathering) below(path []string, t reflect.Type, words []string, at any, optional bool) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == timeType || t.Kind() != reflect.Struct && t.Kind() != reflect.Slice && t.Kind() != reflect.Map:
		g.scalar(path, t, words, at, optional)
	case t.Kind() == reflect.Slice:
		list, _ := at.([]any)
		g.list(path, t, list)
	case at == nil:
		g.absent(path, t)
	case t.Kind() == reflect.Map:
		o, _ := at.(map[string]any)
		for _, k := range slices.Sorted(maps.Keys(o)) {
			g.below(below1(path, k), t.Elem(), nil, o[k], true)
		}
	default:
		o, _ := at.(map[string]any)
		for _, a := range attributes(t) {
			g.below(below1(path, a.name), t.Field(a.index).Type, wordsOf(t, a), o[a.name], a.omit != "")
		}
	}
}

func below1(path []string, word string) []string { return append(slices.Clone(path), word) }

// add notes a value that the fact at a path could have.
func (g *gathering) add(path []string, from, to any) {
	by := handOf(path)
	name := attributeAt(path)
	if by == "" || same(from, to) {
		return
	}
	f := g.facts[name]
	if f == nil {
		f = &fact{attribute: name}
		g.facts[name] = f
	}
	if len(f.changes) < mostValues && !slices.ContainsFunc(f.changes, func(c Alteration) bool { return same(c.To, to) }) {
		f.changes = append(f.changes, Alteration{Attribute: name, From: from, To: to, By: by, path: path})
	}
}

// attributeAt is a path as it is written in a rule.
func attributeAt(path []string) string {
	var b strings.Builder
	b.WriteString("input")
	for _, word := range path {
		if number(word) {
			b.WriteString("[" + word + "]")
		} else if strings.ContainsAny(word, ".[] ") {
			b.WriteString("[" + strconv.Quote(word) + "]")
		} else {
			b.WriteString("." + word)
		}
	}
	return b.String()
}

func same(a, b any) bool {
	x, err := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err == nil && err2 == nil && string(x) == string(y)
}

// absent gathers what a section could be that is not there: those of others.
func (g *gathering) absent(path []string, t reflect.Type) {
	for _, v := range g.elsewhere(path) {
		g.add(path, nil, v)
	}
}

// elsewhere are the values that other inputs have at a path, each once.
func (g *gathering) elsewhere(path []string) []any {
	var list []any
	for _, doc := range g.observed {
		v := lookup(doc, path)
		if v != nil && len(list) < mostObserved && !slices.ContainsFunc(list, func(x any) bool { return same(x, v) }) {
			list = append(list, v)
		}
	}
	return list
}

func lookup(v any, path []string) any {
	for _, word := range path {
		switch x := v.(type) {
		case map[string]any:
			v = x[word]
		case []any:
			i, err := strconv.Atoi(word)
			if err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

// list gathers what a list could be: shorter by one, empty, longer by one, or
// with other elements.
func (g *gathering) list(path []string, t reflect.Type, list []any) {
	for i := range list[:min(len(list), mostElements)] {
		at := below1(path, strconv.Itoa(i))
		g.add(at, list[i], nil)
		if element(t.Elem()) != nil {
			g.below(at, t.Elem(), nil, list[i], false)
		}
	}
	if len(list) > 1 {
		g.add(path, list, []any{})
	}
	next := below1(path, strconv.Itoa(len(list)))
	for _, v := range g.more(path, t.Elem()) {
		if !slices.ContainsFunc(list, func(x any) bool { return same(x, v) }) {
			g.add(next, nil, v)
		}
	}
}

// more are elements that a list could have besides: those of others, the words
// that rules know, or one made up.
func (g *gathering) more(path []string, t reflect.Type) []any {
	var list []any
	for _, other := range g.elsewhere(path) {
		if o, ok := other.([]any); ok {
			list = append(list, o...)
		}
	}
	if t.Kind() == reflect.String {
		for _, w := range g.known.words {
			list = append(list, w)
		}
		return list
	}
	if len(list) == 0 && t.Kind() == reflect.Struct {
		list = append(list, g.example(t))
	}
	return list
}

// example is an element with something in every attribute.
func (g *gathering) example(t reflect.Type) any {
	switch {
	case t.Kind() == reflect.Pointer:
		return g.example(t.Elem())
	case t == timeType:
		return g.finder.base.At.Add(24 * time.Hour).Format(time.RFC3339)
	}
	switch t.Kind() {
	case reflect.Struct:
		o := map[string]any{}
		for _, a := range attributes(t) {
			if words := wordsOf(t, a); len(words) > 0 {
				o[a.name] = words[0]
				continue
			}
			if o[a.name] = g.example(t.Field(a.index).Type); a.name == "from" || a.name == "since" || a.name == "at" {
				o[a.name] = g.finder.base.At.Format(time.RFC3339)
			}
		}
		return o
	case reflect.Slice:
		return []any{}
	case reflect.Map:
		return map[string]any{}
	case reflect.String:
		return "example"
	case reflect.Bool:
		return false
	}
	return json.Number("1")
}

// scalar gathers the values that an attribute could have.
func (g *gathering) scalar(path []string, t reflect.Type, words []string, at any, optional bool) {
	var values []any
	switch {
	case t == timeType:
		values = g.times(at)
	case t.Kind() == reflect.Bool:
		values = []any{true, false}
	case t.Kind() == reflect.String:
		values = g.words(path, words)
	default:
		values = g.numbers(path, t, at)
	}
	for _, v := range values {
		g.add(path, at, v)
	}
	if optional && at != nil {
		g.add(path, at, nil)
	}
}

func (g *gathering) words(path, words []string) []any {
	list := g.elsewhere(path)
	if len(words) == 0 {
		words = append(slices.Clone(g.known.words), "other")
	}
	for _, w := range words {
		list = append(list, w)
	}
	return list
}

// time gathers other times: of the decision, or of the wave.
func (g *gathering) time() {
	in := g.finder.base
	path, from := []string{"at"}, in.At
	if in.Point == Wave && in.Wave != nil {
		path, from = []string{"wave", "start"}, in.Wave.Start
	}
	name := attributeAt(path)
	f := &fact{attribute: name}
	for _, t := range g.moments(from) {
		by := ByTime
		if path[0] == "wave" {
			by = BySchedule
		}
		f.changes = append(f.changes, Alteration{Attribute: name, From: from.Format(time.RFC3339), To: t.Format(time.RFC3339), By: by, path: path})
	}
	if len(f.changes) > 0 {
		g.facts[name] = f
	}
}

// direction says which way an alteration goes: a number or time up or down, a
// word to any other. Of each the first one found is told.
func direction(c *Alteration) string {
	a, isA := amount(c.From)
	b, isB := amount(c.To)
	_, isText := c.To.(string)
	switch {
	case c.To != nil && isText && !isB:
		return "other"
	case !isA || !isB:
		return string(must(json.Marshal(c.To)))
	case a < b:
		return "up"
	}
	return "down"
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic("policy: a value of JSON that is none: " + err.Error())
	}
	return b
}

// amount is a number, or a time as seconds.
func amount(v any) (float64, bool) {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	case string:
		t, err := time.Parse(time.RFC3339, v)
		return float64(t.Unix()), err == nil
	}
	return 0, false
}

// nearestFirst sorts values by how far they are from what is.
func nearestFirst(values []any, from any) []any {
	at, ok := amount(from)
	if ok {
		slices.SortStableFunc(values, func(a, b any) int {
			x, _ := amount(a)
			y, _ := amount(b)
			return cmp.Compare(abs(x-at), abs(y-at))
		})
	}
	return values
}

func abs(f float64) float64 { return max(f, -f) }
