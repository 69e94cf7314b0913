package match

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
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
		n, typ, on := r.IntN(names), version.Deb, systems[r.IntN(3)]
		if on.ID == "almalinux" {
			typ = version.RPM
		}
		p := advisory.Platform{OS: on.ID, Version: on.Version[:min(2, len(on.Version))]}
		if typ == version.RPM {
			p.Version = "9"
		}
		advisories = append(advisories, advisory.Advisory{
			ID: fmt.Sprintf("ADV-%d", i), CVEs: []advisory.CVE{{ID: fmt.Sprintf("CVE-2026-%d", i)}}, Vendor: "V", Published: time.Unix(int64(i), 0),
			Fixes: []advisory.Fix{{Platform: p, Type: typ, Package: fmt.Sprintf("package-%d", n), Source: typ == version.Deb, Fixed: pool[n][r.IntN(6)]}},
		})
	}
	type set struct {
		list *inventory.List
		os   *inventory.OS
	}
	p := inventory.NewPool()
	number := numbers(p, pool)
	sets := make([]set, lists)
	for i := range sets {
		system := systems[r.IntN(3)]
		typ := version.Deb
		if system.ID == "almalinux" {
			typ = version.RPM
		}
		list := make([]int32, 0, 300)
		for n := r.IntN(10); len(list) < 300; n += 1 + r.IntN(names/310*2-1) {
			list = append(list, number[typ][n%names][1+r.IntN(5)])
		}
		sets[i] = set{p.Numbered(list), system}
	}
	all := make([]inventory.Host, hosts)
	for i := range all {
		s := sets[i%lists]
		all[i] = inventory.Host{ID: inventory.HostID(fmt.Sprintf("host-%06d", i)), Facts: &inventory.Facts{OS: s.os}, Packages: s.list}
	}
	return all, advisories
}

// numbers are the numbers in p of every version of every package, by type.
func numbers(p *inventory.Pool, versions [][]string) map[version.Type][][]int32 {
	all := map[version.Type][][]int32{}
	for _, typ := range []version.Type{version.Deb, version.RPM} {
		for n := range versions {
			name := fmt.Sprintf("package-%d", n)
			var list []int32
			for _, v := range versions[n] {
				list = append(list, p.Number(inventory.Package{Type: typ, Name: name, Version: v, Arch: "amd64", Source: name}))
			}
			all[typ] = append(all[typ], list)
		}
	}
	return all
}

// BenchmarkChanges is 5,000 advisories against hosts that share 200 lists, and
// the worst case: no two hosts share a list. It reports processor time for each
// row, which is one package of one host, and how it grows with the hosts: an
// exponent of 1 is linear. RINGMASTER_BENCH_LARGE adds 100,000 distinct lists.
func BenchmarkChanges(b *testing.B) {
	b.Run("shared", func(b *testing.B) { grow(b, []int{10_000, 100_000}, 200) })
	b.Run("distinct", func(b *testing.B) {
		sizes := []int{1_000, 10_000}
		if os.Getenv("RINGMASTER_BENCH_LARGE") != "" {
			sizes = append(sizes, 100_000)
		}
		grow(b, sizes, math.MaxInt)
	})
}

func grow(b *testing.B, sizes []int, lists int) {
	last, lastSize := 0.0, 0
	for _, n := range sizes {
		b.Run(fmt.Sprintf("hosts=%d", n), func(b *testing.B) {
			cpu := benchmarkChanges(b, n, min(n, lists))
			if lastSize > 0 && lastSize < n {
				b.ReportMetric(math.Log(cpu/last)/math.Log(float64(n)/float64(lastSize)), "exponent")
			}
			last, lastSize = cpu, n
		})
	}
}

// benchmarkChanges returns the seconds of processor time that matching takes: of
// the quickest round, for other work on the machine only ever adds.
func benchmarkChanges(b *testing.B, hosts, lists int) float64 {
	h, a := fleet(hosts, lists)
	b.ReportAllocs()
	changes, cpu := 0, math.Inf(1)
	for b.Loop() {
		start := cpuTime()
		found := Changes(h, a)
		cpu = min(cpu, (cpuTime() - start).Seconds())
		changes = 0
		for _, p := range found.Patches {
			for _, g := range p.Groups {
				changes += len(g.Hosts)
			}
		}
	}
	b.ReportMetric(1e9*cpu/float64(hosts)/300, "cpu-ns/row")
	b.ReportMetric(float64(changes), "changes")
	return cpu
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
