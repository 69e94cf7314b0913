package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sirupsen/logrus"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// A host is held against hosts that are measured as it is, and that nothing was
// done to: another service's probe asks for a page that they do not have.
func TestPeers(t *testing.T) {
	est := &estate.Estate{Healths: []ring.Health{
		{Kind: "prometheus"},
		{Kind: "http", Select: ring.Select{Hosts: []string{"web-*"}}},
	}}
	var changes []*rollout.Change
	add := func(state rollout.State, ids ...inventory.HostID) {
		for _, id := range ids {
			est.Hosts = append(est.Hosts, inventory.Host{ID: id})
			changes = append(changes, &rollout.Change{Change: plan.Change{Host: id, Patch: "p"}, State: state})
		}
	}
	add(rollout.Pending, "db-1", "db-2")
	add(rollout.Applied, "db-3")
	for i := range maxPeers + 5 {
		add(rollout.Pending, inventory.HostID(fmt.Sprintf("mail-%02d", i)))
	}
	add(rollout.Applied, "web-1")
	add(rollout.Pending, "web-2", "web-3")
	est.Hosts = append(est.Hosts, inventory.Host{ID: "web-4"}) // which the plan does not touch
	d := frame(est, basis{})
	d.hosts = est.Hosts
	h := &hand{t: &tip{est: est, decider: d}}
	l := &live{progress: &rollout.Progress{Changes: changes}}
	for host, want := range map[inventory.HostID][]inventory.HostID{"web-1": {"web-2", "web-3"}, "gone": nil} {
		got := h.peers([]*job{{live: l, change: &rollout.Change{Change: plan.Change{Host: host}}}})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("peers of %s (-want +got):\n%s", host, diff)
		}
	}
	got := h.peers([]*job{{live: l, change: changes[2]}})
	if len(got) != maxPeers || got[0] != "db-1" || got[1] != "db-2" || got[2] != "mail-00" {
		t.Errorf("peers of db-3 = %v, want %d that Prometheus measures, in the order of the plan", got, maxPeers)
	}
}

// well measures hosts that are up, and cannot ask for some.
type well struct{ unasked telemetry.Unasked }

func (w well) Close() error { return nil }

func (w well) Measure(_ context.Context, _ time.Time, hosts []inventory.HostID, from, to time.Time) (telemetry.Series, error) {
	series := telemetry.Series{}
	for _, h := range hosts {
		if w.unasked[h] != nil {
			continue
		}
		series[h] = map[string][]telemetry.Point{}
		for at := from; !at.After(to); at = at.Add(time.Minute) {
			series[h]["up"] = append(series[h]["up"], telemetry.Point{At: at, V: 1})
		}
	}
	return series, w.unasked.Err()
}

// A host that could not be asked is held with the reason, and those beside it get
// their verdicts.
func TestAHostThatCannotBeAsked(t *testing.T) {
	applied := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	log := logrus.New()
	log.SetOutput(io.Discard)
	at := applied.Add(3 * time.Hour)
	h := &hand{Executor: &Executor{Env: &Env{At: at, Log: log}}, t: &tip{}}
	d := frame(&estate.Estate{}, basis{})
	h.t.decider = d
	l := &live{progress: &rollout.Progress{}, deed: deed{plan: &plan.Plan{ID: "high-main-1"}}}
	var group []*job
	for _, id := range []inventory.HostID{"web-1", "web-2"} {
		c := &rollout.Change{Change: plan.Change{Host: id, Patch: "p"}, Began: applied, Applied: applied, Watched: applied, Soak: time.Hour, State: rollout.Applied}
		l.progress.Changes = append(l.progress.Changes, c)
		group = append(group, &job{live: l, change: c})
	}
	verdicts := func(u telemetry.Unasked) []Result {
		return (&sighting{hand: h, source: well{u}, patience: time.Hour, group: group}).verdicts(t.Context())
	}
	got := verdicts(telemetry.Unasked{"web-2": errors.New("no address")})
	if len(got) != 2 {
		t.Fatalf("verdicts() = %v, want two", got)
	}
	if got[0].Event != outcome.Healthy {
		t.Errorf("web-1: %s (%s), want healthy", got[0].Event, got[0].Detail)
	}
	if want := "no verdict on its health: no address" + remedy; got[1].Event != outcome.Held || got[1].Detail != want {
		t.Errorf("web-2: %s (%s), want held with %q", got[1].Event, got[1].Detail, want)
	}
	got = verdicts(telemetry.Unasked{"web-1": errors.New("no address"), "web-2": errors.New("no address")})
	if len(got) != 2 || got[0].Event != outcome.Held || got[1].Event != outcome.Held {
		t.Errorf("verdicts() = %v, want both held", got)
	}
}

