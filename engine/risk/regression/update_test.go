package regression

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// notice is an advisory that fixes a package on platforms "os version".
func notice(pkg string, cves []string, platforms ...advisory.Platform) *advisory.Advisory {
	a := &advisory.Advisory{}
	for _, c := range cves {
		a.CVEs = append(a.CVEs, advisory.CVE{ID: c})
	}
	for _, p := range platforms {
		a.Fixes = append(a.Fixes, advisory.Fix{Platform: p, Type: version.Deb, Package: pkg})
	}
	return a
}

func TestOf(t *testing.T) {
	jammy, focal, pro := advisory.Platform{OS: "ubuntu", Version: "22.04"}, advisory.Platform{OS: "ubuntu", Version: "20.04"}, advisory.Platform{OS: "ubuntu-pro", Version: "16.04"}
	bookworm, devuan := advisory.Platform{OS: "debian", Version: "12"}, advisory.Platform{OS: "devuan", Version: "5"}
	one, two := []string{"CVE-1"}, []string{"CVE-1", "CVE-2"}
	for _, c := range []struct {
		name string
		id   plan.PatchID
		list []*advisory.Advisory
		want Update
	}{
		{"one notice", "deb:curl@1", []*advisory.Advisory{notice("curl", two, jammy, focal)}, Update{"deb", "Ubuntu", "curl", 2, 2}},
		{"paid extension apart", "deb:curl@1", []*advisory.Advisory{notice("curl", one, jammy, pro)}, Update{"deb", "Ubuntu", "curl", 1, 1}},
		{"two notices share a CVE", "deb:curl@1", []*advisory.Advisory{notice("curl", one, bookworm), notice("curl", two, bookworm)}, Update{"deb", "Debian", "curl", 2, 1}},
		{"another package in the notice", "deb:curl@1", []*advisory.Advisory{notice("curl", nil, jammy), notice("wget", one, focal)}, Update{"deb", "Ubuntu", "curl", 1, 1}},
		{"both distributions", "deb:curl@1", []*advisory.Advisory{notice("curl", one, jammy), notice("curl", one, bookworm)}, Update{"deb", "", "curl", 1, 1}},
		{"a derivative", "deb:curl@1", []*advisory.Advisory{notice("curl", one, devuan)}, Update{"deb", "devuan", "curl", 1, 0}},
		{"rpm", "rpm:curl@1", nil, Update{"rpm", "", "curl", -1, 0}},
		{"no CVE named", "deb:curl@1", []*advisory.Advisory{notice("curl", nil, jammy)}, Update{"deb", "Ubuntu", "curl", -1, 1}},
	} {
		if d := cmp.Diff(c.want, Of(c.id, c.list)); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}
