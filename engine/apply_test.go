package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// A fleet is asked for versions of binaries, as the host and its repository have
// them; a rollback goes back to just what was there.
func TestPackagesOfASource(t *testing.T) {
	const id = "deb:wader@1.4-2"
	list := inventory.NewPool().List([]inventory.Package{
		{Type: version.Deb, Name: "libwader1", Version: "1.4-1", Source: "wader"},
		{Type: version.Deb, Name: "wader", Version: "1.4-1+b2", Source: "wader", SourceVersion: "1.4-1"},
		{Type: version.Deb, Name: "wader-common", Version: "1:1.4-1", Source: "wader", SourceVersion: "1.4-1"},
	})
	u := &tip{
		est:   &estate.Estate{Hosts: []inventory.Host{{ID: "web-01", Facts: &inventory.Facts{}, Packages: list}}},
		fixes: fixes([]advisory.Advisory{{ID: "DSA-1", Fixes: []advisory.Fix{{Type: version.Deb, Package: "wader", Source: true, Fixed: "1.4-2"}}}}),
	}
	there := []fleet.Package{
		{Type: version.Deb, Name: "libwader1", From: "1.4-1", To: "1.4-2", Patch: id},
		{Type: version.Deb, Name: "wader", From: "1.4-1+b2", To: "1.4-2", Patch: id},
		{Type: version.Deb, Name: "wader-common", From: "1:1.4-1", To: "1:1.4-2", Patch: id},
	}
	if d := cmp.Diff(there, u.packages("web-01", id, "1.4-1", "1.4-2")); d != "" {
		t.Errorf("packages() (-want +got):\n%s", d)
	}
	for i := range there {
		there[i].From, there[i].To = there[i].To, there[i].From
	}
	if d := cmp.Diff(there, u.packages("web-01", id, "1.4-2", "1.4-1")); d != "" {
		t.Errorf("packages() back (-want +got):\n%s", d)
	}
}
