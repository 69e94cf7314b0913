package policy

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/tester"
)

// TestReport is what the tests beside policies said.
type TestReport struct {
	Tests    []TestResult   // sorted by file, line, name
	Coverage float64        // percent of lines, as `opa test --coverage` has it
	Files    []FileCoverage // sorted by file
}

// Passed says that no test failed.
func (r TestReport) Passed() bool {
	return !slices.ContainsFunc(r.Tests, func(t TestResult) bool { return !t.Passed && !t.Skipped })
}

// TestResult is one test.
type TestResult struct {
	Package string
	Name    string
	File    string
	Line    int
	Passed  bool
	Skipped bool
	Message string // why it failed, "" when it is only false
}

// FileCoverage is how much of a file the tests evaluate.
type FileCoverage struct {
	File     string
	Coverage float64
	Missing  [][2]int // first and last lines that no test evaluates
}

// testTime bounds one test.
const testTime = 30 * time.Second

// FaultsError is policies or tests that do not compile.
type FaultsError struct{ Faults []Fault }

func (e *FaultsError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Message)
	}
	return strings.Join(lines, "\n")
}

// RunTests runs the tests of _test.rego files as `opa test` does, with coverage.
// Policies are held to the same input schema and built-ins as in Compile; where
// they do not compile the error is a *FaultsError.
func RunTests(files map[string][]byte) (TestReport, error) {
	src := read(files)
	if len(src.faults) > 0 {
		return TestReport{}, &FaultsError{src.sorted()}
	}
	store := src.store()
	txn, err := store.NewTransaction(background)
	if err != nil {
		return TestReport{}, fmt.Errorf("reading policy data: %w", err)
	}
	defer store.Abort(background, txn)
	coverage := cover.New()
	runner := tester.NewRunner().SetCompiler(src.compiler()).SetStore(store).SetModules(src.modules).
		SetTimeout(testTime).SetParallel(runtime.GOMAXPROCS(0)).SetCoverageQueryTracer(coverage).RaiseBuiltinErrors(false)
	results, err := runner.RunTests(background, txn)
	if errs, ok := err.(ast.Errors); ok {
		for _, e := range errs {
			src.compileFault(e)
		}
		return TestReport{}, &FaultsError{src.sorted()}
	}
	if err != nil {
		return TestReport{}, fmt.Errorf("running policy tests: %w", err)
	}
	var report TestReport
	for r := range results {
		report.Tests = append(report.Tests, testResult(r))
	}
	slices.SortFunc(report.Tests, func(a, b TestResult) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, strings.Compare(a.Name, b.Name))
	})
	report.cover(coverage.Report(src.modules))
	return report, nil
}

func testResult(r *tester.Result) TestResult {
	t := TestResult{Package: r.Package, Name: r.Name, File: r.Location.File, Line: r.Location.Row, Passed: r.Pass(), Skipped: r.Skip}
	if r.Error != nil {
		t.Message = r.Error.Error()
	}
	return t
}

func (r *TestReport) cover(c cover.Report) {
	r.Coverage = c.Coverage
	for name, f := range c.Files {
		fc := FileCoverage{File: name, Coverage: f.Coverage}
		for _, gap := range f.NotCovered {
			fc.Missing = append(fc.Missing, [2]int{gap.Start.Row, gap.End.Row})
		}
		r.Files = append(r.Files, fc)
	}
	slices.SortFunc(r.Files, func(a, b FileCoverage) int { return strings.Compare(a.File, b.File) })
}
