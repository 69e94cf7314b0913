package ring

import (
	"cmp"
	"hash/fnv"
	"maps"
	"math/bits"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Profile is what makes one host like another, as far as its facts tell. What is
// not known is the zero value, and is like nothing.
type Profile struct {
	Role     string // what it is for: its label "role", else its first service
	System   string // operating system, version and architecture
	Packages Sketch // names of what is installed
	Hardware string // memory and disk to the power of two, kernel modules
	Load     Load
}

// The weights of a profile's parts, which are judgement: what a host is for and
// what is installed on it say most about whether an update breaks it.
const (
	ofRole, ofPackages, ofSystem, ofHardware, ofLoad = 3, 3, 2, 1, 1
)

// Sketch stands for a set: the share of bins in which two sketches agree is their
// Jaccard index, about (one permutation hashing; Li, Owen and Zhang 2012).
type Sketch [16]uint32

// Add puts a member into the set, by its hash.
func (s *Sketch) Add(hash uint64) {
	bin, rest := hash%uint64(len(s)), uint32(hash>>32)|1
	if s[bin] == 0 || rest < s[bin] {
		s[bin] = rest
	}
}

// Known says whether anything is in the set.
func (s *Sketch) Known() bool { return *s != Sketch{} }

// Like is how alike two sets are, 0 to 1, and 0 where one is not known.
func (s *Sketch) Like(o *Sketch) float64 {
	same, either := 0, 0
	for i := range s {
		if s[i]|o[i] == 0 {
			continue
		}
		either++
		if s[i] == o[i] {
			same++
		}
	}
	if either == 0 {
		return 0
	}
	return float64(same) / float64(either)
}

// Hash is that of a word, for Sketch.Add: FNV-1a, mixed.
func Hash(word string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(word))
	x := h.Sum64()
	x ^= x >> 33 // the end of MurmurHash3: FNV's low bits alone are too regular
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// Load is a week's load in fifths of the whole, plus one, for the days and nights
// of workdays and of weekends; 0 is not known.
type Load [4]uint8

// LoadOf reads 168 numbers from Monday 00:00 UTC; anything else is not known.
func LoadOf(week []float64) Load {
	var l Load
	if len(week) != 168 {
		return l
	}
	var sum [4]float64
	var n [4]float64
	for hour, v := range week {
		part := 0
		if hour%24 < 8 || hour%24 >= 20 {
			part = 1
		}
		if hour >= 5*24 {
			part += 2
		}
		sum[part] += v
		n[part]++
	}
	for i := range l {
		l[i] = uint8(min(4, max(0, int(sum[i]/n[i]*5)))) + 1
	}
	return l
}

func (l Load) like(o Load) float64 {
	if l[0] == 0 || o[0] == 0 {
		return 0
	}
	apart := 0
	for i := range l {
		apart += max(int(l[i]), int(o[i])) - min(int(l[i]), int(o[i]))
	}
	return 1 - float64(apart)/float64(4*len(l))
}

// HardwareOf is a profile's hardware: what is nil is not known.
func HardwareOf(f *inventory.Facts) string {
	var parts []string
	power := func(name string, mb *int64) {
		if mb != nil && *mb > 0 {
			parts = append(parts, name+string(rune('a'+bits.Len64(uint64(*mb)))))
		}
	}
	power("mem", f.MemMB)
	power("disk", f.DiskMB)
	if len(f.Modules) > 0 {
		parts = append(parts, slices.Sorted(slices.Values(f.Modules))...)
	}
	return strings.Join(parts, " ")
}

// Like says how well a host of profile o stands for one of profile p, 0 to 1. What
// is not known of p is left out of the question, and what is not known of o alone
// is not alike.
func (p *Profile) Like(o *Profile) float64 {
	got, of := 0.0, 0.0
	add := func(weight float64, known bool, like float64) {
		if known {
			of += weight
			got += float64(weight * like)
		}
	}
	add(ofRole, p.Role != "", equal(p.Role, o.Role))
	add(ofPackages, p.Packages.Known(), p.Packages.Like(&o.Packages))
	add(ofSystem, p.System != "", equal(p.System, o.System))
	add(ofHardware, p.Hardware != "", equal(p.Hardware, o.Hardware))
	add(ofLoad, p.Load[0] != 0, p.Load.like(o.Load))
	if of == 0 {
		return 0
	}
	return got / of
}

func equal(a, b string) float64 {
	if a == b {
		return 1
	}
	return 0
}

// mostKinds is how many kinds are told apart. How alike they are is a table of the
// square of it.
const mostKinds = 1000

// near is how alike the packages of hosts of one kind are.
const near = 0.8

// Kinds are hosts by what they are like.
type Kinds struct {
	of   []int32 // host → kind, -1: of a kind that is not told apart
	like [][]float32
}

// kind is hosts that are taken for alike.
type kind struct {
	first int     // the host whose profile is the kind's
	count int     // of hosts
	alike float64 // how like that one they are, together; count where each is near
}

// NewKinds sorts hosts into kinds. Where they are of more kinds than can be told
// apart, load, then hardware, then packages no longer make a kind of their own, and a
// kind stands for its hosts as far as they are like its first; if that is not enough,
// the kinds of the fewest hosts are left out: nothing stands for their hosts but
// themselves. The order of the profiles does not matter.
func NewKinds(profiles []Profile) *Kinds {
	for coarse := 0; ; coarse++ {
		k := &Kinds{of: make([]int32, len(profiles))}
		kinds := k.sort(profiles, coarse)
		if len(kinds) > mostKinds && coarse < 3 {
			continue
		}
		kinds = k.limit(kinds)
		k.like = make([][]float32, len(kinds))
		for i, p := range kinds {
			k.like[i] = make([]float32, len(kinds))
			for j, o := range kinds {
				k.like[i][j] = float32(profiles[p.first].Like(&profiles[o.first]))
			}
			k.like[i][i] = float32(p.alike / float64(p.count))
		}
		return k
	}
}

// key is a profile without its packages, coarsened.
type key struct {
	role, system, hardware string
	load                   Load
}

func (p *Profile) key(coarse int) key {
	k := key{p.Role, p.System, p.Hardware, p.Load}
	if coarse > 0 {
		k.load = Load{}
	}
	if coarse > 1 {
		k.hardware = ""
	}
	return k
}

// mostLists is how many lists of packages make kinds of their own among hosts that
// are otherwise alike.
const mostLists = 16

// sort gives each host its kind and returns these.
func (k *Kinds) sort(profiles []Profile, coarse int) []kind {
	groups := map[key][]int{}
	for i := range profiles {
		key := profiles[i].key(coarse)
		groups[key] = append(groups[key], i)
	}
	var kinds []kind
	for _, key := range slices.SortedFunc(maps.Keys(groups), key.compare) {
		lists := sameLists(profiles, groups[key])
		most := mostLists
		if coarse > 2 {
			most = 1
		}
		of, leads, forced := lead(profiles, lists, most)
		if forced { // then those that most hosts have are told apart
			slices.SortStableFunc(lists, func(a, b []int) int { return cmp.Compare(len(b), len(a)) })
			of, leads, _ = lead(profiles, lists, most)
		}
		begin := len(kinds)
		for _, first := range leads {
			kinds = append(kinds, kind{first: first})
		}
		for n, list := range lists {
			at := begin + of[n]
			near := coarse == 0 && (list[0] == leads[of[n]] || profiles[list[0]].Packages.Like(&profiles[leads[of[n]]].Packages) >= near)
			for _, i := range list {
				k.of[i] = int32(at)
				kinds[at].count++
				if near {
					kinds[at].alike++
				} else {
					kinds[at].alike += profiles[i].Like(&profiles[leads[of[n]]])
				}
			}
		}
	}
	return kinds
}

// sameLists sorts hosts and puts those with the same packages together.
func sameLists(profiles []Profile, hosts []int) [][]int {
	slices.SortFunc(hosts, func(i, j int) int { return profiles[i].compare(&profiles[j]) })
	var lists [][]int
	for begin, n := 0, 1; n <= len(hosts); n++ {
		if n == len(hosts) || profiles[hosts[n]].Packages != profiles[hosts[begin]].Packages {
			lists = append(lists, hosts[begin:n])
			begin = n
		}
	}
	return lists
}

// lead gives each list the nearest of those that lead before it, or lets it lead: at
// most so many do, and forced says that there were more, which follow the last.
func lead(profiles []Profile, lists [][]int, most int) (of, leads []int, forced bool) {
	for _, list := range lists {
		at, like := nearest(profiles, leads, list[0])
		switch {
		case at < 0 || like < near && len(leads) < most:
			at = len(leads)
			leads = append(leads, list[0])
		case like < near:
			at, forced = len(leads)-1, true
		}
		of = append(of, at)
	}
	return of, leads, forced
}

// nearest is the host whose packages are most like those of host i, -1 of none.
func nearest(profiles []Profile, hosts []int, i int) (at int, like float64) {
	at = -1
	for n, o := range hosts {
		if l := profiles[i].Packages.Like(&profiles[o].Packages); at < 0 || l > like {
			at, like = n, l
		}
	}
	return at, like
}

// compare orders profiles by all that is in them.
func (p *Profile) compare(o *Profile) int {
	return cmp.Or(slices.Compare(p.Packages[:], o.Packages[:]), p.key(0).compare(o.key(0)))
}

func (k key) compare(o key) int {
	return cmp.Or(strings.Compare(k.role, o.role), strings.Compare(k.system, o.system), strings.Compare(k.hardware, o.hardware), slices.Compare(k.load[:], o.load[:]))
}

// limit leaves out the kinds of the fewest hosts.
func (k *Kinds) limit(kinds []kind) []kind {
	if len(kinds) <= mostKinds {
		return kinds
	}
	order := make([]int, len(kinds))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(kinds[b].count, kinds[a].count) })
	to := make([]int32, len(kinds))
	for i := range to {
		to[i] = -1
	}
	kept := make([]kind, mostKinds)
	for n, i := range order[:mostKinds] {
		to[i], kept[n] = int32(n), kinds[i]
	}
	for i := range k.of {
		k.of[i] = to[k.of[i]]
	}
	return kept
}

// Of is the kind of a host, by its place among the profiles; -1 is one that is not
// told apart. A nil receiver tells nothing apart.
func (k *Kinds) Of(host int) int {
	if k == nil {
		return -1
	}
	return int(k.of[host])
}
