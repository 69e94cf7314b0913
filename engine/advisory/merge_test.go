package advisory

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func fixOn(os, release, fixed string) Fix {
	return Fix{Platform: Platform{OS: os, Version: release}, Type: "rpm", Package: "pelican", Fixed: fixed}
}

func TestMerge(t *testing.T) {
	older, newer := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2031, 1, 2, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name string
		list []Advisory
		want []Advisory
	}{
		{"sorted", []Advisory{{ID: "B"}, {ID: "A"}}, []Advisory{{ID: "A"}, {ID: "B"}}},
		{"withdrawn", []Advisory{{ID: "A", Withdrawn: newer}, {ID: "B"}}, []Advisory{{ID: "B"}}},
		{
			"the newest counts",
			[]Advisory{
				{ID: "A", Modified: older, Summary: "old", Fixes: []Fix{fixOn("almalinux", "8", "1")}},
				{ID: "A", Modified: newer, Summary: "new", Fixes: []Fix{fixOn("almalinux", "8", "2")}},
			},
			[]Advisory{{ID: "A", Modified: newer, Summary: "new", Fixes: []Fix{fixOn("almalinux", "8", "2")}}},
		},
		{
			"once a platform",
			[]Advisory{
				{ID: "A", Modified: newer, Fixes: []Fix{fixOn("almalinux", "8", "2")}, CVEs: []CVE{{ID: "CVE-2031-0002"}}},
				{ID: "A", Modified: older, Fixes: []Fix{fixOn("almalinux", "9", "1"), fixOn("almalinux", "8", "1")}, CVEs: []CVE{{ID: "CVE-2031-0001"}}},
			},
			[]Advisory{{
				ID: "A", Modified: newer, Fixes: []Fix{fixOn("almalinux", "8", "2"), fixOn("almalinux", "9", "1")},
				CVEs: []CVE{{ID: "CVE-2031-0001"}, {ID: "CVE-2031-0002"}},
			}},
		},
		{
			"withdrawn later",
			[]Advisory{{ID: "A", Modified: older, Fixes: []Fix{fixOn("almalinux", "8", "1")}}, {ID: "A", Modified: newer, Withdrawn: newer}},
			[]Advisory{},
		},
		{
			"of the same time the first",
			[]Advisory{{ID: "A", Modified: older, Summary: "first"}, {ID: "A", Modified: older, Summary: "second"}},
			[]Advisory{{ID: "A", Modified: older, Summary: "first"}},
		},
	} {
		if diff := cmp.Diff(test.want, Merge(test.list)); diff != "" {
			t.Errorf("%s: Merge() (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestModular(t *testing.T) {
	for version, want := range map[string]bool{
		"3.2.1-4.module_el8.9.0+3001+aabbccdd":      true,
		"1:18.19.1-1.module+el8.9.0+21386+5a2ea569": true,
		"3.5.3-2.el9_0":      false,
		"":                   false,
		"1.0-1.modulemd.el8": false,
		"2.4.37-65.module_el8.10.0+3938+8c723e16.2":   true,
		"2.14.0-25.module_el8.6.0+2737+7e73dfb6.alma": true,
	} {
		if got := (Fix{Fixed: version}).Modular(); got != want {
			t.Errorf("Modular(%q) = %v, want %v", version, got, want)
		}
	}
}

func TestIsCVE(t *testing.T) {
	for id, want := range map[string]bool{
		"CVE-2024-0727": true, "CVE-1999-0001": true, "CVE-2024-1234567890123456789": true,
		"CVE-2024-072": false, "CVE-2024-12345678901234567890": false, "cve-2024-0727": false, "CVE-24-00727": false, "CVE-2024-07a7": false, "": false,
	} {
		if got := IsCVE(id); got != want {
			t.Errorf("IsCVE(%q) = %v, want %v", id, got, want)
		}
	}
}
