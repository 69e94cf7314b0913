//go:build unix

package policy

import (
	"math"
	"syscall"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

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
		batch := newBatch(s, Change, nil)
		out := make([][]plan.Decision, chunk)
		start := cpu()
		batch.run(f.size(), *change(), f.vary, func(from, to int) {
			evaluations += len(batch.jobs)
			t := cpu()
			batch.evaluate()
			policy += cpu() - t
			batch.assemble(out[:to-from])
		})
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
