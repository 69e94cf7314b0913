package match

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// host makes a host from "debian 12" and packages like
// "deb openssl 3.0.11-1 source=openssl".
func host(id, os string, packages ...string) inventory.Host {
	f := &inventory.Facts{Host: inventory.HostID(id)}
	var list []inventory.Package
	if name, v, ok := strings.Cut(os, " "); ok {
		f.OS = &inventory.OS{ID: name, Version: v}
	}
	for _, text := range packages {
		w := strings.Fields(text)
		p := inventory.Package{Type: version.Type(w[0]), Name: w[1], Version: w[2]}
		for _, option := range w[3:] {
			switch name, value, _ := strings.Cut(option, "="); name {
			case "source":
				p.Source = value
			case "sv":
				p.SourceVersion = value
			case "arch":
				p.Arch = value
			case "module":
				p.Module = value
			}
		}
		list = append(list, p)
	}
	return inventory.Host{ID: inventory.HostID(id), Facts: f, Packages: pool.List(list)}
}

// pool is that of all tests: what a package was found to be in one must not
// matter in another.
var pool = inventory.NewPool()

// adv makes an advisory with fixes like "debian/12 deb openssl <3.0.15-1".
// Options: source, module=…, from=…, last=…, affected=….
func adv(id string, fixes ...string) advisory.Advisory {
	a := advisory.Advisory{ID: id, Vendor: "Vendor", CVEs: []advisory.CVE{{ID: "CVE-" + id}}}
	for _, text := range fixes {
		w := strings.Fields(text)
		f := advisory.Fix{Type: version.Type(w[1]), Package: w[2]}
		if w[0] != "*" {
			f.Platform.OS, f.Platform.Version, _ = strings.Cut(w[0], "/")
		}
		for _, option := range w[3:] {
			switch name, value, _ := strings.Cut(option, "="); {
			case option[0] == '<':
				f.Fixed = option[1:]
			case name == "source":
				f.Source = true
			case name == "module":
				f.Module = value
			case name == "from":
				f.Introduced = value
			case name == "last":
				f.LastAffected = value
			case name == "affected":
				f.Affected = strings.Split(value, ",")
			}
		}
		a.Fixes = append(a.Fixes, f)
	}
	return a
}

// windows is a host with Exchange, outdated unless it is new, and updates.
func windows(id string, updates ...string) inventory.Host {
	exchange := "15.2.1.7"
	if id == "new" {
		exchange = "15.2.2"
	}
	h := host(id, "windows 10.0.20348", "windows exchange "+exchange)
	list := h.Packages.Packages()
	for _, u := range updates {
		list = append(list, inventory.Package{Type: version.Windows, Name: u})
	}
	h.Packages = pool.List(list)
	return h
}

func missing(host, update string) string {
	return "undecided " + host + " " + update + " " + update + ": " + update + ` is not installed; an update without a version cannot be planned: give the build that it brings as "to"` + "\n"
}

func patchLine(a advisory.Advisory, supersedes ...string) advisory.Advisory {
	a.Format, a.Supersedes = "patches", supersedes
	return a
}

// text writes a result down, one line each.
func text(hosts []inventory.Host, advisories []advisory.Advisory, r Result) string {
	var b strings.Builder
	group := func(groups []Group) {
		for _, g := range groups {
			b.WriteString(" " + g.From + ":")
			for i, h := range g.Hosts {
				if i > 0 {
					b.WriteString(",")
				}
				b.WriteString(string(hosts[h].ID))
			}
		}
		b.WriteString("\n")
	}
	on := func(p advisory.Platform) string { return " on " + strings.TrimSuffix(p.OS+"/"+p.Version, "/") }
	for _, p := range r.Patches {
		b.WriteString(string(p.ID) + on(p.Platform))
		if p.Module != "" {
			b.WriteString(" of " + p.Module)
		}
		b.WriteString(" fixes")
		for _, a := range p.Advisories {
			b.WriteString(" " + advisories[a].ID)
		}
		b.WriteString(" from")
		group(p.Groups)
	}
	for _, u := range r.Unfixed {
		b.WriteString("unfixed " + u.Package + on(u.Platform) + " " + advisories[u.Advisory].ID + " in")
		group(u.Groups)
	}
	for _, u := range r.Undecided {
		b.WriteString("undecided " + string(u.Host) + " " + u.Package + " " + u.Advisory + ": " + u.Why + "\n")
	}
	for _, h := range r.Uncovered {
		b.WriteString("uncovered " + string(hosts[h].ID) + "\n")
	}
	return b.String()
}

