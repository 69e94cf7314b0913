package inventory

import (
	"net/url"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// PURL is a package URL (pkg:rpm/redhat/openssl@3.0.7-18.el9_2?arch=x86_64), its
// parts decoded.
type PURL struct {
	Type, Namespace, Name, Version string
	Qualifiers                     map[string]string
}

// ParsePURL reads a package URL; false where the text is none.
func ParsePURL(s string) (PURL, bool) {
	rest, ok := strings.CutPrefix(s, "pkg:")
	if !ok {
		return PURL{}, false
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, query, _ := strings.Cut(rest, "?")
	p := PURL{Qualifiers: map[string]string{}}
	for pair := range strings.SplitSeq(query, "&") {
		if k, v, ok := strings.Cut(pair, "="); ok {
			p.Qualifiers[strings.ToLower(k)] = unescape(v)
		}
	}
	typ, rest, ok := strings.Cut(strings.TrimLeft(rest, "/"), "/")
	if !ok {
		return PURL{}, false
	}
	p.Type = strings.ToLower(typ)
	if i := strings.LastIndexByte(rest, '@'); i > strings.LastIndexByte(rest, '/') && i > 0 {
		rest, p.Version = rest[:i], unescape(rest[i+1:])
	}
	rest = strings.Trim(rest, "/")
	if i := strings.LastIndexByte(rest, '/'); i >= 0 {
		p.Namespace, rest = unescape(rest[:i]), rest[i+1:]
	}
	p.Name = unescape(rest)
	return p, p.Name != "" && p.Type != ""
}

func unescape(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}

// PackageType is the type of package that a package URL names: those of
// languages are generic, "" is what is no installed package (images, source
// packages).
func (p PURL) PackageType() version.Type {
	if p.Qualifiers["arch"] == "src" || p.Qualifiers["arch"] == "source" {
		return ""
	}
	switch p.Type {
	case "deb":
		return version.Deb
	case "rpm":
		return version.RPM
	case "apk", "alpine":
		return version.APK
	case "oci", "docker", "github", "bitbucket":
		return ""
	}
	return version.Generic
}

// Package is the installed package that a package URL names; false where it
// names none.
func (p PURL) Package() (Package, bool) {
	t := p.PackageType()
	if t == "" {
		return Package{}, false
	}
	pkg := Package{Type: t, Name: p.Name, Version: p.Version, Arch: p.Qualifiers["arch"]}
	if e := p.Qualifiers["epoch"]; e != "" && e != "0" && p.Version != "" {
		pkg.Version = e + ":" + p.Version
	}
	if t != version.Generic {
		pkg.Source, pkg.SourceVersion = upstream(p.Qualifiers["upstream"])
		if pkg.SourceVersion == p.Version {
			pkg.SourceVersion = "" // the file name of a source rpm leaves the epoch out
		}
		pkg.Module = ModuleStream(p.Qualifiers["rpmmod"])
		return pkg, true
	}
	switch {
	case p.Namespace == "":
	case p.Type == "maven":
		pkg.Name = p.Namespace + ":" + p.Name
	default:
		pkg.Name = p.Namespace + "/" + p.Name
	}
	return pkg, true
}

// upstream reads what Syft says of a package's source: "glibc@2.31-13",
// "openssl", or the file name of a source rpm.
func upstream(s string) (name, v string) {
	if file, ok := strings.CutSuffix(s, ".src.rpm"); ok {
		return SourceRPM(file)
	}
	name, v, _ = strings.Cut(s, "@")
	return name, v
}

// SourceRPM parts the name of a source rpm, "openssl-3.0.7-18.el9_2[.src.rpm]",
// into name and version.
func SourceRPM(file string) (name, v string) {
	file = strings.TrimSuffix(file, ".src.rpm")
	i := strings.LastIndexByte(file, '-')
	if i <= 0 {
		return "", ""
	}
	j := strings.LastIndexByte(file[:i], '-')
	if j <= 0 {
		return "", ""
	}
	return file[:j], file[j+1:]
}

// System is the operating system that the packages' distro qualifiers agree on
// ("debian-12", "rhel-9.4"), nil where they do not.
func System(purls []PURL) *OS {
	said := map[string]bool{}
	var os *OS
	for _, p := range purls {
		d := p.Qualifiers["distro"]
		if d == "" || p.PackageType() == "" {
			continue
		}
		said[p.Namespace+"\x00"+d] = true
		id, v, cut := cutRelease(d)
		if !cut { // Trivy leaves the name out on Alpine: distro=3.19
			id, v = p.Namespace, d
		}
		os = NewOS(id, v)
	}
	if len(said) != 1 {
		return nil
	}
	return os
}

// cutRelease parts "opensuse-leap-15.1" before the first part that is a number.
func cutRelease(s string) (id, release string, ok bool) {
	for i := 0; i+1 < len(s); i++ {
		if s[i] == '-' && s[i+1] >= '0' && s[i+1] <= '9' {
			return s[:i], s[i+1:], true
		}
	}
	return s, "", s != "" && (s[0] < '0' || s[0] > '9')
}
