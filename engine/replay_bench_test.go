package engine

import (
	"context"
	"os"
	"strconv"
	"testing"
	"testing/fstest"
	"time"
)

// BenchmarkReplay is `policy replay` of a history of 16 plans with 1,000 changes
// each, all carried out, under a rule that stops a tenth of them.
// RINGMASTER_BENCH_LARGE replays 1,000 plans, or as many as it says.
func BenchmarkReplay(b *testing.B) {
	spec := pastSpec{moments: 8, hosts: 500, every: 36 * time.Hour, shipped: true}
	if large := os.Getenv("RINGMASTER_BENCH_LARGE"); large != "" {
		spec.moments = 500
		if n, err := strconv.Atoi(large); err == nil && n > 1 {
			spec.moments = n / 2
		}
	}
	p := newPast(b, spec)
	e := p.make(quickly(p))
	candidate := fstest.MapFS{"policies/rack/rack.rego": {Data: []byte(rackRule)}}
	for name, data := range shippedPolicies(b) {
		candidate[name] = &fstest.MapFile{Data: data}
	}
	var spent time.Duration
	for b.Loop() {
		before := cpuTime()
		again := &Env{Repo: e.Repo, Forge: e.Forge, At: e.At, Version: e.Version, Run: e.Run, Log: e.Log}
		r, err := again.Replay(context.Background(), ReplayOptions{Files: candidate, Name: "candidate"})
		if err != nil {
			b.Fatal(err)
		}
		if r.Plans != 2*spec.moments || r.Stopped.Changes != 100*r.Plans {
			b.Fatalf("Replay() = %d plans, %d stopped, not replayed %v", r.Plans, r.Stopped.Changes, r.NotReplayed)
		}
		spent += cpuTime() - before
	}
	b.ReportMetric(spent.Seconds()/float64(b.N), "cpu-s/op")
	b.ReportMetric(1e3*spent.Seconds()/float64(b.N)/float64(2*spec.moments), "cpu-ms/plan")
}

const rackRule = `package ringmaster.rack

deny contains {"msg": "rack r3 is being rewired", "facts": {"until": "2030-01-01T00:00:00Z"}, "remedy": "wait"} if {
	object.get(input.host.labels, "rack", "") == "r3"
}
`
