package policy

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// lacking are an input and all that lack one thing that may be absent: a section
// that a host may be in none of, or an attribute that nobody may have said.
func lacking(in *Input) []*Input {
	list := []*Input{in}
	whole := reflect.ValueOf(in).Elem()
	for _, s := range attributes(whole.Type()) {
		section := whole.Field(s.index)
		if section.Kind() != reflect.Pointer || section.IsNil() {
			continue
		}
		if !slices.Contains(certain[in.Point], s.name) {
			list = append(list, without(in, func(v reflect.Value) { v.Field(s.index).SetZero() }))
		}
		for _, a := range attributes(section.Type().Elem()) {
			if a.omit == "" {
				continue
			}
			list = append(list, without(in, func(v reflect.Value) {
				other := reflect.New(section.Type().Elem())
				other.Elem().Set(section.Elem())
				other.Elem().Field(a.index).SetZero()
				v.Field(s.index).Set(other)
			}))
		}
	}
	return list
}

func without(in *Input, change func(reflect.Value)) *Input {
	other := *in
	change(reflect.ValueOf(&other).Elem())
	return &other
}

// missed are the attributes for which policies are held by engine.missing, over
// all inputs that lack one thing.
func missed(s *Set) []string {
	found := map[string]bool{}
	for _, whole := range []*Input{change(), aWave(), aPlan()} {
		for _, in := range lacking(whole) {
			for _, d := range s.Decide(in, nil) {
				if d.Rule == ruleMissing {
					found[d.Facts["attribute"].(string)] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// TestAbsenceIsReal: what the check tells of is what an evaluation is held by,
// neither more nor less, and the library is never held.
func TestAbsenceIsReal(t *testing.T) {
	a, err := txtar.ParseFile("testdata/lint/unhandled-absence.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"ok/", "err/"} {
		texts := map[string]string{}
		for _, f := range a.Files {
			if name, ok := strings.CutPrefix(f.Name, dir); ok {
				texts["policies/"+name] = string(f.Data)
			}
		}
		var told []string
		looked, _ := Lint(bytesOf(texts))
		for _, f := range looked.Findings {
			if _, rest, ok := strings.Cut(f.Message, " reads "); ok && f.Check == "unhandled-absence" {
				attribute, _, _ := strings.Cut(rest, ", which")
				told = append(told, attribute)
			}
		}
		slices.Sort(told)
		if diff := cmp.Diff(told, missed(compiled(t, texts))); diff != "" {
			t.Errorf("%s: told and held by: %s", dir, diff)
		}
	}
	s := shipped(t)
	if got := missed(s); len(got) > 0 {
		t.Errorf("the library is held for want of %q", got)
	}
}
