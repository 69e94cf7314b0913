package ring

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Member is a host as rings see it.
type Member struct {
	Host     inventory.HostID
	Services []string // all it serves
	Labels   map[string]string
	Tier     string // of its primary service, "" none
	Rank     int    // of that tier; a large number where there is none
	Kind     int    // among Kinds; -1: nothing else stands for it
}

// Assigned is which members are in which ring.
type Assigned struct {
	Ring []int // by member, -1 none
	// Stands says, by ring, how well the hosts of this ring and those before it
	// stand for all members: 1 when each member is in them or is like one that is,
	// -1 where the ring takes all that it matches.
	Stands []float64
}

// Assign puts every member into the lowest-ordered ring that takes it. A ring with
// a share takes that part of the members that match it (at least one host where
// any matches and share > 0; rounded up), or Count hosts if that is fewer, among
// those that no lower ring has, and chooses those that stand best for all members
// (see represent). A share below 1 never takes all hosts of a service that has
// more than one, and neither does a Count that is less than what matches.
//
// The order of rings and members does not matter: rings of the same order come
// by name. Nothing depends on hosts' names but ties, which go by the hash of seed
// and host.
func Assign(rings []Ring, members []Member, kinds *Kinds, seed string) Assigned {
	a := assignment{members: members, ring: make([]int, len(members)), total: map[string]int{}, stands: newStands(members, kinds)}
	for i, m := range members {
		a.ring[i] = -1
		for _, s := range m.Services {
			a.total[s]++
		}
	}
	order := make([]int, len(rings))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		return cmp.Or(cmp.Compare(rings[i].Order, rings[j].Order), strings.Compare(rings[i].Name, rings[j].Name))
	})
	out := Assigned{Ring: a.ring, Stands: make([]float64, len(rings))}
	for _, i := range order {
		out.Stands[i] = -1
		if a.fill(i, rings[i], seed) {
			out.Stands[i] = a.stands.share()
		}
	}
	return out
}

// assignment is members on their way into rings.
type assignment struct {
	members []Member
	ring    []int          // by member, -1 free
	total   map[string]int // hosts by service
	lots    []uint64       // by member: the hash of seed and host, drawn when first needed
	stands  *stands
}

// fill takes into ring i what it takes, and says whether it had to choose.
func (a *assignment) fill(i int, r Ring, seed string) bool {
	var free []int
	matching := 0
	for m := range a.members {
		if !r.Matches(a.members[m]) {
			continue
		}
		matching++
		if a.ring[m] < 0 {
			free = append(free, m)
		}
	}
	f := filling{assignment: a, no: i, room: quota(r, matching), taken: map[string]int{}}
	if f.room >= matching && r.Share >= 1 {
		for _, m := range free {
			a.ring[m] = i
			a.stands.take(a.members[m].Kind)
		}
		return false
	}
	a.draw(seed)
	free = a.spread(free)
	f.represent(free)
	for _, m := range free {
		f.take(m)
	}
	return true
}

// filling is one ring being filled.
type filling struct {
	*assignment
	no    int
	room  int
	taken map[string]int // hosts by service
}

// take takes a member where there is room and its service keeps a host, and says
// whether it did.
func (f *filling) take(m int) bool {
	if f.room == 0 || f.ring[m] >= 0 || f.exhausts(m, f.taken) {
		return false
	}
	for _, s := range f.members[m].Services {
		f.taken[s]++
	}
	f.ring[m] = f.no
	f.stands.take(f.members[m].Kind)
	f.room--
	return true
}

// quota returns how many of the matching hosts a ring takes.
func quota(r Ring, matching int) int {
	n := matching
	if r.Share < 1 {
		// 7 % of 100 is 7: the product of 0.07 and 100 is a little more.
		n = int(math.Ceil(float64(r.Share*float64(matching)) - 1e-9))
		n = max(n, 0)
		if n == 0 && r.Share > 0 && matching > 0 {
			n = 1
		}
	}
	if r.Count > 0 {
		n = min(n, r.Count)
	}
	return n
}

// exhausts reports whether a ring that takes the member would have all hosts of
// one of its services.
func (a *assignment) exhausts(m int, taken map[string]int) bool {
	for _, s := range a.members[m].Services {
		if a.total[s] > 1 && taken[s]+1 >= a.total[s] {
			return true
		}
	}
	return false
}

// draw gives every member its lot.
func (a *assignment) draw(seed string) {
	if a.lots != nil {
		return
	}
	a.lots = make([]uint64, len(a.members))
	for i, m := range a.members {
		sum := sha256.Sum256([]byte(seed + "\x00" + string(m.Host)))
		a.lots[i] = binary.BigEndian.Uint64(sum[:])
	}
}

// spread sorts members into the order in which a ring takes them. Within a tier
// a service's hosts stand in a row in which every role comes once before any
// comes twice; first come the heads of all rows, then those behind them.
func (a *assignment) spread(list []int) []int {
	byLot := func(i, j int) int {
		return cmp.Or(cmp.Compare(a.lots[i], a.lots[j]), cmp.Compare(a.members[i].Host, a.members[j].Host))
	}
	list = slices.Clone(list)
	slices.SortFunc(list, byLot)
	place := make([]int, len(a.members)) // within the role, then within the service
	seen := map[[2]string]int{}
	for _, m := range list {
		key := [2]string{primary(a.members[m]), a.members[m].Labels["role"]}
		place[m] = seen[key]
		seen[key]++
	}
	byPlace := func(i, j int) int { return cmp.Or(cmp.Compare(place[i], place[j]), byLot(i, j)) }
	slices.SortFunc(list, byPlace)
	row := map[string]int{}
	for _, m := range list {
		s := primary(a.members[m])
		place[m] = row[s]
		row[s]++
	}
	slices.SortFunc(list, func(i, j int) int {
		return cmp.Or(cmp.Compare(a.members[j].Rank, a.members[i].Rank), byPlace(i, j))
	})
	return list
}

func primary(m Member) string {
	if len(m.Services) == 0 {
		return ""
	}
	return m.Services[0]
}
