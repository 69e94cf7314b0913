package match

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// build is one version of a target as hosts have it.
type build struct{ version, label string }

// installed is a version of a target that some host has.
type installed struct {
	build
	id     int32 // in index.installed
	target int32
	module module
}

// list is what matters of one package list. It is good until the next one is
// scanned.
type list struct {
	kinds      kinds
	firsts     []first
	sourceless []orphan
	updates    []int32 // targets: updates of Windows that the host has
}

// first is a target that a list holds, by the first package that names it.
type first struct {
	slotted
	more    int32 // the last further package of the target, 0 none
	several bool  // they are not all of one version
}

// slotted is a version of a target, in a slot.
type slotted struct{ version, slot int32 }

// further is another package of a target.
type further struct {
	slotted
	before int32 // the one before it, 0 none
}

// orphan is a package whose facts do not say which source it is built from.
type orphan struct {
	kind kinds
	name string
}

// table is what the index knows of the packages of a pool, each looked up when
// it is first met. To read a row is then to look at a place in an array.
type table struct {
	packages []inventory.Package
	met      []met // by number
	more     map[int32][]named
	slots    map[slotKey]int32
}

// met is one package of a pool. Most are a version of one target, which stands
// here itself.
type met struct {
	named
	slot  int32
	kind  kinds
	state state
}

// state is what is told of few packages.
type state uint8

const (
	known      state = 1 << iota // looked up
	one                          // a version of a target
	many                         // and of others: see table.more
	sourceless                   // its facts do not say which source it is built from
	lone                         // an update of Windows without a version, named
)

// named is a target and the version of it that a package is.
type named struct{ target, version int32 }

// slotKey is what can be installed once, at one architecture. Where a host has
// several versions in it (kernels are installed side by side), the newest counts.
type slotKey struct{ family, arch string }

// mark is when a target was last seen.
type mark struct {
	round int32 // number of the list
	at    int32 // its place in list.firsts
}

// scanner reads package lists. It keeps what it needs for each list, so that
// reading a row allocates nothing.
type scanner struct {
	x       *index
	tables  map[*inventory.Pool]*table
	marks   []mark // by target
	round   int32
	further []further // from 1
	newest  []slotted
	list    list
}

func newScanner(x *index) *scanner {
	return &scanner{x: x, tables: map[*inventory.Pool]*table{}, marks: make([]mark, len(x.targets))}
}

// table returns the table of a pool, with room for all that is in it.
func (s *scanner) table(p *inventory.Pool) *table {
	t := s.tables[p]
	if t == nil {
		t = &table{more: map[int32][]named{}, slots: map[slotKey]int32{}}
		s.tables[p] = t
	}
	t.packages = p.Packages()
	if more := len(t.packages) - len(t.met); more > 0 {
		t.met = append(t.met, make([]met, more)...)
	}
	return t
}

// scan reads one package list.
func (s *scanner) scan(packages *inventory.List) *list {
	l := &s.list
	l.kinds, l.firsts, l.sourceless, l.updates = 0, l.firsts[:0], l.sourceless[:0], l.updates[:0]
	s.round++
	s.further = append(s.further[:0], further{})
	t := s.table(packages.Pool())
	for _, number := range packages.Numbers() {
		m := &t.met[number]
		if m.state&^one != known {
			s.special(t, m, number)
		}
		l.kinds |= m.kind
		if m.state&one != 0 {
			s.hit(m.named, m.slot)
		}
	}
	return l
}

func (s *scanner) hit(n named, slot int32) {
	k := &s.marks[n.target]
	if k.round == s.round {
		s.again(&s.list.firsts[k.at], slotted{n.version, slot})
		return
	}
	*k = mark{s.round, int32(len(s.list.firsts))}
	s.list.firsts = append(s.list.firsts, first{slotted: slotted{n.version, slot}})
}

// again notes another package of a target.
func (s *scanner) again(f *first, v slotted) {
	s.further = append(s.further, further{v, f.more})
	f.more = int32(len(s.further) - 1)
	f.several = f.several || v.version != f.version
}

// special is for packages that are new or of which more is told.
func (s *scanner) special(t *table, m *met, number int32) {
	p := &t.packages[number]
	if m.state&known == 0 {
		s.meet(t, m, number)
	}
	if m.state&sourceless != 0 {
		s.list.sourceless = append(s.list.sourceless, orphan{m.kind, p.Name})
	}
	if m.state&many != 0 {
		for _, n := range t.more[number] {
			s.hit(n, m.slot)
		}
	}
	if m.state&lone != 0 {
		s.list.updates = append(s.list.updates, s.x.types[p.Type].packages[p.Name])
	}
}