// slow answers for a host only when the others have been answered for.
type slow struct {
	well
	host   inventory.HostID
	others *sync.WaitGroup
}

func (s slow) Measure(ctx context.Context, now time.Time, hosts []inventory.HostID, from, to time.Time) (telemetry.Series, error) {
	if slices.Contains(hosts, s.host) {
		s.others.Wait()
	} else if !now.After(to) {
		defer s.others.Done() // the second question of two, about the time after the change
	}
	return s.well.Measure(ctx, now, hosts, from, to)
}

// A group of hosts that is out of reach delays no other, and results come in the
// order of the jobs all the same.
func TestSlowGroupDelaysNoOther(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	d := frame(&estate.Estate{Healths: []ring.Health{{Kind: "http"}}}, basis{})
	d.est.Hosts = []inventory.Host{{ID: "web-1"}, {ID: "web-2"}, {ID: "web-3"}}
	d.hosts = d.est.Hosts
	l := &live{progress: &rollout.Progress{}, deed: deed{plan: &plan.Plan{ID: "high-main-1"}}}
	var others sync.WaitGroup
	var jobs []*job
	for i, host := range d.hosts {
		applied := at.Add(time.Duration(i-9) * time.Hour) // each at a time of its own: three groups
		soak := at.Sub(applied)
		c := &rollout.Change{Change: plan.Change{Host: host.ID, Patch: "p"}, Began: applied, Applied: applied, Watched: applied, Soak: soak, State: rollout.Applied}
		jobs = append(jobs, &job{live: l, change: c})
	}
	others.Add(len(jobs) - 1)
	x := &Executor{Env: &Env{At: at, Log: logrus.New()}, OpenHealth: func(context.Context, ring.Health, fleet.Fleet, World) (telemetry.Source, error) {
		return slow{host: "web-1", others: &others}, nil
	}}
	got, err := (&hand{Executor: x, t: &tip{est: d.est, decider: d}}).measure(t.Context(), jobs)
	if err != nil || len(got) != len(jobs) {
		t.Fatalf("measure() = %v, %v, want %d results", got, err, len(jobs))
	}
	for i, r := range got {
		if r.Host != d.hosts[i].ID || r.Event != outcome.Healthy {
			t.Errorf("result %d is %s of %s, want healthy of %s", i, r.Event, r.Host, d.hosts[i].ID)
		}
	}
}

// A signal that a host's health block declares and that has no points is waited for, and
// then holds the change by its name; a block that does not declare it does not miss it.
func TestDeclaredSignalWithoutPoints(t *testing.T) {
	applied := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	log := logrus.New()
	log.SetOutput(io.Discard)
	d := frame(&estate.Estate{Healths: []ring.Health{
		{Kind: "prometheus", Patience: time.Hour, Signals: map[string]string{"up": "up", "error_ratio": "errors{hots='{{host}}'}"}},
		{Kind: "prometheus", Patience: time.Hour, Signals: map[string]string{"up": "up"}, Select: ring.Select{Hosts: []string{"web-2"}}},
	}}, basis{})
	d.est.Hosts = []inventory.Host{{ID: "web-1"}, {ID: "web-2"}}
	d.hosts = d.est.Hosts
	l := &live{progress: &rollout.Progress{}, deed: deed{plan: &plan.Plan{ID: "high-main-1"}}}
	var jobs []*job
	for _, host := range d.hosts {
		c := &rollout.Change{Change: plan.Change{Host: host.ID, Patch: "p"}, Began: applied, Applied: applied, Watched: applied, Soak: time.Hour, State: rollout.Applied}
		jobs = append(jobs, &job{live: l, change: c})
	}
	for _, tt := range []struct {
		at   time.Duration
		want map[inventory.HostID]string
	}{
		{time.Hour, map[inventory.HostID]string{"web-2": "healthy: up"}},
		{2 * time.Hour, map[inventory.HostID]string{"web-2": "healthy: up",
			"web-1": "held: no verdict on its health: error_ratio: no points, neither before the change nor after it (query errors{hots='{{host}}'})" + remedy}},
	} {
		x := &Executor{Env: &Env{At: applied.Add(tt.at), Log: log}, OpenHealth: func(context.Context, ring.Health, fleet.Fleet, World) (telemetry.Source, error) {
			return well{}, nil
		}}
		list, err := (&hand{Executor: x, t: &tip{est: d.est, decider: d}}).measure(t.Context(), jobs)
		if err != nil {
			t.Fatal(err)
		}
		got := map[inventory.HostID]string{}
		for _, r := range list {
			got[r.Host] = string(r.Event) + ": " + r.Detail
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s after the change (-want +got):\n%s", tt.at, diff)
		}
	}
}