func TestChanges(t *testing.T) {
	withdrawn := adv("W", "debian/12 deb openssl <9")
	withdrawn.Withdrawn = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name       string
		hosts      []inventory.Host
		advisories []advisory.Advisory
		want       string
	}{
		{"the newest fix covers all", []inventory.Host{
			host("a", "debian 12", "deb openssl 3.0.11-1 source=openssl", "deb libssl3 3.0.11-1 source=openssl"),
			host("b", "debian 12.5", "deb libssl3 3.0.14-1 source=openssl"),
			host("c", "debian 12", "deb libssl3 3.0.15-1 source=openssl"),
			host("d", "debian 11", "deb libssl3 1.1.1 source=openssl"),
		}, []advisory.Advisory{
			adv("DSA-1", "debian/12 deb openssl <3.0.14-1 source", "debian/11 deb openssl <1.1.1w-1 source"),
			adv("DSA-2", "debian/12 deb openssl <3.0.15-1 source"), withdrawn,
		}, "deb:openssl@1.1.1w-1 on debian/11 fixes DSA-1 from 1.1.1:d\n" +
			"deb:openssl@3.0.15-1 on debian/12 fixes DSA-1 DSA-2 from 3.0.11-1:a 3.0.14-1:b\n"},
		{"the same id on two platforms", []inventory.Host{
			host("a", "debian 12", "deb x 1 source=x"), host("b", "debian 11", "deb x 1 source=x"),
		}, []advisory.Advisory{adv("DSA-1", "debian/12 deb x <2 source", "debian/11 deb x <2 source")},
			"deb:x@2 on debian/11 fixes DSA-1 from 1:b\ndeb:x@2 on debian/12 fixes DSA-1 from 1:a\n"},
		{"platforms", []inventory.Host{
			host("ubuntu", "ubuntu 22.04.3", "deb x 1"), host("ubuntu20", "ubuntu 20.04", "deb x 1"),
			host("alpine", "alpine 3.19.1", "apk x 1"), host("alpine2", "alpine 3.2.0", "apk x 1"),
			host("sles", "sles 15.5", "rpm x 1"), host("leap", "opensuse-leap 15.5", "rpm x 1"),
			host("amazon", "amazon 2 (Karoo)", "rpm x 1"), host("alma", "alma 9.3", "rpm x 1"), host("unknown", "", "rpm x 1"),
		}, []advisory.Advisory{
			adv("U", "ubuntu/22.04 deb x <2"), adv("A", "alpine/3.19 apk x <2"), adv("S", "sles/15 rpm x <2"), adv("L", "opensuse-leap/15.5 rpm x <2"),
			adv("Z", "amzn/2 rpm x <2"), adv("M", "almalinux/9 rpm x <2"),
		}, "apk:x@2 on alpine/3.19 fixes A from 1:alpine\ndeb:x@2 on ubuntu/22.04 fixes U from 1:ubuntu\n" +
			"rpm:x@2 on almalinux/9 fixes M from 1:alma\nrpm:x@2 on amzn/2 fixes Z from 1:amazon\nrpm:x@2 on opensuse-leap/15.5 fixes L from 1:leap\n" +
			"uncovered ubuntu20\nuncovered alpine2\nuncovered sles\nuncovered unknown\n"},
		{"source and its version", []inventory.Host{
			host("a", "debian 12", "deb gcc 4:12.2 source=gcc-defaults sv=1.203", "deb x 1.0-1+b2 source=x sv=1.0-1", "deb plain 1", "deb y 1"),
		}, []advisory.Advisory{adv("D", "debian/12 deb gcc-defaults <1.204 source", "debian/12 deb x <1.0-2 source", "debian/12 deb plain <2 source")},
			"deb:gcc-defaults@1.204 on debian/12 fixes D from 1.203:a\ndeb:plain@2 on debian/12 fixes D from 1:a\ndeb:x@1.0-2 on debian/12 fixes D from 1.0-1:a\n" +
				"undecided a  : the facts do not say which source package these are built from: y\n"},
		{"kernels side by side: the newest counts", []inventory.Host{
			host("a", "almalinux 8.9", "rpm kernel-core 4.18.0-513.el8 arch=x86_64", "rpm kernel-core 4.18.0-553.el8 arch=x86_64"),
			host("b", "debian 12", "deb linux-image-6.1.0-13-amd64 6.1.55-1 source=linux-signed-amd64 sv=6.1.55+1",
				"deb linux-image-6.1.0-29-amd64 6.1.123-1 source=linux-signed-amd64 sv=6.1.123+1"),
		}, []advisory.Advisory{
			adv("A1", "almalinux/8 rpm kernel-core <4.18.0-553.el8"), adv("A2", "almalinux/8 rpm kernel-core <4.18.0-560.el8"),
			adv("D1", "debian/12 deb linux <6.1.76-1 source"), adv("D2", "debian/12 deb linux <6.1.128-1 source"),
		}, "deb:linux@6.1.128-1 on debian/12 fixes D2 from 6.1.123-1:b\nrpm:kernel-core@4.18.0-560.el8 on almalinux/8 fixes A2 from 4.18.0-553.el8:a\n"},
		{"architectures each count", []inventory.Host{
			host("a", "almalinux 8", "rpm glibc 2.28-9 arch=x86_64", "rpm glibc 2.28-1 arch=i686"),
		}, []advisory.Advisory{adv("A", "almalinux/8 rpm glibc <2.28-9")},
			"rpm:glibc@2.28-9 on almalinux/8 fixes A from 2.28-1:a\n"},
		{"module streams", []inventory.Host{
			host("same", "rhel 8", "rpm nodejs 1:18.1-1.module_el8+1 module=nodejs:18:8080:abc"),
			host("other", "rhel 8", "rpm nodejs 1:16.1-1.module_el8+1 module=nodejs:16"),
			host("unsaid", "rhel 8", "rpm nodejs 1:18.1-1.module_el8+1"),
			host("plain", "rhel 8", "rpm nodejs 1:10.1-1.el8"),
			host("above", "rhel 8", "rpm nodejs 1:20.1-1.module_el8+1"),
		}, []advisory.Advisory{adv("A", "rhel/8 rpm nodejs <1:18.2-1.module_el8+2 module=nodejs:18")},
			"rpm:nodejs@1:18.2-1.module_el8+2 on rhel/8 of nodejs:18 fixes A from 1:18.1-1.module_el8+1:same\n" +
				"undecided unsaid nodejs A: the fix is for module stream nodejs:18, and the host's facts name no stream for 1:18.1-1.module_el8+1\n"},
		{"modules that the versions do not show", []inventory.Host{
			host("a", "rhel 8", "rpm x 1"), host("b", "rhel 8", "rpm y 1 module=y:1"), host("c", "rhel 8", "rpm z 1.module+1 module=z:1"),
		}, []advisory.Advisory{adv("A", "rhel/8 rpm x <2 module=x:1", "rhel/8 rpm y <2", "rhel/8 rpm z <2.module+1")},
			"undecided a x A: the fix is for module stream x:1, and the host's facts name no stream for 1\n" +
				"undecided b y A: the advisory does not say which module stream its fix is for; 1 of y:1 is installed\n" +
				"undecided c z A: the advisory does not say which module stream its fix is for; 1.module+1 of z:1 is installed\n"},
		{"ranges", []inventory.Host{
			host("old", "", "generic x 0.9.0"), host("one", "", "generic x 1.4.0"), host("gap", "", "generic x 1.5.0"), host("two", "", "generic x 2.1.0"),
		}, []advisory.Advisory{adv("A", "* generic x from=1.0.0 <1.5.0", "* generic x from=2.0.0 <2.3.0")},
			"generic:x@1.5.0 on  fixes A from 1.4.0:one\ngeneric:x@2.3.0 on  fixes A from 2.1.0:two\n"},
		{"a fix that another advisory finds fault with", []inventory.Host{host("a", "", "generic x 1.0.0")},
			[]advisory.Advisory{adv("A", "* generic x <2.0.0"), adv("B", "* generic x from=2.0.0 <2.1.0")},
			"generic:x@2.1.0 on  fixes A from 1.0.0:a\n"},
		{"no fix published", []inventory.Host{
			host("a", "debian 12", "deb x 1 source=x"), host("b", "debian 12", "deb x 3 source=x"), host("c", "debian 12", "deb y 1 source=y"),
		}, []advisory.Advisory{
			adv("A", "debian/12 deb x source"), adv("B", "debian/12 deb x last=2 source"), adv("C", "debian/12 deb y affected=1,1.1 source"), adv("D", "debian/12 deb x source <2"),
		}, "deb:x@2 on debian/12 fixes D from 1:a\nunfixed x on debian/12 A in 1:a 3:b\nunfixed x on debian/12 B in 1:a\nunfixed y on debian/12 C in 1:c\n"},
		{"vendor patches supersede", []inventory.Host{
			host("a", "debian 12", "generic heron-web 4.2.1"), host("b", "", "generic heron-web 4.2.0"), host("c", "", "generic heron-web 4.2.2"),
		}, []advisory.Advisory{
			patchLine(adv("HER-1290", "* generic heron-web from=4.2.0 <4.2.1")),
			patchLine(adv("HER-1312", "* generic heron-web from=4.2.1 <4.2.2"), "HER-1290"),
		}, "generic:heron-web@4.2.2 on  fixes HER-1290 HER-1312 from 4.2.0:b 4.2.1:a\n"},
		{"a superseded patch is passed over", []inventory.Host{host("a", "", "generic x 1.0.0")}, []advisory.Advisory{
			patchLine(adv("P1", "* generic x <3.0.0")), patchLine(adv("P2", "* generic x <2.0.0"), "P1"), patchLine(adv("P3", "* generic x <2.1.0"), "P2"),
		}, "generic:x@2.1.0 on  fixes P1 P2 P3 from 1.0.0:a\n"},
		{"a circle supersedes nothing", []inventory.Host{host("a", "", "generic x 1.0.0")}, []advisory.Advisory{
			patchLine(adv("P1", "* generic x <3.0.0"), "P2"), patchLine(adv("P2", "* generic x <2.0.0"), "P1"),
		}, "generic:x@3.0.0 on  fixes P1 P2 from 1.0.0:a\n"},
		{"too old to install over", []inventory.Host{host("a", "", "generic x 4.1.0"), host("b", "", "generic x 4.2.5")}, []advisory.Advisory{
			patchLine(adv("P1", "* generic x from=4.0.0 <4.2.0")), patchLine(adv("P2", "* generic x from=4.2.0 <4.3.0")),
		}, "generic:x@4.2.0 on  fixes P1 from 4.1.0:a\ngeneric:x@4.3.0 on  fixes P2 from 4.2.5:b\n" +
			"undecided a x P2: P2 installs over x 4.2.0 and newer, and 4.1.0 is installed: it needs 4.2.0 first\n"},
		{"package and source of one name are one patch", []inventory.Host{
			host("a", "debian 12", "deb x 1 source=x"),
		}, []advisory.Advisory{adv("A", "debian/12 deb x <2"), adv("B", "debian/12 deb x <2 source")},
			"deb:x@2 on debian/12 fixes A B from 1:a\n"},
		{"any release of a platform", []inventory.Host{host("a", "arch 1", "rpm x 1")},
			[]advisory.Advisory{adv("A", "arch rpm x <2"), adv("B", "arch/1 rpm x <3")}, "rpm:x@3 on arch/1 fixes A B from 1:a\n"},
		{"updates of Windows", []inventory.Host{windows("old", "KB1"), windows("new", "KB3"), windows("none"), host("d", "debian 12", "deb x 1")}, []advisory.Advisory{
			patchLine(adv("KB1", "windows windows KB1")), patchLine(adv("KB2", "windows windows KB2"), "KB1"), patchLine(adv("KB3", "windows windows KB3"), "KB2"),
			patchLine(adv("EX", "windows windows exchange from=15.2.1 <15.2.2")),
		}, "windows:exchange@15.2.2 on windows fixes EX from 15.2.1.7:old,none\n" +
			missing("none", "KB1") + missing("none", "KB2") + missing("none", "KB3") + missing("old", "KB2") + missing("old", "KB3") + "uncovered d\n"},
		{"types are kept apart", []inventory.Host{host("a", "debian 12", "generic x 1", "deb x 5 source=x"), {ID: "b"}, host("c", "debian 12")},
			[]advisory.Advisory{adv("A", "debian/12 deb x <4 source")}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := text(c.hosts, c.advisories, Changes(c.hosts, c.advisories))
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("Changes() (-want +got):\n%s", d)
			}
		})
	}
}

