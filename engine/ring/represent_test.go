package ring

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// fleet is members of profiles, one tier for each rank, and their kinds.
func fleetOf(profiles []Profile, rank func(i int) int) ([]Member, *Kinds) {
	k := NewKinds(profiles)
	members := make([]Member, len(profiles))
	for i := range profiles {
		members[i] = Member{Host: inventory.HostID(fmt.Sprintf("h%04d", i)), Rank: rank(i), Tier: fmt.Sprint("t", rank(i)), Kind: k.Of(i)}
	}
	return members, k
}

func first(n int) []Ring {
	return []Ring{{Name: "canary", Order: 1, Share: 1, Count: n}, {Name: "broad", Order: 2, Share: 1}}
}

// chosen are the roles in the first ring.
func chosen(a Assigned, profiles []Profile) map[string]int {
	got := map[string]int{}
	for i, r := range a.Ring {
		if r == 0 {
			got[profiles[i].Role]++
		}
	}
	return got
}

// A canary of few hosts has one of each kind that many hosts are of, however many
// of one kind there are.
func TestRepresents(t *testing.T) {
	var profiles []Profile
	for role, n := range map[string]int{"web": 60, "db": 25, "batch": 10, "proxy": 5} {
		for range n {
			profiles = append(profiles, Profile{Role: role, System: "debian 12 amd64"})
		}
	}
	members, kinds := fleetOf(profiles, func(int) int { return 2 })
	for _, tt := range []struct {
		n      int
		want   map[string]int
		stands float64
	}{
		{1, map[string]int{"web": 1}, 0.6 + 0.4*0.4},
		{2, map[string]int{"web": 1, "db": 1}, 0.85 + 0.15*0.4},
		{3, map[string]int{"web": 1, "db": 1, "batch": 1}, 0.95 + 0.05*0.4},
		{4, map[string]int{"web": 1, "db": 1, "batch": 1, "proxy": 1}, 1},
	} {
		got := Assign(first(tt.n), members, kinds, "seed")
		if diff := cmp.Diff(tt.want, chosen(got, profiles)); diff != "" {
			t.Errorf("%d hosts (-want +got):\n%s", tt.n, diff)
		}
		if d := got.Stands[0] - tt.stands; d > 1e-6 || d < -1e-6 || got.Stands[1] != -1 {
			t.Errorf("%d hosts stand for %v, want %v and -1", tt.n, got.Stands, tt.stands)
		}
	}
}

// The next ring takes what the one before it does not stand for.
func TestRepresentsWhatIsLeft(t *testing.T) {
	var profiles []Profile
	for i := range 100 {
		profiles = append(profiles, Profile{Role: fmt.Sprint("r", i%4)})
	}
	members, kinds := fleetOf(profiles, func(int) int { return 2 })
	rings := []Ring{{Name: "lab", Order: 1, Share: 1, Select: Select{Hosts: []string{"h0000", "h0004"}}}, {Name: "canary", Order: 2, Share: 1, Count: 1}, {Name: "early", Order: 3, Share: 1, Count: 2}, {Name: "broad", Order: 4, Share: 1}}
	got := Assign(rings, members, kinds, "seed")
	if diff := cmp.Diff([]float64{-1, 0.5, 1, -1}, got.Stands); diff != "" {
		t.Errorf("Stands (-want +got):\n%s", diff)
	}
	if n := chosen(Assigned{Ring: got.Ring}, profiles); n["r0"] != 2 {
		t.Errorf("the lab has %v", n)
	}
}

// Least critical first: a more critical host goes first only for what no less
// critical one stands for, and one of the most critical tier never for that.
func TestRepresentsTheLeastCriticalFirst(t *testing.T) {
	rank := map[string]int{"toy": 4, "app": 3, "ledger": 2, "core": 1}
	var profiles []Profile
	var ranks []int
	add := func(n int, tier, role string) {
		for range n {
			profiles, ranks = append(profiles, Profile{Role: role}), append(ranks, rank[tier])
		}
	}
	add(30, "toy", "web")
	add(30, "app", "web")
	add(10, "app", "db")
	add(5, "ledger", "hsm")
	add(5, "core", "switch")
	members, kinds := fleetOf(profiles, func(i int) int { return ranks[i] })
	for _, tt := range []struct {
		n    int
		want map[string]int
	}{
		{1, map[string]int{"web": 1}},
		{2, map[string]int{"web": 1, "db": 1}},
		{3, map[string]int{"web": 1, "db": 1, "hsm": 1}},
		{6, map[string]int{"web": 4, "db": 1, "hsm": 1}},
		{31, map[string]int{"web": 29, "db": 1, "hsm": 1}},
	} {
		got := Assign(first(tt.n), members, kinds, "seed")
		if diff := cmp.Diff(tt.want, chosen(got, profiles)); diff != "" {
			t.Errorf("%d hosts (-want +got):\n%s", tt.n, diff)
		}
		for i, r := range got.Ring {
			if r == 0 && profiles[i].Role == "web" && ranks[i] != rank["toy"] {
				t.Errorf("%d hosts: a web server of tier app goes first while there are toys", tt.n)
			}
		}
	}
}

