// Package match finds the changes that an inventory needs: which advisories
// apply to which installed packages, and the version that fixes them all.
//
// The distribution's own fixed version decides, never upstream's. Each distinct
// (package, version) pair is compared once, however many hosts have it.
package match

import (
	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// Result is what matching found. Everything is sorted, so that the same input
// gives the same result whatever the order of hosts' packages.
type Result struct {
	Patches   []Patch        // sorted by id
	Undecided []Undecided    // sorted by host, package, advisory
	Disputes  []plan.Dispute // sorted by host, package, CVE; for hosts with findings
	// Uncovered are hosts (indices) with packages whose platform no advisory of
	// the input speaks of: nothing found is then not good news.
	Uncovered []int32
}

// Patch is one package moving to the newest fixed version on one platform, with
// every advisory that it fixes on at least one host.
type Patch struct {
	ID         plan.PatchID
	Platform   advisory.Platform
	Type       version.Type
	Package    string
	Source     bool // Package is a source package; the binaries built from it move together
	Module     string
	To         string
	Vendor     string
	Advisories []int32 // indices into the advisories given, sorted by advisory id
	Groups     []Group // sorted by From (version order)
}

// Group is the hosts that move from one version.
type Group struct {
	From  string
	Hosts []int32 // indices into the hosts given, ascending
}

// Undecided is a pair that cannot be judged: the advisory speaks of a module
// stream that the host's facts do not name, or the package has no source.
type Undecided struct {
	Host     inventory.HostID
	Package  string
	Advisory string
	Why      string
}

// Changes matches advisories against hosts. Withdrawn and superseded advisories
// are passed over. Patches with the same id on several platforms get one entry
// each, and their ids are made distinct by the engine's caller only when both
// are needed: see Patch.Platform.
func Changes(hosts []inventory.Host, advisories []advisory.Advisory) Result { panic("match.Changes") }

// Binaries returns the packages of a host that move with the patch: the package
// itself, or every binary package built from the source package.
func Binaries(f *inventory.Facts, p Patch) []inventory.Package { panic("match.Binaries") }
