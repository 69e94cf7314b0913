package kev

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
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

func on(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

// TestParse reads both forms: they say the same, save when they were released.
func TestParse(t *testing.T) {
	want := []advisory.Exploited{
		{CVE: "CVE-2031-10002", Vendor: "Wader", Product: "Wader", Added: on(2031, 3, 5), Due: on(2031, 3, 26), Ransomware: true},
		{CVE: "CVE-2029-0001", Vendor: "Auk", Product: "Auk", Added: on(2029, 11, 3), Due: on(2029, 11, 17)},
	}
	for name, released := range map[string]time.Time{
		"known_exploited_vulnerabilities.json": time.Date(2031, 3, 10, 18, 1, 15, 732900000, time.UTC),
		"known_exploited_vulnerabilities.csv":  on(2031, 3, 5),
	} {
		c, problems, err := Parse(file(t, name))
		if err != nil || len(problems) > 0 {
			t.Fatalf("Parse(%s) = %v, %v", name, problems, err)
		}
		if diff := cmp.Diff(want, c.Entries); diff != "" {
			t.Errorf("%s: entries (-want +got):\n%s", name, diff)
		}
		if !c.Released.Equal(released) {
			t.Errorf("%s: released %v, want %v", name, c.Released, released)
		}
	}
}

func TestParseProblems(t *testing.T) {
	for _, test := range []struct {
		name, doc string
		entries   int
		problem   string
	}{
		{"count", `{"catalogVersion":"1","count":3,"vulnerabilities":[{"cveID":"CVE-2031-0001"}]}`, 1, `"count" says that there are 3 entries; there are 1`},
		{"id", `{"catalogVersion":"1","vulnerabilities":[{"cveID":"CVE-31-1"}]}`, 0, `entry 1: "CVE-31-1" is not the id of a CVE; it is left out`},
		{"date", "cveID,dateAdded\nCVE-2031-0001,5 March\n", 1, `line 2: entry: CVE-2031-0001: "dateAdded": "5 March" is not a date; expected YYYY-MM-DD`},
	} {
		c, problems, err := Parse([]byte(test.doc))
		if err != nil || len(c.Entries) != test.entries || len(problems) != 1 || problems[0].String() != test.problem {
			t.Errorf("%s: Parse() = %d entries, %v, %v, want %d and %q", test.name, len(c.Entries), problems, err, test.entries, test.problem)
		}
	}
	for _, bad := range []string{"", "{}", `{"vulnerabilities":1}`, "a,b\n", "cveID,dateAdded\n\"x", `{"vulnerabilities":[`} {
		if c, _, err := Parse([]byte(bad)); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", bad, c)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(file(f, "known_exploited_vulnerabilities.json"))
	f.Add(file(f, "known_exploited_vulnerabilities.csv"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, _, err := Parse(data)
		for _, e := range c.Entries {
			if err != nil || !advisory.IsCVE(e.CVE) || strings.TrimSpace(e.CVE) != e.CVE {
				t.Errorf("entry %q with error %v", e.CVE, err)
			}
		}
	})
}
