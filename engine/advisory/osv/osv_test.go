package osv

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

const feeds = "../../../testdata/feeds/osv"

func parseFile(t testing.TB, name string) advisory.Advisory {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(feeds, name))
	if err != nil {
		t.Fatal(err)
	}
	a, problems, err := Parse(data)
	if err != nil || len(problems) > 0 {
		t.Fatalf("Parse(%s) = %v, %v", name, problems, err)
	}
	return a
}

func TestParse(t *testing.T) {
	on := func(os, version string) advisory.Platform { return advisory.Platform{OS: os, Version: version} }
	for _, test := range []struct {
		file, vendor string
		kind         advisory.Kind
		cves         []string
		fixes        []advisory.Fix
	}{
		{"ALSA-2031_0001.json", "AlmaLinux", advisory.Security, []string{"CVE-2031-10001"}, []advisory.Fix{
			{Platform: on("almalinux", "8"), Type: version.RPM, Package: "pelican", Module: "pelican:3", Introduced: "0", Fixed: "3.2.1-4.module_el8.9.0+3001+aabbccdd"},
			{Platform: on("almalinux", "8"), Type: version.RPM, Package: "pelican-libs", Module: "pelican:3", Introduced: "0", Fixed: "3.2.1-4.module_el8.9.0+3001+aabbccdd"},
		}},
		{"ALBA-2031_0002.json", "AlmaLinux", advisory.Bugfix, nil, []advisory.Fix{
			{Platform: on("almalinux", "9"), Type: version.RPM, Package: "stork", Introduced: "0", Fixed: "1:2.0-3.el9_4"},
		}},
		{"DSA-9001-1.json", "Debian", advisory.Security, []string{"CVE-2031-10001", "CVE-2031-10002"}, []advisory.Fix{
			{Platform: on("debian", "12"), Type: version.Deb, Package: "wader", Source: true, Introduced: "0", Fixed: "2:1.4-2+deb12u1"},
			{Platform: on("debian", "11"), Type: version.Deb, Package: "wader", Source: true, Introduced: "0", Fixed: "2:1.3-5+deb11u3"},
		}},
		{"USN-9901-1.json", "Ubuntu", advisory.Security, []string{"CVE-2031-10002"}, []advisory.Fix{
			{Platform: on("ubuntu", "22.04"), Type: version.Deb, Package: "wader", Source: true, Introduced: "0", Fixed: "1.4-1ubuntu0.1"},
			{Platform: on("ubuntu-pro", "14.04"), Type: version.Deb, Package: "wader", Source: true, Introduced: "0", Fixed: "1.1-1ubuntu0.1~esm1"},
		}},
		{"RLSA-2031_0003.json", "Rocky Linux", advisory.Security, []string{"CVE-2031-10003"}, []advisory.Fix{
			{Platform: on("rocky", "9"), Type: version.RPM, Package: "heron", Introduced: "0", Fixed: "6.4.1-9.el9_1"},
		}},
		{"SUSE-SU-2031_0004-1.json", "SUSE", advisory.Security, []string{"CVE-2031-10004"}, []advisory.Fix{
			{Platform: on("sles", "15.5"), Type: version.RPM, Package: "ibis", Fixed: "5.1-150500.3.1"},
			{Platform: on("sles", "15.5"), Type: version.RPM, Package: "libibis1", Fixed: "5.1-150500.3.1"},
		}},
		{"ALPINE-CVE-2031-10005.json", "Alpine", advisory.Security, []string{"CVE-2031-10005"}, []advisory.Fix{
			{Platform: on("alpine", "3.19"), Type: version.APK, Package: "egret", Source: true, Introduced: "1.0.0-r0", Fixed: "1.2.3-r1"},
			{Platform: on("alpine", "3.19"), Type: version.APK, Package: "egret", Source: true, Introduced: "2.0.0-r0", LastAffected: "2.1.0-r4"},
		}},
	} {
		a := parseFile(t, test.file)
		var cves []string
		for _, c := range a.CVEs {
			cves = append(cves, c.ID)
		}
		if a.Vendor != test.vendor || a.Kind != test.kind || a.Format != Format {
			t.Errorf("%s: vendor %q, kind %q, format %q; want %q, %q, %q", test.file, a.Vendor, a.Kind, a.Format, test.vendor, test.kind, Format)
		}
		if diff := cmp.Diff(test.cves, cves); diff != "" {
			t.Errorf("%s: CVEs (-want +got):\n%s", test.file, diff)
		}
		if diff := cmp.Diff(test.fixes, a.Fixes); diff != "" {
			t.Errorf("%s: fixes (-want +got):\n%s", test.file, diff)
		}
	}
	if v := parseFile(t, "RLSA-2031_0003.json").CVEs[0].Vectors; len(v) != 1 || v[0] != "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H" {
		t.Errorf("RLSA-2031:0003 vectors = %q, want the record's", v)
	}
	if a := parseFile(t, "DSA-9002-1.json"); a.Withdrawn.IsZero() {
		t.Error("DSA-9002-1 Withdrawn is zero, want its time")
	}
}