// level is up and errors at one ratio, or nothing at all.
type level struct {
	ratio  float64
	silent bool
}

func (l level) Close() error { return nil }

func (l level) Measure(_ context.Context, _ time.Time, hosts []inventory.HostID, from, to time.Time) (telemetry.Series, error) {
	series := telemetry.Series{}
	for _, h := range hosts {
		if l.silent {
			break
		}
		series[h] = map[string][]telemetry.Point{}
		for at := from; !at.After(to); at = at.Add(time.Minute) {
			v := 0.001
			if from.Equal(wentBack) {
				v = l.ratio
			}
			series[h]["error_ratio"] = append(series[h]["error_ratio"], telemetry.Point{At: at, V: v})
		}
	}
	return series, nil
}

var wentBack = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// A host that was rolled back is judged when it was watched for long enough, and not
// while something else soaks there; silence is no good news.
func TestAfterRollback(t *testing.T) {
	log := logrus.New()
	log.SetOutput(io.Discard)
	half := wentBack.Add(rollout.Convalescence)
	for _, tt := range []struct {
		name   string
		at     time.Time
		now    level
		beside bool // another change soaks on the host
		want   outcome.Event
		why    string
	}{
		{"too early", half.Add(-time.Second), level{ratio: 0.5}, false, "", ""},
		{"well again", half, level{ratio: 0.001}, false, outcome.RolledBack, "well again: "},
		{"still unwell", half, level{ratio: 0.5}, false, outcome.Degraded, "still unwell after it was rolled back, and a person is needed: error ratio"},
		{"perhaps by something else", half, level{ratio: 0.5}, true, "", ""},
		{"no word yet", half, level{silent: true}, false, "", ""},
		{"no word at all", half.Add(time.Hour), level{silent: true}, false, outcome.Held, "rolled back, and no verdict on its health since then: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			began := wentBack.Add(-3 * time.Hour)
			c := &rollout.Change{Change: plan.Change{Host: "web-1", Patch: "deb:p@2"}, Began: began, Applied: began, Watched: wentBack, WentBack: wentBack, Soak: 24 * time.Hour, State: rollout.Back}
			p := &plan.Plan{ID: "high-main-1"}
			if tt.beside {
				p.Patches = []plan.Patch{{ID: "deb:q@2"}}
				p.Rings = []plan.Ring{{Name: "all", Waves: []plan.Wave{{Soak: "1d", Changes: []plan.Change{{Host: "web-1", Patch: "deb:q@2"}}}}}}
			}
			g, err := rollout.Read(p, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range g.Changes {
				o.State, o.Applied = rollout.Applied, began
			}
			l := &live{progress: g, deed: deed{plan: p}}
			h := &hand{Executor: &Executor{Env: &Env{At: tt.at, Log: log}}, t: &tip{decider: frame(&estate.Estate{}, basis{}), live: []*live{l}}}
			got := (&sighting{hand: h, source: tt.now, patience: time.Hour, group: []*job{{live: l, change: c, key: c.UndoKey("high-main-1")}}}).verdicts(t.Context())
			switch {
			case tt.want == "" && len(got) == 0:
			case len(got) != 1 || got[0].Event != tt.want || !strings.HasPrefix(got[0].Detail, tt.why) || got[0].Key != "high-main-1/web-1/deb:p@2/1/rollback":
				t.Errorf("verdicts() = %+v, want %q: %s", got, tt.want, tt.why)
			case tt.want != outcome.Held && (got[0].Measured.Before["error_ratio"] != 0.001 || got[0].Measured.After["error_ratio"] != tt.now.ratio):
				t.Errorf("measured %+v, want what was before the change and since the rollback", got[0].Measured)
			}
		})
	}
}
