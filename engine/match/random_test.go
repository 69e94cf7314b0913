package match

import (
	"fmt"
	"math/rand/v2"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// random makes small inputs in which everything happens.
type random struct{ *rand.Rand }

// pool is one that other hosts have too, or a new one.
func (r random) pool() *inventory.Pool {
	if r.IntN(8) == 0 {
		return inventory.NewPool()
	}
	return pool
}

func (r random) of(list ...string) string { return list[r.IntN(len(list))] }

func (r random) maybe(list ...string) string {
	if r.IntN(2) == 0 {
		return ""
	}
	return r.of(list...)
}

func (r random) version(t version.Type) string {
	if t == version.RPM {
		return r.of("1", "1-1", "2-1", "2-1.module_el8", "3-1.module_el8", "3", "1:1-1")
	}
	return r.of("1", "1.1", "1.2", "2", "2.0", "2.1", "3", "3.1", "4")
}

func (r random) platform(t version.Type) advisory.Platform {
	switch {
	case t == version.Generic || r.IntN(8) == 0:
		return advisory.Platform{}
	case t == version.Deb:
		return advisory.Platform{OS: "debian", Version: r.of("11", "12", "")}
	}
	return advisory.Platform{OS: "rhel", Version: r.of("8", "9")}
}

var randomTypes = []version.Type{version.Deb, version.RPM, version.Generic}

func (r random) advisories() []advisory.Advisory {
	list := make([]advisory.Advisory, 1+r.IntN(6))
	for i := range list {
		a := &list[i]
		a.ID = fmt.Sprintf("A%d", i)
		a.Vendor = r.of("V", "W", "")
		a.Format = r.of("osv", "patches", "osv")
		a.CVEs = []advisory.CVE{{ID: fmt.Sprintf("CVE-%d", i/2)}}
		for range r.IntN(3) {
			a.Supersedes = append(a.Supersedes, fmt.Sprintf("A%d", r.IntN(len(list)+1)))
		}
		for range 1 + r.IntN(3) {
			t := randomTypes[r.IntN(len(randomTypes))]
			f := advisory.Fix{Platform: r.platform(t), Type: t, Package: r.of("x", "y"), Source: t == version.Deb && r.IntN(2) == 0}
			f.Fixed, f.Introduced = r.version(t), r.maybe(r.version(t))
			if t == version.RPM {
				f.Module = r.maybe("x:1", "x:2")
			}
			if r.IntN(3) == 0 {
				f.Fixed, f.LastAffected = "", r.maybe(r.version(t))
			}
			if r.IntN(4) == 0 {
				f.Affected = []string{r.version(t), r.version(t)}
			}
			a.Fixes = append(a.Fixes, f)
		}
	}
	return list
}

func (r random) hosts() []inventory.Host {
	list := make([]inventory.Host, 1+r.IntN(4))
	for i := range list {
		f := &inventory.Facts{OS: &inventory.OS{ID: r.of("debian", "rhel", "arch"), Version: r.of("11", "12.5", "8", "9.3")}}
		if r.IntN(10) == 0 {
			f.OS = nil
		}
		var packages []inventory.Package
		for range r.IntN(6) {
			t := randomTypes[r.IntN(len(randomTypes))]
			p := inventory.Package{Type: t, Name: r.of("x", "y", "x-libs", "linux-x-5.1.0-1", "linux-x-5.1.0-2"), Version: r.version(t), Arch: r.of("a", "b")}
			if t == version.Deb {
				p.Source, p.SourceVersion = r.of("x", "y", "z", ""), r.maybe(r.version(t))
			}
			if t == version.RPM {
				p.Module = r.maybe("x:1:99", "x:2")
			}
			packages = append(packages, p)
		}
		for range r.IntN(3) {
			f.Findings = append(f.Findings, inventory.Finding{CVE: r.of("CVE-0", "CVE-1", "CVE-9"), Package: r.maybe("x", "y", "x-libs"), Fixed: r.maybe("1", "2")})
		}
		list[i] = inventory.Host{ID: inventory.HostID(fmt.Sprintf("h%d", i)), Facts: f, Packages: r.pool().List(packages)}
	}
	return list
}
