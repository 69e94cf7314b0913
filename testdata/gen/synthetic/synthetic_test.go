package synthetic

import (
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/match"
)

func files(t *testing.T, o Options) fstest.MapFS {
	t.Helper()
	made, err := Estate(o)
	if err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{}
	for name, data := range made {
		fsys[name] = &fstest.MapFile{Data: data, Mode: 0o644}
	}
	return fsys
}

func TestEstateIsValid(t *testing.T) {
	for _, n := range []int{60, 1500} {
		e, faults := estate.Read(files(t, Options{Hosts: n}))
		for _, f := range faults {
			t.Errorf("%d hosts: %s", n, f)
		}
		for _, f := range e.Notices {
			t.Errorf("%d hosts: notice: %s", n, f)
		}
		if len(e.Hosts) != n || len(e.Advisories) != 500 || len(e.Tiers) != 4 || len(e.Rings) != 5 || len(e.Imported) == 0 || len(e.Incidents) == 0 {
			t.Errorf("hosts, advisories, tiers, rings, imported, incidents = %d, %d, %d, %d, %d, %d", len(e.Hosts), len(e.Advisories), len(e.Tiers), len(e.Rings), len(e.Imported), len(e.Incidents))
		}
		if e.Knowledge.Exploited == nil || e.Knowledge.Forecasts == nil {
			t.Error("nothing is known of exploits or forecasts")
		}
	}
}

func TestEstateNeedsPatches(t *testing.T) {
	e, _ := estate.Read(files(t, Options{Hosts: 1500}))
	changes := 0
	hosts := map[int32]bool{}
	for _, p := range match.Changes(e.Hosts, e.Advisories).Patches {
		for _, g := range p.Groups {
			changes += len(g.Hosts)
			for _, h := range g.Hosts {
				hosts[h] = true
			}
		}
	}
	if per := float64(changes) / float64(len(e.Hosts)); per < 4 || per > 20 || len(hosts) < len(e.Hosts)*3/4 {
		t.Errorf("%.1f changes a host, on %d of %d hosts; want 4 to 20 on most", per, len(hosts), len(e.Hosts))
	}
}

func TestSameOptionsSameBytes(t *testing.T) {
	o := Options{Hosts: 200, Advisories: 50, Seed: 3, At: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)}
	a, err := Estate(o)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := Estate(o)
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("two estates of one seed differ:\n%s", diff)
	}
	o.Seed++
	c, _ := Estate(o)
	if same := slices.Equal(a["inventory/advisories/osv/1-gen.tar.gz"], c["inventory/advisories/osv/1-gen.tar.gz"]); same {
		t.Error("another seed made the same advisories")
	}
	o.Seed--
	o.Hosts = 300
	d, _ := Estate(o)
	name := "inventory/advisories/osv/1-gen.tar.gz"
	if !slices.Equal(a[name], d[name]) {
		t.Error("more hosts made other advisories")
	}
}
