package engine

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/ringmaster-dev/ringmaster/engine/forge/local"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/testdata/gen/synthetic"
)

// plannedAt is the time that synthetic estates are made for.
var plannedAt = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// BenchmarkPlan is `ringmaster plan` from commit to branches, on synthetic
// estates with 500 advisories. It reports processor time for each host, for each
// planned change, and how processor time grows with the hosts: 1 is linear.
// RINGMASTER_BENCH_LARGE adds 100,000 hosts, which need 2 GB.
func BenchmarkPlan(b *testing.B) {
	sizes := []int{1_000, 10_000}
	if os.Getenv("RINGMASTER_BENCH_LARGE") != "" {
		sizes = append(sizes, 100_000)
	}
	last, lastSize := 0.0, 0
	for _, n := range sizes {
		b.Run(fmt.Sprintf("hosts=%d", n), func(b *testing.B) {
			e := syntheticEnv(b, n)
			var spent time.Duration
			changes, rounds := 0, 0
			for b.Loop() {
				before := cpuTime()
				r, err := e.Plan(context.Background(), PlanOptions{})
				if err != nil {
					b.Fatal(err)
				}
				spent += cpuTime() - before
				rounds++
				b.StopTimer()
				changes = forget(b, e, r)
				b.StartTimer()
			}
			cpu := spent.Seconds() / float64(rounds)
			b.ReportMetric(cpu, "cpu-s/op")
			b.ReportMetric(1e6*cpu/float64(n), "cpu-µs/host")
			b.ReportMetric(1e6*cpu/float64(changes), "cpu-µs/change")
			if lastSize > 0 && lastSize < n {
				b.ReportMetric(math.Log(cpu/last)/math.Log(float64(n)/float64(lastSize)), "exponent")
			}
			last, lastSize = cpu, n
		})
	}
}

// syntheticEnv is an environment whose repository holds a synthetic estate.
func syntheticEnv(b testing.TB, hosts int) *Env {
	b.Helper()
	return syntheticEnvOf(b, synthetic.Options{Hosts: hosts, At: plannedAt})
}

func syntheticEnvOf(b testing.TB, o synthetic.Options) *Env {
	b.Helper()
	files, err := synthetic.Estate(o)
	if err != nil {
		b.Fatal(err)
	}
	r, err := repo.Init(b.TempDir(), "main")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { r.Close() })
	if _, err := r.Advance("refs/heads/main", repo.Next{Changes: files, Message: "A synthetic estate", Author: bot, At: plannedAt}); err != nil {
		b.Fatal(err)
	}
	log := logrus.New()
	log.SetOutput(io.Discard)
	return &Env{Repo: r, Forge: local.New(r, "main", nil), At: plannedAt, Clock: plannedAt, Version: Version, Run: "bench", Log: log}
}

// forget deletes the branches of plans, so that the next round writes them too,
// and counts the planned changes.
func forget(b *testing.B, e *Env, r *PlanReport) int {
	b.Helper()
	changes := 0
	for _, p := range r.Plans {
		for _, ring := range p.Plan.Rings {
			for _, w := range ring.Waves {
				changes += len(w.Changes)
			}
		}
		ref := "refs/heads/" + prefix + p.Plan.ID
		at, err := e.Repo.Ref(ref)
		if err == nil && at != "" {
			err = e.Repo.CompareAndSwap(ref, at, "")
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	return changes
}
