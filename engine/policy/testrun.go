package policy

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// TestReport is what the tests beside policies said.
type TestReport struct {
	Tests    []TestResult   // sorted by file, line, name
	Coverage float64        // percent of lines, as `opa test --coverage` has it
	Files    []FileCoverage // sorted by file; those of bundles are left out
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
	Message string // why it failed: the error, or the condition that is not true
	Output  string // what it printed
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
	under, end := begin("", "compiling the policies and their tests")
	defer end()
	compiler := src.compiler().WithEnablePrintStatements(true)
	runner := tester.NewRunner().SetCompiler(compiler).SetStore(store).SetModules(src.modules).
		SetTimeout(testTime).SetParallel(runtime.GOMAXPROCS(0)).SetCoverageQueryTracer(beacon{coverage, under}).SetCoverageRuns(nil).RaiseBuiltinErrors(false)
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
	why := failures{compiler: compiler, store: store, txn: txn}
	for i := range report.Tests {
		if t := &report.Tests[i]; !t.Passed && !t.Skipped && t.Message == "" {
			t.Message = why.of(t)
		}
	}
	slices.SortFunc(report.Tests, func(a, b TestResult) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, strings.Compare(a.Name, b.Name))
	})
	report.cover(coverage.Report(src.own()))
	return report, nil
}

// own are the modules that the estate's authors write: a bundle may come without its
// tests.
func (src *source) own() map[string]*ast.Module {
	own := maps.Clone(src.modules)
	maps.DeleteFunc(own, func(file string, _ *ast.Module) bool { return src.bundled.files[file] })
	return own
}

func testResult(r *tester.Result) TestResult {
	t := TestResult{Package: r.Package, Name: r.Name, File: r.Location.File, Line: r.Location.Row, Passed: r.Pass(), Skipped: r.Skip, Output: string(r.Output)}
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

// failures finds out why tests are not true.
type failures struct {
	compiler *ast.Compiler
	store    storage.Store
	txn      storage.Transaction
}

// notTrue is what is said of a test of which no more is known.
const notTrue = "it is not true"

// of evaluates a test again, traced, and names the last of its own conditions
// that failed.
func (f *failures) of(t *TestResult) string {
	var trace topdown.BufferTracer
	query := rego.New(rego.Store(f.store), rego.Transaction(f.txn), rego.Compiler(f.compiler), rego.Query(t.Package+"."+t.Name))
	ready, err := query.PrepareForEval(background)
	if err != nil {
		return notTrue
	}
	ctx, cancel := context.WithTimeout(background, testTime)
	defer cancel()
	if _, err := ready.Eval(ctx, rego.EvalTransaction(f.txn), rego.EvalQueryTracer(&trace)); err != nil {
		return notTrue
	}
	return failedCondition(trace, t)
}

func failedCondition(trace topdown.BufferTracer, t *TestResult) string {
	why := notTrue
	bodies := map[uint64]bool{} // queries that are a body of this test
	for _, e := range trace {
		switch n := e.Node.(type) {
		case *ast.Rule:
			if e.Op == topdown.EnterOp && n.Location != nil && n.Location.File == t.File && n.Location.Row == t.Line {
				bodies[e.QueryID] = true
			}
		case *ast.Expr:
			if e.Op == topdown.FailOp && bodies[e.QueryID] && n.Location != nil {
				why = fmt.Sprintf("line %d is not true: %s", n.Location.Row, strings.TrimSpace(firstLine(string(n.Location.Text))))
			}
		}
	}
	return why
}

func firstLine(s string) string {
	line, _, more := strings.Cut(s, "\n")
	if more {
		return line + " …"
	}
	return line
}
