package schedule

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

var zones = []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia"}

var recurrences = []string{
	"FREQ=WEEKLY;BYDAY=TU;BYHOUR=23;BYMINUTE=0", "FREQ=WEEKLY;BYDAY=SA,SU;BYHOUR=2;BYMINUTE=30", "FREQ=DAILY;BYHOUR=1;BYMINUTE=0",
	"FREQ=MONTHLY;BYDAY=2TU;BYHOUR=20;BYMINUTE=0", "FREQ=WEEKLY;INTERVAL=2;BYDAY=WE,TH;BYHOUR=21;BYMINUTE=15",
}

// random is a small estate of every kind of trouble.
func random(r *rand.Rand) Input {
	at := time.Date(2026, 3, 1+r.IntN(28), r.IntN(24), r.IntN(60), 0, 0, time.UTC)
	in := Input{At: at}
	hours := func(n int) time.Duration { return time.Duration(r.IntN(n+1)) * time.Hour }
	for i := range 1 + r.IntN(4) {
		in.Rings = append(in.Rings, ring.Ring{Name: fmt.Sprint("ring", i), Order: i, After: time.Duration(i) * hours(72), Soak: hours(48)})
	}
	for i := range r.IntN(4) {
		in.Windows = append(in.Windows, ring.Window{
			Name: fmt.Sprint("window", i), Recur: recurrences[r.IntN(len(recurrences))], Duration: time.Duration(1+r.IntN(8)) * time.Hour, Timezone: zones[r.IntN(len(zones))],
		})
	}
	for i := range r.IntN(4) {
		from := at.Add(hours(400) - 48*time.Hour)
		in.Freezes = append(in.Freezes, ring.Freeze{Name: fmt.Sprint("freeze", i), From: from, To: from.Add(time.Hour + hours(96))})
	}
	services := 1 + r.IntN(5)
	for i := range services {
		s := Service{Name: fmt.Sprint("service", i)}
		for j := range i {
			if r.IntN(4) == 0 {
				s.DependsOn = append(s.DependsOn, fmt.Sprint("service", j))
			}
		}
		in.Services = append(in.Services, s)
	}
	for i := range 1 + r.IntN(4) {
		start := at.Add(-hours(200))
		in.Patches = append(in.Patches, Patch{
			ID: plan.PatchID(fmt.Sprintf("deb:p%d@1", i)), Clock: "vendor", Start: start, Deadline: start.Add(24*time.Hour + hours(600)),
		})
	}
	lanes := []int{1 + r.IntN(8), 1 + r.IntN(20)}
	for i := range 1 + r.IntN(40) {
		addHost(r, &in, i, lanes)
	}
	for i := range in.Services {
		s := &in.Services[i]
		s.Total += r.IntN(2)
		if r.IntN(2) == 0 {
			s.MinAvailable = r.IntN(s.Total + 1)
		}
	}
	in.Rings[0].Sandbox = r.IntN(3) == 0
	for i := range in.Patches {
		in.Patches[i].Test = []string{"sandbox", "canary", "fast"}[r.IntN(3)]
	}
	return in
}

func addHost(r *rand.Rand, in *Input, i int, lanes []int) {
	fleet := r.IntN(2)
	h := Host{
		ID: inventory.HostID(fmt.Sprintf("h%03d", i)), Ring: r.IntN(len(in.Rings)), Install: time.Duration(10+10*r.IntN(5)) * time.Minute,
		Rollback: time.Duration(10*r.IntN(5)) * time.Minute, Fleet: fmt.Sprint(fleet), Lanes: lanes[fleet],
	}
	if r.IntN(60) == 0 {
		h.Ring = -1
	}
	if fleet == 1 && lanes[1]%3 == 0 && i%3 > 0 {
		h.Restart, h.Turns = 10*time.Minute, 1+lanes[1]%2
	}
	for s := range in.Services {
		if r.IntN(3) == 0 {
			h.Services = append(h.Services, s)
			in.Services[s].Total++
		}
	}
	for _, w := range in.Windows {
		if r.IntN(3) == 0 {
			h.Windows = append(h.Windows, w.Name)
		}
	}
	for f := range in.Freezes {
		if r.IntN(3) > 0 {
			h.Freezes = append(h.Freezes, f)
		}
	}
	in.Hosts = append(in.Hosts, h)
	for p := range in.Patches {
		if p == i%len(in.Patches) || r.IntN(2) == 0 {
			c := Change{Host: int32(i), Patch: int32(p)}
			if r.IntN(12) == 0 {
				c.NotBefore = in.At.Add(time.Duration(r.IntN(200)) * time.Hour)
			}
			in.Changes = append(in.Changes, c)
		}
	}
}

// placed is where one change went.
type placed struct {
	wave *Wave
	ring int
}

// where finds every change's wave and fails unless each is placed or left out
// just once.
func where(t *testing.T, in Input, got Result) []placed {
	t.Helper()
	at := make([]placed, len(in.Changes))
	seen := make([]int, len(in.Changes))
	for r, waves := range got.Rings {
		for i := range waves {
			if !slices.IsSorted(waves[i].Changes) {
				t.Errorf("wave %v is not sorted: %v", waves[i].Start, waves[i].Changes)
			}
			for _, c := range waves[i].Changes {
				at[c] = placed{&waves[i], r}
				seen[c]++
			}
		}
	}
	for _, u := range got.Unplaced {
		seen[u.Change]++
		if u.Why == "" {
			t.Errorf("change %d is left out without a reason", u.Change)
		}
	}
	for c, n := range seen {
		if n != 1 {
			t.Fatalf("change %d is placed or left out %d times", c, n)
		}
	}
	return at
}

// FuzzWaves holds estates of any seed to the rules.
func FuzzWaves(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) { keepsTheRules(t, random(rand.New(rand.NewPCG(seed, 11)))) })
}

// Most estates that tests make are small, so many can be tried.
func many(t *testing.T, n int, f func(t *testing.T, in Input)) {
	if os.Getenv("RINGMASTER_LONG") == "" {
		n /= 2 // all of them are nightly's
	}
	for seed := range n {
		in := random(rand.New(rand.NewPCG(uint64(seed), 7)))
		t.Run(fmt.Sprint(seed), func(t *testing.T) { f(t, in) })
		if t.Failed() {
			return
		}
	}
}