func TestVendor(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }
	a, b, c := adv("A", "* generic x <2"), adv("B", "* generic x <3"), adv("C", "* generic x <3")
	a.Vendor, a.Published = "Late", day(9)
	b.Vendor, b.Published = "Older", day(1)
	c.Vendor, c.Published = "Newer", day(2)
	r := Changes([]inventory.Host{host("h", "", "generic x 1")}, []advisory.Advisory{a, b, c})
	if got := r.Patches[0].Vendor; got != "Newer" {
		t.Errorf("Vendor = %q, want that of the newest advisory that names the version", got)
	}
}

func TestBinaries(t *testing.T) {
	f := host("a", "debian 12", "deb libssl3 3.0.11-1 source=openssl", "deb openssl 3.0.11-1", "deb libssl-dev 3.0.15-1 source=openssl", "deb other 1 source=other",
		"deb linux-image-6.1.0-13-amd64 6.1.55-1 source=linux-signed-amd64", "deb linux-image-6.1.0-29-amd64 6.1.123-1 source=linux-signed-amd64",
		"rpm nodejs 1 module=nodejs:18:1:2").Packages
	for _, c := range []struct {
		p    Patch
		want []string
	}{
		{Patch{Type: version.Deb, Package: "openssl", Source: true, To: "3.0.15-1"}, []string{"libssl3", "openssl"}},
		{Patch{Type: version.Deb, Package: "openssl", Source: true}, []string{"libssl3", "openssl", "libssl-dev"}},
		{Patch{Type: version.Deb, Package: "openssl", To: "3.0.15-1"}, []string{"openssl"}},
		{Patch{Type: version.Deb, Package: "linux", Source: true, To: "6.1.128-1"}, []string{"linux-image-6.1.0-29-amd64"}},
		{Patch{Type: version.RPM, Package: "nodejs", Module: "nodejs:18", To: "2"}, []string{"nodejs"}},
		{Patch{Type: version.RPM, Package: "nodejs", Module: "nodejs:20", To: "2"}, nil},
		{Patch{Type: version.RPM, Package: "openssl", To: "4"}, nil},
	} {
		var got []string
		for _, b := range Binaries(f, c.p) {
			got = append(got, b.Name)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("Binaries(%+v) (-want +got):\n%s", c.p, d)
		}
	}
	if got := Binaries(nil, Patch{}); got != nil {
		t.Errorf("Binaries(nil) = %v, want nil", got)
	}
}

