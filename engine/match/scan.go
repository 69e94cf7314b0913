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

// installed is a version of a target that some host has, and what was judged
// of it, by place.
type installed struct {
	build
	id       int32 // in index.installed
	target   int32
	module   module
	verdicts []*verdict
}

// list is what matters of one package list: the versions that count of the
// targets that it holds.
type list struct {
	kinds      kinds
	single     []int32        // by index.installed: of targets in one version
	several    [][]*installed // of each other target, oldest first
	sourceless []orphan
	updates    []int32 // targets: updates of Windows that the host has
}

// orphan is a package whose facts do not say which source it is built from.
type orphan struct {
	kind kinds
	name string
}

// hit is one package of a list that advisories name.
type hit struct {
	target  int32
	version *installed
	pkg     *inventory.Package
	next    int32 // the next hit of the same target, 0 none
}

// scanner reads package lists. It keeps what it needs for each list, so that
// reading a row costs a look-up of its name and little more.
type scanner struct {
	x     *index
	seen  []int32 // target → the number of the list it was last seen in
	first []int32 // target → its first hit in that list
	round int32
	hits  []hit
	slots []slot
	room  []int32 // for the lists' single versions
}

func newScanner(x *index) *scanner {
	return &scanner{x: x, seen: make([]int32, len(x.targets)), first: make([]int32, len(x.targets))}
}

// scan reads one package list.
func (s *scanner) scan(packages []inventory.Package) list {
	s.round++
	s.hits = s.hits[:0]
	var l list
	var last version.Type
	var n *names
	for i := range packages {
		p := &packages[i]
		if i == 0 || p.Type != last {
			last, n = p.Type, s.x.types[p.Type]
			l.kinds |= kindOf(last)
		}
		if n == nil {
			continue
		}
		if p.Version == "" {
			if t, ok := n.packages[p.Name]; ok && p.Type == version.Windows {
				l.updates = append(l.updates, t)
			}
			continue
		}
		if t, ok := n.packages[p.Name]; ok {
			s.hit(t, p, p.Version)
		}
		if len(n.sources) > 0 && !s.source(n, p) {
			l.sourceless = append(l.sourceless, orphan{n.kind, p.Name})
		}
	}
	s.reduce(&l)
	return l
}

// source looks a package up by its source. It returns false where the facts
// name none and no advisory names a source like the package.
func (s *scanner) source(n *names, p *inventory.Package) bool {
	if p.Source == "" {
		t, ok := n.sources[p.Name]
		if ok {
			s.hit(t, p, sourceVersion(p))
		}
		return ok
	}
	if t, ok := n.sources[p.Source]; ok {
		s.hit(t, p, sourceVersion(p))
	}
	if unsigned := unsignedSource(p.Source); unsigned != "" {
		if t, ok := n.sources[unsigned]; ok {
			s.hit(t, p, p.Version)
		}
	}
	return true
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

func (s *scanner) hit(t int32, p *inventory.Package, v string) {
	h := hit{t, s.x.meet(t, build{v, p.Module}), p, 0}
	at := int32(len(s.hits))
	if s.seen[t] == s.round {
		first := &s.hits[s.first[t]]
		h.next, first.next = first.next, at
	} else {
		s.seen[t], s.first[t] = s.round, at
	}
	s.hits = append(s.hits, h)
}

// few is how many versions are looked through before a map pays.
const few = 8

// meet returns the one record of a version of a target.
func (x *index) meet(id int32, b build) *installed {
	t := &x.targets[id]
	for i := range t.first[:min(few, len(t.installed))] {
		if t.first[i] == b {
			return t.installed[i]
		}
	}
	if i, ok := t.found[b]; ok {
		return t.installed[i]
	}
	in := &installed{build: b, id: int32(len(x.installed)), target: id, module: moduleOf(t.typ, b.label, b.version)}
	x.installed = append(x.installed, in)
	switch n := len(t.installed); {
	case n < few:
		t.first[n] = b
	case t.found == nil:
		t.found = map[build]int32{b: int32(n)}
	default:
		t.found[b] = int32(n)
	}
	t.installed = append(t.installed, in)
	return in
}

// reduce turns the hits of a list into the versions that count.
func (s *scanner) reduce(l *list) {
	// New room is begun, never moved: lists keep parts of the old.
	if cap(s.room)-len(s.room) < len(s.hits) {
		s.room = make([]int32, 0, max(len(s.hits), chunk))
	}
	start := len(s.room)
	for i := range s.hits {
		h := &s.hits[i]
		switch {
		case s.first[h.target] != int32(i):
		case s.alike(h):
			s.room = append(s.room, h.version.id)
		default:
			s.several(l, h)
		}
	}
	l.single = s.room[start:len(s.room):len(s.room)]
}

// alike reports whether all hits of a target are of one version.
func (s *scanner) alike(h *hit) bool {
	for i := h.next; i != 0; i = s.hits[i].next {
		if s.hits[i].version != h.version {
			return false
		}
	}
	return true
}

// chunk is how many versions room is made for at once.
const chunk = 1 << 14

// slot is what can be installed once, at one architecture. Where a host has
// several versions in it (kernels are installed side by side), the newest counts.
type slot struct {
	family, arch string
	version      *installed
}

// several adds the distinct versions that count of one target.
func (s *scanner) several(l *list, h *hit) {
	t := &s.x.targets[h.target]
	s.slots = s.slots[:0]
	s.fill(t, h)
	for i := h.next; i != 0; i = s.hits[i].next {
		s.fill(t, &s.hits[i])
	}
	found := make([]*installed, 0, len(s.slots))
	for _, sl := range s.slots {
		found = append(found, sl.version)
	}
	slices.SortFunc(found, t.older)
	l.several = append(l.several, slices.Compact(found))
}

func (s *scanner) fill(t *target, h *hit) {
	family := familyOf(h.pkg.Name)
	for i := range s.slots {
		if sl := &s.slots[i]; sl.family == family && sl.arch == h.pkg.Arch {
			if t.older(sl.version, h.version) < 0 {
				sl.version = h.version
			}
			return
		}
	}
	s.slots = append(s.slots, slot{family, h.pkg.Arch, h.version})
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
