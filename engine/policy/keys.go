package policy

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/agnivade/levenshtein"
	"github.com/open-policy-agent/opa/v1/ast"
)

// checkKeys finds attributes that do not exist where OPA's type checker does not
// look: behind the arguments of functions, and in the keys of object.get.
func (src *source) checkKeys() {
	for _, r := range src.program.rules {
		v := src.program.spots[r]
		ast.WalkRefs(r, func(ref ast.Ref) bool {
			v.walk(ref, func(h hop, key *ast.Term) { src.checkHop(h, key, ref[0]) })
			return false
		})
		eachCall(r, func(call []*ast.Term) {
			for _, h := range v.gets(call) {
				src.checkHop(h.hop, h.key, call[0])
			}
		})
	}
}

// got is one key of an object.get.
type got struct {
	hop
	key *ast.Term
}

// gets are the keys of an object.get on a part of the input, none for any other
// call.
func (v spots) gets(call []*ast.Term) []got {
	if len(call) < 4 || !call[0].Equal(objectGet) {
		return nil
	}
	keys := []*ast.Term{call[2]}
	if path, ok := call[2].Value.(*ast.Array); ok {
		keys = keys[:0]
		path.Foreach(func(t *ast.Term) { keys = append(keys, t) })
	}
	var list []got
	at := v.of(call[1])
	for _, key := range keys {
		if !at.known() {
			break
		}
		h := at.to(key)
		list = append(list, got{h, key})
		at = h.to
	}
	return list
}

func (src *source) checkHop(h hop, key, near *ast.Term) {
	if !h.wrong {
		return
	}
	loc := key.Location
	if loc == nil {
		loc = near.Location
	}
	if loc == nil {
		return
	}
	src.fault(loc.File, loc.Row, loc.Col, "%s", h.misspelt())
}

// misspelt says that there is no such attribute, and the nearest that there is.
func (h hop) misspelt() string {
	var right []string
	for _, a := range attributes(h.from.kind) {
		right = append(right, a.name)
	}
	return fmt.Sprintf("%s.%s: there is no %q; %s", h.from.path, h.key, h.key, nearestAttribute(h.key, right))
}

// nearestAttribute is nearest, which looks in the other sections too before it
// lists all the words of this one.
func nearestAttribute(have string, right []string) string {
	if near := nearest(have, right); strings.HasPrefix(near, "did you mean") {
		return near
	}
	best, distance := "", 3
	for _, path := range everywhereInInput() {
		name := path[strings.LastIndexByte(path, '.')+1:]
		if d := levenshtein.ComputeDistance(have, name); d < distance && d <= len(have)/2 {
			best, distance = path, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %s?", best)
	}
	return nearest(have, right)
}

// everywhereInInput are all attributes, those nearer the top first.
var everywhereInInput = sync.OnceValue(func() []string {
	var list []string
	var add func(s spot)
	add = func(s spot) {
		switch s.kind.Kind() {
		case reflect.Slice:
			add(s.to(ast.InternedTerm(0)).to)
		case reflect.Struct:
			if s.kind == timeType {
				return
			}
			for _, a := range attributes(s.kind) {
				next := s.to(a.term).to
				list = append(list, next.path)
				add(next)
			}
		}
	}
	add(inputSpot)
	slices.SortStableFunc(list, func(a, b string) int { return strings.Count(a, ".") - strings.Count(b, ".") })
	return list
})
