package match

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// why says why the match does not confirm what a scanner reports.
func (d *disputer) why(c int32, s *scanned, q question, id string, names []string) string {
	where, pkg := q.where, q.Package
	if c < 0 {
		return "the host reports no packages"
	}
	cl := &d.m.classes[c]
	if !cl.place.covers(cl.kinds) {
		return "no advisory of the feeds speaks of " + where
	}
	var here []*rule
	for _, r := range d.byID[id] {
		if cl.place.on[r.platform] {
			here = append(here, r)
		}
	}
	if len(here) == 0 {
		return fmt.Sprintf("no advisory of the feeds names %s for %s", id, where)
	}
	if why := d.judged(cl.place, s, here, names); why != "" {
		return why
	}
	if pkg != "" && s.packages[pkg] == nil && !s.isSource(pkg) {
		return fmt.Sprintf("%s is not among the packages that the host reports", pkg)
	}
	others := map[string]bool{}
	for _, r := range here {
		others[r.fix.Package] = true
	}
	list := slices.Sorted(maps.Keys(others))
	text := strings.Join(list[:min(3, len(list))], ", ")
	if more := len(list) - 3; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("%s names %s for other packages of %s: %s", d.m.x.advisories[here[0].advisory].ID, id, where, text)
}

// isSource reports whether the class has a package built from a source that
// advisories name.
func (s *scanned) isSource(name string) bool {
	for k := range s.versions {
		if k.source && k.name == name {
			return true
		}
	}
	return false
}

// judged says how the match judged the package, "" where no rule is about it.
// What cannot be decided is told first, then the newest fixed version.
func (d *disputer) judged(p *place, s *scanned, here []*rule, names []string) string {
	best, bestFixed := "", ""
	for _, r := range here {
		versions := s.versions[targetKey{r.fix.Type, r.fix.Package, r.fix.Source}]
		if versions == nil || !slices.Contains(names, r.fix.Package) {
			continue
		}
		in := versions[0]
		t := &d.m.x.targets[in.target]
		for _, doubt := range d.m.x.verdict(p, in).doubts {
			if doubt.advisory == r.advisory {
				return "undecided: " + doubt.why
			}
		}
		if best == "" || newer(t.typ, r.fix.Fixed, bestFixed) {
			best, bestFixed = d.unaffected(t, r, in), r.fix.Fixed
		}
	}
	return best
}

// unaffected says why a rule does not affect an installed version.
func (d *disputer) unaffected(t *target, r *rule, in *installed) string {
	a, f := d.m.x.advisories[r.advisory].ID, r.fix
	same, _ := inStream(r.module, in.module, in.version)
	switch {
	case f.Fixed != "" && version.Compare(t.typ, in.version, f.Fixed) >= 0:
		return fmt.Sprintf("the installed version %s is at or above the distribution's fixed version %s (%s)", in.version, f.Fixed, a)
	case !same && f.Module != "":
		return fmt.Sprintf("%s is about module stream %s, which %s is not from", a, inventory.ModuleStream(f.Module), in.version)
	case !same && r.module.marked:
		return fmt.Sprintf("%s is about a module stream, and %s is not from one", a, in.version)
	case !same:
		return fmt.Sprintf("%s is not about module streams, and %s is from one", a, in.version)
	case older(t.typ, in.version, f.Introduced):
		return fmt.Sprintf("the installed version %s is older than %s, the first that %s names as affected", in.version, f.Introduced, a)
	case f.LastAffected != "" && version.Compare(t.typ, in.version, f.LastAffected) > 0:
		return fmt.Sprintf("the installed version %s is newer than %s, the last that %s names as affected", in.version, f.LastAffected, a)
	}
	return fmt.Sprintf("%s does not list the installed version %s, or another advisory takes its place", a, in.version)
}

func platformText(os *inventory.OS) string {
	if os == nil || os.ID == "" {
		return "a host whose operating system is not known"
	}
	return strings.TrimSpace(os.ID + " " + os.Version)
}
