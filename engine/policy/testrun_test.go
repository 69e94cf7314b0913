package policy

import (
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/tester"
)

// TestFailures: a test that is not true says which of its conditions is not.
func TestFailures(t *testing.T) {
	files := bytesOf(map[string]string{
		"policies/x/x.rego": "package ringmaster.x\n\nwarn contains {\"msg\": \"m\", \"remedy\": \"r\"} if input.patch.reports > 3",
		"policies/x/x_test.rego": `package ringmaster.x_test

import data.ringmaster.x

test_second_condition if {
	count(x.warn) == 0 with input as {"patch": {"reports": 1}}
	print("before")
	count(x.warn) == 1 with input as {"patch": {"reports": 2}}
	true
}

test_call if not holds(5)

test_fine if holds(5)

test_error if {
	count(x.warn) > 1 / 0
}

todo_test_later if false

holds(n) if n > 3
`,
	})
	r, err := RunTests(files)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range r.Tests {
		switch {
		case f.Skipped:
			got = append(got, f.Name+" skipped")
		case !f.Passed:
			got = append(got, f.Name+" "+f.Message+" "+strings.TrimSpace(f.Output))
		}
	}
	want := []string{
		`test_second_condition line 8 is not true: count(x.warn) == 1 with input as {"patch": {"reports": 2}} before`,
		`test_call line 12 is not true: not holds(5) `,
		`test_error line 17 is not true: 1 / 0 `,
		`todo_test_later skipped`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("failures:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestCoverageAsOPA: the figure is that of `opa test --coverage`, which makes
// more runs to say why lines were not reached.
func TestCoverageAsOPA(t *testing.T) {
	files := map[string][]byte{}
	for name, text := range library(t) {
		concern := strings.Split(name, "/")[1]
		if slices.Contains([]string{"people", "freeze", "rings", "blast"}, concern) && name != "policies/blast/blast_test.rego" {
			files[name] = text
		}
	}
	report, err := RunTests(files)
	if err != nil {
		t.Fatal(err)
	}
	src := read(files)
	store := src.store()
	txn, err := store.NewTransaction(background)
	if err != nil {
		t.Fatal(err)
	}
	coverage := cover.New()
	results, err := tester.NewRunner().SetStore(store).SetModules(src.modules).SetCoverageQueryTracer(coverage).RunTests(background, txn)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for range results {
		n++
	}
	if want := coverage.Report(src.modules).Coverage; n != len(report.Tests) || report.Coverage != want || want > 99 {
		t.Errorf("RunTests() has %d tests and %v %%, OPA has %d and %v %%", len(report.Tests), report.Coverage, n, want)
	}
}
