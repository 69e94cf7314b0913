package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/ringmaster-dev/ringmaster/engine/health"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// workloadOf is what a change is put under before it and after it: the last workload
// block that takes its host, where its ring is a sandbox in the plan that people
// approved and in the estate as it is. nil elsewhere: no other host is ever loaded.
func (t *tip) workloadOf(l *live, c *rollout.Change) *ring.Workload {
	if len(t.est.Workloads) == 0 || !l.plan.Rings[c.RingNo].Sandbox || !slices.ContainsFunc(t.est.Rings, func(r ring.Ring) bool { return r.Name == c.Ring && r.Sandbox }) {
		return nil
	}
	host := t.decider.hostOf(c.Host)
	if host == nil {
		return nil
	}
	return t.decider.workloadFor(host)
}

// workloadFor is the last workload block that takes a host, nil where none does.
func (d *decider) workloadFor(h *inventory.Host) *ring.Workload {
	m := d.member(h)
	for i := len(d.est.Workloads) - 1; i >= 0; i-- {
		if d.est.Workloads[i].Matches(m) {
			return &d.est.Workloads[i]
		}
	}
	return nil
}

// unalteredLoad is unaltered of the commands that changes are put under load by.
func (x *Executor) unalteredLoad(t *tip, jobs []*job) error {
	seen := map[*ring.Workload]bool{}
	for _, j := range jobs {
		w := t.workloadOf(j.live, j.change)
		if w == nil || w.Kind != "command" || seen[w] {
			continue
		}
		seen[w] = true
		if err := x.unaltered(t, w.Command); err != nil {
			return fmt.Errorf("opening workload %q: %w", w.Kind, err)
		}
	}
	return nil
}

// week is the load of the service that a workload is shaped like: the mean of its
// hosts' whose facts tell, hour by hour, in shares of the busiest hour. Where none
// tells, or nothing ever comes, every hour is as busy as the busiest.
func (d *decider) week(w *ring.Workload, h *inventory.Host) (week [telemetry.Hours]float64) {
	service := w.Shape
	if s := d.primary(h); service == "" && s != nil {
		service = s.Name
	}
	most := 0.0
	for i := range d.hosts {
		o := &d.hosts[i]
		if o.Facts == nil || len(o.Facts.Load) != len(week) || !slices.Contains(o.Services, service) {
			continue
		}
		for hour, share := range o.Facts.Load {
			week[hour] += share
			most = max(most, week[hour])
		}
	}
	for hour := range week {
		if most > 0 {
			week[hour] /= most
		} else {
			week[hour] = 1
		}
	}
	return week
}

// baseline is what a workload met on a host before the first of its changes in a run:
// one of the run's changes may be the next one's doing.
type baseline struct {
	once sync.Once
	load *telemetry.Load
	why  string // nothing can be compared with it
}

// before puts a host on which nothing of a change has been done under the workload that
// the change is compared under. A change that nothing could be compared with, for that or
// for what health has of the host's past, does not begin: why says so, and a later run
// measures again.
func (h *hand) before(ctx context.Context, j *job, at place) (load *telemetry.Load, why string) {
	w := h.t.workloadOf(j.live, j.change)
	if j.undo || h.tooLate(j) {
		return nil, ""
	}
	if why := h.unfit[j.change.Host]; why != "" {
		return nil, why
	}
	_, inherited := h.inherited(j.live, j.change)
	if w == nil || at != atFrom && (inherited || j.change.Attempt > 1) {
		return nil, ""
	}
	j.baseline.once.Do(func() {
		got, err := h.underLoad(ctx, w, j.change.Host)
		if err != nil {
			j.baseline.why = err.Error()
			return
		}
		if j.baseline.why = health.Unfit(got); j.baseline.why == "" {
			j.baseline.load = &got
		}
	})
	if why := j.baseline.why; why != "" {
		return nil, "the workload that it is to be compared under says nothing: " + why + "; the change does not begin without it"
	}
	return j.baseline.load, ""
}

// errLasted is that of a run that has lasted too long to put anything under load.
var errLasted = fmt.Errorf("the run has lasted %s, and the next one goes on", longest)

// underLoad puts one host under a workload.
func (h *hand) underLoad(ctx context.Context, w *ring.Workload, id inventory.HostID) (telemetry.Load, error) {
	if h.lasted(h.t) >= longest {
		return telemetry.Load{}, errLasted
	}
	run, err := h.OpenWorkload(*w, h.world)
	if err != nil {
		return telemetry.Load{}, fmt.Errorf("opening workload %q: %w", w.Kind, err)
	}
	got, err := run(ctx, id, h.t.decider.week(w, h.t.decider.hostOf(id)))
	if err == nil {
		h.Log.WithField("host", id).WithField("requests", got.Requests).WithField("errors", got.Errors).Info("was under load")
	}
	return got, err
}

// loads are the verdicts under load on changes that have soaked. Each host is loaded
// once, as many at a time as the fleet's block allows.
func (h *hand) loads(ctx context.Context, jobs []*job) map[*job]health.Verdict {
	var mu sync.Mutex
	verdicts, hosts := map[*job]health.Verdict{}, byHost(jobs)
	h.abreast(hosts, func(i int) {
		got := h.loadsOf(ctx, hosts[i])
		mu.Lock()
		defer mu.Unlock()
		maps.Copy(verdicts, got)
	})
	return verdicts
}

// loadsOf are those on one host's changes, of which each is held against what was
// measured before it. One without a state is left to the next run.
func (h *hand) loadsOf(ctx context.Context, jobs []*job) map[*job]health.Verdict {
	verdicts := map[*job]health.Verdict{}
	jobs = slices.DeleteFunc(slices.Clone(jobs), func(j *job) bool {
		return j.change.State != rollout.Applied || h.t.workloadOf(j.live, j.change) == nil || !j.change.Due(h.At)
	})
	after := sync.OnceValues(func() (telemetry.Load, error) {
		return h.underLoad(ctx, h.t.workloadOf(jobs[0].live, jobs[0].change), jobs[0].change.Host)
	})
	for _, j := range jobs {
		verdicts[j] = judgeLoad(j, after)
	}
	return verdicts
}

func judgeLoad(j *job, after func() (telemetry.Load, error)) health.Verdict {
	before, err := measuredBefore(j)
	if err != nil {
		return health.Verdict{State: health.Inconclusive, Why: "what the workload met before the change is not in the ledger (" + err.Error() + ")"}
	}
	got, err := after()
	switch {
	case errors.Is(err, errLasted):
		return health.Verdict{}
	case err != nil:
		return health.Verdict{State: health.Inconclusive, Why: "putting it under load: " + err.Error()}
	}
	return health.JudgeLoad(before, got)
}

// measuredBefore is what the ledger has of the workload before a change.
func measuredBefore(j *job) (telemetry.Load, error) {
	for _, line := range slices.Backward(j.live.lines) {
		if line.Event == outcome.Applied && line.Key == j.key && line.Measured != nil {
			return telemetry.LoadOf(line.Measured.Before)
		}
	}
	return telemetry.LoadOf(nil)
}
