package patches

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

func file(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("../../../testdata/feeds/heron.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestParse(t *testing.T) {
	lines, problems := Parse(file(t))
	if len(lines) != 2 || len(problems) > 0 {
		t.Fatalf("Parse() = %d lines, %v", len(lines), problems)
	}
	no := false
	want := advisory.Advisory{
		ID: "HER-1312", Vendor: "Heron", Format: Format, Kind: advisory.Security, Bulletin: "Fixes a flaw in TLS.",
		CVEs:      []advisory.CVE{{ID: "CVE-2031-10008", Vectors: []string{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}},
		Published: time.Date(2031, 3, 1, 9, 0, 0, 0, time.UTC), Deadline: time.Date(2031, 3, 4, 9, 0, 0, 0, time.UTC),
		Fixes:      []advisory.Fix{{Type: version.Generic, Package: "heron-web", Introduced: "4.2.1", Fixed: "4.2.2"}},
		Supersedes: []string{"HER-1290"}, SizeBytes: 48000000, Reboot: &no, Components: []string{"tls"}, Reports: 3,
		KnownIssues: []advisory.KnownIssue{{At: time.Date(2031, 3, 2, 9, 0, 0, 0, time.UTC), Text: "hba7 hosts hang", Module: "hba7", Role: "web"}},
	}
	if diff := cmp.Diff(want, lines[1].Advisory); diff != "" || lines[1].Number != 2 {
		t.Errorf("Parse() line %d (-want +got):\n%s", lines[1].Number, diff)
	}
}

// A vendor may say that its update cannot be rolled back.
func TestNoRollback(t *testing.T) {
	lines, problems := Parse([]byte(`{"schema":"ringmaster/patch/v1","id":"A","type":"generic","package":"p","to":"1","no_rollback":{"why":"it migrates","instead":"restore"}}`))
	if len(problems) > 0 || len(lines) != 1 || lines[0].Advisory.NoRollback == nil || *lines[0].Advisory.NoRollback != (advisory.NoRollback{Why: "it migrates", Instead: "restore"}) {
		t.Errorf("Parse() = %+v, %v", lines, problems)
	}
}

func TestParseProblems(t *testing.T) {
	for _, test := range []struct{ name, line, problem string }{
		{"not JSON", `{"schema"`, `not JSON: unexpected end of JSON input`},
		{"no word of what is done instead", `{"schema":"ringmaster/patch/v1","id":"A","type":"generic","package":"p","to":"1","no_rollback":{"why":"it migrates"}}`, `patch "A": "no_rollback": "instead" is missing; say what is done instead`},
		{"wrong type", `{"schema":"ringmaster/patch/v1","id":5}`, `"id" cannot be a number`},
		{"schema", `{"schema":"ringmaster/patch/v2","id":"A","type":"generic","package":"p","to":"1"}`, `patch "A": unknown schema "ringmaster/patch/v2"; expected "ringmaster/patch/v1"`},
		{"no schema", `{"id":"A","type":"generic","package":"p","to":"1"}`, `patch "A": "schema" is missing; expected "ringmaster/patch/v1"`},
		{"no to", `{"schema":"ringmaster/patch/v1","id":"A","type":"generic","package":"p"}`, `patch "A": "to" is missing`},
		{"type", `{"schema":"ringmaster/patch/v1","id":"A","type":"snap","package":"p","to":"1"}`, `patch "A": "type" is "snap"; expected one of "deb", "rpm", "apk", "windows", "generic"`},
		{"kind", `{"schema":"ringmaster/patch/v1","id":"A","type":"generic","package":"p","to":"1","kind":"urgent"}`, `patch "A": "kind" is "urgent"; expected one of "security", "bugfix", "feature"`},
		{"time", `{"schema":"ringmaster/patch/v1","id":"A","type":"generic","package":"p","to":"1","deadline":"soon"}`, `patch "A": "deadline": "soon" is not an RFC 3339 time`},
		{"cve", `{"schema":"ringmaster/patch/v1","id":"A","type":"generic","package":"p","to":"1","cves":[{"id":"CVE-1"}]}`, `patch "A": "cves": "CVE-1" is not the id of a CVE`},
		{"cvss", `{"schema":"ringmaster/patch/v1","id":"A","type":"generic","package":"p","to":"1","cves":[{"id":"CVE-2031-0001","cvss":"9.8"}]}`, `patch "A": "cves": CVE-2031-0001: "9.8" is not a CVSS vector; expected one like "CVSS:3.1/AV:N/…"`},
		{"size", `{"schema":"ringmaster/patch/v1","id":"A","type":"generic","package":"p","to":"1","size_bytes":-1}`, `patch "A": "size_bytes" is -1; it must be at least 0`},
		{"itself", `{"schema":"ringmaster/patch/v1","id":"A","type":"generic","package":"p","to":"1","supersedes":["A"]}`, `patch "A": "supersedes" names the patch itself`},
	} {
		lines, problems := Parse([]byte("\n" + test.line + "\n"))
		want := []advisory.Problem{{Line: 2, Message: test.problem}}
		if diff := cmp.Diff(want, problems); diff != "" || len(lines) != 0 {
			t.Errorf("%s: Parse() = %d lines, problems (-want +got):\n%s", test.name, len(lines), diff)
		}
	}
	if lines, problems := Parse([]byte(`{"schema":"ringmaster/patch/v1","id":"KB","type":"windows","package":"KB5034441"}`)); len(lines) != 1 || len(problems) > 0 {
		t.Errorf("Parse() of an update of Windows = %v, %v, want it without a version", lines, problems)
	}
}

func update(id, from, to string, supersedes ...string) advisory.Advisory {
	return advisory.Advisory{ID: id, Supersedes: supersedes, Fixes: []advisory.Fix{{Type: version.Generic, Package: "p", Introduced: from, Fixed: to}}}
}

func TestLatest(t *testing.T) {
	got, knots := Latest([]advisory.Advisory{
		update("C", "1.2", "1.3", "B"),
		update("A", "1.9", "1.1"),
		update("B", "1.1", "1.2", "A", "gone"),
		update("A", "1.0", "1.1"), // replaces the first line of A
		update("D", "9", "10"),
	})
	want := []advisory.Advisory{
		update("A", "1.0", "1.1"),
		update("B", "1.1", "1.2", "A", "gone"),
		update("C", "1.2", "1.3", "A", "B", "gone"),
		update("D", "9", "10"),
	}
	if diff := cmp.Diff(want, got); diff != "" || len(knots) > 0 {
		t.Errorf("Latest() = knots %q (-want +got):\n%s", knots, diff)
	}
	_, knots = Latest([]advisory.Advisory{update("A", "1", "2", "B"), update("B", "2", "3", "A"), update("C", "3", "4", "A")})
	if diff := cmp.Diff([]string{"A", "B"}, knots); diff != "" {
		t.Errorf("Latest() of a circle: knots (-want +got):\n%s", diff)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(file(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		lines, _ := Parse(data)
		var list []advisory.Advisory
		for _, l := range lines {
			if l.Advisory.ID == "" || len(l.Advisory.Fixes) != 1 {
				t.Errorf("line %d: %+v", l.Number, l.Advisory)
			}
			list = append(list, l.Advisory)
		}
		Latest(list)
	})
}
