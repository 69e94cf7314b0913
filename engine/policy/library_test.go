package policy

import (
	"io/fs"
	"maps"
	"os"
	"sync"
	"testing"
)

// rounds is how often something random is tried: few in ordinary runs, all of
// them with RINGMASTER_LONG=1, as nightly does.
func rounds(few, all int) int {
	if os.Getenv("RINGMASTER_LONG") != "" {
		return all
	}
	return few
}

var libraryFiles = sync.OnceValues(readLibrary)

// library are the policies at the top of the repository, in a map of its own.
func library(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := libraryFiles()
	if err != nil {
		t.Fatal(err)
	}
	return maps.Clone(files)
}

// compiledLibrary is the library as all tests share it.
var compiledLibrary = sync.OnceValues(func() (*Set, []Fault) {
	files, _ := libraryFiles()
	return Compile(files)
})

// shipped is the library, compiled.
func shipped(t testing.TB) *Set {
	t.Helper()
	library(t) // or why it cannot be read
	s, faults := compiledLibrary()
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return s
}

func readLibrary() (map[string][]byte, error) {
	files := map[string][]byte{}
	root := os.DirFS("../..")
	err := fs.WalkDir(root, "policies", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[name], err = fs.ReadFile(root, name)
		return err
	})
	return files, err
}

func TestLibrary(t *testing.T) {
	s, faults := compiledLibrary()
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
