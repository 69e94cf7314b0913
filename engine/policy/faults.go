package policy

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/types"
)

func (src *source) fault(file string, line, column int, format string, args ...any) {
	src.faults = append(src.faults, Fault{file, line, column, fmt.Sprintf(format, args...)})
}

// failed keeps what OPA's parser says.
func (src *source) failed(name string, err error) {
	var list ast.Errors
	if !errors.As(err, &list) {
		src.fault(name, 1, 1, "%v", err)
		return
	}
	for i, e := range list {
		if i+1 < len(list) && strings.HasPrefix(list[i+1].Message, e.Message) {
			continue // the parser repeats itself with more to say
		}
		src.located(name, e, e.Message)
	}
}

func (src *source) located(name string, e *ast.Error, message string) {
	if e.Location == nil {
		src.fault(name, 1, 1, "%s", message)
		return
	}
	src.fault(cmp.Or(e.Location.File, name), e.Location.Row, e.Location.Col, "%s", message)
}

// compileFault keeps an error of OPA's compiler in our words where we know
// better what would have been right.
func (src *source) compileFault(e *ast.Error) {
	message := e.Message
	switch d := e.Details.(type) {
	case *ast.RefErrInvalidDetail:
		message = unknownAttribute(d)
	case *ast.UnificationErrDetail:
		message = fmt.Sprintf("%s is compared with %s, which it never equals", types.Sprint(d.Left), types.Sprint(d.Right))
	}
	if e.Location != nil && slices.ContainsFunc(src.faults, func(f Fault) bool {
		return f.File == e.Location.File && f.Line == e.Location.Row && strings.Contains(f.Message, "policies may not use")
	}) {
		return // OPA misses the built-in that we already named
	}
	src.located("", e, message)
}

// unknownAttribute says which word of a reference is wrong, and the nearest
// right one.
func unknownAttribute(d *ast.RefErrInvalidDetail) string {
	var right []string
	for _, v := range d.OneOf {
		if s, ok := v.(ast.String); ok {
			right = append(right, string(s))
		}
	}
	have := ""
	if d.Pos < len(d.Ref) {
		if s, ok := d.Ref[d.Pos].Value.(ast.String); ok {
			have = string(s)
		}
	}
	whole := d.Ref[:min(d.Pos+1, len(d.Ref))].String()
	if have == "" || len(right) == 0 {
		return fmt.Sprintf("%s: nothing can be there", whole)
	}
	return fmt.Sprintf("%s: there is no %q; %s", whole, have, nearestAttribute(have, right))
}

// nearest suggests the word that was probably meant, and else lists them all.
func nearest(have string, right []string) string {
	slices.Sort(right)
	best, distance := "", 1+len(have)/2
	for _, r := range right {
		if d := levenshtein.ComputeDistance(have, r); d < distance {
			best, distance = r, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return "expected one of " + quotedWords(right)
}

func quotedWords(words []string) string {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = strconv.Quote(w)
	}
	return strings.Join(list, ", ")
}

// sorted are the faults by place, each once.
func (src *source) sorted() []Fault {
	slices.SortFunc(src.faults, func(a, b Fault) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column, strings.Compare(a.Message, b.Message))
	})
	return slices.Compact(src.faults)
}
