package ring

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

const day = 24 * time.Hour

// shipped are the rings that init writes.
func shipped() []Ring {
	return []Ring{
		{Name: "lab", Order: 0, Share: 1, Select: Select{Labels: map[string]string{"env": "lab"}}},
		{Name: "canary", Order: 1, Share: 0.05, After: day},
		{Name: "early", Order: 2, Share: 0.1, After: 5 * day},
		{Name: "broad", Order: 3, Share: 1, After: 9 * day, Select: Select{ExceptTiers: []string{"business-critical"}}},
		{Name: "business-critical", Order: 4, Share: 1, After: 11 * day, Select: Select{Tiers: []string{"business-critical"}}},
	}
}

// company is members of four tiers, sixteen services and three roles.
func company(n int) []Member {
	tiers := []string{"business-critical", "important", "standard", ""}
	members := make([]Member, n)
	for i := range members {
		service := i % 16
		m := Member{Host: inventory.HostID(fmt.Sprintf("h%05d", i)), Tier: tiers[service%4], Rank: service%4 + 1, Labels: map[string]string{"role": []string{"web", "db", "batch"}[i/16%3]}}
		if m.Tier == "" {
			m.Rank = math.MaxInt32
		} else {
			m.Services = []string{fmt.Sprintf("s%02d", service)}
		}
		if i%50 == 7 {
			m.Labels["env"] = "lab"
		}
		members[i] = m
	}
	return members
}

func TestAssignShipped(t *testing.T) {
	rings, members := shipped(), company(2000)
	got := Assign(rings, members, nil, "estate").Ring
	count := make([]int, len(rings))
	for i, r := range got {
		if r < 0 {
			t.Fatalf("%s is in no ring", members[i].Host)
		}
		count[r]++
		if (rings[r].Name == "lab") != (members[i].Labels["env"] == "lab") {
			t.Errorf("%s with env %q is in %s", members[i].Host, members[i].Labels["env"], rings[r].Name)
		}
		if members[i].Rank == 1 && rings[r].Name != "lab" && rings[r].Name != "business-critical" {
			t.Errorf("%s of rank 1 is in %s", members[i].Host, rings[r].Name)
		}
	}
	// 5 % and 10 % of all 2000, and 125 of each of the 16 services.
	if want := []int{40, 100, 200, count[3], 2000 - 340 - count[3]}; !cmp.Equal(count, want) || count[4] == 0 {
		t.Errorf("Assign() = %v hosts by ring, want %v", count, want)
	}
}

