package inventory

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/version"
)

func TestAdmit(t *testing.T) {
	p := &Problems{File: "x.json"}
	f := Facts{
		Host: "web-1", At: time.Date(2026, 3, 1, 9, 0, 0, 5, time.FixedZone("", 3600)),
		OS: &OS{ID: "debian", Kernel: "6.1.0-13-amd64", Name: "Debian\x1b[31m  12\n"},
		Packages: []Package{
			{Type: version.Deb, Name: "zlib1g", Version: "1:1.2.13", Source: "zlib", SourceVersion: "1:1.2.13"},
			{Type: version.Deb, Name: "bash", Version: "5.2-1"},
			{Type: version.Deb, Name: "bash", Version: "5.2-1"},
			{Type: version.Deb, Name: "linux-image-6.1.0-18-amd64", Version: "6.1.76-1", Source: "$(rm)", Module: "a b"},
			{Type: version.Deb, Name: "x;rm -rf /", Version: "1"},
			{Type: version.Deb, Name: "y", Version: "1 `id`"},
			{Type: version.Deb, Name: "z"},
			{Type: version.Deb, Version: "1"},
			{Type: "snap", Name: "core", Version: "1"},
			{Type: version.Windows, Name: "KB5034441"},
		},
		Findings: []Finding{{CVE: "CVE-2024-1"}, {CVE: "CVE-2024-1"}, {ID: "a|b"}, {Package: "bash"}},
	}
	f.Admit(p)
	stale := true
	want := Facts{
		Host: "web-1", At: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC),
		OS: &OS{ID: "debian", Kernel: "6.1.0-13-amd64", Name: "Debian [31m 12"},
		Packages: []Package{
			{Type: version.Deb, Name: "bash", Version: "5.2-1"},
			{Type: version.Deb, Name: "linux-image-6.1.0-18-amd64", Version: "6.1.76-1"},
			{Type: version.Deb, Name: "zlib1g", Version: "1:1.2.13", Source: "zlib"},
			{Type: version.Windows, Name: "KB5034441"},
		},
		Findings: []Finding{{CVE: "CVE-2024-1"}}, RebootPending: &stale,
	}
	if d := cmp.Diff(want, f); d != "" {
		t.Errorf("Admit: %s", d)
	}
	var got []string
	for _, x := range p.List {
		got = append(got, x.String())
	}
	const at = `x.json: host "web-1": `
	problems := []string{
		at + `packages kept without their module stream, which is not NAME:STREAM (1): "linux-image-6.1.0-18-amd64 in a b"`,
		at + `packages kept without their source, whose name is not that of a deb package (1): "linux-image-6.1.0-18-amd64 from $(rm)"`,
		at + `packages left out, their names are not those of deb packages (1): "x;rm -rf / 1"`,
		at + `packages left out, their type "snap" is not known (1): "core 1"`,
		at + "packages left out, their versions are not deb versions (1): \"y 1 `id`\"",
		at + `packages left out, they have no name (1): "1"`,
		at + `packages left out, they have no version (1): "z"`,
		at + `findings left out, their ids are not those of a CVE or an advisory (1): "a|b"`,
		at + `findings left out, they have no id (1): "bash"`,
	}
	if d := cmp.Diff(problems, got); d != "" {
		t.Errorf("problems: %s", d)
	}
}

func TestSome(t *testing.T) {
	if got, want := some(strings.Split("abcdefgh", "")), `"a", "b", "c", "d", "e" and 3 more`; got != want {
		t.Errorf("some() = %s, want %s", got, want)
	}
}

