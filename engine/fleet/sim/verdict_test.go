package sim

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/health"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// What the truth hides, health finds in the telemetry: hosts that the patch
// harmed, and no others, whatever else goes wrong with all of them.
func TestHealthFindsHiddenFaults(t *testing.T) {
	hosts := 80
	if os.Getenv("RINGMASTER_LONG") != "" {
		hosts = 300
	}
	tenth, ratio := 0.1, 0.25
	install := Fault{Name: "driver", Kind: Errors, P: &tenth, Size: Size{ErrorRatio: &ratio}, AfterS: 120}
	for _, tc := range []struct {
		name       string
		background []Background
	}{
		{"quiet", nil},
		{"all slow for an hour", []Background{{Kind: Slow, At: now.Add(10 * time.Minute), ForS: 3600}}},
		{"all fail for an hour", []Background{{Kind: Errors, At: now.Add(10 * time.Minute), ForS: 3600}}},
	} {
		f := New(Options{Seed: 5, Truth: Truth{Faults: []Fault{install}, Background: tc.background}, Host: func(id inventory.HostID) (inventory.Host, bool) {
			return inventory.Host{ID: id, Facts: &inventory.Facts{}}, true
		}})
		verdicts := map[bool]map[health.State]int{true: {}, false: {}}
		end := now.Add(45 * time.Minute)
		var peers []inventory.HostID
		for i := range 10 {
			peers = append(peers, inventory.HostID(fmt.Sprintf("peer-%d", i)))
		}
		for i := range hosts {
			id := inventory.HostID(fmt.Sprintf("web-%d", i))
			p := heron
			p.From = ""
			s := step(id, "k/"+string(id))
			s.Packages[0] = p
			if _, err := f.Apply(t.Context(), now, s); err != nil {
				t.Fatal(err)
			}
			h, _ := f.host(id)
			all := append([]inventory.HostID{id}, peers...)
			before, err := f.Probe().Measure(t.Context(), end, all, now.Add(-time.Hour), now)
			if err != nil {
				t.Fatal(err)
			}
			after, err := f.Probe().Measure(t.Context(), end, all, now, end)
			if err != nil {
				t.Fatal(err)
			}
			v := health.Judge(health.Evidence{Before: before[id], After: after[id], Peers: pool(after, peers), PeersBefore: pool(before, peers)})
			_, struck := f.hit(h, p, Errors)
			verdicts[struck][v.State]++
		}
		t.Logf("%s: harmed %v, unharmed %v", tc.name, verdicts[true], verdicts[false])
		if n := verdicts[false][health.Degraded]; n > 0 {
			t.Errorf("%s: %d unharmed hosts are called degraded", tc.name, n)
		}
		if n := verdicts[true][health.Healthy]; n > 0 {
			t.Errorf("%s: %d harmed hosts are called healthy", tc.name, n)
		}
		if n := len(verdicts[true]); n == 0 {
			t.Errorf("%s: no host was harmed", tc.name)
		}
		if tc.background == nil && (verdicts[true][health.Inconclusive] > 0 || verdicts[false][health.Inconclusive] > 0) {
			t.Errorf("%s: some are undecided: %v", tc.name, verdicts)
		}
	}
}

func pool(s telemetry.Series, ids []inventory.HostID) map[string][]telemetry.Point {
	var list []map[string][]telemetry.Point
	for _, id := range ids {
		list = append(list, s[id])
	}
	return telemetry.Pool(list)
}
