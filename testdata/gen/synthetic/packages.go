package synthetic

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// system is an operating system with the packages it offers.
type system struct {
	id, release string
	kernel      string
	ecosystem   string // OSV's name
	vendor      string
	typ         version.Type
	share       float64 // of the hosts
	sources     []*source
	images      []image
}

// source is a source package: its binaries, and when it was updated.
type source struct {
	name     string
	binaries []string
	upstream string
	module   string      // stream of an rpm module, "" none
	common   bool        // on every image; else few hosts have it
	updates  []time.Time // ascending
}

// perImage is how many packages an image holds.
const perImage = 300

// offered is how many source packages a system has, common how many of them
// every image has.
const offered, common = 460, 150

var stems = []string{"wader", "heron", "pelican", "auk", "plover", "gannet", "petrel", "avocet", "bittern", "curlew", "dunlin", "egret", "fulmar", "godwit",
	"grebe", "ibis", "kittiwake", "lapwing", "merlin", "osprey", "puffin", "rail", "sandpiper", "tern", "whimbrel"}

var forms = []string{"%s", "lib%s", "%s-server", "%s-utils", "lib%s-core", "%s-agent", "python3-%s", "perl-%s", "%s-tools", "lib%s-xml",
	"%s-crypto", "lib%s-http", "golang-%s", "%s-shell", "lib%s-image", "%s-proxy", "%s-store", "%s-kernel", "lib%s-auth"}

// catalogue makes the systems and their packages.
func (e *maker) catalogue() {
	e.systems = []*system{
		{id: "debian", release: "11", kernel: "5.10.0-28-amd64", ecosystem: "Debian:11", vendor: "Debian", typ: version.Deb, share: 0.10},
		{id: "debian", release: "12", kernel: "6.1.0-18-amd64", ecosystem: "Debian:12", vendor: "Debian", typ: version.Deb, share: 0.30},
		{id: "ubuntu", release: "22.04", kernel: "5.15.0-97-generic", ecosystem: "Ubuntu:22.04:LTS", vendor: "Ubuntu", typ: version.Deb, share: 0.30},
		{id: "almalinux", release: "8", kernel: "4.18.0-513.el8.x86_64", ecosystem: "AlmaLinux:8", vendor: "AlmaLinux", typ: version.RPM, share: 0.10},
		{id: "almalinux", release: "9", kernel: "5.14.0-362.el9.x86_64", ecosystem: "AlmaLinux:9", vendor: "AlmaLinux", typ: version.RPM, share: 0.20},
	}
	rng := e.chance(forPackages)
	names := sourceNames()
	for n, name := range names {
		binaries := 1 + rng.IntN(3)
		upstream := []int{rng.IntN(9), rng.IntN(30), rng.IntN(12)}
		for i, s := range e.systems {
			s.sources = append(s.sources, newSource(s, name, n, binaries, upstream, i))
		}
	}
}

func sourceNames() []string {
	var names []string
	for _, f := range forms {
		for _, s := range stems {
			if len(names) < offered {
				names = append(names, fmt.Sprintf(f, s))
			}
		}
	}
	return names
}

func newSource(s *system, name string, n, binaries int, upstream []int, generation int) *source {
	p := &source{name: name, common: n < common, upstream: fmt.Sprintf("%d.%d.%d", upstream[0], upstream[1]+generation, upstream[2])}
	for b := range binaries {
		p.binaries = append(p.binaries, name+[]string{"", "-libs", "-common"}[b])
	}
	if s.typ == version.RPM && n%75 == 40 {
		p.module = name + ":" + fmt.Sprint(upstream[0])
	}
	return p
}