func TestStaleKernel(t *testing.T) {
	yes, no := true, false
	for _, c := range []struct {
		name, os, kernel string
		packages         []Package
		want             *bool
	}{
		{"rpm newest runs", "almalinux", "4.18.0-513.9.1.el8_9.x86_64", []Package{{Type: version.RPM, Name: "kernel-core", Version: "4.18.0-513.9.1.el8_9"}, {Type: version.RPM, Name: "kernel-core", Version: "4.18.0-80.el8"}}, &no},
		{"rpm newer installed", "almalinux", "4.18.0-80.el8.x86_64", []Package{{Type: version.RPM, Name: "kernel-core", Version: "4.18.0-513.9.1.el8_9"}, {Type: version.RPM, Name: "kernel-core", Version: "4.18.0-80.el8"}}, &yes},
		{"rpm only older installed", "almalinux", "5.0.0-1.el8.x86_64", []Package{{Type: version.RPM, Name: "kernel", Version: "4.18.0-80.el8"}}, nil},
		{"uek beside a newer stock kernel", "ol", "5.4.17-2136.el8uek.x86_64", []Package{{Type: version.RPM, Name: "kernel", Version: "6.18.0-553.el8"}, {Type: version.RPM, Name: "kernel-uek", Version: "5.4.17-2136.el8uek"}}, &no},
		{"suse", "sles", "5.3.18-59.37-default", []Package{{Type: version.RPM, Name: "kernel-default", Version: "5.3.18-59.37.2"}}, &no},
		{"suse newer", "sles", "5.3.18-59.37-default", []Package{{Type: version.RPM, Name: "kernel-default", Version: "5.3.18-59.40.1"}}, &yes},
		{"deb newer", "debian", "5.10.0-8-amd64", []Package{{Type: version.Deb, Name: "linux-image-5.10.0-10-amd64", Version: "5.10.84-1"}}, &yes},
		{"deb same name", "debian", "5.10.0-8-amd64", []Package{{Type: version.Deb, Name: "linux-image-5.10.0-8-amd64", Version: "5.10.46-4"}, {Type: version.Deb, Name: "linux-image-amd64", Version: "5.10.46-4"}}, nil},
		{"deb other flavour", "ubuntu", "5.15.0-69-generic", []Package{{Type: version.Deb, Name: "linux-image-5.15.0-70-lowlatency", Version: "5.15.0-70.77"}}, nil},
		{"no kernel", "debian", "", nil, nil},
		{"no packages", "openbsd", "5.6", nil, nil},
	} {
		f := Facts{OS: &OS{ID: c.os, Kernel: c.kernel}, Packages: c.packages}
		if d := cmp.Diff(c.want, f.StaleKernel()); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

func TestFirstFix(t *testing.T) {
	for _, c := range []struct{ installed, fixed, want string }{
		{"1.0.0", "", ""}, {"1.0.0", "1.2.0", "1.2.0"}, {"2.0.0", "1.2.0, 2.1.7, 3.0.5", "2.1.7"},
		{"2.0.0", "3.0.5, 2.1.7", "2.1.7"}, {"4.0.0", "1.2.0, 3.0.5", "3.0.5"}, {"", "1.2.0, 3.0.5", "1.2.0"},
	} {
		if got := FirstFix(version.Generic, c.installed, c.fixed); got != c.want {
			t.Errorf("FirstFix(%q, %q) = %q, want %q", c.installed, c.fixed, got, c.want)
		}
	}
}

func TestSystem(t *testing.T) {
	for _, c := range []struct {
		said, id string
		packages version.Type
	}{
		{"alma", "almalinux", version.RPM}, {"AlmaLinux", "almalinux", version.RPM}, {"redhat", "rhel", version.RPM}, {"RedHat", "rhel", version.RPM},
		{"amazon", "amzn", version.RPM}, {"oracle", "ol", version.RPM}, {"OracleLinux", "ol", version.RPM}, {"suse.linux.enterprise.server", "sles", version.RPM},
		{"opensuse.leap", "opensuse-leap", version.RPM}, {"openSUSE Leap", "opensuse-leap", version.RPM}, {"Debian", "debian", version.Deb},
		{"Microsoft Windows Server 2019 Standard", "windows", version.Windows}, {"SunOS", "solaris", ""}, {"FreeBSD", "freebsd", ""},
		{"Mac OS X", "macos", ""}, {"cbl-mariner", "mariner", version.RPM}, {"slem", "sle-micro", version.RPM}, {"Haiku OS", "haiku-os", ""},
	} {
		if id := SystemID(c.said); id != c.id || PackageType(id) != c.packages {
			t.Errorf("SystemID(%q) = %q of %q, want %q of %q", c.said, id, PackageType(id), c.id, c.packages)
		}
	}
	if got := SystemArch("debian", "x86_64") + SystemArch("rocky", "amd64") + SystemArch("openbsd", "amd64"); got != "amd64x86_64amd64" {
		t.Errorf("SystemArch: %s", got)
	}
}
