package engine

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// TestImportInstalled: what is imported of the hosts of the reference matches is
// installed in just the versions that they name.
func TestImportInstalled(t *testing.T) {
	const versions = "../../shared/data/versions"
	for _, c := range []struct {
		file   string
		source bool
		rows   int
	}{{"alma_host_matches.csv", false, 3074}, {"debian_host_matches.csv", true, 136}} {
		f, err := os.Open(filepath.Join(versions, c.file))
		if err != nil {
			t.Skipf("real data is not here: %v", err)
		}
		rows, err := csv.NewReader(f).ReadAll()
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		have := map[[3]string]bool{} // host, package, version
		dir := t.TempDir()
		for _, host := range []string{"alma_8", "alma_9", "debian_9"} {
			importTest(t, dir, "vuls", filepath.Join(importShared, "vuls", host+".json"))
		}
		for id, facts := range importTestRead(t, dir) {
			for _, p := range facts.Packages {
				have[[3]string{string(id), importTestName(p, c.source), importTestVersion(p, c.source)}] = true
			}
		}
		wrong := 0
		for _, r := range rows[1:] {
			if !have[[3]string{r[0], r[1], r[2]}] {
				if wrong++; wrong < 10 {
					t.Errorf("%s: %s %s %s is not installed", c.file, r[0], r[1], r[2])
				}
			}
		}
		if wrong > 0 || len(rows)-1 != c.rows {
			t.Errorf("%s: %d of %d rows are not installed as they say", c.file, wrong, len(rows)-1)
		}
	}
}

func importTestName(p inventory.Package, source bool) string {
	if source && p.Type == version.Deb {
		return p.Source
	}
	return p.Name
}

func importTestVersion(p inventory.Package, source bool) string {
	if source && p.SourceVersion != "" {
		return p.SourceVersion
	}
	return p.Version
}

// TestImportKilled: whatever a killed import left lying about, the next one ends
// with the same bytes.
func TestImportKilled(t *testing.T) {
	in, want, dir := t.TempDir(), t.TempDir(), t.TempDir()
	var files []string
	for _, host := range []string{"web-1", "web-2", "web-3"} {
		files = append(files, importTestWrite(t, filepath.Join(in, host+".json"), importVuls(host, "2026-03-01T00:00:00Z", "bash=5.2-1")))
	}
	importTest(t, want, "vuls", files...)
	for name, text := range importTestTree(t, want) { // the set is there, half of the lines are in a temporary file
		if filepath.Ext(name) == ".json" {
			importTestWrite(t, filepath.Join(dir, name), text)
		}
	}
	importTestWrite(t, filepath.Join(dir, "inventory/facts/.hosts.jsonl.importing"), `{"host":"we`)
	importTest(t, dir, "vuls", files...)
	if a, b := importTestTree(t, want), importTestTree(t, dir); len(a) != len(b) || a["inventory/facts/hosts.jsonl"] != b["inventory/facts/hosts.jsonl"] {
		t.Errorf("after a killed import: %v, want %v", b, a)
	}
	// Killed while hosts move to files of their own, a host stands in two files.
	line := importTestTree(t, want)["inventory/facts/hosts.jsonl"]
	importTestWrite(t, filepath.Join(dir, "inventory/facts/00.jsonl"), line)
	importTest(t, dir, "vuls", files...)
	importTestRead(t, dir)
}
