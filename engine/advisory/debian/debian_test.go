package debian

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

func fix(release, pkg, fixed string) advisory.Fix {
	return advisory.Fix{Platform: advisory.Platform{OS: "debian", Version: release}, Type: version.Deb, Package: pkg, Source: true, Fixed: fixed}
}

func TestParse(t *testing.T) {
	data, err := os.ReadFile("../../../testdata/feeds/DSA-list")
	if err != nil {
		t.Fatal(err)
	}
	want := []advisory.Advisory{
		{
			ID: "DSA-9001-2", Summary: "wader - regression update", Kind: advisory.Bugfix, Published: time.Date(2031, 3, 9, 0, 0, 0, 0, time.UTC),
			Fixes: []advisory.Fix{fix("12", "wader", "2:1.4-2+deb12u2")},
		},
		{
			ID: "DSA-9003-1", Summary: "crane stilt - several vulnerabilities", Kind: advisory.Security, Published: time.Date(2031, 3, 5, 0, 0, 0, 0, time.UTC),
			CVEs:  []advisory.CVE{{ID: "CVE-2031-10006"}, {ID: "CVE-2031-10007"}},
			Fixes: []advisory.Fix{fix("12", "crane", "1.0-1+deb12u1"), fix("11", "stilt", "")},
		},
		{
			ID: "DSA-9001-1", Summary: "wader - security update", Kind: advisory.Security, Published: time.Date(2031, 3, 1, 0, 0, 0, 0, time.UTC),
			CVEs:  []advisory.CVE{{ID: "CVE-2031-10001"}, {ID: "CVE-2031-10002"}},
			Fixes: []advisory.Fix{fix("12", "wader", "2:1.4-2+deb12u1"), fix("11", "wader", "2:1.3-5+deb11u3")},
		},
	}
	for i := range want {
		want[i].Vendor, want[i].Format = "Debian", Format
	}
	got, problems, err := Parse(data)
	if err != nil || len(problems) > 0 {
		t.Fatalf("Parse() = %v, %v", problems, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Parse() (-want +got):\n%s", diff)
	}
}

// TestParseOld reads what lists of twenty years have in them.
func TestParseOld(t *testing.T) {
	list, problems, err := Parse([]byte("[18 Apr 2018] DSA-4205-1 jessie end-of-life\n" +
		"[17 Aug 2010] DSA-2092-1  lxr-cvs - cross-site scripting\n        {CVE-2009-4497 CAN-2004-0001 }\n    \t[lenny] - lxr-cvs  0.9.5+cvs20071020-1+lenny1 (bug #324193; medium)\n" +
		"[2 Jul 2002] DSA-135 libapache-mod-ssl - buffer overflow\n\t[woody] - libapache-mod-ssl 2.8.9-2\n"))
	if err != nil || len(problems) > 0 || len(list) != 3 {
		t.Fatalf("Parse() = %d advisories, %v, %v", len(list), problems, err)
	}
	if diff := cmp.Diff([]advisory.Fix{fix("5.0", "lxr-cvs", "0.9.5+cvs20071020-1+lenny1")}, list[1].Fixes); diff != "" {
		t.Errorf("fixes (-want +got):\n%s", diff)
	}
}

func TestParseProblems(t *testing.T) {
	_, problems, err := Parse([]byte("\t{CVE-2031-0001}\n[01 Mar 2031] DSA-9001-1 wader - security update\n\t{CVE-31-1}\n\t[potatoes] - wader 1\n\t[buster] wader 1\n\tsomething\n[31 Feb 2031] DSA-9002-1 wader - x\n[soon] DSA-1\n"))
	want := []string{
		`line 1: "{CVE-2031-0001}" stands before the first advisory`,
		`line 4: advisory "DSA-9001-1": "potatoes" is not a release of Debian that is known here`,
		`line 5: advisory "DSA-9001-1": "[buster] wader 1" is not a fix; expected one like "[buster] - kitty 0.13.3-1+deb10u1"`,
		`line 6: "something" is neither CVEs in braces, nor a fix, nor a note`,
		`line 7: advisory "DSA-9002-1": "31 Feb 2031" is not a date`,
		`line 8: "[soon] DSA-1" is not the heading of an advisory; expected one like "[26 Dec 2020] DSA-4819-1 kitty - security update"`,
	}
	var got []string
	for _, p := range problems {
		got = append(got, p.String())
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Parse() = %v, problems (-want +got):\n%s", err, diff)
	}
	if _, _, err := Parse([]byte("nothing of the kind\n")); err == nil {
		t.Error("Parse() of another text succeeded, want an error")
	}
}

func FuzzParse(f *testing.F) {
	if data, err := os.ReadFile("../../../testdata/feeds/DSA-list"); err == nil {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		list, _, err := Parse(data)
		for _, a := range list {
			if err != nil || a.ID == "" {
				t.Errorf("advisory %q with error %v", a.ID, err)
			}
			for _, x := range a.Fixes {
				if x.Package == "" || x.Platform.Version == "" {
					t.Errorf("advisory %q: fix %+v", a.ID, x)
				}
			}
		}
	})
}
