package feed

import (
	"archive/tar"
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/advisory/snapshot"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

func put(t testing.TB, root, name string, data []byte) {
	t.Helper()
	full := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestFolder packs a folder that lies beside the estate, and holds other things.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join(dir, "estate")
	put(t, dir, "estate/inventory/estate.hcl", []byte(`estate "x" {}`))
	put(t, dir, "osv/b/USN-9901-1.json", file(t, "osv/USN-9901-1.json"))
	put(t, dir, "osv/a.json", file(t, "osv/DSA-9001-1.json"))
	put(t, dir, "osv/README.txt", []byte("hello"))
	put(t, dir, "osv/.git/config", []byte("{}"))
	put(t, dir, "osv/kev.json", file(t, "known_exploited_vulnerabilities.json"))
	put(t, dir, "osv/odd.tar.xz", []byte("\xfd7zXZ\x00"))
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, name := range []string{"../../x/ALSA.json", "ALBA.json"} {
		data := file(t, "osv/"+map[string]string{"../../x/ALSA.json": "ALSA-2031_0001.json", "ALBA.json": "ALBA-2031_0002.json"}[name])
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), ModTime: time.Now()}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "osv/c.tar", archive.Bytes())

	o := Options{Root: root, Feeds: feedOf("osv", "../osv")}
	report, text := sync(t, o)
	if text != "" || statuses(report) != "osv new 4" {
		t.Fatalf("Sync() = %s, %s", statuses(report), text)
	}
	want := []string{`left out of the folder: "README.txt" (no known format), "kev.json" (KEV), "odd.tar.xz" (packed with xz, which is not read; expected one of zip, tar, tar.gz, tar.bz2, gz, bz2 or plain)`}
	if diff := cmp.Diff(want, report.Results[0].Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	first := tree(t, root)
	s, err := snapshot.Read("x", []byte(first["inventory/advisories/osv/1-osv"]), snapshot.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, a := range s.Advisories {
		ids = append(ids, a.ID)
	}
	if diff := cmp.Diff([]string{"DSA-9001-1", "USN-9901-1", "ALSA-2031:0001", "ALBA-2031:0002"}, ids); diff != "" {
		t.Errorf("records, in the order of names (-want +got):\n%s", diff)
	}

	// the same again, at another time and touched, changes nothing
	o.At = tuesday
	if err := os.Chtimes(filepath.Join(dir, "osv/a.json"), tuesday, tuesday); err != nil {
		t.Fatal(err)
	}
	if report, text = sync(t, o); text != "" || statuses(report) != "osv unchanged 4" {
		t.Errorf("Sync() again = %s, %s", statuses(report), text)
	}
	if diff := cmp.Diff(first, tree(t, root)); diff != "" {
		t.Errorf("the estate changed:\n%s", diff)
	}

	put(t, dir, "osv/d.json", file(t, "osv/RLSA-2031_0003.json"))
	if report, text = sync(t, o); text != "" || statuses(report) != "osv changed 5" {
		t.Errorf("Sync() with one more = %s, %s", statuses(report), text)
	}

	if err := os.RemoveAll(filepath.Join(dir, "osv")); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "osv/README.txt", []byte("hello"))
	before := tree(t, root)
	if _, text = sync(t, o); !strings.Contains(text, `the folder holds nothing of the kind "osv": left out of the folder: "README.txt" (no known format)`) {
		t.Errorf("Sync() of an emptied folder = %s", text)
	}
	if diff := cmp.Diff(before, tree(t, root)); diff != "" {
		t.Errorf("the estate changed:\n%s", diff)
	}
}

