package match

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// index is the advisories by the packages that they name.
type index struct {
	advisories []advisory.Advisory
	platforms  []platform
	targets    []target
	installed  []*installed // every version met on hosts, by id
	types      map[version.Type]*names
	supersedes map[int32]map[int32]bool // advisory → those it replaces, transitively
	updates    []update                 // of Windows, by name alone
}

// update is an update of Windows that has no version: a host has it or not.
type update struct {
	target   int32
	advisory int32
	platform int32
}

// isUpdate reports whether a vendor's patch names an update of Windows alone.
func isUpdate(a *advisory.Advisory, f *advisory.Fix) bool {
	return a.Format == "patches" && f.Type == version.Windows && f.Fixed == ""
}

// platform is one that advisories name, with the types that they speak of.
type platform struct {
	advisory.Platform
	covered kinds
	sources kinds
}

// names finds the targets of one type.
type names struct {
	kind     kinds
	packages map[string]int32
	sources  map[string]int32
}

// target is a package or source package that advisories name.
type target struct {
	typ       version.Type
	name      string
	source    bool
	rules     []rule
	installed map[build]int32 // versions met on hosts → index.installed
}

// rule is one fix of one advisory.
type rule struct {
	advisory int32
	platform int32
	fix      *advisory.Fix
	module   module
}

// module is what is known of an rpm's module stream. Builds within modules
// carry ".module" in their release.
type module struct {
	stream string // name:stream, "" not named
	marked bool   // the version shows that it was built in a module
}

func (m module) modular() bool { return m.stream != "" || m.marked }

func moduleOf(t version.Type, label, v string) module {
	if t != version.RPM {
		return module{}
	}
	return module{inventory.ModuleStream(label), advisory.ModularVersion(v)}
}

func newIndex(advisories []advisory.Advisory) *index {
	x := &index{advisories: advisories, types: map[version.Type]*names{}}
	platforms := map[advisory.Platform]int32{}
	for i := range advisories {
		a := &advisories[i]
		if !a.Withdrawn.IsZero() {
			continue
		}
		for j := range a.Fixes {
			f := &a.Fixes[j]
			p := x.platform(platforms, f)
			id := x.target(f)
			if isUpdate(a, f) {
				x.updates = append(x.updates, update{id, int32(i), p})
				continue
			}
			t := &x.targets[id]
			t.rules = append(t.rules, rule{int32(i), p, f, moduleOf(f.Type, f.Module, f.Fixed)})
		}
	}
	for i := range x.targets {
		slices.SortFunc(x.targets[i].rules, func(a, b rule) int { return x.compareRules(&a, &b) })
	}
	x.supersedes = superseding(advisories)
	return x
}

// compareRules orders rules by advisory and then by all that they say, so that
// nothing depends on the order of the input.
func (x *index) compareRules(a, b *rule) int {
	return cmp.Or(x.byID(a.advisory, b.advisory), strings.Compare(a.fix.Package, b.fix.Package),
		comparePlatforms(a.fix.Platform, b.fix.Platform), strings.Compare(a.fix.Fixed, b.fix.Fixed),
		strings.Compare(a.fix.Module, b.fix.Module), strings.Compare(a.fix.Introduced, b.fix.Introduced),
		strings.Compare(a.fix.LastAffected, b.fix.LastAffected), slices.Compare(a.fix.Affected, b.fix.Affected))
}

func (x *index) platform(ids map[advisory.Platform]int32, f *advisory.Fix) int32 {
	id, ok := ids[f.Platform]
	if !ok {
		id = int32(len(x.platforms))
		ids[f.Platform] = id
		x.platforms = append(x.platforms, platform{Platform: f.Platform})
	}
	kind := kindOf(f.Type)
	// What holds anywhere does not mean that someone watches a distribution.
	if f.Platform.OS != "" || kind == kindGeneric {
		x.platforms[id].covered |= kind
	}
	if f.Source {
		x.platforms[id].sources |= kind
	}
	return id
}

func (x *index) target(f *advisory.Fix) int32 {
	n := x.types[f.Type]
	if n == nil {
		n = &names{kindOf(f.Type), map[string]int32{}, map[string]int32{}}
		x.types[f.Type] = n
	}
	ids := n.packages
	if f.Source {
		ids = n.sources
	}
	id, ok := ids[f.Package]
	if !ok {
		id = int32(len(x.targets))
		ids[f.Package] = id
		x.targets = append(x.targets, target{typ: f.Type, name: f.Package, source: f.Source})
	}
	return id
}

// superseding returns what each advisory replaces, directly or through others
// that are given. Two that replace each other replace nothing.
func superseding(advisories []advisory.Advisory) map[int32]map[int32]bool {
	var replacing []int32
	for i := range advisories {
		if len(advisories[i].Supersedes) > 0 && advisories[i].Withdrawn.IsZero() {
			replacing = append(replacing, int32(i))
		}
	}
	if len(replacing) == 0 {
		return nil
	}
	ids := map[string][]int32{}
	for i := range advisories {
		a := &advisories[i]
		ids[a.ID] = append(ids[a.ID], int32(i))
		for _, alias := range a.Aliases {
			ids[alias] = append(ids[alias], int32(i))
		}
	}
	all := make(map[int32]map[int32]bool, len(replacing))
	for _, i := range replacing {
		reached := map[int32]bool{}
		reach(advisories, ids, i, reached)
		all[i] = reached
	}
	return all
}

func reach(advisories []advisory.Advisory, ids map[string][]int32, from int32, reached map[int32]bool) {
	for _, id := range advisories[from].Supersedes {
		for _, i := range ids[id] {
			if !reached[i] {
				reached[i] = true
				reach(advisories, ids, i, reached)
			}
		}
	}
}

// replaces reports whether advisory a takes the place of b.
func (x *index) replaces(a, b int32) bool {
	return a != b && x.supersedes[a][b] && !x.supersedes[b][a]
}