func TestEcosystems(t *testing.T) {
	for _, test := range []struct{ ecosystem, purl, os, version string }{
		{"AlmaLinux:8", "", "almalinux", "8"},
		{"Rocky Linux:9", "", "rocky", "9"},
		{"Rocky Linux:8", "pkg:rpm/rocky-linux/kernel?distro=rocky-linux-8-sig-cloud&epoch=0", "rocky-sig-cloud", "8"},
		{"Debian:6.0", "", "debian", "6.0"},
		{"Alpine:v3.19", "", "alpine", "3.19"},
		{"Ubuntu:24.10", "", "ubuntu", "24.10"},
		{"Ubuntu:22.04:LTS", "", "ubuntu", "22.04"},
		{"Ubuntu:Pro:FIPS-updates:22.04:LTS", "", "ubuntu-pro-fips-updates", "22.04"},
		{"SUSE:Linux Enterprise Server 12 SP5-LTSS", "", "sles", "12.5"},
		{"SUSE:Linux Enterprise Server 11 SP4", "", "sles", "11.4"},
		{"SUSE:Linux Enterprise Desktop 12", "", "sled", "12"},
		{"SUSE:Linux Enterprise Micro 5.3", "", "sle-micro", "5.3"},
		{"SUSE:Linux Enterprise High Performance Computing 15 SP3-ESPOS", "", "sle_hpc", "15.3"},
		{"SUSE:Package Hub 15 SP5", "", "sles", "15.5"},
		{"SUSE:Manager Server 4.3", "", "suse-manager-server", "4.3"},
		{"openSUSE:Leap 15.5", "", "opensuse-leap", "15.5"},
		{"SUSE:openSUSE Leap 15.5", "", "opensuse-leap", "15.5"},
		{"openSUSE:Tumbleweed", "", "opensuse-tumbleweed", ""},
		{"Red Hat:enterprise_linux:9::baseos", "", "rhel", "9"},
		{"Red Hat:rhel_eus:9.2::appstream", "", "rhel-eus", "9.2"},
		{"Wolfi", "", "wolfi", ""},
		{"npm", "", "", ""},
	} {
		eco, ok := ecosystemOf(test.ecosystem, test.purl)
		if want := (advisory.Platform{OS: test.os, Version: test.version}); !ok || eco.platform != want {
			t.Errorf("ecosystemOf(%q) = %v, %v, want %v", test.ecosystem, eco.platform, ok, want)
		}
	}
	if _, ok := ecosystemOf("Android", ""); ok {
		t.Error("ecosystemOf(Android) is known, want not")
	}
}

func TestStreams(t *testing.T) {
	for _, test := range []struct {
		title string
		want  []string
	}{
		{"Important: nodejs:18 security update", []string{"nodejs:18"}},
		{"Moderate: httpd:2.4/httpd security update", []string{"httpd:2.4"}},
		{"new module: php:7.4", []string{"php:7.4"}},
		{"Important: mariadb:10.3 and mariadb-devel:10.3 security update", []string{"mariadb:10.3", "mariadb-devel:10.3"}},
		{"ALSA-2022:5468: php:8.0 security update (Important)", []string{"php:8.0"}},
		{"Moderate: idm:DL1 and idm:client security, bug fix, and enhancement update", []string{"idm:DL1", "idm:client"}},
		{"pmdk:1_fileformat_v6 bug fix and enhancement update", []string{"pmdk:1_fileformat_v6"}},
		{"Important: varnish security update", nil},
	} {
		if diff := cmp.Diff(test.want, Streams(test.title)); diff != "" {
			t.Errorf("Streams(%q) (-want +got):\n%s", test.title, diff)
		}
	}
}

