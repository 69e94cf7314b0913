package synthetic

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// image is a golden image: what a system had to offer on the day it was built.
type image struct {
	system  *system
	built   time.Time
	digest  string
	sources []*source
}

// flavours are the kinds of image that each system is built in, each with some
// packages of its own; builds is for how many months back images are in use.
const flavours, builds = 2, 4

// images builds every system's images, one of each flavour a month.
func (e *maker) images() {
	rng := e.chance(forImages)
	for _, s := range e.systems {
		for flavour := range flavours {
			sources := chosen(rng, s)
			for month := range builds {
				i := image{system: s, built: e.ago(float64(14 + 30*month)), sources: sources}
				e.write(&i, fmt.Sprintf("%s-%s-%d-%d", s.id, s.release, flavour, month))
				s.images = append(s.images, i)
			}
		}
	}
}

// chosen are the sources of an image: the common ones and some more, perImage
// packages in all.
func chosen(rng *rand.Rand, s *system) []*source {
	var list []*source
	packages := 0
	add := func(p *source) {
		if packages+len(p.binaries) <= perImage {
			list, packages = append(list, p), packages+len(p.binaries)
		}
	}
	for _, p := range s.sources[:common] {
		add(p)
	}
	for _, i := range rng.Perm(offered - common) {
		add(s.sources[common+i])
	}
	return list
}

// write stores an image's package list as a set.
func (e *maker) write(i *image, name string) {
	var set struct {
		Packages []inventory.Package `json:"packages"`
	}
	for _, p := range i.sources {
		set.Packages = append(set.Packages, installed(i.system, p, p.by(i.built))...)
	}
	data := line(set)
	sum := sha256.Sum256(data)
	i.digest = "sha256:" + hex.EncodeToString(sum[:])
	e.files["inventory/facts/sets/"+name+".json"] = data
}

// installed are a source's binaries at a version.
func installed(s *system, p *source, updates int) []inventory.Package {
	var list []inventory.Package
	for _, name := range p.binaries {
		list = append(list, inventory.Package{Type: s.typ, Name: name, Version: p.at(s, updates), Arch: arch(s), Source: p.name, Module: p.module, Vendor: s.vendor})
	}
	return list
}

func arch(s *system) string {
	if s.typ == version.RPM {
		return "x86_64"
	}
	return "amd64"
}

// line is a JSON document with a newline. What is made here can always be
// written as JSON.
func line(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return append(data, '\n')
}
