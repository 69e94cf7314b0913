package engine

import (
	"fmt"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/match"
)

// Blind are the hosts for which nothing can be found, or not all: that no plan names
// them is no good news.
type Blind struct {
	Bare       []inventory.HostID // no package of which is known
	Uncovered  []inventory.HostID // on platforms that no advisory speaks of
	Sourceless []inventory.HostID // with packages of unknown source packages, by which advisories speak
}

// blind says what matching could not see. It reads package lists.
func (d *decider) blind(found match.Result) Blind {
	var b Blind
	for i := range d.hosts {
		if d.hosts[i].Packages.Len() == 0 {
			b.Bare = append(b.Bare, d.hosts[i].ID)
		}
	}
	for _, h := range found.Uncovered {
		b.Uncovered = append(b.Uncovered, d.hosts[h].ID)
	}
	for _, u := range found.Undecided {
		if u.Package == "" && u.Advisory == "" {
			b.Sourceless = append(b.Sourceless, u.Host)
		}
	}
	return b
}

// Says tells of them, and what would help; nothing where there are none.
func (b Blind) Says() []string {
	var list []string
	for _, x := range []struct {
		hosts     []inventory.HostID
		what, why string
	}{
		{b.Bare, "nothing", "no packages are known; import a report that lists them"},
		{b.Uncovered, "nothing", "no advisory here speaks of the platform; name the distribution's in inventory/feeds.hcl"},
		{b.Sourceless, "not all", "advisories speak of source packages, and the facts do not say which theirs are built from, as Ansible's do not; import a scanner's report"},
	} {
		if len(x.hosts) > 0 {
			list = append(list, fmt.Sprintf("%s can be found for %s (%s): %s", x.what, counted(len(x.hosts), "host"), firstHosts(x.hosts), x.why))
		}
	}
	return list
}

func firstHosts(hosts []inventory.HostID) string {
	var names []string
	for _, h := range hosts[:min(3, len(hosts))] {
		names = append(names, string(h))
	}
	if len(hosts) > 3 {
		names = append(names, "…")
	}
	return strings.Join(names, ", ")
}
