package main

import (
	"cmp"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
)

func (a *app) policy() *cobra.Command {
	cmd := &cobra.Command{Use: "policy", Short: "for policy authors: test, explain, replay, schema"}
	cmd.AddCommand(a.policyTest(), a.policyExplain(), a.policyReplay(), a.policySchema())
	return cmd
}

func (a *app) policyTest() *cobra.Command {
	return &cobra.Command{
		Use: "test", Short: "runs the tests beside the policies, as opa test does, and says what they cover", Args: cobra.NoArgs,
		Annotations: map[string]string{"formats": "github sarif"},
		RunE: func(*cobra.Command, []string) error {
			dir, err := a.folder()
			if err != nil {
				return err
			}
			r, faults, err := engine.PolicyTests(os.DirFS(dir))
			if err != nil {
				return err
			}
			if len(faults) > 0 {
				return a.invalidPolicies(faults)
			}
			return a.printTests(r)
		},
	}
}

func (a *app) invalidPolicies(faults []estate.Fault) error {
	return a.printFaults(faults, &usageError{fmt.Errorf("the policies are invalid: %s", count(len(faults), "fault"))})
}

// printTests prints what tests said: those that failed, one line each, and what
// the tests of each file do not reach.
func (a *app) printTests(r policy.TestReport) error {
	if a.format == "json" {
		if err := a.json(testView(r)); err != nil {
			return err
		}
		return failedUnless(r.Passed())
	}
	if err := a.printFaults(testFaults(r), nil); err != nil {
		return err
	}
	if a.format == "text" {
		a.testSummary(r)
	}
	return failedUnless(r.Passed())
}

func failedUnless(ok bool) error {
	if ok {
		return nil
	}
	return errFailed
}

// testFaults are the tests that failed, at their places.
func testFaults(r policy.TestReport) []estate.Fault {
	var list []estate.Fault
	for _, t := range r.Tests {
		if !t.Passed && !t.Skipped {
			why := cmp.Or(t.Message, "it is not true")
			list = append(list, estate.Fault{File: t.File, Line: t.Line, Message: fmt.Sprintf("%s failed: %s", t.Name, why)})
		}
	}
	return list
}

func (a *app) testSummary(r policy.TestReport) {
	bad, skipped := 0, 0
	for _, t := range r.Tests {
		switch {
		case t.Skipped:
			skipped++
		case !t.Passed:
			bad++
		}
	}
	if len(r.Tests) == 0 {
		fmt.Fprintln(a.out, "no tests; put them beside a policy, as policies/freeze/freeze_test.rego")
		return
	}
	for _, f := range r.Files {
		if len(f.Missing) > 0 && !strings.HasSuffix(f.File, "_test.rego") {
			fmt.Fprintf(a.out, "%s: not reached by a test: %s\n", f.File, lineRanges(f.Missing))
		}
	}
	fmt.Fprintf(a.out, "%s: %d passed, %d failed, %d skipped; %.1f %% of lines covered\n",
		count(len(r.Tests), "test"), len(r.Tests)-bad-skipped, bad, skipped, r.Coverage)
}

// lineRanges is "line 4, lines 7–9".
func lineRanges(list [][2]int) string {
	var out []string
	for _, l := range list {
		if l[0] == l[1] {
			out = append(out, fmt.Sprintf("line %d", l[0]))
		} else {
			out = append(out, fmt.Sprintf("lines %d–%d", l[0], l[1]))
		}
	}
	return strings.Join(out, ", ")
}

// testView is a report as JSON has it. Faults are the tests that failed.
func testView(r policy.TestReport) any {
	type test struct {
		File   string `json:"file"`
		Line   int    `json:"line"`
		Name   string `json:"name"`
		Result string `json:"result"` // passed, failed or skipped
	}
	type file struct {
		File     string   `json:"file"`
		Coverage float64  `json:"coverage"`
		Missing  [][2]int `json:"missing"` // first and last lines that no test evaluates
	}
	tests, files := []test{}, []file{}
	for _, t := range r.Tests {
		result := "failed"
		switch {
		case t.Skipped:
			result = "skipped"
		case t.Passed:
			result = "passed"
		}
		tests = append(tests, test{t.File, t.Line, t.Name, result})
	}
	for _, f := range r.Files {
		files = append(files, file{f.File, f.Coverage, append([][2]int{}, f.Missing...)})
	}
	return map[string]any{"faults": append([]estate.Fault{}, testFaults(r)...), "tests": tests, "coverage": r.Coverage, "files": files}
}
