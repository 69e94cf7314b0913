package osv

import (
	"net/url"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// ecosystem is what an OSV ecosystem stands for.
type ecosystem struct {
	platform advisory.Platform
	typ      version.Type
	vendor   string
	source   bool // packages are source packages
	binaries bool // the binary packages stand in ecosystem_specific
	language bool // packages of a programming language, of no platform
}

// distributions are the ecosystems of operating systems, by the part before the
// first colon; os is the ID of os-release.
var distributions = map[string]struct {
	os     string
	typ    version.Type
	source bool
}{
	"AlmaLinux":   {"almalinux", version.RPM, false},
	"Alpaquita":   {"alpaquita", version.APK, false},
	"Alpine":      {"alpine", version.APK, true},
	"Azure Linux": {"azurelinux", version.RPM, false},
	"Chainguard":  {"chainguard", version.APK, false},
	"Debian":      {"debian", version.Deb, true},
	"Echo":        {"echo", version.Deb, true},
	"Mageia":      {"mageia", version.RPM, true},
	"MinimOS":     {"minimos", version.APK, false},
	"Photon OS":   {"photon", version.RPM, false},
	"Red Hat":     {"rhel", version.RPM, false},
	"Rocky Linux": {"rocky", version.RPM, false},
	"SUSE":        {"sles", version.RPM, false},
	"Ubuntu":      {"ubuntu", version.Deb, true},
	"Wolfi":       {"wolfi", version.APK, false},
	"openEuler":   {"openeuler", version.RPM, false},
	"openSUSE":    {"opensuse", version.RPM, false},
}

// languages are ecosystems whose packages belong to no operating system.
var languages = map[string]bool{
	"CRAN": true, "ConanCenter": true, "Go": true, "Hackage": true, "Hex": true, "Julia": true, "Maven": true, "NuGet": true,
	"Packagist": true, "Pub": true, "PyPI": true, "RubyGems": true, "SwiftURL": true, "crates.io": true, "npm": true,
}

// ecosystemOf says what an ecosystem stands for. The package URL tells
// repositories apart that the ecosystem does not.
func ecosystemOf(name, purl string) (ecosystem, bool) {
	base, suffix, _ := strings.Cut(name, ":")
	if languages[base] {
		return ecosystem{typ: version.Generic, vendor: base, language: true}, true
	}
	d, ok := distributions[base]
	if !ok {
		return ecosystem{}, false
	}
	eco := ecosystem{typ: d.typ, vendor: base, source: d.source}
	eco.platform = advisory.Platform{OS: d.os, Version: suffix}
	switch base {
	case "Alpine":
		eco.platform.Version = strings.TrimPrefix(suffix, "v")
	case "Ubuntu":
		eco.platform = ubuntu(suffix)
	case "Rocky Linux":
		eco.platform.OS += rockyGroup(purl)
	case "Red Hat":
		eco.platform = redHat(suffix)
	case "SUSE", "openSUSE":
		eco.platform, eco.binaries = suse(base, suffix), true
	default:
		eco.platform.Version, _, _ = strings.Cut(suffix, ":")
	}
	return eco, true
}

// ubuntu reads "22.04:LTS", "24.10", "Pro:14.04:LTS" and
// "Pro:FIPS-updates:22.04:LTS". What a subscription alone can install is a
// platform of its own, "ubuntu-pro" or "ubuntu-pro-fips-updates".
func ubuntu(suffix string) advisory.Platform {
	p := advisory.Platform{OS: "ubuntu"}
	for part := range strings.SplitSeq(suffix, ":") {
		switch {
		case part == "" || part == "LTS":
		case part[0] >= '0' && part[0] <= '9':
			p.Version = part
		default:
			p.OS += "-" + slug(part)
		}
	}
	return p
}

// rockyGroup tells the builds of a special interest group from the distribution:
// …/kernel?distro=rocky-linux-8-sig-cloud replaces the kernel of hosts that
// chose that group's repository, and of no other.
func rockyGroup(purl string) string {
	_, query, _ := strings.Cut(purl, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return ""
	}
	_, group, ok := strings.Cut(values.Get("distro"), "-sig-")
	if !ok {
		return ""
	}
	return "-sig-" + slug(group)
}

// redHat reads the end of a CPE: "enterprise_linux:9::baseos", and for other
// products or lifetimes "rhel_eus:9.2::appstream".
func redHat(suffix string) advisory.Platform {
	product, rest, _ := strings.Cut(suffix, ":")
	version, _, _ := strings.Cut(rest, ":")
	if product == "enterprise_linux" || product == "" {
		return advisory.Platform{OS: "rhel", Version: version}
	}
	return advisory.Platform{OS: slug(product), Version: version}
}

// suse reads a product's name: "Linux Enterprise Server 12 SP1" is {sles 12.1},
// "openSUSE:Leap 15.5" {opensuse-leap 15.5}. Modules and extensions of SUSE
// Linux Enterprise are packages of its hosts; other products are platforms of
// their own.
func suse(base, product string) advisory.Platform {
	name, version := productVersion(product)
	if base == "openSUSE" || strings.HasPrefix(name, "openSUSE") {
		name = strings.TrimSpace(strings.TrimPrefix(name, "openSUSE"))
		if name == "" {
			return advisory.Platform{OS: "opensuse", Version: version}
		}
		return advisory.Platform{OS: "opensuse-" + slug(name), Version: version}
	}
	switch enterprise, ok := strings.CutPrefix(name, "Linux Enterprise "); {
	case ok && strings.HasPrefix(enterprise, "Desktop"):
		return advisory.Platform{OS: "sled", Version: version}
	case ok && strings.HasPrefix(enterprise, "Micro"):
		return advisory.Platform{OS: "sle-micro", Version: version}
	case ok && strings.HasPrefix(enterprise, "High Performance Computing"):
		return advisory.Platform{OS: "sle_hpc", Version: version}
	case ok, name == "Package Hub":
		return advisory.Platform{OS: "sles", Version: version}
	}
	return advisory.Platform{OS: "suse-" + slug(name), Version: version}
}

// productVersion splits "Linux Enterprise Module for Basesystem 15 SP5" into its
// name and "15.5". A lifetime ("-LTSS") is no part of either.
func productVersion(product string) (name, version string) {
	var words []string
	for word := range strings.FieldsSeq(product) {
		plain, _, _ := strings.Cut(word, "-LTSS")
		plain, _, _ = strings.Cut(plain, "-ESPOS")
		sp, isSP := strings.CutPrefix(plain, "SP")
		switch {
		case plain == "":
		case version == "" && plain[0] >= '0' && plain[0] <= '9':
			version = plain
		case version != "" && isSP && sp != "" && strings.Trim(sp, "0123456789") == "":
			version += "." + sp
		case version == "":
			words = append(words, plain)
		}
	}
	return strings.Join(words, " "), version
}

// slug is a name in lower case with "-" for what is not a letter or digit.
func slug(s string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return '-'
	}, s), "-")
}
