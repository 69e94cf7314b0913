package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/health"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// How much of a host's past is compared with, and how many hosts that are not
// yet changed stand beside it.
const (
	past     = time.Hour
	maxPeers = 20
)

// measuredAtOnce is how many groups of hosts are measured at a time, so that one
// that is out of reach delays no verdict on the others.
const measuredAtOnce = 8

// measure judges changes that were applied. A bad verdict counts at once, a
// good one when the soak is over; without a verdict nothing is said before the
// soak has passed, and then that there is none. Results are in the order of the
// blocks and jobs, however long each took.
func (h *hand) measure(ctx context.Context, jobs []*job) ([]Result, error) {
	h.loaded = h.loads(ctx, jobs)
	var all []sighting
	var broken []error
	for _, block := range blocks(h.t, jobs) {
		s := sighting{hand: h, declared: block.health.Signals, patience: patienceOf(block.health), least: block.health.MinRequests}
		if block.health.Kind != "" {
			var err error
			if s.source, err = h.openedHealth(ctx, block.health); err != nil {
				broken = append(broken, err)
				continue
			}
			defer s.source.Close()
		}
		for _, s.group = range together(block.jobs) {
			all = append(all, s)
		}
	}
	results := make([][]Result, len(all))
	lanes := make(chan struct{}, measuredAtOnce)
	var wg sync.WaitGroup
	for i := range all {
		lanes <- struct{}{}
		wg.Go(func() {
			defer func() { <-lanes }()
			results[i] = all[i].verdicts(ctx)
		})
	}
	wg.Wait()
	return slices.Concat(results...), errors.Join(broken...)
}

// sighting is changes that are measured together, by one source.
type sighting struct {
	*hand
	source   telemetry.Source  // nil where no health block takes the hosts
	declared map[string]string // signals that the health block says it measures, with their queries
	patience time.Duration     // for a verdict
	least    int               // requests that a host must have served to be called healthy
	group    []*job
}

// measured is jobs whose hosts have the same health block.
type measured struct {
	no     int
	health ring.Health
	jobs   []*job
}

func blocks(t *tip, jobs []*job) []*measured {
	var list []*measured
	for _, j := range jobs {
		no, block := -1, ring.Health{}
		if host := t.decider.hostOf(j.change.Host); host != nil {
			no, block = t.healthOf(host)
		}
		i := slices.IndexFunc(list, func(m *measured) bool { return m.no == no })
		if i < 0 {
			list = append(list, &measured{no: no, health: block})
			i = len(list) - 1
		}
		list[i].jobs = append(list[i].jobs, j)
	}
	return list
}

// healthOf is the last health block that takes the host; -1 where none does.
func (t *tip) healthOf(h *inventory.Host) (int, ring.Health) {
	if n := t.decider.healthOf(h); n >= 0 {
		return n, t.est.Healths[n]
	}
	return -1, ring.Health{}
}

// together groups jobs that were begun and applied at the same times, so that
// the source is asked once for them.
func together(jobs []*job) [][]*job {
	var list [][]*job
	for _, j := range jobs {
		i := slices.IndexFunc(list, func(g []*job) bool {
			return g[0].change.Watched.Equal(j.change.Watched) && g[0].change.Applied.Equal(j.change.Applied) && g[0].change.Began.Equal(j.change.Began) && g[0].change.State == j.change.State && g[0].live == j.live && g[0].change.Soak == j.change.Soak
		})
		if i < 0 {
			list = append(list, nil)
			i = len(list) - 1
		}
		list[i] = append(list[i], j)
	}
	return list
}

func (h *sighting) verdicts(ctx context.Context) []Result {
	group, first := h.group, h.group[0].change
	due := first.Due(h.At)
	if h.source == nil && h.t.workloadOf(group[0].live, first) != nil && !due {
		return nil // its verdict comes under load
	}
	if h.source == nil {
		return h.unmeasured(due, "no health block takes the host, so nothing says that it is well")
	}
	to := h.At
	if end := first.Soaked(); to.After(end) {
		to = end
	}
	if !to.After(first.Watched) && !due {
		return nil
	}
	hosts, peers := hostsOf(group), h.peers(group)
	all := append(slices.Clone(hosts), peers...)
	// Not up to when it was applied: a run that was killed may have done it well
	// before the run that found it done.
	ask := &asking{source: h.source, at: h.At, hosts: all, unasked: telemetry.Unasked{}}
	before, after := ask.measure(ctx, first.Began.Add(-past), first.Began), ask.measure(ctx, first.Watched, to)
	if ask.err != nil {
		return h.unmeasured(due, ask.err.Error())
	}
	if len(ask.unasked) > 0 && !due {
		h.Log.Warn("measuring health: " + ask.unasked.Error())
	}
	judge := func(j *job, after telemetry.Series) health.Verdict {
		if why := ask.unasked[j.change.Host]; why != nil {
			return health.Verdict{State: health.Inconclusive, Why: why.Error()}
		}
		return health.Judge(health.Evidence{Declared: h.declared, Before: before[j.change.Host], After: after[j.change.Host], Peers: pooled(after, peers), PeersBefore: pooled(before, peers), MinRequests: h.least})
	}
	var longer telemetry.Series // where the soak was not enough to tell: all there is
	var results []Result
	for _, j := range group {
		v := judge(j, after)
		if v.State == health.Inconclusive && h.At.After(to) {
			if longer == nil {
				if longer = ask.measure(ctx, first.Watched, h.At); ask.err != nil {
					return h.unmeasured(due, ask.err.Error())
				}
			}
			v = judge(j, longer)
		}
		if r, ok := h.verdict(j, v, due); ok {
			results = append(results, r)
		}
	}
	return results
}