// at is the version of a source after so many updates, as its distribution
// writes them.
func (p *source) at(s *system, updates int) string {
	switch {
	case s.id == "debian" && updates == 0:
		return p.upstream + "-2"
	case s.id == "debian":
		return fmt.Sprintf("%s-2+deb%su%d", p.upstream, s.release, updates)
	case s.id == "ubuntu" && updates == 0:
		return p.upstream + "-1ubuntu3"
	case s.id == "ubuntu":
		return fmt.Sprintf("%s-1ubuntu3.%d", p.upstream, updates)
	case p.module != "":
		return fmt.Sprintf("%s-%d.module_el%s.2.0+%d+a1b2c3d4", p.upstream, updates+1, s.release, 300+updates)
	case updates == 0:
		return fmt.Sprintf("%s-4.el%s", p.upstream, s.release)
	}
	return fmt.Sprintf("%s-4.el%s_%d", p.upstream, s.release, updates)
}

// by is how many updates were out at a time.
func (p *source) by(t time.Time) int {
	n, _ := slices.BinarySearchFunc(p.updates, t, func(u, t time.Time) int {
		if !u.After(t) {
			return -1
		}
		return 1
	})
	return n
}

// bulletin is an advisory: one source, on one or more systems.
type bulletin struct {
	id        string
	source    int // index into system.sources
	published time.Time
	fixes     []fix
	cves      []string
	vector    string
}

type fix struct {
	system  *system
	updates int // the version it is fixed in
}

// relevant is the share of advisories for packages that every image has: most of
// what a distribution publishes is about packages that a server does not have.
const relevant = 0.5

var vectors = []string{
	"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N",
	"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H", "CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N",
	"CVSS:3.1/AV:L/AC:H/PR:L/UI:R/S:U/C:L/I:N/A:N",
}

// publish makes a year of advisories, one after another.
func (e *maker) publish() {
	rng := e.chance(forAdvisories)
	days := make([]float64, e.Advisories)
	for i := range days {
		days[i] = rng.Float64() * 365
	}
	slices.SortFunc(days, func(a, b float64) int { return cmp.Compare(b, a) })
	for i, d := range days {
		e.bulletin = append(e.bulletin, e.advisory(rng, i, e.ago(d)))
	}
}

func (e *maker) advisory(rng *rand.Rand, n int, at time.Time) bulletin {
	b := bulletin{source: common + rng.IntN(offered-common), published: at, vector: vectors[rng.IntN(len(vectors))]}
	if rng.Float64() < relevant {
		b.source = rng.IntN(common)
	}
	for c := range 1 + rng.IntN(3) {
		b.cves = append(b.cves, fmt.Sprintf("CVE-%d-%d", at.Year(), 900000+10*n+c))
	}
	var of []*system
	switch roll := rng.Float64(); {
	case roll < 0.40: // Debian mends its two releases together
		b.id, of = fmt.Sprintf("DSA-%d-1", 9000+n), e.systems[0:2]
	case roll < 0.65:
		b.id, of = fmt.Sprintf("USN-%d-1", 9000+n), e.systems[2:3]
	case roll < 0.80:
		b.id, of = fmt.Sprintf("ALSA-%d:%04d", at.Year(), 9000+n), e.systems[3:4]
	default:
		b.id, of = fmt.Sprintf("ALSA-%d:%04d", at.Year(), 9000+n), e.systems[4:5]
	}
	for _, s := range of {
		p := s.sources[b.source]
		p.updates = append(p.updates, at)
		b.fixes = append(b.fixes, fix{s, len(p.updates)})
	}
	return b
}

// title is what an advisory is called; that of a module names the stream.
func (b *bulletin) title() string {
	s := b.fixes[0].system
	p := s.sources[b.source]
	switch {
	case p.module != "":
		return "Important: " + p.module + " security update"
	case s.typ == version.RPM:
		return "Important: " + p.name + " security update"
	case s.id == "ubuntu":
		return p.name + " vulnerabilities"
	}
	return p.name + " - security update"
}

// purl is a package URL, as feeds of sources give it.
func purl(s *system, p *source) string {
	return "pkg:" + string(s.typ) + "/" + s.id + "/" + p.name + "?arch=source&distro=" + strings.ReplaceAll(s.release, ":", "-")
}
