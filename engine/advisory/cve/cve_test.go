package cve

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

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
		CWEs:    []string{"CWE-125", "CWE-20"},
		At:      time.Date(2031, 3, 5, 13, 59, 47, 589309000, time.UTC),
		Updated: time.Date(2031, 3, 6, 12, 0, 0, 0, time.UTC),
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

// The author's words are kept, in English and bounded; others' are not.
func TestParseDescription(t *testing.T) {
	record := func(text string) []byte {
		return []byte(`{"dataType":"CVE_RECORD","cveMetadata":{"cveId":"CVE-2031-0001","state":"PUBLISHED","datePublished":"2031-03-01T00:00:00Z","dateUpdated":"2031-03-02T00:00:00Z"},
			"containers":{"cna":{"providerMetadata":{"dateUpdated":"2031-03-02T00:00:00Z"},
				"affected":[{"vendor":"Heron","product":"Heron Web"},{"vendor":"Auk","product":"Auk"}],
				"descriptions":[{"lang":"de","value":"Ein Fehler"},{"lang":"en-US","value":"` + text + `"},{"lang":"en","value":"another"}]},
			"adp":[{"providerMetadata":{"dateUpdated":"2031-03-04T00:00:00Z"},"descriptions":[{"lang":"en","value":"of others"}],"affected":[{"vendor":"x","product":"y"}]}]}}`)
	}
	a, ok, problems, err := Parse(record("A flaw in Heron Web."))
	if err != nil || !ok || len(problems) > 0 {
		t.Fatalf("Parse() = %v, %v, %v", ok, problems, err)
	}
	if a.Description != "A flaw in Heron Web." || a.Vendor != "Heron" || a.Product != "Heron Web" {
		t.Errorf("Parse() = %q of %q %q", a.Description, a.Vendor, a.Product)
	}
	if want := time.Date(2031, 3, 4, 0, 0, 0, 0, time.UTC); !a.Updated.Equal(want) {
		t.Errorf("Updated = %v, want that of the newest container, %v", a.Updated, want)
	}
	long := strings.Repeat("ä", advisory.DescriptionLimit)
	if a, _, _, _ = Parse(record("x" + long)); len(a.Description) > advisory.DescriptionLimit || len(a.Description) < advisory.DescriptionLimit-1 || !utf8.ValidString(a.Description) {
		t.Errorf("a description of %d bytes is kept as %d, valid %v", len(long)+1, len(a.Description), utf8.ValidString(a.Description))
	}
}

// Real records: all say in words what the flaw is, and when they were changed.
func TestParseRealDescriptions(t *testing.T) {
	names, _ := filepath.Glob("../../../../shared/data/vulnrichment/plain/*.json")
	if len(names) == 0 {
		t.Skip("needs ../shared/data/vulnrichment")
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		a, ok, _, err := Parse(data)
		if err != nil || !ok {
			t.Fatalf("%s: %v, %v", name, ok, err)
		}
		if a.Description == "" || a.Product == "" || a.Updated.Before(a.Published) || a.Updated.Before(a.At.Add(-time.Hour)) {
			t.Errorf("%s: %q of %q, published %v, assessed %v, updated %v", a.CVE, a.Description, a.Product, a.Published, a.At, a.Updated)
		}
	}
}
