package engine

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

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

// scraped has so many points of up, a minute apart, up to the end of what is asked for.
type scraped struct {
	points int
	err    error
}

func (s scraped) Close() error { return nil }

func (s scraped) Measure(_ context.Context, _ time.Time, hosts []inventory.HostID, _, to time.Time) (telemetry.Series, error) {
	series := telemetry.Series{}
	for _, h := range hosts {
		series[h] = map[string][]telemetry.Point{}
		for i := range s.points {
			series[h]["up"] = append(series[h]["up"], telemetry.Point{At: to.Add(time.Duration(i-s.points+1) * time.Minute), V: 1})
		}
	}
	return series, s.err
}

// keyed is a fleet whose hosts know which steps they took, and begin none that is late.
type keyed struct {
	fleet.Fleet
	took  map[string]bool
	begun int
}

func (f *keyed) Apply(_ context.Context, now time.Time, s fleet.Step) (fleet.Job, error) {
	switch {
	case f.took[s.Key]:
	case now.After(s.NotAfter):
		return fleet.Job{}, &fleet.Error{Code: "refused", Message: "it is past not_after"}
	default:
		f.took[s.Key] = true
		f.begun++
	}
	return fleet.Job{ID: "j", State: fleet.Succeeded}, nil
}

func (f *keyed) Rollback(context.Context, time.Time, fleet.Step) (fleet.Job, error) {
	return fleet.Job{ID: "j", State: fleet.Succeeded}, nil
}

// A change of which nothing could be told afterwards does not begin. A later run begins
// it once there is a past to compare with, and says from when on the host is changed;
// what a run that was killed has begun is asked for all the same.
func TestNoBaselineNoBeginning(t *testing.T) {
	intended := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	later := intended.Add(20 * time.Minute)
	notSet := errors.New(`the variable "PROM_TOKEN" is not set`)
	dead := errors.New("connection refused")
	prometheus := ring.Health{Kind: "prometheus", Signals: map[string]string{"up": "up{host='{{host}}'}"}}
	for _, tc := range []struct {
		name   string
		block  ring.Health
		open   error
		source scraped
		at     time.Time
		held   string // what stands in the ledger
		run    string // that intended it; this one is "this"
		took   bool   // the host has taken the step
		undo   bool
		want   outcome.Event
		why    string
		begun  int
		began  time.Time
	}{
		{name: "a past", block: prometheus, source: scraped{points: 5}, at: intended, run: "this", want: outcome.Applied, begun: 1},
		{name: "too little of a past", block: prometheus, source: scraped{points: 4}, at: intended, run: "this", want: outcome.Held,
			why: "up: 4 points that are numbers before the change, of at least 5 (query up{host='{{host}}'})"},
		{name: "no server", block: prometheus, source: scraped{err: dead}, at: intended, run: "this", want: outcome.Held, why: "connection refused"},
		{name: "a host that cannot be asked for", block: prometheus, source: scraped{err: telemetry.Unasked{"web-1": errors.New("no address")}}, at: intended, run: "this", want: outcome.Held, why: "no address"},
		{name: "no token", block: prometheus, open: notSet, at: intended, run: "this", want: outcome.Held, why: `opening health "prometheus": the variable "PROM_TOKEN" is not set`},
		{name: "a probe that cannot be opened", block: ring.Health{Kind: "http"}, open: notSet, at: intended, run: "this", want: outcome.Held, why: `opening health "http"`},
		{name: "a probe, which has no past", block: ring.Health{Kind: "http"}, at: intended, run: "this", want: outcome.Applied, begun: 1},
		{name: "a rollback", block: prometheus, source: scraped{err: dead}, at: intended, run: "this", undo: true, want: outcome.RolledBack},
		{name: "a past by now", block: prometheus, source: scraped{points: 5}, at: later, run: "before", held: "no past", want: outcome.Applied, begun: 1, began: later},
		{name: "still no past", block: prometheus, source: scraped{points: 1}, at: later, run: "before", held: "no past", want: outcome.Held, why: "up: 1 points"},
		{name: "begun by a run that was killed", block: prometheus, source: scraped{points: 5}, at: later, run: "before", held: "no past", took: true, want: outcome.Applied},
		{name: "begun by a run that was killed, and no server now", block: prometheus, source: scraped{err: dead}, at: later, run: "before", took: true, want: outcome.Applied},
		{name: "not begun by a run that was killed, and no server now", block: prometheus, source: scraped{err: dead}, at: later, run: "before", want: outcome.Held, why: "connection refused"},
		{name: "its wave is over", block: prometheus, source: scraped{err: dead}, at: intended.Add(2 * time.Hour), run: "before", held: "no past", want: outcome.Skipped, why: tooLate},
	} {
		t.Run(tc.name, func(t *testing.T) {
			log := logrus.New()
			log.SetOutput(io.Discard)
			d := frame(&estate.Estate{Healths: []ring.Health{tc.block}}, basis{})
			d.est.Hosts = []inventory.Host{{ID: "web-1"}}
			d.hosts = d.est.Hosts
			f := &keyed{took: map[string]bool{"k": tc.took}}
			x := &Executor{Env: &Env{At: tc.at, Log: log, Run: "this"}, OpenHealth: func(context.Context, ring.Health, fleet.Fleet, World) (telemetry.Source, error) {
				return tc.source, tc.open
			}}
			h := &hand{Executor: x, t: &tip{est: d.est, decider: d}, fleet: f, block: ring.Fleet{Kind: "ssh"}, bars: func(context.Context, *job) string { return "" }}
			c := &rollout.Change{Change: plan.Change{Host: "web-1", Patch: "generic:heron-web@4.2.2"}, State: rollout.Intended, Attempt: 1, Began: intended, NotAfter: intended.Add(time.Hour), HeldWith: tc.held}
			l := &live{deed: deed{plan: &plan.Plan{ID: "p"}, lines: []outcome.Line{{Event: outcome.Intended, Host: c.Host, Patch: c.Patch, At: intended, Run: tc.run}}}}
			got := h.carry(t.Context(), []*job{{live: l, change: c, key: "k", from: "4.2.1", to: "4.2.2", undo: tc.undo}})
			if len(got) != 1 || got[0].Event != tc.want || !strings.Contains(got[0].Detail, tc.why) || f.begun != tc.begun {
				t.Fatalf("carry() = %+v and %d steps begun, want %s (… %s …) and %d", got, f.begun, tc.want, tc.why, tc.begun)
			}
			if !got[0].Began.Equal(tc.began) {
				t.Errorf("the change began at %s, want %s", got[0].Began, tc.began)
			}
		})
	}
}

// A run holds a change once, in whatever words: what cannot be reached may answer
// otherwise each time, and the run would come to no rest.
func TestHeldOnceInARun(t *testing.T) {
	c := &rollout.Change{Change: plan.Change{Host: "web-1", Patch: "p"}}
	l := &live{deed: deed{lines: []outcome.Line{{Event: outcome.Intended, Host: "web-1", Patch: "p", Run: "1"}, {Event: outcome.Held, Host: "web-1", Patch: "p", Run: "1"}, {Event: outcome.Held, Host: "web-2", Patch: "p", Run: "2"}}}}
	for run, want := range map[string]bool{"1": true, "2": false} {
		if got := (&Executor{Env: &Env{Run: run}}).held(l, c); got != want {
			t.Errorf("run %s has held it: %t, want %t", run, got, want)
		}
	}
}
