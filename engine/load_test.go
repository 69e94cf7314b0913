package engine

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/health"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// met is a load of requests of which so many went wrong.
func met(n, errors int) (l telemetry.Load) {
	for i := range n {
		l.Add(i >= errors, 0.004)
	}
	return l
}

// lab is a hand on an estate with a host in a sandbox and one beside it, whose changes
// have soaked; before them they met before. Loaded counts what was put under load.
func lab(t *testing.T, before *telemetry.Load, loaded *atomic.Int64, run telemetry.Workload) (*hand, []*job) {
	t.Helper()
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	log := logrus.New()
	log.SetOutput(io.Discard)
	est := &estate.Estate{Rings: []ring.Ring{{Name: "lab", Sandbox: true}, {Name: "broad"}}, Workloads: []ring.Workload{{Kind: "http"}}}
	d := frame(est, basis{})
	d.est.Hosts = []inventory.Host{{ID: "lab-1"}, {ID: "web-1"}}
	d.hosts = d.est.Hosts
	x := &Executor{Env: &Env{At: at, Log: log}, OpenWorkload: func(ring.Workload, World) (telemetry.Workload, error) {
		loaded.Add(1)
		return run, nil
	}}
	p := &plan.Plan{ID: "high-main-1", Rings: []plan.Ring{{Name: "lab", Sandbox: true}, {Name: "broad"}}}
	l := &live{progress: &rollout.Progress{}, deed: deed{plan: p}}
	var jobs []*job
	for i, h := range d.hosts {
		for _, patch := range []plan.PatchID{"generic:a@2", "generic:b@2"} {
			c := &rollout.Change{Change: plan.Change{Host: h.ID, Patch: patch}, Ring: p.Rings[i].Name, RingNo: i, State: rollout.Applied, Applied: at.Add(-time.Hour), Watched: at.Add(-time.Hour), Soak: time.Hour}
			jobs = append(jobs, &job{live: l, change: c, measure: true, key: string(h.ID) + string(patch)})
			line := outcome.Line{Event: outcome.Applied, Host: h.ID, Patch: patch, Key: jobs[len(jobs)-1].key}
			if before != nil {
				line.Measured = &outcome.Measured{Before: before.Signals()}
			}
			l.lines = append(l.lines, line)
		}
	}
	return &hand{Executor: x, t: &tip{est: est, decider: d}}, jobs
}

// Of hosts whose changes have soaked, those in a sandbox are loaded, once each; what is
// not known is no verdict, and nothing is loaded for it.
func TestLoads(t *testing.T) {
	fit, ill := met(300, 0), met(300, 120)
	for _, tc := range []struct {
		name   string
		before *telemetry.Load
		after  telemetry.Load
		err    error
		with   func(*hand, []*job)
		loaded int64
		want   health.State // of both changes in the sandbox; "none": they have no verdict
		why    string
	}{
		{"well", &fit, fit, nil, nil, 1, health.Healthy, "0 of 300"},
		{"ill", &fit, ill, nil, nil, 1, health.Degraded, "120 of 300"},
		{"nothing before", nil, fit, nil, nil, 0, health.Inconclusive, "not in the ledger (nothing was measured)"},
		{"nothing after", &fit, fit, errors.New("no route"), nil, 1, health.Inconclusive, "no route"},
		{"not yet", &fit, fit, nil, func(_ *hand, jobs []*job) {
			for _, j := range jobs {
				j.change.Soak = 2 * time.Hour
			}
		}, 0, "none", ""},
		{"no sandbox any more", &fit, fit, nil, func(h *hand, _ []*job) { h.t.est.Rings[0].Sandbox = false }, 0, "none", ""},
		{"none when it was merged", &fit, fit, nil, func(_ *hand, jobs []*job) { jobs[0].live.plan.Rings[0].Sandbox = false }, 0, "none", ""},
		{"no workload for it", &fit, fit, nil, func(h *hand, _ []*job) { h.t.est.Workloads[0].Hosts = []string{"web-*"} }, 0, "none", ""},
		{"the run has lasted", &fit, fit, nil, func(h *hand, _ []*job) { h.Lasted = func() time.Duration { return longest } }, 0, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var loaded atomic.Int64
			h, jobs := lab(t, tc.before, &loaded, func(context.Context, inventory.HostID, [telemetry.Hours]float64) (telemetry.Load, error) {
				return tc.after, tc.err
			})
			if tc.with != nil {
				tc.with(h, jobs)
			}
			got := h.loads(t.Context(), jobs)
			if loaded.Load() != tc.loaded {
				t.Errorf("%d hosts were loaded, want %d", loaded.Load(), tc.loaded)
			}
			for _, j := range jobs {
				v, ok := got[j]
				if sandbox := j.change.Host == "lab-1" && tc.want != "none"; ok != sandbox || ok && (v.State != tc.want || !strings.Contains(v.Why, tc.why)) {
					t.Errorf("%s on %s: %s, %q (%v), want %s with %q", j.change.Patch, j.change.Host, v.State, v.Why, ok, tc.want, tc.why)
				}
			}
		})
	}
}

// A week is that of the service's hosts whose facts tell, together, as shares of its
// busiest hour; where none tells it is flat.
func TestWeek(t *testing.T) {
	shop := func(load ...float64) *inventory.Facts {
		week := make([]float64, telemetry.Hours)
		copy(week, load)
		return &inventory.Facts{Load: week}
	}
	d := frame(&estate.Estate{}, basis{})
	d.hosts = []inventory.Host{
		{ID: "lab-1", Services: []string{"lab"}, Facts: shop(1)},
		{ID: "old-1", Services: []string{"shop"}},
		{ID: "web-1", Services: []string{"shop"}, Facts: shop(0.1, 0.4)},
		{ID: "web-2", Services: []string{"shop"}, Facts: shop(0.3, 0.4, 0.2)},
	}
	got := d.week(&ring.Workload{Shape: "shop"}, &d.hosts[0])
	if got[0] != 0.5 || got[1] != 1 || got[2] != 0.25 || got[3] != 0 {
		t.Errorf("week() begins with %v, want 0.5, 1, 0.25, 0", got[:4])
	}
	for hour, share := range d.week(&ring.Workload{Shape: "db"}, &d.hosts[0]) {
		if share != 1 {
			t.Fatalf("of a service of which nobody tells hour %d is %v", hour, share)
		}
	}
}
