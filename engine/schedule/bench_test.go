package schedule

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// large is an estate of services of about 50 hosts, in four rings and two
// windows, each host with five of twelve patches on average.
func large(hosts, lanes int, clock time.Duration) Input {
	r := rand.New(rand.NewPCG(1, 2))
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	in := Input{
		At: at,
		Rings: []ring.Ring{
			{Name: "canary", After: 24 * time.Hour, Soak: 24 * time.Hour}, {Name: "early", After: 5 * 24 * time.Hour, Soak: 48 * time.Hour},
			{Name: "broad", After: 9 * 24 * time.Hour, Soak: 48 * time.Hour}, {Name: "critical", After: 11 * 24 * time.Hour, Soak: 48 * time.Hour},
		},
		Windows: []ring.Window{
			{Name: "nights", Recur: "FREQ=DAILY;BYHOUR=22;BYMINUTE=0", Duration: 6 * time.Hour, Timezone: "Europe/Berlin"},
			{Name: "sundays", Recur: "FREQ=WEEKLY;BYDAY=SU;BYHOUR=2;BYMINUTE=0", Duration: 8 * time.Hour, Timezone: "America/New_York"},
		},
		Freezes: []ring.Freeze{{Name: "board", From: at.Add(72 * time.Hour), To: at.Add(96 * time.Hour)}},
	}
	services := max(1, hosts/50)
	for i := range services {
		s := Service{Name: fmt.Sprint("service-", i)}
		if i%3 > 0 {
			s.DependsOn = []string{fmt.Sprint("service-", i-1)}
		}
		in.Services = append(in.Services, s)
	}
	for i := range 12 {
		start := at.Add(-time.Duration(r.IntN(72)) * time.Hour)
		in.Patches = append(in.Patches, Patch{ID: plan.PatchID(fmt.Sprintf("deb:p%d@1", i)), Clock: "class", Start: start, Deadline: start.Add(clock)})
	}
	for i := range hosts {
		s := r.IntN(services)
		in.Services[s].Total++
		h := Host{
			ID: inventory.HostID(fmt.Sprintf("h%06d", i)), Services: []int{s}, Windows: []string{in.Windows[s%8/7].Name}, Freezes: []int{0},
			Install: 30 * time.Minute, Rollback: 30 * time.Minute, Lanes: lanes, Fleet: "exec",
		}
		switch n := r.IntN(100); {
		case n < 5:
		case n < 15:
			h.Ring = 1
		case n < 85:
			h.Ring = 2
		default:
			h.Ring = 3
		}
		in.Hosts = append(in.Hosts, h)
		for p := range in.Patches {
			if r.IntN(12) < 5 {
				in.Changes = append(in.Changes, Change{Host: int32(i), Patch: int32(p)})
			}
		}
	}
	return in
}

func BenchmarkWaves(b *testing.B) {
	for _, bb := range []struct {
		name  string
		lanes int // for 10,000 hosts
		clock time.Duration
	}{
		{"calm", 200, 30 * 24 * time.Hour},
		{"pressed", 400, 9 * 24 * time.Hour},
		{"late", 20, 5 * 24 * time.Hour},
	} {
		for _, hosts := range []int{10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/hosts=%d", bb.name, hosts), func(b *testing.B) {
				in := large(hosts, bb.lanes*hosts/10_000, bb.clock)
				b.ReportAllocs()
				late, unplaced := 0, 0
				for b.Loop() {
					got := Waves(in)
					late, unplaced = 0, len(got.Unplaced)
					for _, p := range got.Proofs {
						if !p.Feasible {
							late++
						}
					}
				}
				b.ReportMetric(float64(late), "late")
				b.ReportMetric(float64(unplaced), "unplaced")
				b.ReportMetric(float64(len(in.Changes)), "changes")
			})
		}
	}
}
