package match

import (
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// Target is the version that a binary package has once the source package that
// it is built from is at to. ok is false where nobody can say: most binaries have
// their source's version, with a suffix where they were built again (+b2 in
// deb) or an epoch of their own (bsdutils 1:2.38 of util-linux 2.38); others are
// numbered by rules of their own (dmsetup 2:1.02.185 of lvm2 2.03.16).
//
// What is at to already keeps its version.
func Target(b *inventory.Package, to string) (v string, ok bool) {
	from := sourceVersion(b)
	if to == from {
		return b.Version, true
	}
	if b.Version == from || unsignedSource(b.Source) != "" {
		return to, true
	}
	if b.Type != version.Deb {
		return "", false
	}
	own := unrebuilt(b.Version)
	if own == from || revised(own, from) {
		return to, true
	}
	epoch, rest := splitEpoch(own)
	if _, same := splitEpoch(from); rest != same {
		return "", false
	}
	_, next := splitEpoch(to)
	return epoch + next, true
}

// revised says whether a binary's version is its source's with a distribution's
// revision after it (7.52.1-5+deb9u10 of 7.52.1-5): scanners leave it out of the
// source's.
func revised(binary, source string) bool {
	rest, ok := strings.CutPrefix(binary, source)
	return ok && source != "" && (strings.HasPrefix(rest, "+deb") || strings.HasPrefix(rest, "~deb"))
}

// unrebuilt is a version without the suffix of a binary that was built again
// from the same source (deb-version(7), "binary-only uploads").
func unrebuilt(v string) string {
	i := strings.LastIndex(v, "+b")
	if i < 0 || i+2 == len(v) || strings.Trim(v[i+2:], "0123456789") != "" {
		return v
	}
	return v[:i]
}

// splitEpoch cuts a version after its epoch's colon.
func splitEpoch(v string) (epoch, rest string) {
	if i := strings.IndexByte(v, ':'); i >= 0 {
		return v[:i+1], v[i+1:]
	}
	return "", v
}

// Built is a source package on a host.
type Built struct {
	Host   int32 // index into the hosts given
	Source string
}

// unnamed finds, for each host that needs a patch of a source package, the first
// binary of which nobody can say what version brings the patch.
func unnamed(hosts []inventory.Host, patches []Patch) map[Built]inventory.Package {
	found := map[Built]inventory.Package{}
	seen := map[*inventory.List]map[string][]inventory.Package{}
	for i := range patches {
		p := &patches[i]
		if !p.Source {
			continue
		}
		for _, g := range p.Groups {
			for _, h := range g.Hosts {
				list := hosts[h].Packages
				apart, ok := seen[list]
				if !ok {
					apart = numberedApart(list)
					seen[list] = apart
				}
				for _, b := range apart[p.Package] {
					if version.Compare(p.Type, sourceVersion(&b), p.To) < 0 {
						found[Built{h, p.Package}] = b
						break
					}
				}
			}
		}
	}
	return found
}

// numberedApart are a list's packages that do not follow their source's version,
// by source.
func numberedApart(l *inventory.List) map[string][]inventory.Package {
	var apart map[string][]inventory.Package
	for b := range l.All() {
		if b.SourceVersion == "" || b.Source == "" || b.Version == "" {
			continue
		}
		if _, ok := Target(b, ""); ok {
			continue
		}
		if apart == nil {
			apart = map[string][]inventory.Package{}
		}
		apart[b.Source] = append(apart[b.Source], *b)
	}
	return apart
}
