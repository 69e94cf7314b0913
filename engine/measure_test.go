package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sirupsen/logrus"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
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
	h := &hand{Executor: &Executor{Env: &Env{At: at, Log: log}}, t: &tip{}, patience: time.Hour}
	d := frame(&estate.Estate{}, basis{})
	h.t.decider = d
	l := &live{progress: &rollout.Progress{}, deed: deed{plan: &plan.Plan{ID: "high-main-1"}}}
	var group []*job
	for _, id := range []inventory.HostID{"web-1", "web-2"} {
		c := &rollout.Change{Change: plan.Change{Host: id, Patch: "p"}, Began: applied, Applied: applied, Watched: applied, Soak: time.Hour, State: rollout.Applied}
		l.progress.Changes = append(l.progress.Changes, c)
		group = append(group, &job{live: l, change: c})
	}
	got, err := h.verdicts(t.Context(), well{telemetry.Unasked{"web-2": errors.New("no address")}}, group)
	if err != nil || len(got) != 2 {
		t.Fatalf("verdicts() = %v, %v, want two", got, err)
	}
	if got[0].Event != outcome.Healthy {
		t.Errorf("web-1: %s (%s), want healthy", got[0].Event, got[0].Detail)
	}
	if want := "no verdict on its health: no address" + remedy; got[1].Event != outcome.Held || got[1].Detail != want {
		t.Errorf("web-2: %s (%s), want held with %q", got[1].Event, got[1].Detail, want)
	}
	got, err = h.verdicts(t.Context(), well{telemetry.Unasked{"web-1": errors.New("no address"), "web-2": errors.New("no address")}}, group)
	if err != nil || len(got) != 2 || got[0].Event != outcome.Held || got[1].Event != outcome.Held {
		t.Errorf("verdicts() = %v, %v, want both held", got, err)
	}
}
