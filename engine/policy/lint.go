package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Finding is something that compiles and yet is not what its author meant, or
// not what its readers need.
type Finding struct {
	Fault
	Check   string // as Checks names it
	Warning bool   // nothing fails by it; otherwise it is wrong for certain
}

// Check is one kind of finding.
type Check struct {
	Name    string
	Warning bool
	About   string // what is wrong with it, and what to do

	find func(*linter)
}

// Checks are all kinds, by name. Each has a file of its own, lint_*.go, and its
// examples in testdata/lint.
func Checks() []Check { return slices.Clone(checks) }

var checks = []Check{
	costlyRead, exceptableUnsaid, hiddenRule, lockOut, neverTrue, noDescription, noRemedy, noTest, unhandledAbsence, unknownInTest, unknownWord, unreadData, unusedRule,
}

// Looked is what Lint says.
type Looked struct {
	Findings []Finding   // sorted by place
	Reads    []RuleReads // sorted by rule and place
}

// Lint finds what compiles and is probably not meant. Policies that do not
// compile have faults instead. A comment `# lint: allow <check>` above a line,
// or on it, says that its finding is meant.
func Lint(files map[string][]byte) (Looked, []Fault) {
	src, set, faults := compile(files)
	if len(faults) > 0 {
		return Looked{}, faults
	}
	return Looked{lint(src, set, files), set.Reads()}, nil
}

// linter is what checks look at.
type linter struct {
	src     *source // as parsed
	files   map[string][]byte
	set     *Set
	program *program
	reached map[*ast.Rule]bool // compiled rules that some decision leans on
	check   Check
	found   []Finding
}

func lint(src *source, set *Set, files map[string][]byte) []Finding {
	l := &linter{src: src, files: files, set: set, program: src.program, reached: map[*ast.Rule]bool{}}
	for _, c := range set.clauses {
		closure(set.compiler, c.compiled, func(r *ast.Rule) {
			for ; r != nil; r = r.Else {
				l.reached[r] = true
			}
		})
	}
	for _, c := range checks {
		l.check = c
		c.find(l)
	}
	l.found = slices.DeleteFunc(l.found, l.allowed)
	slices.SortFunc(l.found, func(a, b Finding) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column, strings.Compare(a.Check, b.Check), strings.Compare(a.Message, b.Message))
	})
	return slices.Compact(l.found)
}

// report adds a finding of the check at hand.
func (l *linter) report(loc *ast.Location, format string, args ...any) {
	l.reportAt(loc.File, loc.Row, loc.Col, format, args...)
}

func (l *linter) reportAt(file string, line, column int, format string, args ...any) {
	l.found = append(l.found, Finding{Fault{file, line, column, fmt.Sprintf(format, args...)}, l.check.Name, l.check.Warning})
}

// allowed says that a comment beside a finding takes it as meant, or that it is of
// a bundle, which the estate's authors do not write.
func (l *linter) allowed(f Finding) bool {
	if l.src.bundled.files[f.File] {
		return true
	}
	m := l.src.modules[f.File]
	return m != nil && slices.ContainsFunc(m.Comments, func(c *ast.Comment) bool {
		names, ok := strings.CutPrefix(strings.TrimSpace(string(c.Text)), "lint: allow ")
		near := c.Location.Row == f.Line || c.Location.Row == f.Line-1
		return ok && near && slices.Contains(strings.FieldsFunc(names, func(r rune) bool { return r == ' ' || r == ',' }), f.Check)
	})
}

// deciding calls do for each parsed rule that decides.
func (l *linter) deciding(do func(rule string, r *ast.Rule, m *ast.Module)) {
	for _, name := range l.src.names() {
		m := l.src.modules[name]
		concern := concernOf(m)
		if concern == "" {
			continue
		}
		for _, r := range m.Rules {
			if effect, ok := effectOf(r); ok {
				do(concern+"."+string(effect), r, m)
			}
		}
	}
}

// nameOf is a rule as authors call it: people.owner.
func nameOf(r *ast.Rule) string {
	name := strings.TrimPrefix(r.Ref().GroundPrefix().String(), "data.")
	return strings.TrimPrefix(name, "ringmaster.")
}