// Greedy comes to at least 1 − 1/e of the best choice, in fact to nearly all of it:
// held against every choice of three among small fleets.
func TestRepresentsNearlyAsWellAsCanBe(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	total, best := 0.0, 0.0
	for round := range 60 {
		profiles := make([]Profile, 9+r.IntN(4))
		for i := range profiles {
			at := 40 * r.IntN(6)
			profiles[i] = Profile{Role: fmt.Sprint("r", r.IntN(3)), System: fmt.Sprint("s", r.IntN(3)), Packages: sketchOf(at, at+100), Hardware: fmt.Sprint("h", r.IntN(2))}
		}
		members, kinds := fleetOf(profiles, func(int) int { return 1 })
		got := Assign(first(3), members, kinds, fmt.Sprint(round)).Stands[0]
		most := 0.0
		for a := range members {
			for b := range a {
				for c := range b {
					s := newStands(members, kinds)
					for _, m := range []int{a, b, c} {
						s.take(members[m].Kind)
					}
					most = max(most, s.share())
				}
			}
		}
		if got < (1-1/2.718281828)*most || got > most+1e-6 {
			t.Errorf("round %d: three hosts stand for %.3f, and %.3f could be had", round, got, most)
		}
		total, best = total+got, best+most
	}
	if total < 0.97*best {
		t.Errorf("over all rounds %.2f of the %.2f that could be had", total, best)
	}
}

// The order of members does not matter, and every quota is kept, with kinds too.
func TestRepresentsInAnyOrder(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 8))
		members := company(20 + r.IntN(300))
		profiles := make([]Profile, len(members))
		for i, m := range members {
			profiles[i] = Profile{Role: m.Labels["role"], System: fmt.Sprint("s", r.IntN(3))}
		}
		kinds := NewKinds(profiles)
		for i := range members {
			members[i].Kind = kinds.Of(i)
		}
		rings := shipped()
		rings[1].Share, rings[2].Count = r.Float64()/2, r.IntN(20)
		got := Assign(rings, members, kinds, "s")
		order := r.Perm(len(members))
		shuffled := make([]Member, len(members))
		for i, j := range order {
			shuffled[i] = members[j]
		}
		again := Assign(rings, shuffled, kinds, "s")
		count, matching := 0, 0
		for i, j := range order {
			if again.Ring[i] != got.Ring[j] {
				t.Fatalf("seed %d: %s is in ring %d, and in %d when the order differs", seed, members[j].Host, got.Ring[j], again.Ring[i])
			}
			if rings[1].Matches(members[j]) {
				matching++
			}
			if got.Ring[j] == 1 {
				count++
			}
		}
		if diff := cmp.Diff(got.Stands, again.Stands); diff != "" {
			t.Fatalf("seed %d: Stands differ with the order:\n%s", seed, diff)
		}
		if count > quota(rings[1], matching) {
			t.Fatalf("seed %d: %d in the canary, of at most %d", seed, count, quota(rings[1], matching))
		}
	}
}

func BenchmarkAssignKinds(b *testing.B) {
	members := company(100_000)
	r := rand.New(rand.NewPCG(1, 9))
	profiles := make([]Profile, len(members))
	for i, m := range members {
		at := 10 * r.IntN(8)
		profiles[i] = Profile{Role: m.Labels["role"], System: fmt.Sprint("s", r.IntN(10)), Packages: sketchOf(at, at+30), Load: Load{1 + uint8(r.IntN(5)), 1, 1, 1}}
	}
	rings := shipped()
	for b.Loop() {
		kinds := NewKinds(profiles)
		for i := range members {
			members[i].Kind = kinds.Of(i)
		}
		Assign(rings, members, kinds, "estate")
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(members)), "ns/host")
}
