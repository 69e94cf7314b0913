package estate

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
)

const sharedData = "../../../shared/data"

// estateWith is the least estate with some files of testdata/feeds in it, by
// path in the estate.
func estateWith(t testing.TB, from map[string]string) fstest.MapFS {
	t.Helper()
	fsys := fstest.MapFS{"inventory/estate.hcl": {Data: []byte("estate \"acme\" {}\n")}}
	for name, source := range from {
		data, err := os.ReadFile(filepath.Join(testdata, "feeds", source))
		if err != nil {
			t.Fatal(err)
		}
		fsys[name] = &fstest.MapFile{Data: data}
	}
	return fsys
}

// everyFeed lies as people and sync put it: plain files, in folders.
func everyFeed(t testing.TB) fstest.MapFS {
	t.Helper()
	from := map[string]string{
		"inventory/advisories/README.md":                "README.md",
		"inventory/advisories/kev/1-kev.json":           "known_exploited_vulnerabilities.json",
		"inventory/advisories/epss/1-scores":            "epss_scores-2031-03-10.csv",
		"inventory/advisories/cve/a/CVE-2031-10002":     "cve/CVE-2031-10002.json",
		"inventory/advisories/cve/a/CVE-2031-10009":     "cve/CVE-2031-10009.json",
		"inventory/advisories/whatever/debian-list.txt": "DSA-list",
		"inventory/patches/heron.jsonl":                 "heron.jsonl",
	}
	names, err := filepath.Glob(filepath.Join(testdata, "feeds/osv/*.json"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no OSV records in testdata: %v", err)
	}
	for _, name := range names {
		from["inventory/advisories/osv/"+filepath.Base(name)] = "osv/" + filepath.Base(name)
	}
	fsys := estateWith(t, from)
	fsys["inventory/advisories/sources.json"] = &fstest.MapFile{Data: []byte(`{"schema":"ringmaster/sources/v1","sources":[]}`)}
	fsys["inventory/patches/.gitkeep"] = &fstest.MapFile{}
	return fsys
}

func TestAdvisories(t *testing.T) {
	e, faults := Read(everyFeed(t))
	if len(faults) > 0 || len(e.Notices) > 0 {
		t.Fatalf("Read() faults:\n%snotices:\n%s", lines(faults), lines(e.Notices))
	}
	var got []string
	for _, a := range e.Advisories {
		got = append(got, fmt.Sprintf("%s %s %d fixes %d CVEs %s", a.ID, a.Format, len(a.Fixes), len(a.CVEs), a.File))
	}
	want := []string{
		"ALBA-2031:0002 osv 1 fixes 0 CVEs inventory/advisories/osv/ALBA-2031_0002.json",
		"ALPINE-CVE-2031-10005 osv 2 fixes 1 CVEs inventory/advisories/osv/ALPINE-CVE-2031-10005.json",
		"ALSA-2031:0001 osv 2 fixes 1 CVEs inventory/advisories/osv/ALSA-2031_0001.json",
		"DSA-9001-1 osv 2 fixes 2 CVEs inventory/advisories/osv/DSA-9001-1.json", // also in Debian's list, which says no more
		"DSA-9001-2 debian 1 fixes 0 CVEs inventory/advisories/whatever/debian-list.txt",
		"DSA-9003-1 debian 2 fixes 2 CVEs inventory/advisories/whatever/debian-list.txt", // DSA-9002-1 is withdrawn
		"HER-1290 patches 1 fixes 0 CVEs inventory/patches/heron.jsonl:1",
		"HER-1312 patches 1 fixes 1 CVEs inventory/patches/heron.jsonl:2",
		"RLSA-2031:0003 osv 1 fixes 1 CVEs inventory/advisories/osv/RLSA-2031_0003.json",
		"SUSE-SU-2031:0004-1 osv 2 fixes 1 CVEs inventory/advisories/osv/SUSE-SU-2031_0004-1.json",
		"USN-9901-1 osv 2 fixes 1 CVEs inventory/advisories/osv/USN-9901-1.json",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("advisories (-want +got):\n%s", diff)
	}
}

func TestKnowledge(t *testing.T) {
	e, _ := Read(everyFeed(t))
	k := e.Knowledge
	if x := k.Exploited["CVE-2031-10002"]; len(k.Exploited) != 2 || !x.Ransomware || !k.ExploitedAt.Equal(time.Date(2031, 3, 10, 18, 1, 15, 732900000, time.UTC)) {
		t.Errorf("exploited = %v at %v", k.Exploited, k.ExploitedAt)
	}
	at := time.Date(2031, 3, 10, 0, 0, 0, 0, time.UTC)
	if f := k.Forecasts["CVE-2031-10001"]; len(k.Forecasts) != 3 || f.P != 0.00043 || !f.At.Equal(at) || !k.ForecastsAt.Equal(at) {
		t.Errorf("forecasts = %v at %v", k.Forecasts, k.ForecastsAt)
	}
	if a := k.Assessments["CVE-2031-10002"]; len(k.Assessments) != 1 || a.Exploitation != "public poc" {
		t.Errorf("assessments = %v", k.Assessments)
	}

	// without feeds nothing is known, which is not the same as knowing that there is nothing
	e, _ = Read(estateWith(t, nil))
	if k := e.Knowledge; k.Exploited != nil || k.Forecasts != nil || k.Assessments != nil {
		t.Errorf("knowledge without feeds = %+v, want nil maps", k)
	}
}

// TestNewest has catalogues and scores of several days.
func TestNewest(t *testing.T) {
	fsys := estateWith(t, nil)
	for name, text := range map[string]string{
		"kev/old":   "cveID,dateAdded\nCVE-2031-0001,2031-01-01\nCVE-2031-0002,2031-01-01\n",
		"kev/new":   "cveID,dateAdded\nCVE-2031-0001,2031-02-01\n",
		"epss/b":    "#model_version:v1,score_date:2031-01-02T00:00:00Z\ncve,epss,percentile\nCVE-2031-0001,0.2,0.5\n",
		"epss/a":    "#model_version:v1,score_date:2031-01-01T00:00:00Z\ncve,epss,percentile\nCVE-2031-0001,0.1,0.5\nCVE-2031-0002,0.1,0.5\n",
		"cve/1":     record("2031-01-02T00:00:00Z", "active"),
		"cve/2":     record("2031-01-01T00:00:00Z", "none"),
		"osv/first": `{"id":"X-1","modified":"2031-01-01T00:00:00Z","summary":"old"}`,
		"osv/zweit": `{"id":"X-1","modified":"2031-01-02T00:00:00Z","summary":"new"}`,
	} {
		fsys["inventory/advisories/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	e, faults := Read(fsys)
	if len(faults) > 0 {
		t.Fatal(lines(faults))
	}
	k := e.Knowledge
	if x := k.Exploited["CVE-2031-0001"]; len(k.Exploited) != 2 || x.Added.Month() != time.February || k.ExploitedAt.Month() != time.February {
		t.Errorf("exploited = %v at %v, want both, and the newer entry", k.Exploited, k.ExploitedAt)
	}
	if len(k.Forecasts) != 1 || k.Forecasts["CVE-2031-0001"].P != 0.2 {
		t.Errorf("forecasts = %v, want those of the newest day alone", k.Forecasts)
	}
	if got := k.Assessments["CVE-2031-0001"].Exploitation; got != "active" {
		t.Errorf("assessment = %q, want the newer one", got)
	}
	if len(e.Advisories) != 1 || e.Advisories[0].Summary != "new" {
		t.Errorf("advisories = %v, want the newer record", e.Advisories)
	}
}

func record(at, exploitation string) string {
	return `{"dataType":"CVE_RECORD","cveMetadata":{"cveId":"CVE-2031-0001","state":"PUBLISHED"},"containers":{"adp":[{"metrics":[{"other":{"type":"ssvc","content":{"timestamp":"` +
		at + `","options":[{"Exploitation":"` + exploitation + `"}]}}}]}]}}`
}

// TestNotices has what is kept and not used: the estate is valid, and says so.
func TestNotices(t *testing.T) {
	fsys := estateWith(t, nil)
	fsys["inventory/estate.hcl"] = &fstest.MapFile{Data: []byte("estate \"acme\" {}\nfeed \"kev\" {\n  from = [\"../kev.json\"]\n}\nfeed \"patches\" {\n  from = [\"../p\"]\n}\nfeed \"csaf\" {\n  from = [\"../c\"]\n}\n")}
	for name, text := range map[string]string{
		"csaf/1":    `{"document":{"category":"csaf_security_advisory"}}`,
		"csaf/2":    `{"document":{"category":"csaf_security_advisory"}}`,
		"nvd/1":     `{"resultsPerPage":1}`,
		"osv/index": `[{"id":"X-1","modified":"2031-01-01T00:00:00Z"}]`,
		"osv/odd": `[{"id":"X-1","modified":"2031-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:12","name":"wader; reboot"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1"}]}]},
			{"package":{"ecosystem":"Debian:12","name":"wader"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1 $(reboot)"}]}]},
			{"package":{"ecosystem":"Android","name":"a"}}]},
			{"id":"X 2","modified":"2031-01-01T00:00:00Z"}]`,
	} {
		fsys["inventory/advisories/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	e, faults := Read(fsys)
	if len(faults) > 0 {
		t.Errorf("Read() faults:\n%s", lines(faults))
	}
	want := `inventory/advisories: feed "kev" is declared and nothing of it is here; "ringmaster feeds sync" brings it
inventory/advisories/csaf/1: CSAF is not read yet: 2 documents in 2 files here, of which this is the first, are kept and not matched
inventory/advisories/nvd/1: NVD is not read yet: 1 documents in 1 files here, of which this is the first, are kept and not matched
inventory/advisories/osv/odd: "X 2" is not the id of an advisory; it is left out
inventory/advisories/osv/odd: advisory "X-1": "wader; reboot" is not the name of a deb package; the fix is left out
inventory/advisories/osv/odd: advisory "X-1": ecosystem "Android" is not one whose versions are known here; it is left out
inventory/advisories/osv/odd: advisory "X-1": package "wader": version "1 $(reboot)" is not a dpkg version: it holds " "; the fix is left out
inventory/patches: feed "patches" is declared and nothing of it is here; "ringmaster feeds sync" brings it
`
	if diff := cmp.Diff(want, lines(e.Notices)); diff != "" {
		t.Errorf("notices (-want +got):\n%s", diff)
	}
	if len(e.Advisories) != 1 || len(e.Advisories[0].Fixes) != 0 {
		t.Errorf("advisories = %+v, want one without fixes", e.Advisories)
	}
}

func TestManyProblems(t *testing.T) {
	fsys := estateWith(t, nil)
	var broken, odd []string
	for i := range 20 {
		broken = append(broken, fmt.Sprintf(`{"id":"X-%d"}`, i))
		odd = append(odd, fmt.Sprintf(`{"id":"Y-%d","modified":"soon","affected":[]}`, i))
	}
	fsys["inventory/advisories/broken"] = &fstest.MapFile{Data: []byte("[{\"id\":\"A\",\"modified\":\"2031-01-01T00:00:00Z\",\"affected\":[]}," + strings.Join(broken, ",") + "]")}
	fsys["inventory/advisories/odd"] = &fstest.MapFile{Data: []byte("[" + strings.Join(odd, ",") + "]")}
	e, faults := Read(fsys)
	if len(faults) != most+1 || !strings.Contains(faults[0].Message, "20 documents are broken in all") && !strings.Contains(lines(faults), "20 documents are broken in all") {
		t.Errorf("Read() faults:\n%s", lines(faults))
	}
	if !strings.Contains(lines(e.Notices), "20 things are left out in all") || len(e.Notices) > 2*most+2 {
		t.Errorf("notices:\n%s", lines(e.Notices))
	}
}

// TestSameAdvisories reads an estate on one processor and on several.
func TestSameAdvisories(t *testing.T) {
	fsys := everyFeed(t)
	first, _ := Read(fsys)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	again, _ := Read(fsys)
	if diff := cmp.Diff(first.Advisories, again.Advisories); diff != "" {
		t.Errorf("advisories differ:\n%s", diff)
	}
	if diff := cmp.Diff(first.Knowledge, again.Knowledge); diff != "" {
		t.Errorf("knowledge differs:\n%s", diff)
	}
}

// realFeeds is an estate with the real feeds, or skips where there are none.
func realFeeds(t testing.TB) fstest.MapFS {
	t.Helper()
	fsys := estateWith(t, nil)
	for name, source := range map[string]string{
		"osv/1-almalinux":       "osv/almalinux-advisories.tar.gz",
		"kev/1-kev.json":        "kev/known_exploited_vulnerabilities.json",
		"cve/1-cve":             "vulnrichment/cve-records.tar.gz",
		"debian/1-DSA-list.gz":  "debian-tracker/DSA-list.gz",
		"debian/2-DLA-list.gz":  "debian-tracker/DLA-list.gz",
		"epss/1-extract.csv":    "epss/epss_kev_nvd-2024-12-31.csv",
		"epss/2-2025-06-30.csv": "epss/epss_kev_nvd-2025-06-30.csv",
	} {
		data, err := os.ReadFile(filepath.Join(sharedData, source))
		if os.IsNotExist(err) {
			t.Skipf("no real data here: %v", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		fsys["inventory/advisories/"+name] = &fstest.MapFile{Data: data}
	}
	return fsys
}

func TestRealFeeds(t *testing.T) {
	e, faults := Read(realFeeds(t))
	if len(faults) > 0 {
		t.Fatalf("Read() faults:\n%s", lines(faults))
	}
	count := map[string]int{}
	for _, a := range e.Advisories {
		count[a.Format]++
		count[a.Format+" fixes"] += len(a.Fixes)
		for _, f := range a.Fixes {
			if f.Modular() && f.Module == "" {
				count["stream not named"]++
			} else if f.Module != "" {
				count["of a stream"]++
			}
		}
	}
	k := e.Knowledge
	count["exploited"], count["forecasts"], count["assessments"] = len(k.Exploited), len(k.Forecasts), len(k.Assessments)
	want := map[string]int{
		"osv": 3706, "osv fixes": 45818, "debian": 7471, "debian fixes": 8862,
		"exploited": 1319, "forecasts": 987, "assessments": 2200, "of a stream": 18872, "stream not named": 243,
	}
	if diff := cmp.Diff(want, count); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if !slices.IsSortedFunc(e.Advisories, func(a, b advisory.Advisory) int { return strings.Compare(a.ID, b.ID) }) {
		t.Error("the advisories are not sorted by id")
	}
	t.Log("\n" + lines(e.Notices))
}

// BenchmarkAdvisories reads the real feeds, and a full day's scores.
func BenchmarkAdvisories(b *testing.B) {
	fsys := realFeeds(b)
	var scores bytes.Buffer
	z := gzip.NewWriter(&scores)
	fmt.Fprint(z, "#model_version:v2025.03.14,score_date:2031-03-10T12:55:00Z\ncve,epss,percentile\n")
	for i := range 300_000 {
		fmt.Fprintf(z, "CVE-%d-%05d,0.%05d,0.%05d\n", 1999+i%27, i, i*7919%100000, i*104729%100000)
	}
	if err := z.Close(); err != nil {
		b.Fatal(err)
	}
	fsys["inventory/advisories/epss/3-full.csv.gz"] = &fstest.MapFile{Data: scores.Bytes()}
	for _, only := range []string{"", "osv", "epss"} {
		part := maps.Clone(fsys)
		maps.DeleteFunc(part, func(name string, _ *fstest.MapFile) bool {
			return strings.HasPrefix(name, "inventory/advisories/") && !strings.HasPrefix(name, "inventory/advisories/"+only)
		})
		b.Run("only="+only, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, faults := Read(part); len(faults) > 0 {
					b.Fatal(lines(faults))
				}
			}
		})
	}
}

// TestProfiles: a compliance tag that turns nothing on is told where the estate
// has the library's profiles, with the nearest that does.
func TestProfiles(t *testing.T) {
	fsys := estateWith(t, nil)
	fsys["inventory/estate.hcl"] = &fstest.MapFile{Data: []byte("estate \"acme\" {}\ntier \"gold\" {\n  rank = 1\n}\nservice \"shop\" {\n  tier       = \"gold\"\n  hosts      = [\"web-*\"]\n  compliance = [\"cis\", \"pcidss\"]\n}\n")}
	e, faults := Read(fsys)
	if len(faults) > 0 || len(e.Notices) > 0 {
		t.Fatalf("Read() faults:\n%snotices:\n%s", lines(faults), lines(e.Notices))
	}
	fsys["policies/compliance/data.json"] = &fstest.MapFile{Data: []byte(`{"profiles":{"cis":"","pci-dss":""}}`)}
	e, faults = Read(fsys)
	want := `inventory/estate.hcl:8:24: service "shop": compliance tag "pcidss" turns nothing on; did you mean "pci-dss"? expected one of "cis", "pci-dss", or name it in policies/compliance/data.json
`
	if diff := cmp.Diff(want, lines(e.Notices)); diff != "" || len(faults) > 0 {
		t.Errorf("Read() faults:\n%snotices (-want +got):\n%s", lines(faults), diff)
	}
}
