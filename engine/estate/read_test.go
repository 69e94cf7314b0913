package estate

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the expected faults of testdata/err")

const testdata = "../../testdata"

// archive returns the files of a txtar archive as a file system, and its
// member "expected" apart.
func archive(t *testing.T, name string) (fs.FS, *txtar.Archive) {
	t.Helper()
	a, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{}
	for _, f := range a.Files {
		if f.Name != "expected" {
			fsys[f.Name] = &fstest.MapFile{Data: f.Data, Mode: 0o644}
		}
	}
	return fsys, a
}

func archives(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(testdata, dir, "*.txtar"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no archives in %s: %v", dir, err)
	}
	return names
}

func lines(faults []Fault) string {
	var b strings.Builder
	for _, f := range faults {
		b.WriteString(f.String() + "\n")
	}
	return b.String()
}

// TestReadBroken reads every estate of testdata/err: the faults are those that
// stand beside it, word for word.
func TestReadBroken(t *testing.T) {
	for _, name := range archives(t, "err") {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			fsys, a := archive(t, name)
			_, faults := Read(fsys)
			got, want := lines(faults), ""
			for i := range a.Files {
				if a.Files[i].Name != "expected" {
					continue
				}
				want = string(a.Files[i].Data)
				if *update {
					a.Files[i].Data, want = []byte(got), got
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Read() faults (-want +got):\n%s", diff)
			}
			if want == "" {
				t.Error("no faults expected: a broken estate has some")
			}
			if *update {
				if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestReadValid reads every estate of testdata/ok without a fault.
func TestReadValid(t *testing.T) {
	for _, name := range archives(t, "ok") {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			fsys, _ := archive(t, name)
			if _, faults := Read(fsys); len(faults) > 0 {
				t.Errorf("Read() faults:\n%swant none", lines(faults))
			}
		})
	}
}
