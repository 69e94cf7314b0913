package engine

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// difference is one place at which a plan is not what it is when it is made
// again, in a reader's words.
type difference struct{ place, text string }

// differs says where a plan, got, is not the one that was made again, want: the
// first places by patch, host and member, and how many more there are.
func differs(want, got []byte) string {
	if want == nil {
		return "nothing is to be planned there"
	}
	var x, y map[string]any
	if json.Unmarshal(want, &x) != nil || json.Unmarshal(got, &y) != nil {
		return "it is no plan"
	}
	delete(x, "digest") // it differs whenever anything does
	delete(y, "digest")
	var list []difference
	walkBoth("", "", x, y, func(d difference) { list = append(list, d) })
	const most = 3
	var said []string
	for _, d := range list[:min(most, len(list))] {
		if d.place == "" {
			d.place = "the plan"
		}
		said = append(said, d.place+d.text)
	}
	switch n := len(list) - most; {
	case len(list) == 0:
		return "its digest"
	case n > 0:
		said = append(said, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(said, "; ")
}

// walkBoth tells of every place at which two JSON values differ. Place is the
// element that they are in, by name; member is the path within it.
func walkBoth(place, member string, want, got any, tell func(difference)) {
	switch w := want.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			walkMembers(place, member, w, g, tell)
			return
		}
	case []any:
		if g, ok := got.([]any); ok && named(w) && named(g) && len(w)+len(g) > 0 {
			walkElements(place, w, g, tell)
			return
		}
	}
	if x, y := brief(want), brief(got); compact(want) != compact(got) {
		tell(difference{place, fmt.Sprintf(": %s is %s, made again it is %s", member, y, x)})
	}
}

func walkMembers(place, member string, want, got map[string]any, tell func(difference)) {
	names := sortedKeys(want)
	for name := range got {
		if _, ok := want[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		walkBoth(place, strings.TrimPrefix(member+"."+name, "."), want[name], got[name], tell)
	}
}

// walkElements compares lists whose elements have names, in whatever order.
func walkElements(place string, want, got []any, tell func(difference)) {
	theirs := map[string]any{}
	for n, e := range got {
		theirs[nameOf(e, n)] = e
	}
	known := map[string]bool{}
	for n, e := range want {
		name := nameOf(e, n)
		known[name] = true
		if g, ok := theirs[name]; ok {
			walkBoth(inside(place, name), "", e, g, tell)
		} else {
			tell(difference{inside(place, name), " is left out"})
		}
	}
	for n, e := range got {
		if name := nameOf(e, n); !known[name] {
			tell(difference{inside(place, name), " is added"})
		}
	}
}

func inside(place, name string) string { return strings.TrimPrefix(place+", "+name, ", ") }

// named says whether every element of a list has a name of its own.
func named(list []any) bool {
	seen := map[string]bool{}
	for n, e := range list {
		name := nameOf(e, n)
		if name == "" || seen[name] {
			return false
		}
		seen[name] = true
	}
	return true
}

// nameOf is what a reader calls an element of a plan's lists, "" where it has
// no name.
func nameOf(e any, n int) string {
	m, ok := e.(map[string]any)
	if !ok {
		return ""
	}
	text := func(member string) string { s, _ := m[member].(string); return s }
	switch {
	case text("host") != "" && text("patch") != "":
		return fmt.Sprintf("patch %s on host %s", brief(text("patch")), brief(text("host")))
	case text("patch") != "":
		return "patch " + brief(text("patch"))
	case text("id") != "":
		return "patch " + brief(text("id"))
	case m["waves"] != nil:
		return "ring " + brief(text("name"))
	case m["changes"] != nil:
		return fmt.Sprintf("wave %d", n+1)
	case text("from") != "" && m["count"] != nil:
		return "approval of " + brief(text("from"))
	case text("rule") != "":
		return "decision of " + brief(text("rule"))
	}
	return ""
}

func compact(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// brief is a value as a message can hold it; nothing is "absent".
func brief(v any) string {
	if v == nil {
		return "absent"
	}
	text := []rune(compact(v))
	if len(text) > 80 {
		return string(text[:80]) + "…"
	}
	return string(text)
}