// asking is a source that is asked for the same hosts more than once.
type asking struct {
	source  telemetry.Source
	at      time.Time
	hosts   []inventory.HostID
	unasked telemetry.Unasked // hosts of which one answer at least is none
	err     error             // the first that is about all of them; then no more is asked
}

func (a *asking) measure(ctx context.Context, from, to time.Time) telemetry.Series {
	if a.err != nil {
		return nil
	}
	series, err := a.source.Measure(ctx, a.at, a.hosts, from, to)
	var unasked telemetry.Unasked
	if errors.As(err, &unasked) {
		maps.Copy(a.unasked, unasked)
		return series
	}
	a.err = err
	return series
}

// patience is how long after its soak a change without a verdict waits for one,
// where the health block does not say.
const patience = 24 * time.Hour

// patienceOf is a health block's; where there is none, nothing will ever come.
func patienceOf(block ring.Health) time.Duration {
	if block.Kind == "" {
		return 0
	}
	return cmp.Or(block.Patience, patience)
}

// waitsUntil is when a change without a verdict is held.
func waitsUntil(c *rollout.Change, patience time.Duration) time.Time {
	return c.Soaked().Add(patience)
}

// remedy is what people can do about a change that nothing is known of.
const remedy = "; let what measures the host see it, and the next run judges it, or take the plan back by a pull request that reverts its merge"

// unjudged tells of changes that have soaked and have no verdict: missing data
// holds, and it is said until when it is waited for and what then.
func (t *tip) unjudged(l *live, at time.Time, done *Executed) {
	for _, c := range l.progress.Changes {
		if c.State == rollout.Intended && c.HeldWith != "" { // before it begins: see hand.do
			done.Held = append(done.Held, fmt.Sprintf("%s on %s: %s", c.Patch, c.Host, c.HeldWith))
			done.wake(c.NotAfter.Add(time.Second), fmt.Sprintf("%s: the wave of %s on %s is over; until then each run measures again", l.plan.ID, c.Patch, c.Host))
		}
		if c.State != rollout.Applied && c.State != rollout.Back || !c.Due(at) {
			continue
		}
		until := waitsUntil(c, 0)
		if host := t.decider.hostOf(c.Host); host != nil {
			_, block := t.healthOf(host)
			until = waitsUntil(c, patienceOf(block))
		}
		switch {
		case c.HeldWith != "":
			done.Held = append(done.Held, fmt.Sprintf("%s on %s: %s", c.Patch, c.Host, c.HeldWith))
		case at.Before(until):
			done.wake(until, fmt.Sprintf("%s: %s on %s has soaked and waits for a verdict on its health; it is held if there is none by then", l.plan.ID, c.Patch, c.Host))
		}
	}
}

func hostsOf(group []*job) []inventory.HostID {
	var list []inventory.HostID
	for _, j := range group {
		if !slices.Contains(list, j.change.Host) {
			list = append(list, j.change.Host)
		}
	}
	return list
}

// peers are hosts of the same plan that nothing was done to yet, and that are
// measured in the same way: a query or a probe that is made for some hosts says
// nothing true of others.
func (h *hand) peers(group []*job) []inventory.HostID {
	no := h.healthNo(group[0].change.Host)
	touched := map[inventory.HostID]bool{}
	for _, c := range group[0].live.progress.Changes {
		touched[c.Host] = touched[c.Host] || c.State != rollout.Pending
	}
	var list []inventory.HostID
	for _, c := range group[0].live.progress.Changes {
		if len(list) == maxPeers {
			break
		}
		if !touched[c.Host] && !slices.Contains(list, c.Host) && h.healthNo(c.Host) == no {
			list = append(list, c.Host)
		}
	}
	return list
}

// healthNo is which health block measures a host, -1 where none does.
func (h *hand) healthNo(id inventory.HostID) int {
	host := h.t.decider.hostOf(id)
	if host == nil {
		return -1
	}
	no, _ := h.t.healthOf(host)
	return no
}

// pooled puts the peers' points of each signal together, by time.
func pooled(series telemetry.Series, peers []inventory.HostID) map[string][]telemetry.Point {
	pool := map[string][]telemetry.Point{}
	for _, id := range peers {
		for signal, points := range series[id] {
			pool[signal] = append(pool[signal], points...)
		}
	}
	if len(pool) == 0 {
		return nil
	}
	for _, points := range pool {
		slices.SortStableFunc(points, func(a, b telemetry.Point) int { return a.At.Compare(b.At) })
	}
	return pool
}
