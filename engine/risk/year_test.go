package risk

import (
	"fmt"
	"math/rand"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/sim"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// A simulated year: 400 hosts, 188 patches that go through rings, about 13 % of
// them dangerous to hosts of some kind, and background faults that are blamed on
// whatever patch was just installed. Installs run on engine/fleet/sim, whose
// hidden truth holds the dangers; nothing here tells the models of it.

// danger is something planted: patches of which a part fail on hosts of a kind.
type danger struct {
	name       string
	patch      func(*yearPatch) bool
	host       func(*yearHost) bool
	pair       [2]string // how it would be found, as traits of patch and host
	alternates [][2]string
}

// is says whether a pair found is the danger: its own traits, or a narrower or wider
// form of them that the same failures show.
func (d danger) is(i Incompatible) bool {
	if i.Host != d.pair[1] && !slices.ContainsFunc(d.alternates, func(a [2]string) bool { return a[1] == i.Host }) {
		return false
	}
	vendor := strings.ToLower(strings.TrimPrefix(d.pair[0], "vendor "))
	return i.Patch == d.pair[0] || slices.ContainsFunc(d.alternates, func(a [2]string) bool { return a[0] == i.Patch }) ||
		strings.HasPrefix(i.Patch, "package "+vendor+"-") || strings.HasPrefix(i.Patch, "line "+vendor+"-")
}

type yearPatch struct {
	Patch
	day     int
	size    int64
	reboot  bool
	parts   []string
	on      []int   // hosts
	dangers []int   // that are in it, hidden
	p       float64 // of the struck
}

type yearHost struct {
	inventory.Host
	role string
	n    int
}

func (h *yearHost) has(module string) bool { return slices.Contains(h.Facts.Modules, module) }

var dangers = []danger{
	{name: "Heron's storage path on hba7", pair: [2]string{"vendor Heron", "module hba7"},
		patch: func(p *yearPatch) bool { return p.Vendor == "Heron" }, host: func(h *yearHost) bool { return h.has("hba7") }},
	{name: "Osprey on databases", pair: [2]string{"vendor Osprey", "role db"},
		patch: func(p *yearPatch) bool { return p.Vendor == "Osprey" }, host: func(h *yearHost) bool { return h.role == "db" }},
	{name: "tls on fips", pair: [2]string{"component tls", "module fips"},
		patch: func(p *yearPatch) bool { return slices.Contains(p.parts, "tls") }, host: func(h *yearHost) bool { return h.has("fips") }},
	{name: "kernel packages on nicx", pair: [2]string{"component net", "module nicx"},
		patch: func(p *yearPatch) bool { return slices.Contains(p.parts, "net") }, host: func(h *yearHost) bool { return h.has("nicx") }},
	{name: "large updates in little memory", pair: [2]string{"size 100 MB", "memory 512 MB"}, alternates: [][2]string{{"size 30 MB", "memory 512 MB"}, {"size 100 MB", "memory 1 GB"}, {"size 30 MB", "memory 1 GB"}},
		patch: func(p *yearPatch) bool { return p.size >= 100e6 }, host: func(h *yearHost) bool { return *h.Facts.MemFreeMB < 512 }},
	{name: "reboots of drifted hosts", pair: [2]string{"reboot yes", "drift yes"},
		patch: func(p *yearPatch) bool { return p.reboot }, host: func(h *yearHost) bool { return *h.Facts.Drift }},
	{name: "Merlin 5 on debian 11", pair: [2]string{"line merlin-0 5", "os debian 11"}, alternates: [][2]string{{"package merlin-0", "os debian 11"}, {"vendor Merlin", "os debian 11"}},
		patch: func(p *yearPatch) bool { return p.Package == "merlin-0" }, host: func(h *yearHost) bool { return h.Facts.OS.Version == "11" }},
}

// year is a world and what came of it.
type year struct {
	hosts   []*yearHost
	patches []*yearPatch
	begin   time.Time
	changes []*yearChange
	trials  []Trial
}

type yearChange struct {
	host   *yearHost
	patch  *yearPatch
	at     time.Time
	failed bool
	danger int     // 1 + the index of the danger that the change is in, 0 none
	p      float64 // the true probability
	ring   string
}

var vendors = []string{"Heron", "Osprey", "Kite", "Merlin", "Debian", "Harrier", "Falcon", "Buzzard", "Swift", "Wren", "Lark", "Rook"}
var roles = []string{"web", "web", "web", "app", "app", "app", "db", "db", "queue", "cache", "gateway", "build"}
var modules = []string{"hba7", "fips", "nicx", "raid5", "tpm1", "av9", "gpu2", "lsm"}
var shares = []float64{0.12, 0.1, 0.15, 0.1, 0.3, 0.25, 0.05, 0.15}

// background is how many changes are blamed for what they did not do.
const background = 0.01

func newYear(t testing.TB, seed int64, hosts, patches int) *year {
	r := rand.New(rand.NewSource(seed))
	y := &year{begin: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)}
	for i := range hosts {
		y.hosts = append(y.hosts, randomHost(r, i))
	}
	where := map[string][]int{}
	for range patches {
		p := randomPatch(r, y, where)
		y.patches = append(y.patches, p)
	}
	slices.SortStableFunc(y.patches, func(a, b *yearPatch) int { return a.day - b.day })
	y.plant(r)
	y.roll(t, r, seed)
	return y
}

