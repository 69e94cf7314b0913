package snapshot

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const feeds = "../../../testdata/feeds"

func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(feeds, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestRecognise(t *testing.T) {
	for name, want := range map[string]Kind{
		"osv/ALSA-2031_0001.json":              OSV,
		"osv/DSA-9001-1.json":                  OSV,
		"osv/ALPINE-CVE-2031-10005.json":       OSV,
		"known_exploited_vulnerabilities.json": KEV,
		"known_exploited_vulnerabilities.csv":  KEV,
		"epss_scores-2031-03-10.csv":           EPSS,
		"cve/CVE-2031-10002.json":              CVE,
		"cve/CVE-2031-10009.json":              CVE,
		"DSA-list":                             Debian,
		"heron.jsonl":                          Patches,
		"README.md":                            Unknown,
	} {
		if got := Recognise(file(t, name)); got != want {
			t.Errorf("Recognise(%s) = %s, want %s", name, got, want)
		}
	}
	for _, test := range []struct {
		doc  string
		want Kind
	}{
		{"", Unknown},
		{"{", Unknown},
		{"{}", Unknown},
		{`{"a":1}`, Unknown},
		{`[1,2]`, Unknown},
		{"\ufeff \n{\"affected\":[{\"x\":\"}\"}],\"id\":\"X\"}", OSV},
		{`{"schema_version":"1.6.0","id":"X"}`, OSV},
		{`[{"id":"X","modified":"2031-01-01T00:00:00Z"},{}]`, Index},
		{`[{"id":"X","modified":"2031-01-01T00:00:00Z","affected":[]}]`, OSV},
		{`{"document":{"category":"csaf_security_advisory"}}`, CSAF},
		{`{"document":{"category":"csaf_vex"}}`, VEX},
		{`{"@context":"https://openvex.dev/ns/v0.2.0","statements":[]}`, VEX},
		{`{"bomFormat":"CycloneDX"}`, VEX},
		{`{"resultsPerPage":1,"format":"NVD_CVE","vulnerabilities":[]}`, NVD},
		{`{"CVE_data_type":"CVE","CVE_Items":[]}`, NVD},
		{`{"4011-1":{"title":"x"}}`, Ubuntu},
		{`{"openssl":{"CVE-2024-0727":{}}}`, Tracker},
		{`{"schema":"ringmaster/sources/v1","sources":[]}`, Sources},
		{`{"id":"HER-1","kind":"security","schema":"ringmaster/patch/v1"}`, Patches},
		{"cve,epss\n", EPSS},
		{"[26 Dec 2020] DSA-4819-1 kitty - security update\n", Debian},
		{"<oval_definitions>", Unknown},
	} {
		if got := Recognise([]byte(test.doc)); got != test.want {
			t.Errorf("Recognise(%s) = %q, want %q", test.doc, got, test.want)
		}
	}
}

// TestRecogniseReal holds the formats that are not read yet to real documents.
func TestRecogniseReal(t *testing.T) {
	for pattern, want := range map[string]Kind{
		"csaf/cisa/ics*.json":       CSAF,
		"osv/plain/*.json":          OSV,
		"vulnrichment/plain/*.json": CVE,
	} {
		names, _ := filepath.Glob(filepath.Join(shared, pattern))
		if len(names) == 0 {
			t.Skipf("no real data here: %s", pattern)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if got := Recognise(data); got != want {
				t.Errorf("Recognise(%s) = %q, want %q", name, got, want)
			}
		}
	}
	s := read(t, "osv/distro-samples/ubuntu-usndb-sample.json.bz2")
	if s.Documents[Ubuntu] != 1 {
		t.Errorf("ubuntu-usndb-sample: %v, want one of %s", s.Documents, Ubuntu)
	}
}

// packed is a tar.gz of documents.
func packed(t testing.TB, docs map[string][]byte, order []string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, name := range order {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(docs[name])), Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(docs[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestReadMixed reads an archive that holds everything: each thing is read,
// counted or named, and the order is that of the archive whatever GOMAXPROCS.
func TestReadMixed(t *testing.T) {
	docs := map[string][]byte{
		"a.json": file(t, "osv/DSA-9001-1.json"), "b.json": file(t, "osv/ALSA-2031_0001.json"), "kev.json": file(t, "known_exploited_vulnerabilities.json"),
		"epss.csv": file(t, "epss_scores-2031-03-10.csv"), "c.json": file(t, "cve/CVE-2031-10002.json"), "r.json": file(t, "cve/CVE-2031-10009.json"),
		"DSA": file(t, "DSA-list"), "README": []byte("hello"), "csaf.json": []byte(`{"document":{}}`), "broken.json": []byte(`{"id":"X-1","modified":"2031`),
		"odd.json": []byte(`{"id":"X-2","modified":"2031-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"Android","name":"a"}}]}`),
	}
	order := []string{"a.json", "b.json", "kev.json", "epss.csv", "c.json", "r.json", "DSA", "README", "csaf.json", "broken.json", "odd.json"}
	data := packed(t, docs, order)
	first, err := Read("x.tar.gz", data, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[Kind]int{OSV: 4, KEV: 1, EPSS: 1, CVE: 2, Debian: 1, Unknown: 1, CSAF: 1}
	if diff := cmp.Diff(want, first.Documents); diff != "" {
		t.Errorf("documents (-want +got):\n%s", diff)
	}
	for kind, want := range map[Kind]int{OSV: 3, KEV: 2, EPSS: 3, CVE: 2, Debian: 3, CSAF: 1, VEX: 0} {
		if got := first.Records(kind); got != want {
			t.Errorf("Records(%s) = %d, want %d", kind, got, want)
		}
	}
	if got := fmt.Sprint(first.Unknown, first.Broken, first.Problems); got !=
		`[README] ["broken.json": not an OSV record: not JSON: unexpected end of JSON input] ["odd.json": advisory "X-2": ecosystem "Android" is not one whose versions are known here; it is left out]` {
		t.Errorf("what is left out: %s", got)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	again, err := Read("x.tar.gz", data, Limits{})
	if diff := cmp.Diff(first, again); diff != "" || err != nil {
		t.Errorf("Read() on one processor = %v, differs:\n%s", err, diff)
	}
}

func TestReadDateInName(t *testing.T) {
	s, err := Read("inventory/advisories/epss/1-epss_scores-2021-04-14.csv", []byte("cve,epss\nCVE-2020-5902,0.5\n"), Limits{})
	if err != nil || len(s.Scores) != 1 || s.Scores[0].At.Format("2006-01-02") != "2021-04-14" {
		t.Errorf("Read() = %+v, %v, want the scores of 2021-04-14", s, err)
	}
}

func FuzzRecognise(f *testing.F) {
	for _, name := range []string{"osv/DSA-9001-1.json", "known_exploited_vulnerabilities.csv", "heron.jsonl", "DSA-list", "epss_scores-2031-03-10.csv"} {
		f.Add(file(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := Read("x", data, Limits{Total: 1 << 20}); err == nil {
			for k := range s.Documents {
				s.Records(k)
			}
		}
	})
}
