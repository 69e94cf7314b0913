// Package inventorytest holds what every reader of foreign files must keep: it
// gives facts or says in words why not, crashes on nothing, and lets through
// only what an estate reads.
package inventorytest

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Parse is a reader.
type Parse func(name string, data []byte) ([]inventory.Facts, []inventory.Problem)

// Shared is where the real files lie, seen from a reader's package, and Own where
// our small ones do.
const (
	Shared = "../../../../shared/data/inventory"
	Own    = "../../../testdata/import"
)

// Total is what a reader found in many files.
type Total struct{ Hosts, Packages, Findings int }

// Real reads all files of a folder, those of other formats too, and returns what
// was found; it skips the test where they are not here.
func Real(t *testing.T, files fs.FS, source string, parse Parse) Total {
	t.Helper()
	names := walk(files)
	if len(names) == 0 {
		t.Skip("real data is not here: " + Shared)
	}
	var total Total
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		list, problems := parse(name, data)
		Check(t, name, source, list, problems)
		for _, f := range list {
			total.Hosts++
			total.Packages += len(f.Packages)
			total.Findings += len(f.Findings)
		}
	}
	return total
}

// walk lists the files of a folder at any depth; none where it is not there.
func walk(files fs.FS) (names []string) {
	_ = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			names = append(names, name)
		}
		return nil
	})
	return names
}

// Fuzz runs a reader on anything, beginning with files of all formats.
func Fuzz(f *testing.F, files fs.FS, source string, parse Parse) {
	for _, name := range walk(files) {
		if data, err := fs.ReadFile(files, name); err == nil {
			f.Add("web-1.json", data)
		}
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		list, problems := parse(name, data)
		for i := range problems {
			if problems[i].File != name {
				t.Errorf("a problem of %q, want %q", problems[i].File, name)
			}
			problems[i].File = "x"
		}
		Check(t, "x", source, list, problems)
	})
}

// Check holds one file's result to the promises of every reader.
func Check(t *testing.T, name, source string, list []inventory.Facts, problems []inventory.Problem) {
	t.Helper()
	if len(list) == 0 && len(problems) == 0 {
		t.Errorf("%s: neither facts nor problems", name)
	}
	for _, f := range list {
		if !f.Host.Valid() || f.Source != source {
			t.Errorf("%s: host %q, source %q", name, f.Host, f.Source)
		}
		again, p := f, &inventory.Problems{}
		again.Admit(p)
		if d := cmp.Diff(f, again); d != "" || len(p.List) > 0 {
			t.Errorf("%s: facts are not as an estate keeps them: %s %v", name, d, p.List)
		}
	}
	for _, p := range problems {
		if p.Message == "" || p.File != name || strings.ContainsAny(p.String(), "\n\x1b") {
			t.Errorf("%s: problem %q", name, p)
		}
	}
}