func TestPatches(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join(dir, "estate")
	put(t, dir, "estate/inventory/estate.hcl", nil)
	lines := file(t, "heron.jsonl")
	put(t, dir, "heron.jsonl.gz", gzipped(t, lines))
	put(t, dir, "heron/a.jsonl", bytes.TrimSpace(lines[:bytes.IndexByte(lines, '\n')]))
	put(t, dir, "heron/b.jsonl", lines[bytes.IndexByte(lines, '\n')+1:])
	put(t, dir, "empty.jsonl", nil)
	put(t, dir, "bad.jsonl", append(lines, `{"schema":"ringmaster/patch/v1"}`...))
	report, text := sync(t, Options{Root: root, Feeds: feedOf("patches", "../heron.jsonl.gz", "../heron", "../empty.jsonl", "../bad.jsonl")})
	if want := "patches new 2, patches new 2, patches new 0, patches failed 0"; statuses(report) != want {
		t.Errorf("Sync() = %s, want %s", statuses(report), want)
	}
	if want := `feed "patches": ../bad.jsonl: 4 documents or lines are broken, the first: line 3: "id" is missing`; text != want {
		t.Errorf("Sync() = %s, want %s", text, want)
	}
	got := tree(t, root)
	for _, name := range []string{"1-heron.jsonl", "2-heron.jsonl"} {
		if diff := cmp.Diff(string(lines), got["inventory/patches/"+name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if _, there := got["inventory/patches/3-empty.jsonl"]; !there {
		t.Error("the empty list of updates was not brought")
	}
}

// TestRemove takes a source away, and another one that somebody has edited.
func TestRemove(t *testing.T) {
	root := t.TempDir()
	o := Options{Root: root, Feeds: []inventory.Feed{
		{Kind: "kev", From: []string{abs(t, "known_exploited_vulnerabilities.json"), abs(t, "known_exploited_vulnerabilities.csv")}},
		{Kind: "epss", From: []string{abs(t, "epss_scores-2031-03-10.csv")}},
	}}
	if _, text := sync(t, o); text != "" {
		t.Fatal(text)
	}
	put(t, root, "inventory/advisories/epss/1-epss_scores-2031-03-10.csv", []byte("cve,epss\n"))
	put(t, root, "inventory/advisories/kev/.sync-left.tmp", []byte("by a run that died"))
	o.Feeds = feedOf("kev", abs(t, "known_exploited_vulnerabilities.json"))
	report, text := sync(t, o)
	if diff := cmp.Diff([]string{"inventory/advisories/kev/2-known_exploited_vulnerabilities.csv"}, report.Removed); diff != "" || text != "" {
		t.Errorf("Sync() = %s, removed (-want +got):\n%s", text, diff)
	}
	var names []string
	for name := range tree(t, root) {
		names = append(names, name)
	}
	if len(names) != 3 {
		t.Errorf("the estate has %q, want the catalogue, the edited scores and the state", names)
	}
}

// TestState refuses a state that would lead elsewhere.
func TestState(t *testing.T) {
	for text, want := range map[string]string{
		`{`:                                  "inventory/advisories/sources.json: not JSON: unexpected end of JSON input; deleting it makes every source be fetched anew",
		`{"schema":1}`:                       "inventory/advisories/sources.json: \"schema\" cannot be a number; deleting it makes every source be fetched anew",
		`{"schema":"ringmaster/sources/v2"}`: `inventory/advisories/sources.json: unknown schema "ringmaster/sources/v2"; expected "ringmaster/sources/v1"`,
		`{"schema":"ringmaster/sources/v1","sources":[{"file":"rings/rings.hcl"}]}`:              `inventory/advisories/sources.json: "rings/rings.hcl" is not the path of a snapshot; expected one in inventory/advisories or inventory/patches`,
		`{"schema":"ringmaster/sources/v1","sources":[{"file":"inventory/advisories/../../x"}]}`: `inventory/advisories/sources.json: "inventory/advisories/../../x" is not the path of a snapshot; expected one in inventory/advisories or inventory/patches`,
	} {
		root := t.TempDir()
		put(t, root, stateFile, []byte(text))
		_, err := Sync(context.Background(), Options{Root: root, At: monday})
		if err == nil || err.Error() != want {
			t.Errorf("Sync() with %s = %v\nwant %s", text, err, want)
		}
	}
}

// TestLinksStay has inventory/advisories lead out of the estate: nothing is
// written there.
func TestLinksStay(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "inventory"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(root, "inventory/advisories")); err != nil {
		t.Skipf("no links here: %v", err)
	}
	_, err := Sync(context.Background(), Options{Root: root, At: monday, Feeds: feedOf("kev", abs(t, "known_exploited_vulnerabilities.json"))})
	if err == nil || len(tree(t, outside)) != 0 {
		t.Errorf("Sync() = %v, and %d files outside of the estate; want an error and none", err, len(tree(t, outside)))
	}
}

func TestTarget(t *testing.T) {
	for _, test := range []struct{ kind, base, want string }{
		{"osv", "all.zip", "inventory/advisories/osv/3-all.zip"},
		{"osv", "..", "inventory/advisories/osv/3-feed"},
		{"osv", "/", "inventory/advisories/osv/3-feed"},
		{"osv", ".hidden", "inventory/advisories/osv/3-hidden"},
		{"osv", "a b\n;$(x).json", "inventory/advisories/osv/3-a-b----x-.json"},
		{"osv", "NOTES.md", "inventory/advisories/osv/3-NOTES.md.txt"},
		{"osv", strings.Repeat("x", 100) + ".tar.gz", "inventory/advisories/osv/3-" + strings.Repeat("x", 73) + ".tar.gz"},
		{"patches", "heron.jsonl.gz", "inventory/patches/3-heron.jsonl"},
	} {
		if got := target(test.kind, 3, test.base); got != test.want {
			t.Errorf("target(%s, %q) = %s, want %s", test.kind, test.base, got, test.want)
		}
	}
}

// TestReal brings the real feeds from their folders.
func TestReal(t *testing.T) {
	const shared = "../../../shared/data"
	if _, err := os.Stat(shared); err != nil {
		t.Skipf("no real data here: %v", err)
	}
	full, err := filepath.Abs(shared)
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	o := Options{Root: root, Feeds: []inventory.Feed{
		{Kind: "osv", From: []string{filepath.Join(full, "osv"), filepath.Join(full, "osv/almalinux-advisories.tar.gz")}},
		{Kind: "kev", From: []string{filepath.Join(full, "kev")}},
		{Kind: "epss", From: []string{filepath.Join(full, "epss")}},
		{Kind: "cve", From: []string{filepath.Join(full, "vulnrichment")}},
		{Kind: "debian", From: []string{filepath.Join(full, "debian-tracker")}},
		{Kind: "csaf", From: []string{filepath.Join(full, "csaf/cisa")}},
	}}
	report, text := sync(t, o)
	if text != "" {
		t.Error(text)
	}
	for _, r := range report.Results {
		t.Logf("%s %s: %s, %d records, notes %q", r.Kind, filepath.Base(r.From), r.Status, r.Records, r.Notes)
	}
	first := tree(t, root)
	o.At = tuesday
	if report, text = sync(t, o); text != "" || len(report.Changed) > 0 {
		t.Errorf("Sync() again = %s, changed %q", text, report.Changed)
	}
	if diff := cmp.Diff(first, tree(t, root)); diff != "" {
		t.Error("the estate changed")
	}
}