func TestDisputes(t *testing.T) {
	h := host("h", "debian 12", "deb libssl3 3.0.11-1 source=openssl", "deb openssl 3.0.11-1 source=openssl", "deb curl 7.88-1 source=curl", "deb vim 1 source=vim")
	h.Facts.Findings = []inventory.Finding{
		{CVE: "CVE-SSL", Package: "libssl3", Fixed: "3.0.15-1"},
		{CVE: "CVE-SSL", Package: "openssl", Fixed: "3.0.16-1"},
		{CVE: "CVE-CURL", Package: "curl", Fixed: "7.90"},
		{CVE: "CVE-NONE", Package: "curl"},
		{CVE: "CVE-VIM", Package: "curl"},
		{CVE: "CVE-CURL", Package: "nginx"},
		{ID: "VIM", Package: "vim"},
	}
	other := host("other", "fedora 40", "rpm x 1")
	other.Facts.Findings = []inventory.Finding{{CVE: "CVE-X", Package: "x", Fixed: "2"}}
	bare := inventory.Host{ID: "bare", Facts: &inventory.Facts{Findings: []inventory.Finding{{CVE: "CVE-X", Package: "x"}}}}
	advisories := []advisory.Advisory{
		adv("SSL", "debian/12 deb openssl <3.0.15-1 source"), adv("CURL", "debian/12 deb curl <7.80-1 source"), adv("VIM", "debian/12 deb vim <2 source"),
		adv("NOFIX", "debian/12 deb vim source"),
	}
	want := []plan.Dispute{
		{Host: "bare", Package: "x", CVE: "CVE-X", Says: "scanner", Why: "the host reports no packages"},
		{Host: "h", Package: "curl", CVE: "CVE-CURL", Says: "scanner", Scanner: "7.90", Why: "the installed version 7.88-1 is at or above the distribution's fixed version 7.80-1 (CURL)"},
		{Host: "h", Package: "curl", CVE: "CVE-NONE", Says: "scanner", Why: "no advisory of the feeds names CVE-NONE for debian 12"},
		{Host: "h", Package: "curl", CVE: "CVE-VIM", Says: "scanner", Why: "VIM names CVE-VIM for other packages of debian 12: vim"},
		{Host: "h", Package: "nginx", CVE: "CVE-CURL", Says: "scanner", Why: "nginx is not among the packages that the host reports"},
		{Host: "h", Package: "openssl", CVE: "CVE-SSL", Says: "fixed", Scanner: "3.0.16-1", Match: "3.0.15-1", Why: "the scanner names 3.0.16-1; SSL fixes it in 3.0.15-1, which counts"},
		{Host: "h", Package: "vim", CVE: "CVE-NOFIX", Says: "match", Why: "the scanner does not report it; NOFIX affects 1, which is installed, and publishes no fix"},
		{Host: "other", Package: "x", CVE: "CVE-X", Says: "scanner", Scanner: "2", Why: "no advisory of the feeds speaks of fedora 40"},
	}
	got := Changes([]inventory.Host{h, other, bare}, advisories).Disputes
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Disputes (-want +got):\n%s", d)
	}
	match := Changes([]inventory.Host{func() inventory.Host {
		h.Facts.Findings = []inventory.Finding{{CVE: "CVE-SSL", Package: "libssl3"}}
		return h
	}()}, advisories).Disputes
	if len(match) != 2 || match[1].CVE != "CVE-VIM" || match[1].Why != "the scanner does not report it; VIM fixes it in 2 and 1 is installed" {
		t.Errorf("Disputes = %+v, want what the match alone says of vim", match)
	}
}
