package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
)

func sortProblems(list []problem) {
	slices.SortStableFunc(list, func(a, b problem) int { return estate.Order(a.Fault, b.Fault) })
}

// printVerdict prints what policy test found. In text and markdown, what is
// wrong comes first, file by file, and a line of totals last but for what to do
// next.
func (a *app) printVerdict(v *verdict) error {
	switch a.format {
	case "json":
		return a.json(v.view())
	case "github":
		return a.annotate(v)
	case "sarif":
		return a.policySARIF(v)
	}
	a.verdictText(v)
	return nil
}

// said is a problem with its weight.
type said struct {
	problem
	warning bool
}

// all are faults and warnings together, by place.
func (v *verdict) all() []said {
	var list []said
	for _, p := range v.faults {
		list = append(list, said{p, false})
	}
	for _, p := range v.warnings {
		list = append(list, said{p, true})
	}
	slices.SortStableFunc(list, func(a, b said) int { return estate.Order(a.Fault, b.Fault) })
	return list
}

func (a *app) verdictText(v *verdict) {
	begin, paint := "", a.paint()
	if a.format == "markdown" {
		begin, paint = "- ", func(_, text string) string { return text }
	}
	file := ""
	for _, s := range v.all() {
		if file != "" && file != s.File && a.format == "text" {
			fmt.Fprintln(a.out)
		}
		file = s.File
		word := ""
		if s.warning {
			word = paint(yellow, "warning: ")
		}
		place := strings.TrimSuffix(estate.Fault{File: s.File, Line: s.Line, Column: s.Column}.String(), " ")
		message := s.Message
		if !s.warning {
			message = paint(red, message)
		}
		fmt.Fprintf(a.out, "%s%s %s%s%s\n", begin, place, word, message, checkMark(s.Check))
		a.testOutput(v.review.Tests, s)
	}
	if file != "" {
		fmt.Fprintln(a.out)
	}
	a.costText(v)
	a.totals(v, paint)
}

// checkMark names the check to allow, where it is one of lint's.
func checkMark(check string) string {
	if check == "test" || check == "coverage" {
		return ""
	}
	return " [" + check + "]"
}

// testOutput is what a test that failed printed.
func (a *app) testOutput(r policy.TestReport, s said) {
	if s.Check != "test" {
		return
	}
	for _, t := range r.Tests {
		if t.File == s.File && t.Line == s.Line && t.Output != "" && strings.HasPrefix(s.Message, t.Name+" ") {
			for line := range strings.Lines(t.Output) {
				fmt.Fprintf(a.out, "    %s\n", plain(strings.TrimRight(line, "\n")))
			}
		}
	}
}

func (a *app) totals(v *verdict, paint func(color, text string) string) {
	r := v.review.Tests
	if len(r.Files) == 0 {
		fmt.Fprintln(a.out, "no policies; README.md shows the first one, and `ringmaster init` writes a library of them")
		return
	}
	for _, f := range r.Files {
		if len(f.Missing) > 0 && !strings.HasSuffix(f.File, "_test.rego") {
			fmt.Fprintf(a.out, "%s: not reached by a test: %s\n", f.File, lineRanges(f.Missing))
		}
	}
	bad, skipped := 0, 0
	for _, t := range r.Tests {
		switch {
		case t.Skipped:
			skipped++
		case !t.Passed:
			bad++
		}
	}
	line := fmt.Sprintf("%s: %d passed, %d failed, %d skipped; %.1f %% of lines covered (floor %v %%); %s",
		count(len(r.Tests), "test"), len(r.Tests)-bad-skipped, bad, skipped, r.Coverage, v.floor, count(len(v.warnings), "warning"))
	if len(v.faults) > 0 {
		line = paint(red, line)
	} else {
		line = paint(green, line)
	}
	fmt.Fprintln(a.out, line)
	fmt.Fprintln(a.out, v.next())
}

// next says what to do.
func (v *verdict) next() string {
	is := func(check string) func(problem) bool { return func(p problem) bool { return p.Check == check } }
	switch {
	case slices.ContainsFunc(v.faults, is("test")):
		return "next: mend the rule or the test; print(…) in either shows what it saw"
	case slices.ContainsFunc(v.faults, is("coverage")):
		return "next: write a test that reaches those lines, or lower --coverage-floor"
	case len(v.faults) > 0:
		return "next: mend what is wrong; where it is meant, a comment above the line says so: # lint: allow " + v.faults[0].Check
	case len(v.warnings) > 0:
		return "next: mend what is warned of; where it is meant, a comment above the line says so: # lint: allow " + v.warnings[0].Check
	}
	return "next: `ringmaster policy replay` shows what these policies would have changed in history"
}

// dearest is how many rules are listed by what they cost.
const dearest = 15

// costText is a line a rule, the dearest first.
func (a *app) costText(v *verdict) {
	if v.costs == nil {
		return
	}
	fmt.Fprintf(a.out, "to plan HEAD's estate, policies are asked %s; evaluations by rule:\n", count(v.costs.Questions, "question"))
	unasked, more := 0, 0
	for i, c := range v.costs.Rules {
		switch {
		case c.Evaluations == 0:
			unasked++
			continue
		case i >= dearest:
			more++
			continue
		}
		fmt.Fprintf(a.out, "%8d  %s (%s:%d) reads %s\n", c.Evaluations, c.Rule, c.File, c.Line, orNothing(c.Attributes))
	}
	fmt.Fprintf(a.out, "and %s less dear; %s had nothing to be asked about; --format json has them all\n\n", count(more, "rule"), count(unasked, "rule"))
}

func orNothing(attributes []string) string {
	if len(attributes) == 0 {
		return "nothing"
	}
	return strings.Join(attributes, " ")
}

// The colours of results.
const red, yellow, green = "31", "33", "32"

// paint colours text on a terminal that wants it.
func (a *app) paint() func(color, text string) string {
	if !a.color(a.out) {
		return func(_, text string) string { return text }
	}
	return func(color, text string) string { return "\x1b[" + color + "m" + text + "\x1b[0m" }
}

// lineRanges is "line 4, lines 7–9".
func lineRanges(list [][2]int) string {
	var out []string
	for _, l := range slices.Compact(slices.Clone(list)) { // OPA names a line once for each part of it
		if l[0] == l[1] {
			out = append(out, fmt.Sprintf("line %d", l[0]))
		} else {
			out = append(out, fmt.Sprintf("lines %d–%d", l[0], l[1]))
		}
	}
	return strings.Join(out, ", ")
}
