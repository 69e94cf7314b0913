package policy

import (
	"io/fs"
	"os"
	"testing"
)

// library are the policies at the top of the repository.
func library(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	root := os.DirFS("../..")
	err := fs.WalkDir(root, "policies", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[name], err = fs.ReadFile(root, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestLibrary(t *testing.T) {
	s, faults := Compile(library(t))
	for _, f := range faults {
		t.Errorf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Message)
	}
	if len(faults) > 0 {
		return
	}
	for _, r := range s.Reads() {
		t.Log(r.Rule, r.Points, r.Attributes)
		if r.Title == "" {
			t.Errorf("%s:%d: %s has no title", r.File, r.Line, r.Rule)
		}
	}
}

func TestLibraryTests(t *testing.T) {
	report, err := RunTests(library(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range report.Tests {
		if !r.Passed {
			t.Errorf("%s:%d: %s failed %s", r.File, r.Line, r.Name, r.Message)
		}
	}
	t.Logf("%d tests, coverage %v %%", len(report.Tests), report.Coverage)
	if report.Coverage < 100 {
		for _, f := range report.Files {
			if len(f.Missing) > 0 {
				t.Errorf("%s: no test evaluates lines %v", f.File, f.Missing)
			}
		}
	}
}
