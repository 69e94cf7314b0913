// Package match finds the changes that an inventory needs: which advisories
// apply to which installed packages, and the version that fixes them all.
//
// The distribution's own fixed version decides, never upstream's. Each distinct
// package is looked up once and judged once in each place (hosts of the same
// platforms); package lists are numbers of packages, each list read once however
// many hosts have it, so that a row costs a few array look-ups.
//
// Where a host has a package in several versions (kernels are installed side by
// side), the newest counts: that the running kernel is older than a fixed one
// that is installed is a pending reboot, not a patch. Different architectures
// of a package, and different packages built from one source, each count.
package match

import (
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// Result is what matching found. Everything is sorted, so that the same input
// gives the same result whatever the order of hosts' packages.
type Result struct {
	Patches   []Patch        // sorted by id
	Unfixed   []Unfixed      // sorted by package, advisory
	Undecided []Undecided    // sorted by host, package, advisory
	Disputes  []plan.Dispute // sorted by host, package, CVE; for hosts with findings
	// Uncovered are hosts (indices) with packages whose platform no advisory of
	// the input speaks of: nothing found is then not good news.
	Uncovered []int32
	// Unnamed holds, for a host that needs a patch of a source package, a binary of
	// which nobody can say what version brings the patch; see Target.
	Unnamed map[Built]inventory.Package
}

// Patch is one package moving to the newest fixed version on one platform, with
// every advisory that it fixes on at least one host, superseded ones included.
// A package has one patch on a platform, unless advisories bound their versions
// from below: hosts then move to the newest fix of what affects themselves, so
// that nobody is moved to another release line for nothing.
type Patch struct {
	ID         plan.PatchID
	Platform   advisory.Platform
	Type       version.Type
	Package    string
	Source     bool // Package is a source package; the binaries built from it move together
	Module     string
	To         string
	Vendor     string  // of the newest advisory that names To; "" when none says
	Advisories []int32 // indices into the advisories given, sorted by advisory id
	Groups     []Group // sorted by From (version order)
}

// Group is the hosts that move from one version: the oldest one affected, where
// a host has several.
type Group struct {
	From  string
	Hosts []int32 // indices into the hosts given, ascending
}

// Unfixed is an advisory that affects hosts and that no published version fixes.
// A group's From is the affected version that its hosts have.
type Unfixed struct {
	Platform advisory.Platform
	Type     version.Type
	Package  string
	Source   bool
	Module   string
	Advisory int32 // index into the advisories given
	Groups   []Group
}

// Undecided is a pair that cannot be judged: the advisory speaks of a module
// stream that the host's facts do not name, the package is too old for the patch
// to install over, or packages have no source. The last is told once for a host,
// with Package and Advisory empty and the packages named in Why.
type Undecided struct {
	Host     inventory.HostID
	Package  string
	Advisory string
	Why      string
}

// Changes matches advisories against hosts. Withdrawn and superseded advisories
// are passed over, the latter where the superseding one applies. Patches with the
// same id on several platforms get one entry each, and their ids are made
// distinct by the engine's caller only when both are needed: see Patch.Platform.
func Changes(hosts []inventory.Host, advisories []advisory.Advisory) Result {
	m := newMatcher(advisories)
	m.classify(hosts)
	m.fill()
	var r Result
	r.Patches, r.Unfixed = m.tally.results()
	r.Undecided = m.undecided(hosts)
	r.Uncovered = m.uncovered()
	r.Unnamed = unnamed(hosts, r.Patches)
	r.Disputes = m.disputes(hosts)
	return r
}

// Binaries returns the packages of a host's list that move with the patch, in its
// order: the package itself, or every binary package built from the source
// package. What is at the patch's version or newer already is left out (nothing
// is, where To is ""), and so are older kernels beside the newest. A binary's own
// version may differ from its source's, which is what the patch names: see
// Package.SourceVersion.
func Binaries(l *inventory.List, p Patch) []inventory.Package {
	var found []inventory.Package
	for b := range l.All() {
		if v, ok := movesWith(b, &p); ok && (p.To == "" || version.Compare(p.Type, v, p.To) < 0) {
			found = append(found, *b)
		}
	}
	return slices.DeleteFunc(found, func(b inventory.Package) bool { return outdated(l, &b, p.Type) })
}

// movesWith returns the version of an installed package that is compared with
// the patch's, ok false when the patch is not about it.
func movesWith(b *inventory.Package, p *Patch) (v string, ok bool) {
	if b.Type != p.Type || b.Version == "" || p.Module != "" && inventory.ModuleStream(b.Module) != p.Module {
		return "", false
	}
	switch {
	case !p.Source && b.Name == p.Package:
		return b.Version, true
	case !p.Source:
		return "", false
	case b.Source == p.Package, b.Source == "" && b.Name == p.Package:
		return sourceVersion(b), true
	case unsignedSource(b.Source) == p.Package && p.Package != "":
		return b.Version, true
	}
	return "", false
}

// outdated reports whether the host has a newer version of the package beside
// this one.
func outdated(l *inventory.List, b *inventory.Package, t version.Type) bool {
	for o := range l.All() {
		if o.Type == b.Type && o.Arch == b.Arch && familyOf(o.Name) == familyOf(b.Name) && version.Compare(t, o.Version, b.Version) > 0 {
			return true
		}
	}
	return false
}
