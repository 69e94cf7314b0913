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
}

// Assign puts every member into the lowest-ordered ring that takes it and
// returns the ring's index for each, -1 where none does. A ring with a share
// takes that part of the members that match it (at least one host where any
// matches and share > 0; rounded up), or Count hosts if that is fewer, among
// those that no lower ring has: least critical tiers first, spread over
// services and roles (labels["role"]) before a second host of the same, ties
// by the hash of seed and host, so that nothing depends on names. A share below
// 1 never takes all hosts of a service that has more than one, and neither does
// a Count that is less than what matches.
//
// The order of rings and members does not matter: rings of the same order come
// by name.
func Assign(rings []Ring, members []Member, seed string) []int {
	a := assignment{members: members, ring: make([]int, len(members)), total: map[string]int{}}
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
	for _, i := range order {
		a.fill(i, rings[i], seed)
	}
	return a.ring
}

// assignment is members on their way into rings.
type assignment struct {
	members []Member
	ring    []int          // by member, -1 free
	total   map[string]int // hosts by service
	lots    []uint64       // by member: the hash of seed and host, drawn when first needed
}

// fill takes into ring i what it takes.
func (a *assignment) fill(i int, r Ring, seed string) {
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
	room := quota(r, matching)
	if room >= matching && r.Share >= 1 {
		for _, m := range free {
			a.ring[m] = i
		}
		return
	}
	a.draw(seed)
	taken := map[string]int{} // hosts by service
	for _, m := range a.spread(free) {
		if room == 0 {
			break
		}
		if a.exhausts(m, taken) {
			continue
		}
		for _, s := range a.members[m].Services {
			taken[s]++
		}
		a.ring[m] = i
		room--
	}
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
