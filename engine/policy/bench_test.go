//go:build unix

package policy

import (
	"fmt"
	"math"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"

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

func shipped(b *testing.B) *Set {
	s, faults := Compile(library(b))
	if len(faults) > 0 {
		b.Fatal(faults)
	}
	return s
}

// cpu is the processor time of this process so far: other people's work on the
// machine does not count.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// perHost is one evaluation of every rule on the whole input, prepared and parsed.
func perHost(b *testing.B, s *Set, f *fleet, n int) time.Duration {
	var terms []*ast.Term
	for i := range n {
		in := *change()
		f.vary(i*len(f.patches)+i%len(f.patches), &in)
		terms = append(terms, whole(b, &in))
	}
	start := cpu()
	for _, term := range terms {
		for _, c := range s.views[Change].clauses {
			s.ask(question{clause: c, input: term})
		}
	}
	return (cpu() - start) / time.Duration(n)
}

// BenchmarkBatch100kx20 is the target of 100,000 hosts × 20 patches: µs a
// decision, and how often cheaper than one prepared evaluation each.
func BenchmarkBatch100kx20(b *testing.B) {
	s, f := shipped(b), newFleet(100_000, 20)
	one := perHost(b, s, f, 200)
	start := cpu()
	for b.Loop() {
		s.Batch(f.size(), *change(), f.vary, nil)
	}
	each := float64(cpu()-start) / float64(b.N) / float64(f.size())
	b.ReportMetric(each/1000, "µs/decision")
	b.ReportMetric(float64(one.Nanoseconds())/1000, "µs/prepared")
	b.ReportMetric(float64(one.Nanoseconds())/each, "×cheaper")
}

// BenchmarkGrowth compares 10,000 with 100,000 hosts: the evaluations of
// policies, and the whole with the classing of inputs, which is linear.
func BenchmarkGrowth(b *testing.B) {
	s := shipped(b)
	measure := func(hosts int) (evaluations int, policy, all time.Duration) {
		f := newFleet(hosts, 20)
		v := s.views[Change]
		batch := newBatch(&s.set, v, nil)
		base := *change()
		base.Estate.Exceptions = []ExceptionInput{}
		out := make([][]plan.Decision, chunk)
		start := cpu()
		for from := 0; from < f.size(); from += chunk {
			to := min(f.size(), from+chunk)
			batch.classify(from, to, base, f.vary)
			evaluations += len(batch.jobs)
			t := cpu()
			batch.evaluate()
			policy += cpu() - t
			batch.assemble(out[:to-from])
		}
		return evaluations, policy, cpu() - start
	}
	for range b.N {
		n1, p1, a1 := measure(10_000)
		n2, p2, a2 := measure(100_000)
		b.ReportMetric(float64(n1), "evaluations/10k")
		b.ReportMetric(float64(n2), "evaluations/100k")
		b.ReportMetric(math.Log10(float64(p2)/float64(p1)), "exponent/policy")
		b.ReportMetric(math.Log10(float64(a2)/float64(a1)), "exponent/all")
	}
}
