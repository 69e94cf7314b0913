package regression

import (
	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// Of gathers what the advisories of a patch say of it as an update. CVEs are
// counted over all of them, as the host gets them at once; releases are those of
// the notice that is for most, paid extension (whose platforms have names of their
// own) apart. An update for two distributions is of neither.
func Of(id plan.PatchID, advisories []*advisory.Advisory) Update {
	typ, name, _, _ := id.Parts()
	u := Update{Type: typ, Package: name, CVEs: -1}
	cves := map[string]bool{}
	systems := map[string]bool{}
	for _, a := range advisories {
		for _, c := range a.CVEs {
			cves[c.ID] = true
		}
		releases := map[string]bool{}
		for _, f := range a.Fixes {
			if f.Type != version.Deb || f.Package != name || f.Platform.OS == "" {
				continue
			}
			systems[f.Platform.OS] = true
			if _, ok := distributions[f.Platform.OS]; ok && f.Platform.Version != "" {
				releases[f.Platform.Version] = true
			}
		}
		u.Releases = max(u.Releases, len(releases))
	}
	if len(cves) > 0 {
		u.CVEs = len(cves)
	}
	u.Distribution = only(systems)
	return u
}

// distributions are those that the model knows, by os-release's ID.
var distributions = map[string]string{"debian": "Debian", "ubuntu": "Ubuntu"}

// only is the one known distribution among systems, "" where both are there; where
// none is, a system's own name, so that silence can say what it is silent about.
func only(systems map[string]bool) string {
	switch {
	case systems["debian"] && systems["ubuntu"]:
		return ""
	case systems["debian"]:
		return "Debian"
	case systems["ubuntu"]:
		return "Ubuntu"
	}
	for _, name := range order(systems) {
		return name
	}
	return ""
}
