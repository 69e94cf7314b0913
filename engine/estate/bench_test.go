package estate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// generated is an estate of n hosts in 256 shards: 12 golden images of 300
// packages, on every so manieth host one package apart from its image, the load
// of a week on every tenth.
func generated(n, apart int, seed uint64) fs.FS {
	rng := rand.New(rand.NewPCG(seed, 1))
	fsys := fstest.MapFS{}
	write := func(name, text string) { fsys[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644} }
	var sets []string
	for image := range 12 {
		var set struct {
			Packages []inventory.Package `json:"packages"`
		}
		for p := range 300 {
			set.Packages = append(set.Packages, inventory.Package{Type: version.Deb, Name: fmt.Sprintf("lib-%03d", p), Version: fmt.Sprintf("1:%d.%d-%d", image, p, rng.IntN(9)), Arch: "amd64", Source: fmt.Sprintf("src-%03d", p/3)})
		}
		data, _ := json.Marshal(set)
		sum := sha256.Sum256(data)
		sets = append(sets, "sha256:"+hex.EncodeToString(sum[:]))
		write(fmt.Sprintf("inventory/facts/sets/image-%02d.json", image), string(data))
	}
	load, _ := json.Marshal(make([]float64, 168))
	shards := make([]strings.Builder, 256)
	for i := range n {
		image := rng.IntN(len(sets))
		more := ""
		if i%apart == 0 {
			more = fmt.Sprintf(`,"packages":[{"type":"deb","name":"lib-%03d","version":"2:%d-1","arch":"amd64"}]`, rng.IntN(300), rng.IntN(300))
		}
		if i%10 == 0 {
			more += `,"load":` + string(load)
		}
		fmt.Fprintf(&shards[i*256/n], `{"host":"h%06d.site%02d","at":"2026-03-02T08:00:00Z","source":"osquery","address":"10.%d.%d.%d","os":{"id":"debian","version":"12","arch":"amd64","kernel":"6.1.0-%d-amd64"},"set":%q,"labels":{"role":"%s","site":"site%02d"},"exposed":%v,"uptime_s":%d,"reboot_pending":false,"drift":false,"disk_mb":40000,"disk_free_mb":9000,"mem_mb":8192,"mem_free_mb":512%s}`+"\n",
			i, i%40, i>>16, i>>8&255, i&255, 10+image, sets[image], []string{"web", "db", "batch"}[i%3], i%40, i%7 == 0, rng.IntN(9_000_000), more)
	}
	for i := range shards {
		write(fmt.Sprintf("inventory/facts/%02x.jsonl", i), shards[i].String())
	}
	var hcl strings.Builder
	hcl.WriteString("estate \"big\" {}\ntier \"gold\" {\n  rank = 1\n}\ntier \"silver\" {\n  rank = 2\n}\n")
	for s := range 40 {
		fmt.Fprintf(&hcl, "service \"s%02d\" {\n  tier   = %q\n  hosts  = [\"*.site%02d\"]\n  labels = { env = \"prod\" }\n}\n", s, []string{"gold", "silver"}[s%2], s)
	}
	write("inventory/estate.hcl", hcl.String())
	return fsys
}

// BenchmarkRead reads 10,000 hosts: a fifth of them, or all, differ from their
// image. Linear means that ns/host does not grow.
func BenchmarkRead(b *testing.B) {
	for _, c := range []struct{ hosts, apart int }{{1_000, 5}, {10_000, 5}, {1_000, 1}, {10_000, 1}} {
		n := c.hosts
		b.Run(fmt.Sprintf("hosts=%d/apart=1in%d", n, c.apart), func(b *testing.B) {
			fsys := generated(n, c.apart, 7)
			b.ReportAllocs()
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			var e *Estate
			for b.Loop() {
				var faults []Fault
				if e, faults = Read(fsys); len(faults) > 0 || len(e.Hosts) != n {
					b.Fatalf("%d hosts, faults %s", len(e.Hosts), lines(faults))
				}
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/host")
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "kept-B/host")
			runtime.KeepAlive(e)
		})
	}
}
