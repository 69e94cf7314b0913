package policy

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// fleet is hosts × patches as an engine hands them over: a host made anew for
// every change, everything else shared.
type fleet struct {
	hosts    []HostInput
	patches  []*PatchInput
	services []*ServiceInput
	tiers    []*TierInput
	rings    []*RingInput
}

func newFleet(hosts, patches int) *fleet {
	r := rand.New(rand.NewPCG(7, uint64(hosts)))
	f := &fleet{}
	for i := range 4 {
		f.tiers = append(f.tiers, &TierInput{Name: fmt.Sprint("t", i), Rank: i + 1, Autonomy: "semi-autonomous", RiskTolerance: 0.01 * float64(i+1)})
		f.rings = append(f.rings, &RingInput{Name: fmt.Sprint("r", i), Order: i})
	}
	for i := range 200 {
		f.services = append(f.services, &ServiceInput{Name: fmt.Sprint("s", i), Tier: f.tiers[i%4].Name, Owner: fmt.Sprint("team-", i%30), Labels: map[string]string{}})
	}
	for i := range patches {
		p := *change().Patch
		p.ID = fmt.Sprintf("deb:p%d@1", i)
		f.patches = append(f.patches, &p)
	}
	for i := range hosts {
		h := HostInput{ID: fmt.Sprintf("host-%06d", i), Labels: map[string]string{"site": "fra1"}, Known: r.IntN(50) > 0, AgeSeconds: ptr(int64(r.IntN(9 * 86400))), OS: "debian", Version: "12",
			DiskFreeMB: ptr(int64(500 + r.IntN(200_000))), Drift: ptr(r.IntN(20) == 0), RebootPending: ptr(r.IntN(10) == 0), Modules: []string{}, Quarantine: []Quarantine{}, Holds: []Override{}}
		if i%5000 == 0 {
			h.Holds = []Override{{Kind: "hold", By: "ann", Reason: "x", Until: now.Add(time.Hour)}}
		}
		f.hosts = append(f.hosts, h)
	}
	return f
}

func (f *fleet) vary(i int, in *Input) {
	h := f.hosts[i/len(f.patches)]
	p := i % len(f.patches)
	s := i / len(f.patches) % len(f.services)
	h.DeployRisk = plan.Risk{P: 0.001 * float64(p), High: 0.002 * float64(1+p)} // a track record: one a patch
	in.Host, in.Patch, in.Service, in.Tier, in.Ring = &h, f.patches[p], f.services[s], f.tiers[s%4], f.rings[s%4]
}

func (f *fleet) size() int { return len(f.hosts) * len(f.patches) }
