package engine

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestImportHistory(t *testing.T) {
	dir := t.TempDir()
	r := importTest(t, dir, "outcomes", "../testdata/import/outcomes.csv")
	if r.Added != 3 || r.Same != 1 || len(r.Problems) != 10 {
		t.Errorf("outcomes: %d added, %d same, problems %v; want 3, 1 and 10 problems", r.Added, r.Same, r.Problems)
	}
	r = importTest(t, dir, "incidents", "../testdata/import/incidents.csv")
	if r.Added != 2 || len(r.Problems) != 0 {
		t.Errorf("incidents: %d added, problems %v; want 2", r.Added, r.Problems)
	}
	importTestRead(t, dir)
	want := importTestTree(t, dir)
	if r = importTest(t, dir, "outcomes", "../testdata/import/outcomes.csv"); r.Added != 0 || r.Same != 4 || len(r.Written) != 0 {
		t.Errorf("again: %d added, %d same, wrote %v", r.Added, r.Same, r.Written)
	}
	if d := cmp.Diff(want, importTestTree(t, dir)); d != "" {
		t.Errorf("importing again changed bytes: %s", d)
	}
	importGolden(t, "../testdata/import/outcomes.want", want["inventory/history/outcomes.jsonl"])
	importGolden(t, "../testdata/import/incidents.want", want["inventory/history/incidents.jsonl"])
}

// TestImportGolden imports small files of every format of facts.
func TestImportGolden(t *testing.T) {
	for _, format := range []string{"vuls", "trivy", "ansible"} {
		dir := t.TempDir()
		r := importTest(t, dir, format, "../testdata/import/"+format)
		var b strings.Builder
		for _, p := range r.Problems {
			fmt.Fprintf(&b, "# %v\n", p)
		}
		tree := importTestTree(t, dir)
		b.WriteString(tree["inventory/facts/hosts.jsonl"])
		importGolden(t, "../testdata/import/"+format+".want", b.String())
		importTestRead(t, dir)
	}
}

// TestImportNamed imports small files that name no host, as of one that is named.
func TestImportNamed(t *testing.T) {
	for _, format := range []string{"cyclonedx", "spdx", "grype", "osv-scanner", "osquery"} {
		dir := t.TempDir()
		r := importTest(t, dir, format, "../testdata/import/"+format)
		var b strings.Builder
		for _, p := range r.Problems {
			fmt.Fprintf(&b, "# %v\n", p)
		}
		if format != "osquery" {
			r, err := Import(ImportOptions{Dir: dir, Format: format, Files: []string{"../testdata/import/" + format + "/web-1.json"}, Host: "web-1", At: importNow})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range r.Problems {
				fmt.Fprintf(&b, "# named: %v\n", p)
			}
		}
		b.WriteString(importTestTree(t, dir)["inventory/facts/hosts.jsonl"])
		importGolden(t, "../testdata/import/"+format+".want", b.String())
		importTestRead(t, dir)
	}
}

func TestDiscover(t *testing.T) {
	root, dir := t.TempDir(), t.TempDir()
	importTestWrite(t, root+"/etc/os-release", "ID=debian\nVERSION_ID=12\n")
	importTestWrite(t, root+"/etc/hostname", "web-01\n")
	importTestWrite(t, root+"/var/lib/dpkg/status", "Package: bash\nStatus: install ok installed\nVersion: 5.2\nArchitecture: amd64\n")
	for _, added := range []int{1, 0} {
		line, r, err := Discover(context.Background(), DiscoverOptions{Root: root, At: importNow, Dir: dir})
		const want = `{"host":"web-01","at":"2026-06-01T08:00:00Z","source":"discover","os":{"id":"debian","version":"12","arch":"amd64"},"packages":[{"type":"deb","name":"bash","version":"5.2","arch":"amd64","source":"bash"}]}`
		if err != nil || string(line) != want || r.Added != added || len(r.Written) != added || importTestTree(t, dir)["inventory/facts/hosts.jsonl"] != want+"\n" {
			t.Errorf("Discover() = %s, %+v, %v", line, r, err)
		}
	}
	importTestRead(t, dir)
}

// importGolden compares with a file, which -update rewrites.
func importGolden(t *testing.T, name, got string) {
	t.Helper()
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" || os.Getenv("RINGMASTER_UPDATE") != "" {
		importTestWrite(t, name, got)
	}
	want, _ := os.ReadFile(name)
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s: %s", name, d)
	}
}
