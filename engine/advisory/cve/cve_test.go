package cve

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
)

const feeds = "../../../testdata/feeds/cve"

func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(feeds, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestParse(t *testing.T) {
	got, ok, problems, err := Parse(file(t, "CVE-2031-10002.json"))
	if err != nil || !ok || len(problems) > 0 {
		t.Fatalf("Parse() = %v, %v, %v", ok, problems, err)
	}
	want := advisory.Assessment{
		CVE:       "CVE-2031-10002",
		Published: time.Date(2031, 3, 1, 10, 0, 0, 0, time.UTC),
		Vectors: []string{
			"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:N",
			"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:P/VC:H/VI:H/VA:N/SC:N/SI:N/SA:N",
		},
		Exploitation: "public poc", Automatable: "yes", TechnicalImpact: "total",
		CWEs: []string{"CWE-125", "CWE-20"},
		At:   time.Date(2031, 3, 5, 13, 59, 47, 589309000, time.UTC),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Parse() (-want +got):\n%s", diff)
	}
}

func TestParseOthers(t *testing.T) {
	if _, ok, _, err := Parse(file(t, "CVE-2031-10009.json")); ok || err != nil {
		t.Errorf("Parse() of a rejected record = %v, %v, want false and no error", ok, err)
	}
	for _, bad := range []string{"", "{}", `{"dataType":"CVE_RECORD"}`, `{"dataType":"CVE_RECORD","cveMetadata":{"cveId":"CVE-1"}}`, `{"dataType":"CVE_RECORD","cveMetadata":7}`} {
		if _, _, _, err := Parse([]byte(bad)); err == nil {
			t.Errorf("Parse(%s) succeeded, want an error", bad)
		}
	}
	a, ok, problems, err := Parse([]byte(`{"dataType":"CVE_RECORD","cveMetadata":{"cveId":"CVE-2031-0001","state":"PUBLISHED","dateUpdated":"2031-03-06T12:00:00"},
		"containers":{"cna":{},"adp":[{"metrics":[{"other":{"type":"ssvc","content":{"options":[{"Exploitation":"perhaps"}]}}}]}]}}`))
	if err != nil || !ok || a.Exploitation != "" || len(problems) != 1 || a.At.IsZero() {
		t.Errorf("Parse() of an unknown SSVC word = %+v, %v, %v, want a problem and the word left out", a, problems, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(file(f, "CVE-2031-10002.json"))
	f.Add(file(f, "CVE-2031-10009.json"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if a, ok, _, err := Parse(data); ok && (err != nil || !advisory.IsCVE(a.CVE)) {
			t.Errorf("Parse() = %+v, %v", a, err)
		}
	})
}
