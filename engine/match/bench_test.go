package match

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// fleet is a seeded estate of Debian and AlmaLinux hosts: lists package lists
// that hosts share in turn, 300 packages each, and 5,000 advisories.
func fleet(hosts, lists int) ([]inventory.Host, []advisory.Advisory) {
	r := rand.New(rand.NewPCG(7, 7))
	const names = 3000
	systems := []*inventory.OS{{ID: "debian", Version: "12"}, {ID: "debian", Version: "11"}, {ID: "almalinux", Version: "9.3"}}
	pool := make([][]string, names)
	for i := range pool {
		for j := range 6 {
			pool[i] = append(pool[i], fmt.Sprintf("%d.%d.%d-%d+deb12u%d", i%7, i%13, j, 1+i%3, 1+j))
		}
	}
	var advisories []advisory.Advisory
	for i := range 5000 {
		n, typ, os := r.IntN(names), version.Deb, systems[r.IntN(3)]
		if os.ID == "almalinux" {
			typ = version.RPM
		}
		p := advisory.Platform{OS: os.ID, Version: os.Version[:min(2, len(os.Version))]}
		if typ == version.RPM {
			p.Version = "9"
		}
		advisories = append(advisories, advisory.Advisory{
			ID: fmt.Sprintf("ADV-%d", i), CVEs: []advisory.CVE{{ID: fmt.Sprintf("CVE-2026-%d", i)}}, Vendor: "V", Published: time.Unix(int64(i), 0),
			Fixes: []advisory.Fix{{Platform: p, Type: typ, Package: fmt.Sprintf("package-%d", n), Source: typ == version.Deb, Fixed: pool[n][r.IntN(6)]}},
		})
	}
	type set struct {
		list []inventory.Package
		os   *inventory.OS
	}
	sets := make([]set, lists)
	for i := range sets {
		os := systems[r.IntN(3)]
		typ := version.Deb
		if os.ID == "almalinux" {
			typ = version.RPM
		}
		list := make([]inventory.Package, 0, 300)
		for n := r.IntN(10); len(list) < 300; n += 1 + r.IntN(names/310*2-1) {
			name := fmt.Sprintf("package-%d", n%names)
			list = append(list, inventory.Package{Type: typ, Name: name, Version: pool[n%names][1+r.IntN(5)], Arch: "amd64", Source: name})
		}
		sets[i] = set{list, os}
	}
	all := make([]inventory.Host, hosts)
	for i := range all {
		s := sets[i%lists]
		all[i] = inventory.Host{ID: inventory.HostID(fmt.Sprintf("host-%06d", i)), Facts: &inventory.Facts{OS: s.os, Packages: s.list}}
	}
	return all, advisories
}

// BenchmarkChanges is 5,000 advisories against hosts that share 200 lists.
func BenchmarkChanges(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprintf("hosts=%d", n), func(b *testing.B) { benchmarkChanges(b, n, 200) })
	}
}

// BenchmarkChangesDistinct is the worst case: no two hosts share a list.
func BenchmarkChangesDistinct(b *testing.B) {
	for _, n := range []int{500, 5_000} {
		b.Run(fmt.Sprintf("hosts=%d", n), func(b *testing.B) { benchmarkChanges(b, n, n) })
	}
}

func benchmarkChanges(b *testing.B, hosts, lists int) {
	h, a := fleet(hosts, lists)
	b.ReportAllocs()
	changes, start := 0, cpuTime()
	for b.Loop() {
		changes = 0
		for _, p := range Changes(h, a).Patches {
			for _, g := range p.Groups {
				changes += len(g.Hosts)
			}
		}
	}
	b.ReportMetric(float64((cpuTime()-start).Nanoseconds())/float64(b.N)/float64(hosts)/300, "cpu-ns/row")
	b.ReportMetric(float64(changes), "changes")
}

// TestGrowth holds the growth of the work to the number of hosts: ten times the
// hosts take at most ten times the time and a little. Only a gross breach fails
// here, since other work may share the machine; the benchmarks tell the figure.
func TestGrowth(t *testing.T) {
	if testing.Short() {
		t.Skip("timing")
	}
	took := func(hosts int) float64 {
		h, a := fleet(hosts, hosts)
		best := math.Inf(1)
		for range 3 {
			start := cpuTime()
			Changes(h, a)
			best = min(best, (cpuTime() - start).Seconds())
		}
		return best
	}
	small, large := took(100), took(1000)
	exponent := math.Log10(large / small)
	t.Logf("100 distinct hosts %.4f s of CPU, 1,000 %.4f s: exponent %.2f", small, large, exponent)
	if exponent > 1.4 {
		t.Errorf("ten times the hosts took %.1f times as long (exponent %.2f, want about 1)", large/small, exponent)
	}
}