func randomHost(r *rand.Rand, i int) *yearHost {
	h := &yearHost{n: i, role: roles[i%len(roles)]}
	h.ID = inventory.HostID(fmt.Sprintf("%s-%03d", h.role, i))
	h.Labels = map[string]string{"role": h.role, "env": []string{"prod", "prod", "prod", "test"}[r.Intn(4)]}
	f := &inventory.Facts{
		Host: h.ID, OS: &inventory.OS{ID: "debian", Version: []string{"11", "12", "12", "12"}[r.Intn(4)]},
		MemMB: ptr(int64(8192)), MemFreeMB: ptr(int64(200 + r.ExpFloat64()*2500)), DiskMB: ptr(int64(100000)), DiskFreeMB: ptr(int64(2000 + r.ExpFloat64()*30000)),
		UptimeS: ptr(int64(r.ExpFloat64() * 80 * 86400)), Drift: ptr(r.Float64() < 0.12), RebootPending: ptr(r.Float64() < 0.08), Exposed: ptr(r.Intn(3) == 0),
	}
	f.Modules = []string{}
	for m, share := range shares {
		if r.Float64() < share {
			f.Modules = append(f.Modules, modules[m])
		}
	}
	h.Facts = f
	return h
}

func randomPatch(r *rand.Rand, y *year, where map[string][]int) *yearPatch {
	vendor := vendors[r.Intn(len(vendors))]
	name := fmt.Sprintf("%s-%d", strings.ToLower(vendor), r.Intn(4))
	if where[name] == nil {
		part := 0.08 + 0.3*r.Float64()
		for _, h := range y.hosts {
			if r.Float64() < part {
				where[name] = append(where[name], h.n)
			}
		}
		where[name] = append(where[name], r.Intn(len(y.hosts)))
		slices.Sort(where[name])
		where[name] = slices.Compact(where[name])
	}
	p := &yearPatch{day: r.Intn(350), on: where[name], p: 0.5, size: int64(1e6 * (1 + r.ExpFloat64()*60)), reboot: r.Intn(6) == 0}
	major := 4 + len(name)%2
	p.Patch = Patch{Package: name, Vendor: vendor, From: fmt.Sprintf("%d.1.0", major), To: fmt.Sprintf("%d.%d.%d", major, 1+r.Intn(9), r.Intn(1000))}
	for _, part := range []string{"tls", "net", "ui", "storage", "auth"} {
		if r.Intn(12) == 0 {
			p.parts = append(p.parts, part)
		}
	}
	p.ID = plan.PatchID("generic:" + name + "@" + p.To)
	a := &advisory.Advisory{ID: string(p.ID), Kind: []advisory.Kind{advisory.Security, advisory.Security, advisory.Bugfix, advisory.Feature}[r.Intn(4)],
		Published: y.begin.AddDate(0, 0, p.day), SizeBytes: p.size, Reboot: ptr(p.reboot), Components: p.parts, Reports: max(0, r.Intn(6)-4)}
	for i := range r.Intn(5) {
		a.CVEs = append(a.CVEs, advisory.CVE{ID: fmt.Sprint("CVE-2025-", i)})
	}
	p.Advisories = []*advisory.Advisory{a}
	return p
}

// plant makes about 13 % of the patches dangerous: of those that a danger could be
// in, chosen at random.
func (y *year) plant(r *rand.Rand) {
	want := int(0.13*float64(len(y.patches)) + 0.5)
	for n, tries := 0, 0; n < want && tries < 100*want; tries++ {
		p, d := y.patches[r.Intn(len(y.patches))], r.Intn(len(dangers))
		if len(p.dangers) == 0 && dangers[d].patch(p) {
			p.dangers = append(p.dangers, d)
			n++
		}
	}
}

