package synthetic

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// host is one that was made: what history is told of.
type host struct {
	id      inventory.HostID
	service int
	system  *system
	exposed bool
}

// What is the matter with hosts: the share whose facts are old, who report
// nothing, who report their load, who run another system than most of their
// service.
const stale, silent, loaded, strange = 0.02, 0.002, 0.10, 0.05

// hostsPerShard is how many hosts a file of facts holds at most.
const hostsPerShard = 400

// hosts writes facts, sorted by host, and declares those who report nothing.
func (e *maker) hosts() {
	rng := e.chance(forHosts)
	var quiet strings.Builder
	type entry struct {
		id   inventory.HostID
		line []byte
	}
	var entries []entry
	for n, count := range e.spread() {
		for i := range count {
			h := e.host(rng, n, i)
			e.fleet = append(e.fleet, h)
			if rng.Float64() < silent {
				fmt.Fprintf(&quiet, "host %q {\n  labels = { env = \"prod\" }\n}\n\n", h.id)
				continue
			}
			entries = append(entries, entry{h.id, line(e.facts(rng, h))})
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(string(a.id), string(b.id)) })
	for n := 0; n*hostsPerShard < len(entries); n++ {
		var b bytes.Buffer
		for _, x := range entries[n*hostsPerShard : min(len(entries), (n+1)*hostsPerShard)] {
			b.Write(x.line)
		}
		e.files[fmt.Sprintf("inventory/facts/shard-%03d.jsonl", n)] = b.Bytes()
	}
	if quiet.Len() > 0 {
		e.files["inventory/hosts.hcl"] = []byte(quiet.String())
	}
}

// spread says how many hosts each service has: by weight, at least one, Hosts
// in all.
func (e *maker) spread() []int {
	total := 0.0
	for _, s := range e.services {
		total += s.weight
	}
	counts := make([]int, len(e.services))
	left := e.Hosts
	for i, s := range e.services {
		counts[i] = max(1, int(math.Floor(s.weight/total*float64(e.Hosts))))
		left -= counts[i]
	}
	for i := 0; left != 0; i = (i + 1) % len(counts) {
		switch {
		case left > 0:
			counts[i]++
			left--
		case counts[i] > 1:
			counts[i]--
			left++
		}
	}
	return counts
}

func (e *maker) host(rng *rand.Rand, n, i int) host {
	s := &e.services[n]
	h := host{id: inventory.HostID(fmt.Sprintf("%s-%05d", s.name, i)), service: n, system: s.system, exposed: s.exposure == "internet" && rng.IntN(4) != 0}
	if rng.Float64() < strange {
		h.system = e.system(rng)
	}
	return h
}

func (e *maker) facts(rng *rand.Rand, h host) inventory.Facts {
	s := &e.services[h.service]
	image := h.system.image(rng)
	age := rng.Float64() * 2
	if rng.Float64() < stale {
		age = 9 + rng.Float64()*20
	}
	f := inventory.Facts{
		Host: h.id, At: e.ago(age), Source: "osquery", Address: fmt.Sprintf("10.%d.%d.%d", rng.IntN(256), rng.IntN(256), rng.IntN(256)),
		OS:     &inventory.OS{ID: h.system.id, Version: h.system.release, Arch: arch(h.system), Kernel: h.system.kernel},
		Set:    image.digest,
		Labels: map[string]string{"role": s.role, "env": env(s), "site": zones[rng.IntN(len(zones))].name + fmt.Sprint(1+rng.IntN(4))},
		// Uptime is from the last reboot: no longer than the image is old.
		UptimeS: ptr(int64(rng.Float64() * e.At.Sub(image.built).Seconds())), RebootPending: ptr(rng.IntN(25) == 0), Exposed: ptr(h.exposed),
		DiskMB: ptr(int64(40000)), DiskFreeMB: ptr(int64(2000 + rng.IntN(30000))), MemMB: ptr(int64(8192)), MemFreeMB: ptr(int64(256 + rng.IntN(4000))),
	}
	if rng.IntN(4) != 0 {
		f.Drift = ptr(rng.IntN(50) == 0)
	}
	if rng.Float64() < e.Apart {
		f.Packages = differences(rng, image, e.At)
	}
	if rng.Float64() < loaded {
		f.Load = load(rng)
	}
	return f
}

// image is one in use: newer ones more often.
func (s *system) image(rng *rand.Rand) *image {
	month := 0
	for month < builds-1 && rng.IntN(2) == 0 {
		month++
	}
	return &s.images[rng.IntN(flavours)*builds+month]
}

// differences are a few packages at another version than the image has, and
// now and then one that it does not have.
func differences(rng *rand.Rand, i *image, at time.Time) []inventory.Package {
	var list []inventory.Package
	for range 1 + rng.IntN(4) {
		p := i.sources[rng.IntN(len(i.sources))]
		list = append(list, installed(i.system, p, p.by(at))...)
	}
	if rng.IntN(3) == 0 {
		p := i.system.sources[common+rng.IntN(offered-common)]
		list = append(list, installed(i.system, p, p.by(i.built))...)
	}
	slices.SortFunc(list, func(a, b inventory.Package) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(list, func(a, b inventory.Package) bool { return a.Name == b.Name })
}

func env(s *service) string {
	if s.tier == "development" {
		return "dev"
	}
	return "prod"
}

// load is a week with busy days and quiet nights.
func load(rng *rand.Rand) []float64 {
	list := make([]float64, 168)
	for i := range list {
		day := 0.1
		if h := i % 24; h > 7 && h < 20 {
			day = 0.5
		}
		list[i] = math.Round(100*(day+0.3*rng.Float64())) / 100
	}
	return list
}

func ptr[T any](v T) *T { return &v }
