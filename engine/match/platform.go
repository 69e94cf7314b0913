package match

import (
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// takes reports whether hosts of an operating system are on the platform. The
// platform's version is compared part by part, so that "12" takes 12.5 and
// "3.19" takes 3.19.1; SUSE's service packs are platforms of their own, so its
// versions are compared whole. The zero Platform takes every host.
func takes(p advisory.Platform, os *inventory.OS) bool {
	if p == (advisory.Platform{}) {
		return true
	}
	if os == nil || os.ID == "" {
		return false
	}
	id := inventory.SystemID(os.ID)
	if inventory.SystemID(p.OS) != id {
		return false
	}
	// Some scanners append a name: "2 (Karoo)".
	release, _, _ := strings.Cut(os.Version, " ")
	if p.Version == "" || p.Version == release {
		return true
	}
	if strings.HasPrefix(id, "sle") || strings.HasPrefix(id, "opensuse") || id == "suse" {
		return false
	}
	return strings.HasPrefix(release, p.Version) && release[len(p.Version)] == '.'
}

// narrower reports whether a says more about the host than b.
func narrower(a, b advisory.Platform) bool {
	if (a.OS == "") != (b.OS == "") {
		return a.OS != ""
	}
	return len(a.Version) > len(b.Version)
}

// kinds is a set of package types.
type kinds uint8

const (
	kindGeneric kinds = 1 << iota
	kindDeb
	kindRPM
	kindAPK
	kindWindows
	kindOther
)

func kindOf(t version.Type) kinds {
	switch t {
	case version.Deb:
		return kindDeb
	case version.RPM:
		return kindRPM
	case version.APK:
		return kindAPK
	case version.Windows:
		return kindWindows
	case version.Generic:
		return kindGeneric
	}
	return kindOther
}

// place is where a host stands: the platforms that take it. Hosts of 12.5 and
// 12.6 are in one place when no advisory tells them apart.
type place struct {
	id      int32
	on      []bool // by platform
	covered kinds  // types that advisories for one of its platforms speak of
	sources kinds  // types that they speak of by source package

	verdicts []*verdict         // by id of the version, nil where not judged yet
	joins    []joining          // the same, where that is all
	several  map[string][]int32 // of a target in several versions, by their ids: groups
}

// places gives every operating system its place.
type places struct {
	x     *index
	all   []*place
	byOS  map[inventory.OS]*place
	bySet map[string]*place
}

func newPlaces(x *index) *places {
	return &places{x: x, byOS: map[inventory.OS]*place{}, bySet: map[string]*place{}}
}

func (ps *places) of(os *inventory.OS) *place {
	var key inventory.OS
	if os != nil {
		key = inventory.OS{ID: os.ID, Version: os.Version}
	}
	if p, ok := ps.byOS[key]; ok {
		return p
	}
	set := make([]byte, len(ps.x.platforms))
	for i := range ps.x.platforms {
		if takes(ps.x.platforms[i].Platform, &key) {
			set[i] = 1
		}
	}
	p, ok := ps.bySet[string(set)]
	if !ok {
		p = ps.add(set)
		ps.bySet[string(set)] = p
	}
	ps.byOS[key] = p
	return p
}

func (ps *places) add(set []byte) *place {
	p := &place{id: int32(len(ps.all)), on: make([]bool, len(set)), several: map[string][]int32{}}
	for i, in := range set {
		if in == 1 {
			p.on[i] = true
			p.covered |= ps.x.platforms[i].covered
			p.sources |= ps.x.platforms[i].sources
		}
	}
	ps.all = append(ps.all, p)
	return p
}

// covers reports whether advisories speak of the host's platform: for each type
// of the operating system's packages, or for generic ones where it has no others.
func (p *place) covers(found kinds) bool {
	if system := found &^ kindGeneric; system != 0 {
		return system&^p.covered == 0
	}
	return found&^p.covered == 0
}
