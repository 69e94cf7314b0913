package trivy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

const shared = "../../../../shared/data/inventory/"

// real are the real files of every format below shared: those of other formats
// must be refused in words.
func real(t testing.TB) []string {
	var names []string
	for _, pattern := range []string{"*/*.json", "*/.*.json", "*/*/*"} {
		found, _ := filepath.Glob(shared + pattern)
		names = append(names, found...)
	}
	if len(names) == 0 {
		t.Skip("real data is not here: " + shared)
	}
	return names
}

// check holds what every file must keep: facts or words, and only what an estate
// reads.
func check(t *testing.T, name string, list []inventory.Facts, problems []inventory.Problem) {
	t.Helper()
	if len(list) == 0 && len(problems) == 0 {
		t.Errorf("%s: neither facts nor problems", name)
	}
	for _, f := range list {
		if !f.Host.Valid() || f.Source != Source {
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

func TestParseReal(t *testing.T) {
	for _, name := range real(t) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		list, problems := Parse(name, data)
		check(t, name, list, problems)
	}
}

func FuzzParse(f *testing.F) {
	names, _ := filepath.Glob("../../../testdata/import/*/*")
	for _, name := range names {
		if data, err := os.ReadFile(name); err == nil {
			f.Add("web-1.json", data)
		}
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		list, problems := Parse(name, data)
		for i := range problems {
			problems[i].File = "x"
		}
		check(t, "x", list, problems)
	})
}