// meet looks a package up.
func (s *scanner) meet(t *table, m *met, number int32) {
	p := &t.packages[number]
	*m = met{kind: kindOf(p.Type), state: known}
	n := s.x.types[p.Type]
	if n == nil {
		return
	}
	if p.Version == "" {
		if _, ok := n.packages[p.Name]; ok && p.Type == version.Windows {
			m.state |= lone
		}
		return
	}
	all, ok := s.named(n, p)
	if !ok {
		m.state |= sourceless
	}
	if len(all) > 0 {
		m.state |= one
		m.named, m.slot = all[0], t.slot(slotKey{familyOf(p.Name), p.Arch})
	}
	if len(all) > 1 {
		m.state |= many
		t.more[number] = all[1:]
	}
}

func (t *table) slot(k slotKey) int32 {
	n, ok := t.slots[k]
	if !ok {
		n = int32(len(t.slots))
		t.slots[k] = n
	}
	return n
}

// named returns what an installed package is a version of: the package itself,
// its source, and what a signed source was built from. It returns false where
// advisories name sources, and neither the facts name one nor is there one like
// the package.
func (s *scanner) named(n *names, p *inventory.Package) (all []named, ok bool) {
	add := func(ids map[string]int32, name, v string) bool {
		id, ok := ids[name]
		if ok {
			all = append(all, named{id, s.x.meet(id, build{v, p.Module})})
		}
		return ok
	}
	add(n.packages, p.Name, p.Version)
	if p.Source == "" {
		return all, add(n.sources, p.Name, sourceVersion(p)) || len(n.sources) == 0
	}
	add(n.sources, p.Source, sourceVersion(p))
	if unsigned := unsignedSource(p.Source); unsigned != "" {
		add(n.sources, unsigned, p.Version)
	}
	return all, true
}

// sourceVersion is the version of the source package.
func sourceVersion(p *inventory.Package) string { return cmp.Or(p.SourceVersion, p.Version) }

// unsignedSource is the source that a signed kernel was built from before it
// was signed, "" for other sources: Debian's linux-signed-amd64 and Ubuntu's
// linux-signed are linux, linux-signed-hwe-5.15 is linux-hwe-5.15. Advisories
// name the unsigned source; its version is that of the signed binary.
func unsignedSource(source string) string {
	rest, ok := strings.CutPrefix(source, "linux-signed")
	if !ok {
		return ""
	}
	switch rest {
	case "", "-amd64", "-arm64", "-i386":
		return "linux"
	}
	return "linux" + rest
}

// meet returns the id of a version of a target.
func (x *index) meet(target int32, b build) int32 {
	t := &x.targets[target]
	if id, ok := t.installed[b]; ok {
		return id
	}
	if t.installed == nil {
		t.installed = map[build]int32{}
	}
	id := int32(len(x.installed))
	t.installed[b] = id
	x.installed = append(x.installed, &installed{build: b, id: id, target: target, module: moduleOf(t.typ, b.label, b.version)})
	return id
}

// several returns the distinct versions that count of one target, oldest first.
func (s *scanner) several(f *first) []int32 {
	t := &s.x.targets[s.x.installed[f.version].target]
	older := func(a, b int32) int { return t.older(s.x.installed[a], s.x.installed[b]) }
	s.newest = append(s.newest[:0], f.slotted)
next:
	for i := f.more; i != 0; i = s.further[i].before {
		o := s.further[i].slotted
		for j := range s.newest {
			if n := &s.newest[j]; n.slot == o.slot {
				if n.version != o.version && older(n.version, o.version) < 0 {
					n.version = o.version
				}
				continue next
			}
		}
		s.newest = append(s.newest, o)
	}
	found := make([]int32, len(s.newest))
	for i, n := range s.newest {
		found[i] = n.version
	}
	slices.SortFunc(found, older)
	return slices.Compact(found)
}

// older orders versions of a target, equal ones by their text.
func (t *target) older(a, b *installed) int {
	return cmp.Or(version.Compare(t.typ, a.version, b.version), strings.Compare(a.version, b.version), strings.Compare(a.label, b.label))
}

// familyOf is the name without the release that Debian and Ubuntu put into the
// names of kernels: linux-image-6.1.0-13-amd64 and linux-image-6.1.0-18-amd64
// are two versions of linux-image-amd64.
func familyOf(name string) string {
	if !strings.HasPrefix(name, "linux-") {
		return name
	}
	words := strings.Split(name, "-")
	kept := words[:0]
	inRelease := false
	for _, w := range words {
		number := w != "" && w[0] >= '0' && w[0] <= '9'
		inRelease = number && (inRelease || strings.Contains(w, "."))
		if !inRelease {
			kept = append(kept, w)
		}
	}
	return strings.Join(kept, "-")
}