// truth is what the simulated fleet hides.
func (y *year) truth() sim.Truth {
	t := sim.Truth{Schema: sim.Schema}
	for _, p := range y.patches {
		for _, d := range p.dangers {
			f := sim.Fault{Name: dangers[d].name, Patch: string(p.ID), P: &p.p, Kind: sim.InstallFails, Detail: dangers[d].name}
			for _, n := range p.on {
				if dangers[d].host(y.hosts[n]) {
					f.Hosts = append(f.Hosts, string(y.hosts[n].ID))
				}
			}
			if len(f.Hosts) > 0 {
				t.Faults = append(t.Faults, f)
			}
		}
	}
	return t
}

// roll takes every patch through the rings: 5 % of its hosts after a day, 15 %
// more from the fifth day, the rest from the ninth to the 23rd.
func (y *year) roll(t testing.TB, r *rand.Rand, seed int64) {
	for _, p := range y.patches {
		for _, n := range p.on {
			c := &yearChange{host: y.hosts[n], patch: p, ring: "broad"}
			day := float64(p.day)
			switch u := r.Float64(); {
			case u < 0.05:
				c.ring = "canary"
				day++
			case u < 0.2:
				c.ring = "early"
				day += 5 + r.Float64()
			default:
				day += 9 + 14*r.Float64()
			}
			c.at = y.begin.Add(time.Duration(day*24*3600) * time.Second)
			for _, d := range p.dangers {
				if dangers[d].host(c.host) {
					c.danger = 1 + d
				}
			}
			y.changes = append(y.changes, c)
		}
	}
	slices.SortStableFunc(y.changes, func(a, b *yearChange) int { return a.at.Compare(b.at) })
	y.apply(t, r, seed)
}

// apply installs on the simulated fleet, and keeps the ledger.
func (y *year) apply(t testing.TB, r *rand.Rand, seed int64) {
	byID := map[inventory.HostID]*yearHost{}
	for _, h := range y.hosts {
		byID[h.ID] = h
	}
	f := sim.New(sim.Options{Seed: seed, Truth: y.truth(), Host: func(id inventory.HostID) (inventory.Host, bool) {
		h, ok := byID[id]
		if !ok {
			return inventory.Host{}, false
		}
		return h.Host, true
	}})
	var lines []outcome.Line
	for i, c := range y.changes {
		// Every release stands beside the last one: how versions succeed one another is not what is measured here.
		pkg := fleet.Package{Type: version.Type("generic"), Name: string(c.patch.ID), From: "", To: c.patch.To, Patch: c.patch.ID}
		j, err := f.Apply(t.Context(), c.at, fleet.Step{Key: fmt.Sprint(i), Host: c.host.ID, Packages: []fleet.Package{pkg}})
		if err != nil {
			t.Fatal(err)
		}
		c.p = background
		if c.danger > 0 {
			c.p += c.patch.p * (1 - background)
		}
		c.failed = j.State == fleet.Failed || r.Float64() < background
		known := Know(c.patch.Patch, &c.host.Host, y.setting(c.host), c.at)
		line := outcome.Line{At: c.at, Plan: "p", Host: c.host.ID, Patch: c.patch.ID, Fleet: "exec", Event: outcome.Intended, From: c.patch.From, To: c.patch.To, Features: known.Features()}
		end := line
		end.At, end.Event = c.at.Add(30*time.Minute), outcome.Healthy
		if c.failed {
			end.Event = outcome.RolledBack
		}
		lines = append(lines, line, end)
	}
	y.trials = Trials(map[string][]outcome.Line{"p": lines}, nil, false)
}

func (y *year) setting(h *yearHost) Setting { return Setting{Role: h.role, Tier: "standard"} }

func TestYear(t *testing.T) {
	if os.Getenv("RINGMASTER_LONG") == "" {
		t.Skip("a simulated year: set RINGMASTER_LONG=1")
	}
	for seed := range int64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			y := newYear(t, seed, 400, 188)
			y.tell(t)
			y.foresee(t, 6, 12).print(t, y)
		})
	}
}

func (y *year) tell(t testing.TB) {
	bad, in := 0, 0
	for _, c := range y.changes {
		if c.failed {
			bad++
			if c.danger > 0 {
				in++
			}
		}
	}
	t.Logf("%d changes, %d failures, %d of them by planted dangers", len(y.changes), bad, in)
}