func TestEvents(t *testing.T) {
	intro := func(v string) event { return event{Introduced: v} }
	fixed := func(v string) event { return event{Fixed: v} }
	fix := func(from, to string) advisory.Fix {
		return advisory.Fix{Type: version.Generic, Introduced: from, Fixed: to}
	}
	for _, test := range []struct {
		name   string
		events []event
		want   []advisory.Fix
	}{
		{"one", []event{intro("0"), fixed("1.2.0")}, []advisory.Fix{fix("0", "1.2.0")}},
		{"open", []event{intro("1.0.0")}, []advisory.Fix{fix("1.0.0", "")}},
		{"two", []event{intro("0"), fixed("1.2.0"), intro("2.0.0"), fixed("2.1.0")}, []advisory.Fix{fix("0", "1.2.0"), fix("2.0.0", "2.1.0")}},
		{"not in order", []event{fixed("2.1.0"), intro("2.0.0"), fixed("1.2.0"), intro("0")}, []advisory.Fix{fix("0", "1.2.0"), fix("2.0.0", "2.1.0")}},
		{"fixed twice", []event{intro("0"), fixed("1.2.0"), fixed("1.3.0")}, []advisory.Fix{fix("0", "1.2.0")}},
		{"never affected", []event{intro("0"), fixed("0")}, []advisory.Fix{}},
	} {
		got := walk(inOrder(test.events, version.Generic), advisory.Fix{Type: version.Generic})
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestParseLeavesOut(t *testing.T) {
	for _, test := range []struct{ name, record, problem string }{
		{"ecosystem", `{"id":"X-1","modified":"2031-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"Android","name":"a"}}]}`,
			`advisory "X-1": ecosystem "Android" is not one whose versions are known here; it is left out`},
		{"range type", `{"id":"X-1","modified":"2031-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:12","name":"a"},"ranges":[{"type":"ODD"}]}]}`,
			`advisory "X-1": package "a": range type "ODD" is not known; expected one of "ECOSYSTEM", "SEMVER", "GIT"; it is left out`},
		{"no name", `{"id":"X-1","modified":"2031-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:12"}}]}`,
			`advisory "X-1": an affected package has no name; it is left out`},
		{"time", `{"id":"X-1","modified":"yesterday"}`, `advisory "X-1": "modified": "yesterday" is not an RFC 3339 time`},
	} {
		_, problems, err := Parse([]byte(test.record))
		if err != nil || len(problems) != 1 || problems[0].String() != test.problem {
			t.Errorf("%s: Parse() = %v, %v, want %q", test.name, problems, err, test.problem)
		}
	}
	a, _, err := Parse([]byte(`{"id":"X-1","modified":"2031-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:12","name":"a"},"versions":["1-1","0:1-2"]}]}`))
	if err != nil || len(a.Fixes) != 1 || !cmp.Equal(a.Fixes[0].Affected, []string{"1-1", "1-2"}) {
		t.Errorf("Parse() of a list of versions = %v, %v, want one fix that lists them", a.Fixes, err)
	}
	for _, bad := range []string{``, `[]`, `{"id":"X-1"}`, `{"modified":"2031-01-01T00:00:00Z"}`, `{"id":5,"modified":""}`} {
		if _, _, err := Parse([]byte(bad)); err == nil {
			t.Errorf("Parse(%s) succeeded, want an error", bad)
		}
	}
}

func FuzzParse(f *testing.F) {
	names, _ := filepath.Glob(filepath.Join(feeds, "*.json"))
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, problems, err := Parse(data)
		b, again, _ := Parse(data)
		if diff := cmp.Diff(a, b); diff != "" || len(problems) != len(again) {
			t.Errorf("Parse() twice differs:\n%s", diff)
		}
		if err == nil && a.ID == "" {
			t.Error("Parse() gave an advisory without an id")
		}
		for _, c := range a.CVEs {
			if !advisory.IsCVE(c.ID) {
				t.Errorf("%q is not the id of a CVE", c.ID)
			}
		}
	})
}
