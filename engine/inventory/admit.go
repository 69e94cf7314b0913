package inventory

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/ringmaster-dev/ringmaster/engine/version"
)

const (
	alnum    = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	versions = alnum + "+._-~:^"
	idents   = alnum + "._:+@/~-"
)

// names are the first and the other characters of package names by type; they
// are those that an estate reads.
var names = map[version.Type]struct{ first, rest string }{
	version.Deb:     {alnum, alnum + "+._-"},
	version.RPM:     {alnum + "_", alnum + "+._-~^"},
	version.APK:     {alnum + "_.", alnum + "+._-"},
	version.Windows: {alnum, alnum + "._-"},
	version.Generic: {alnum + "@_", alnum + "+._-~/:@"},
}

// Admit brings a host's facts into the form that an estate keeps: packages and
// findings whose names, versions and ids follow their grammar, sorted, each
// once; other texts without control characters. What is kept out is counted and
// named in p, one problem for each reason. Several versions of one package all
// stay: that is how kernels are installed. Where a newer kernel is installed than
// runs, a reboot is pending, whatever the file says.
func (f *Facts) Admit(p *Problems) {
	where := f.Host.where()
	f.At = f.At.UTC().Truncate(1e9)
	f.Packages = admitPackages(f.Packages, where, p)
	f.Findings = admitFindings(f.Findings, where, p)
	f.Address = Plain(f.Address)
	if stale := f.StaleKernel(); stale != nil && (f.RebootPending == nil || *stale) {
		f.RebootPending = stale
	}
	if f.OS == nil {
		return
	}
	os := OS{ID: Plain(f.OS.ID), Version: Plain(f.OS.Version), Arch: Plain(f.OS.Arch), Kernel: Plain(f.OS.Kernel), Name: Plain(f.OS.Name)}
	f.OS = &os
	if os == (OS{}) {
		f.OS = nil
	}
}

// refusals collects the names of what is kept out by the reason.
type refusals map[string][]string

func (r refusals) add(why, name string) { r[why] = append(r[why], name) }

func (r refusals) report(where string, p *Problems) {
	for _, why := range slices.Sorted(maps.Keys(r)) {
		slices.Sort(r[why])
		p.Lost(where, "%s (%d): %s", why, len(r[why]), some(r[why]))
	}
}

func admitPackages(list []Package, where string, p *Problems) []Package {
	var kept []Package
	refused := refusals{}
	for _, pkg := range list {
		if why := refusePackage(pkg); why != "" {
			refused.add(why, strings.TrimSpace(pkg.Name+" "+pkg.Version))
			continue
		}
		pkg.Arch, pkg.Vendor = Plain(pkg.Arch), Plain(pkg.Vendor)
		if pkg.Source != "" && !validName(pkg.Type, pkg.Source) {
			refused.add("packages kept without their source, whose name is not that of a "+string(pkg.Type)+" package", pkg.Name+" from "+pkg.Source)
			pkg.Source, pkg.SourceVersion = "", ""
		}
		if pkg.SourceVersion == pkg.Version {
			pkg.SourceVersion = ""
		}
		if pkg.SourceVersion != "" && !validVersion(pkg.Type, pkg.SourceVersion) {
			refused.add("packages kept without the version of their source, which is not a version", pkg.Name+" from "+pkg.SourceVersion)
			pkg.SourceVersion = ""
		}
		if pkg.Module != "" && !made(pkg.Module, alnum, idents, 256) {
			refused.add("packages kept without their module stream, which is not NAME:STREAM", pkg.Name+" in "+pkg.Module)
			pkg.Module = ""
		}
		kept = append(kept, pkg)
	}
	refused.report(where, p)
	return SortPackages(kept)
}

// SortPackages sorts packages by type, name, architecture and version, the way
// they are written, and drops repetitions.
func SortPackages(list []Package) []Package {
	slices.SortFunc(list, func(a, b Package) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Arch, b.Arch),
			cmp.Compare(a.Version, b.Version), cmp.Compare(a.Source, b.Source), cmp.Compare(a.SourceVersion, b.SourceVersion),
			cmp.Compare(a.Module, b.Module), cmp.Compare(a.Vendor, b.Vendor))
	})
	return slices.Compact(list)
}

func refusePackage(p Package) string {
	switch {
	case names[p.Type].first == "":
		return fmt.Sprintf("packages left out, their type %q is not known", p.Type)
	case p.Name == "":
		return "packages left out, they have no name"
	case !validName(p.Type, p.Name):
		return fmt.Sprintf("packages left out, their names are not those of %s packages", p.Type)
	case p.Version == "" && p.Type != version.Windows:
		return "packages left out, they have no version"
	case p.Version != "" && !validVersion(p.Type, p.Version):
		return fmt.Sprintf("packages left out, their versions are not %s versions", p.Type)
	}
	return ""
}

func admitFindings(list []Finding, where string, p *Problems) []Finding {
	var kept []Finding
	refused := refusals{}
	for _, f := range list {
		f.Package, f.Fixed, f.Installed = Plain(f.Package), Plain(f.Fixed), Plain(f.Installed)
		switch {
		case f.CVE == "" && f.ID == "":
			refused.add("findings left out, they have no id", f.Package)
		case f.CVE != "" && !made(f.CVE, alnum, idents, 128), f.ID != "" && !made(f.ID, alnum, idents, 128):
			refused.add("findings left out, their ids are not those of a CVE or an advisory", cmp.Or(f.CVE, f.ID))
		default:
			kept = append(kept, f)
		}
	}
	refused.report(where, p)
	return SortFindings(kept)
}

// SortFindings sorts findings by CVE, id, package, fixed and installed version,
// and drops repetitions.
func SortFindings(list []Finding) []Finding {
	slices.SortFunc(list, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.CVE, b.CVE), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Package, b.Package),
			cmp.Compare(a.Fixed, b.Fixed), cmp.Compare(a.Installed, b.Installed))
	})
	return slices.Compact(list)
}

// IsCVE reports whether a scanner's id names a CVE; other ids go into
// Finding.ID.
func IsCVE(id string) bool {
	rest, ok := strings.CutPrefix(id, "CVE-")
	year, number, cut := strings.Cut(rest, "-")
	return ok && cut && len(year) == 4 && strings.Trim(year, "0123456789") == "" &&
		len(number) >= 4 && strings.Trim(number, "0123456789") == ""
}

func validName(t version.Type, name string) bool {
	return made(name, names[t].first, names[t].rest, 256)
}

// validVersion holds a version to its type's grammar and to the characters that
// an estate reads.
func validVersion(t version.Type, v string) bool {
	return made(v, alnum, versions, 256) && version.Check(t, v) == nil
}

// made reports whether s has 1 to most characters, all of the alphabet, the
// first one of first.
func made(s, first, alphabet string, most int) bool {
	return s != "" && len(s) <= most && strings.IndexByte(first, s[0]) >= 0 && strings.Trim(s, alphabet) == ""
}

// Plain is a text on one line: control and invisible characters become spaces,
// runs of spaces become one, and 256 characters are kept.
func Plain(s string) string {
	if strings.IndexFunc(s, odd) < 0 && len(s) <= 256 && s == strings.TrimSpace(s) {
		return s
	}
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, " "), func(r rune) bool { return odd(r) || unicode.IsSpace(r) }), " ")
	if runes := []rune(s); len(runes) > 256 {
		s = string(runes[:256])
	}
	return strings.TrimSpace(s)
}

func odd(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) }
