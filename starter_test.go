package starter_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	starter "github.com/ringmaster-dev/ringmaster"
)

// TestFilesAreTheEstate holds the embedded files to what lies at the top: every
// file that `init` must write is there, and nothing is written twice.
func TestFilesAreTheEstate(t *testing.T) {
	embedded := map[string]bool{}
	written := map[string]string{}
	err := fs.WalkDir(starter.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		embedded[name] = true
		to := strings.Replace(name, ".github/starter/", ".github/workflows/", 1)
		if from, twice := written[to]; twice {
			t.Errorf("%s is written by %s and by %s", to, from, name)
		}
		written[to] = name
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range estateFiles(t) {
		if !embedded[name] {
			t.Errorf("%s is not in starter.Files", name)
		}
		delete(embedded, name)
	}
	for name := range embedded {
		t.Errorf("starter.Files holds %s, which is no file of a starter estate", name)
	}
	for _, name := range []string{"inventory/estate.hcl", "rings/rings.hcl", "policies/freeze/freeze.rego", "policies/freeze/freeze_test.rego", "policies/approvals/data.json",
		".github/workflows/plan.yml", ".github/workflows/check.yml", ".github/workflows/execute.yml", ".github/workflows/learn.yml"} {
		if written[name] == "" {
			t.Errorf("init does not write %s", name)
		}
	}
}

// estateFiles are the files at the top that belong to an estate: what people
// write, and the workflows that are made for others.
func estateFiles(t *testing.T) []string {
	t.Helper()
	var list []string
	for _, pattern := range []string{"inventory/*.hcl", "rings/*.hcl", "policies/*/*.rego", "policies/*/*/*.rego", "policies/*/data.json", ".github/starter/*"} {
		names, err := filepath.Glob(filepath.FromSlash(pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			list = append(list, filepath.ToSlash(n))
		}
	}
	if len(list) < 20 {
		t.Fatalf("only %d files of an estate are here", len(list))
	}
	slices.Sort(list)
	return list
}

// TestEveryPolicyHasItsTest: a rule without a test is not one to start with.
func TestEveryPolicyHasItsTest(t *testing.T) {
	for _, name := range estateFiles(t) {
		rule, ok := strings.CutSuffix(name, ".rego")
		if !ok || strings.HasSuffix(rule, "_test") {
			continue
		}
		if _, err := os.Stat(rule + "_test.rego"); err != nil {
			t.Errorf("%s has no test beside it", name)
		}
	}
}