func TestAssign(t *testing.T) {
	member := func(host, service, role string, rank int) Member {
		m := Member{Host: inventory.HostID(host), Rank: rank, Tier: fmt.Sprint("t", rank), Labels: map[string]string{"role": role}}
		if service != "" {
			m.Services = []string{service}
		}
		return m
	}
	pair := []Member{member("a", "shop", "web", 1), member("b", "shop", "web", 1)}
	two := []Member{member("a", "shop", "web", 1), member("b", "shop", "db", 1), member("c", "shop", "web", 1), member("d", "shop", "db", 1),
		member("e", "mail", "mta", 2), member("f", "mail", "mta", 2), member("g", "mail", "mta", 2), member("h", "mail", "mta", 2)}
	tests := []struct {
		name    string
		rings   []Ring
		members []Member
		want    []int // hosts by ring; last: in none
	}{
		{"no ring", nil, pair, []int{2}},
		{"nobody", shipped(), nil, []int{0, 0, 0, 0, 0, 0}},
		{"a share takes at least one", []Ring{{Order: 1, Share: 0.01}, {Order: 2, Share: 1}}, two, []int{1, 7, 0}},
		{"share 0 takes none", []Ring{{Order: 1, Share: 0}, {Order: 2, Share: 1}}, two, []int{0, 8, 0}},
		{"rounded up", []Ring{{Order: 1, Share: 0.3}, {Order: 2, Share: 1}}, two, []int{3, 5, 0}},
		{"a share of those that match", []Ring{{Order: 1, Share: 0.5, Select: Select{Services: []string{"mail"}}}, {Order: 2, Share: 1}}, two, []int{2, 6, 0}},
		{"count caps a share", []Ring{{Order: 1, Share: 0.5, Count: 2}, {Order: 2, Share: 1}}, two, []int{2, 6, 0}},
		{"count without share", []Ring{{Order: 1, Share: 1, Count: 3}, {Order: 2, Share: 1}}, two, []int{3, 5, 0}},
		{"never all hosts of a service", []Ring{{Order: 1, Share: 0.99}, {Order: 2, Share: 1}}, two, []int{6, 2, 0}},
		{"nor of a pair", []Ring{{Order: 1, Share: 0.99}, {Order: 2, Share: 1}}, pair, []int{1, 1, 0}},
		{"one host alone may be taken", []Ring{{Order: 1, Share: 0.5}, {Order: 2, Share: 1}}, pair[:1], []int{1, 0, 0}},
		{"lowest order first, however they stand", []Ring{{Order: 9, Share: 1}, {Order: 1, Share: 1, Select: Select{Hosts: []string{"[a]", "?"}}}}, pair, []int{0, 2, 0}},
		{"left over", []Ring{{Order: 1, Share: 1, Select: Select{Hosts: []string{"a*"}}}}, pair, []int{1, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := make([]int, len(tt.rings)+1)
			for _, r := range Assign(tt.rings, tt.members, nil, "seed").Ring {
				got[(r+len(got))%len(got)]++
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Assign() hosts by ring, the last in none (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAssignSpread: least critical tiers first, every service before a second
// host of one, every role of a service before a second of it.
func TestAssignSpread(t *testing.T) {
	var members []Member
	for i := range 40 {
		for s, roles := range []int{2, 1, 2} {
			members = append(members, Member{Host: inventory.HostID(fmt.Sprintf("h%d-%d", s, i)), Services: []string{fmt.Sprint("s", s)},
				Rank: 2 + s/2, Labels: map[string]string{"role": fmt.Sprint("r", i%roles)}})
		}
	}
	inFirst := func(count int) map[string]int {
		taken := map[string]int{}
		for i, r := range Assign([]Ring{{Share: 1, Count: count}}, members, nil, "x").Ring {
			if r == 0 {
				taken[members[i].Services[0]]++
				taken[members[i].Services[0]+"/"+members[i].Labels["role"]]++
			}
		}
		return taken
	}
	if got := inFirst(2); !cmp.Equal(got, map[string]int{"s2": 2, "s2/r0": 1, "s2/r1": 1}) {
		t.Errorf("2 of the least critical tier = %v, want one of each role of s2", got)
	}
	if got := inFirst(39 + 4); !cmp.Equal(got, map[string]int{"s0": 2, "s0/r0": 1, "s0/r1": 1, "s1": 2, "s1/r0": 2, "s2": 39, "s2/r0": got["s2/r0"], "s2/r1": got["s2/r1"]}) {
		t.Errorf("39 + 4 = %v, want all but one of s2, then two each of s0 and s1", got)
	}
}

// TestAssignProperties: the result does not depend on the order of members or
// rings, no share ring has all hosts of a service, and every quota is kept.
func TestAssignProperties(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 7))
		members := company(rng.IntN(300))
		rings := shipped()
		rings[1].Share, rings[2].Count = rng.Float64(), rng.IntN(20)
		got := Assign(rings, members, nil, "s").Ring

		order := rng.Perm(len(members))
		turned := slices.Clone(rings)
		slices.Reverse(turned)
		shuffled := make([]Member, len(members))
		for i, j := range order {
			shuffled[i] = members[j]
		}
		again := Assign(turned, shuffled, nil, "s").Ring
		for i, j := range order {
			if again[i] != len(rings)-1-got[j] {
				t.Fatalf("seed %d: %s is in ring %d, and in %d when the order differs", seed, members[j].Host, got[j], len(rings)-1-again[i])
			}
		}
		inRing, total := map[[2]string]int{}, map[string]int{}
		for i, m := range members {
			for _, s := range m.Services {
				total[s]++
				inRing[[2]string{s, rings[got[i]].Name}]++
			}
		}
		for key, n := range inRing {
			if (key[1] == "canary" || key[1] == "early") && total[key[0]] > 1 && n == total[key[0]] {
				t.Fatalf("seed %d: ring %s has all %d hosts of %s", seed, key[1], n, key[0])
			}
		}
	}
}

func TestQuota(t *testing.T) {
	for _, tt := range []struct {
		share    float64
		of, want int
	}{{0.07, 100, 7}, {0.05, 47, 3}, {0.1, 30, 3}, {0.29, 100, 29}, {0.02, 1, 1}, {0.5, 0, 0}, {1, 9, 9}, {0.57, 100, 57}} {
		if got := quota(Ring{Share: tt.share}, tt.of); got != tt.want {
			t.Errorf("quota(%v of %d) = %d, want %d", tt.share, tt.of, got, tt.want)
		}
	}
}

func TestMatches(t *testing.T) {
	m := Member{Host: "web-01", Services: []string{"shop", "orders-eu"}, Labels: map[string]string{"env": "prod", "role": "web"}, Tier: "gold"}
	none := Member{Host: "stray"}
	tests := []struct {
		name       string
		s          Select
		web, stray bool
	}{
		{"everything", Select{}, true, true},
		{"service pattern", Select{Services: []string{"orders-*"}}, true, false},
		{"any service", Select{Services: []string{"*"}}, true, false},
		{"other service", Select{Services: []string{"order"}}, false, false},
		{"labels all", Select{Labels: map[string]string{"env": "prod", "role": "web"}}, true, false},
		{"one label off", Select{Labels: map[string]string{"env": "prod", "role": "db"}}, false, false},
		{"empty label is not an absent one", Select{Labels: map[string]string{"site": ""}}, false, false},
		{"hosts", Select{Hosts: []string{"db-*", "web-0?"}}, true, false},
		{"tier", Select{Tiers: []string{"gold"}}, true, false},
		{"all but a tier", Select{ExceptTiers: []string{"gold"}}, false, true},
		{"all must hold", Select{Tiers: []string{"gold"}, Hosts: []string{"db-*"}}, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.s.Matches(m); got != tt.web {
				t.Errorf("Matches(web-01) = %v, want %v", got, tt.web)
			}
			if got := tt.s.Matches(none); got != tt.stray {
				t.Errorf("Matches(stray) = %v, want %v", got, tt.stray)
			}
		})
	}
}

func TestFreezeTakes(t *testing.T) {
	for _, tt := range []struct {
		patterns, services []string
		want               bool
	}{
		{[]string{"*"}, nil, true},
		{[]string{"*"}, []string{"shop"}, true},
		{[]string{"orders-*"}, []string{"shop", "orders-db"}, true},
		{[]string{"orders-*"}, []string{"shop"}, false},
		{[]string{"s?op"}, []string{"shop"}, true},
		{nil, []string{"shop"}, false},
	} {
		if got := (Freeze{Services: tt.patterns}).Takes(tt.services); got != tt.want {
			t.Errorf("Freeze{%q}.Takes(%q) = %v, want %v", tt.patterns, tt.services, got, tt.want)
		}
	}
}

func TestLastMatching(t *testing.T) {
	fleets := []Fleet{{Kind: "sim"}, {Kind: "ssh", Select: Select{Hosts: []string{"web-*"}}}, {Kind: "exec", Select: Select{Tiers: []string{"gold"}}}}
	healths := []Health{{Kind: "exec", Select: Select{Hosts: []string{"web-*"}}}}
	for host, want := range map[inventory.HostID]string{"web-1": "ssh exec", "db-1": "sim "} {
		f, _ := FleetFor(fleets, Member{Host: host})
		h, _ := HealthFor(healths, Member{Host: host})
		if got := f.Kind + " " + h.Kind; got != want {
			t.Errorf("fleet and health for %s = %q, want %q", host, got, want)
		}
	}
	if _, ok := FleetFor(nil, Member{}); ok {
		t.Error("FleetFor(no fleets) found one")
	}
}

func FuzzGlob(f *testing.F) {
	f.Add("web-*", "web-01")
	f.Add("*a*b*", "xxaybz")
	f.Add("??", "ab")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(pattern) > 20 || len(s) > 20 {
			return
		}
		if got, want := Glob(pattern, s), slowGlob(pattern, s); got != want {
			t.Errorf("Glob(%q, %q) = %v, want %v", pattern, s, got, want)
		}
	})
}

func slowGlob(p, s string) bool {
	switch {
	case p == "":
		return s == ""
	case p[0] == '*':
		return slowGlob(p[1:], s) || s != "" && slowGlob(p, s[1:])
	}
	return s != "" && (p[0] == '?' || p[0] == s[0]) && slowGlob(p[1:], s[1:])
}

func BenchmarkAssign(b *testing.B) {
	rings, members := shipped(), company(100_000)
	for b.Loop() {
		Assign(rings, members, nil, "estate")
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(members)), "ns/host")
}
