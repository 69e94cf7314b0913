package policy

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestLint: testdata/lint has an archive for each check: policies under ok/ that
// it passes over, policies under err/ that it finds something in, and what it
// says of them in want, which -update rewrites.
func TestLint(t *testing.T) {
	for _, c := range Checks() {
		t.Run(c.Name, func(t *testing.T) {
			name := filepath.Join("testdata", "lint", c.Name+".txtar")
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if got := found(t, a, "ok/", c.Name); got != "" {
				t.Errorf("in ok: %s", got)
			}
			got := found(t, a, "err/", c.Name)
			for i, f := range a.Files {
				if f.Name != "want" {
					continue
				}
				if *update {
					a.Files[i].Data = []byte(got)
					if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
						t.Fatal(err)
					}
				} else if diff := cmp.Diff(string(f.Data), got); diff != "" {
					t.Error(diff)
				}
			}
			if got == "" {
				t.Error("in err: nothing was found")
			}
		})
	}
}

// found is what one check says of the policies below a folder of an archive.
func found(t *testing.T, a *txtar.Archive, dir, check string) string {
	t.Helper()
	files := map[string][]byte{}
	for _, f := range a.Files {
		if name, ok := strings.CutPrefix(f.Name, dir); ok {
			files["policies/"+name] = f.Data
		}
	}
	looked, faults := Lint(files)
	for _, f := range faults {
		t.Errorf("%s: %s:%d:%d: %s", dir, f.File, f.Line, f.Column, f.Message)
	}
	var b strings.Builder
	for _, f := range looked.Findings {
		if f.Check == check {
			fmt.Fprintf(&b, "%s:%d:%d: %s\n", f.File, f.Line, f.Column, f.Message)
		}
	}
	return b.String()
}

// TestLibraryLint: the shipped policies are clean.
func TestLibraryLint(t *testing.T) {
	looked, faults := Lint(library(t))
	for _, f := range faults {
		t.Errorf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Message)
	}
	for _, f := range looked.Findings {
		t.Errorf("%s:%d:%d: %s: %s", f.File, f.Line, f.Column, f.Check, f.Message)
	}
}
