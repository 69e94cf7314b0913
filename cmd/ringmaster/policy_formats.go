package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/policy"
)

// verdictView is what policy test found, as JSON has it.
type verdictView struct {
	Faults   []problem     `json:"faults"`   // any of them fails it
	Warnings []problem     `json:"warnings"` // none of them does
	Tests    []testedView  `json:"tests"`
	Coverage float64       `json:"coverage"` // percent of lines, as opa test --coverage has it
	Floor    float64       `json:"floor"`
	Files    []coveredView `json:"files"`
	Reads    []readsView   `json:"reads"`
	Costs    *costsView    `json:"costs,omitempty"` // with --cost
}

type testedView struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Name    string `json:"name"`
	Result  string `json:"result"`            // passed, failed or skipped
	Message string `json:"message,omitempty"` // why it failed
	Output  string `json:"output,omitempty"`  // what it printed
}

type coveredView struct {
	File     string   `json:"file"`
	Coverage float64  `json:"coverage"`
	Missing  [][2]int `json:"missing"` // first and last lines that no test evaluates
}

// readsView is one rule and what it depends on.
type readsView struct {
	Rule       string         `json:"rule"`
	Title      string         `json:"title"`
	File       string         `json:"file"`
	Line       int            `json:"line"`
	Exceptable bool           `json:"exceptable"`
	Points     []policy.Point `json:"points"`
	Attributes []string       `json:"attributes"` // what lies below one counts too
}

type costsView struct {
	Questions int        `json:"questions"`
	Rules     []costView `json:"rules"` // the dearest first
}

type costView struct {
	readsView
	Evaluations int `json:"evaluations"`
}

func (v *verdict) view() verdictView {
	r := v.review.Tests
	out := verdictView{Faults: append([]problem{}, v.faults...), Warnings: append([]problem{}, v.warnings...),
		Tests: []testedView{}, Coverage: r.Coverage, Floor: v.floor, Files: []coveredView{}, Reads: []readsView{}}
	for _, t := range r.Tests {
		out.Tests = append(out.Tests, testedView{t.File, t.Line, t.Name, resultOf(t), t.Message, t.Output})
	}
	for _, f := range r.Files {
		out.Files = append(out.Files, coveredView{f.File, f.Coverage, append([][2]int{}, f.Missing...)})
	}
	for _, x := range v.review.Reads {
		out.Reads = append(out.Reads, newReadsView(x))
	}
	if v.costs != nil {
		out.Costs = &costsView{Questions: v.costs.Questions, Rules: []costView{}}
		for _, c := range v.costs.Rules {
			out.Costs.Rules = append(out.Costs.Rules, costView{newReadsView(c.RuleReads), c.Evaluations})
		}
	}
	return out
}

func newReadsView(r policy.RuleReads) readsView {
	return readsView{r.Rule, r.Title, r.File, r.Line, r.Exceptable, append([]policy.Point{}, r.Points...), append([]string{}, r.Attributes...)}
}

func resultOf(t policy.TestResult) string {
	switch {
	case t.Skipped:
		return "skipped"
	case t.Passed:
		return "passed"
	}
	return "failed"
}

// annotate writes workflow commands, which GitHub shows beside the lines.
func (a *app) annotate(v *verdict) error {
	for _, s := range v.all() {
		command := "error"
		if s.warning {
			command = "warning"
		}
		if _, err := fmt.Fprintf(a.out, "::%s file=%s,line=%d,col=%d,title=%s::%s\n", command, property(s.File), max(1, s.Line), max(1, s.Column), property("policy test: "+s.Check), commandData(s.Message)); err != nil {
			return err
		}
	}
	return nil
}

// policySARIF writes SARIF in which each check is a rule.
func (a *app) policySARIF(v *verdict) error {
	rules := []sarifRule{{"test", "A test that is not true."}, {"coverage", "Tests that cover less than the floor."}}
	for _, c := range policy.Checks() {
		rules = append(rules, sarifRule{c.Name, c.About})
	}
	slices.SortFunc(rules, func(a, b sarifRule) int { return strings.Compare(a.id, b.id) })
	var results []sarifResult
	for _, s := range v.all() {
		level := "error"
		if s.warning {
			level = "warning"
		}
		results = append(results, sarifResult{s.Check, level, s.Fault})
	}
	return writeSARIF(a.out, rules, results)
}
