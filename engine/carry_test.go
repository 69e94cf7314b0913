package engine

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
)

// told is a fleet of one host that says what it was told to say.
type told struct {
	fleet.Fleet
	looks []string // what installed finds, look by look; "" fails
	apply error
	job   fleet.Job
	asked int
	step  fleet.Step // the last that was asked for
}

func (f *told) Installed(context.Context, time.Time, []inventory.HostID, []string) (map[inventory.HostID]map[string]string, error) {
	v := f.looks[0]
	f.looks = f.looks[1:]
	if v == "" {
		return nil, errors.New("the plugin has died")
	}
	return map[inventory.HostID]map[string]string{"web-1": {"heron-web": v}}, nil
}

func (f *told) Apply(_ context.Context, _ time.Time, s fleet.Step) (fleet.Job, error) {
	f.asked++
	f.step = s
	return f.job, f.apply
}

func (f *told) Status(context.Context, time.Time, []string) ([]fleet.Job, error) {
	return []fleet.Job{f.job}, nil
}

// An intent of a run that was killed is settled by what is found: nobody knows
// what its plugin has done, or is still doing.
func TestCarry(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	looking := []string{"installed", "status"}
	busy := &fleet.Error{Code: "busy", Message: "closed for today"}
	gone := &fleet.Error{Code: "unreachable", Message: "connection refused", Retryable: true}
	refusal := &fleet.Error{Code: "refused", Message: `found heron-web at "4.2.2", not at "4.2.1"`}
	tests := []struct {
		name  string
		ops   []string
		looks []string
		apply error
		late  bool
		asked int
		want  outcome.Event // "" still open
	}{
		{"not done yet", []string{"installed"}, []string{"4.2.1"}, nil, false, 1, outcome.Applied},
		{"done", []string{"installed"}, []string{"4.2.2"}, nil, false, 0, outcome.Applied},
		{"done and late", []string{"installed"}, []string{"4.2.2"}, nil, true, 0, outcome.Applied},
		{"not done and late", []string{"installed"}, []string{"4.2.1"}, nil, true, 0, outcome.Skipped},
		{"at work and late", looking, []string{"4.2.1"}, nil, true, 1, ""},
		{"refused as late", looking, []string{"4.2.1", "4.2.1"}, refusal, true, 1, outcome.Skipped},
		{"busy for good, since late", looking, []string{"4.2.1", "4.2.1"}, busy, true, 1, outcome.Skipped},
		{"busy in time", looking, []string{"4.2.1"}, busy, false, 1, ""},
		{"done while it was asked as late", looking, []string{"4.2.1", "4.2.2"}, refusal, true, 1, outcome.Applied},
		{"another version", []string{"installed"}, []string{"4.3.0"}, nil, false, 0, outcome.Skipped},
		{"done between look and request", []string{"installed"}, []string{"4.2.1", "4.2.2"}, refusal, false, 1, outcome.Applied},
		{"refused", []string{"installed"}, []string{"4.2.1", "4.2.1"}, refusal, false, 1, outcome.Skipped},
		{"refused, and no second look", []string{"installed"}, []string{"4.2.1", ""}, refusal, false, 1, ""},
		{"no look", []string{"installed"}, []string{""}, nil, false, 0, ""},
		{"only keys", nil, nil, nil, false, 1, outcome.Applied},
		{"only keys, done and late", nil, nil, nil, true, 1, outcome.Applied},
		{"only keys, refused as late", nil, nil, refusal, true, 1, outcome.Skipped},
		{"out of reach", nil, nil, gone, false, 1, outcome.Unreachable},
		{"out of reach, and perhaps restarting for what another run began", nil, nil, gone, false, 1, ""},
		{"out of reach until it was late, and another run's", nil, nil, gone, true, 1, outcome.Unreachable},
		{"stopped", looking, []string{"4.2.1"}, nil, false, 0, ""},
		{"stopped, and done", looking, []string{"4.2.2"}, nil, false, 0, outcome.Applied},
		{"stopped, and done by another run", nil, nil, nil, false, 1, outcome.Applied},
		{"stopped, and not begun by another run", nil, nil, refusal, false, 1, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			log := logrus.New()
			log.SetOutput(io.Discard)
			f := &told{looks: test.looks, apply: test.apply, job: fleet.Job{ID: "j", State: fleet.Succeeded}}
			if slices.Contains(test.ops, "status") {
				f.job.State = fleet.Running
			}
			h := &hand{Executor: &Executor{Env: &Env{At: at, Log: log}}, t: &tip{est: &estate.Estate{}, decider: frame(&estate.Estate{}, basis{})}, fleet: f, caps: fleet.Caps{Ops: test.ops},
				bars: func(context.Context, *job) string {
					if strings.HasPrefix(test.name, "stopped") {
						return "stopped by olivia"
					}
					return ""
				}}
			c := &rollout.Change{Change: plan.Change{Host: "web-1", Patch: "generic:heron-web@4.2.2"}, NotAfter: at.Add(time.Hour)}
			if test.late {
				c.NotAfter = at.Add(-time.Hour)
			}
			intended := outcome.Line{Event: outcome.Intended, Host: c.Host, Patch: c.Patch, At: at}
			if strings.Contains(test.name, "another run") {
				intended.Run = "another"
			}
			got := h.carry(t.Context(), []*job{{live: &live{deed: deed{plan: &plan.Plan{ID: "p"}, lines: []outcome.Line{intended}}}, change: c, key: "k", from: "4.2.1", to: "4.2.2"}})
			var event outcome.Event
			if len(got) > 0 {
				event = got[0].Event
			}
			if late := strings.HasPrefix(test.name, "stopped") && f.asked > 0 && !f.step.NotAfter.Before(at); late {
				t.Errorf("the fleet may begin it until %s, want by no means", f.step.NotAfter)
			}
			if event != test.want || f.asked != test.asked {
				t.Errorf("carry() = %q after %d requests, want %q after %d", event, f.asked, test.want, test.asked)
			}
		})
	}
}

// A host that is cut off in the middle of a step goes on with it: the step is open, not
// unreachable, for as long as its wave lasts.
func TestCutOffInTheMiddle(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	log := logrus.New()
	log.SetOutput(io.Discard)
	f := &told{job: fleet.Job{ID: "j", State: fleet.Running}}
	h := &hand{Executor: &Executor{Env: &Env{At: at, Log: log}}, t: &tip{est: &estate.Estate{}, decider: frame(&estate.Estate{}, basis{})}, fleet: f, caps: fleet.Caps{Ops: []string{"status"}},
		bars: func(context.Context, *job) string { return "" }}
	c := &rollout.Change{Change: plan.Change{Host: "web-1", Patch: "generic:heron-web@4.2.2"}, NotAfter: at.Add(time.Hour)}
	jobs := []*job{{live: &live{deed: deed{plan: &plan.Plan{ID: "p"}, lines: []outcome.Line{{Event: outcome.Intended, Host: c.Host, Patch: c.Patch, At: at}}}}, change: c, key: "k", from: "4.2.1", to: "4.2.2"}}
	if got := h.carry(t.Context(), jobs); len(got) != 0 {
		t.Errorf("carry() = %+v of a step that goes on, want it open", got)
	}
	f.apply = &fleet.Error{Code: "unreachable", Message: "connection refused", Retryable: true}
	if got := h.carry(t.Context(), jobs); len(got) != 0 {
		t.Errorf("carry() = %+v once the link is cut, want it open", got)
	}
	h.At = at.Add(2 * time.Hour)
	if got := h.carry(t.Context(), jobs); len(got) != 1 || got[0].Event != outcome.Unreachable {
		t.Errorf("carry() = %+v once the wave is over, want unreachable", got)
	}
}

// A soak begins when the change was made, not when the run began that waited for it;
// hosts that were changed soon after one another are watched from one time on.
func TestSettledWhenItEnded(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name   string
		soak   time.Duration
		lasted time.Duration
		want   time.Time
	}{
		{"at once", time.Hour, 900 * time.Millisecond, time.Time{}},
		{"in this run", 24 * time.Hour, 31 * time.Minute, at.Add(35 * time.Minute)},
		{"minutes later", 24 * time.Hour, 34 * time.Minute, at.Add(35 * time.Minute)},
		{"on the minute", 24 * time.Hour, 35 * time.Minute, at.Add(35 * time.Minute)},
		{"a soak of minutes", 10 * time.Minute, 90 * time.Second, at.Add(2 * time.Minute)},
		{"a soak of seconds", 15 * time.Second, 8200 * time.Millisecond, at.Add(9 * time.Second)},
		{"no soak", 0, 8200 * time.Millisecond, at.Add(9 * time.Second)},
	} {
		c := &rollout.Change{Soak: tc.soak}
		h := &hand{Executor: &Executor{Env: &Env{At: at}, Lasted: func() time.Duration { return tc.lasted }}, t: &tip{est: &estate.Estate{}}}
		wrong := at.Add(-400 * 24 * time.Hour) // the host's clock
		r, ok := h.settle(Result{At: at}, &job{change: c}, fleet.Job{State: fleet.Succeeded, Started: wrong, Finished: wrong.Add(time.Minute)})
		if !ok || !r.At.Equal(at) || !r.Ended.Equal(tc.want) || r.Event != outcome.Applied {
			t.Errorf("%s: settled as %s at %s, ended %s, want applied at %s, ended %s", tc.name, r.Event, r.At, r.Ended, at, tc.want)
		}
		if found := h.foundDone(Result{At: at}, &job{change: c}); !found.Ended.Equal(tc.want) {
			t.Errorf("%s: found done, ended %s, want %s", tc.name, found.Ended, tc.want)
		}
		h.t.est.Settings.Clock = "given"
		if r, _ := h.settle(Result{At: at}, &job{change: c}, fleet.Job{State: fleet.Succeeded}); !r.Ended.IsZero() {
			t.Errorf("%s: in a simulation it ended %s, want at the run's time", tc.name, r.Ended)
		}
	}
}

// When a change was made is a job's word, which may be forged: it lies in the time of the
// run that writes it down, and a soak is no longer for it.
func TestEndedInTheFuture(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	x := &Executor{Env: &Env{At: at}, Lasted: func() time.Duration { return 10*time.Minute + time.Millisecond }}
	for said, want := range map[time.Duration]time.Duration{0: 0, 14 * time.Minute: 14 * time.Minute, 16 * time.Minute: 15 * time.Minute, 9000 * time.Hour: 15 * time.Minute} {
		if got := x.ended(&tip{est: &estate.Estate{}}, Result{Ended: at.Add(said)}); !got.Equal(at.Add(want)) {
			t.Errorf("a result that ended %s after the run began is taken for one of %s, want %s", said, got.Sub(at), want)
		}
	}
	if got := x.ended(&tip{est: &estate.Estate{}}, Result{}); !got.IsZero() {
		t.Errorf("a result that does not say when it ended is taken for one of %s", got)
	}
}

// A run lasts: it begins nothing after 45 minutes and waits for no job any more, and a
// wave may be over before it comes to a host.
func TestWhileItLasts(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name   string
		lasted time.Duration
		clock  string
		state  fleet.State
		asked  int
		want   outcome.Event // "" still open
		waits  time.Duration // for the job, at most
	}{
		{"in time", 10 * time.Minute, "wall", fleet.Succeeded, 1, outcome.Applied, 0},
		{"its wave is over", 31 * time.Minute, "wall", fleet.Succeeded, 0, outcome.Skipped, 0},
		{"too long", 45 * time.Minute, "wall", fleet.Succeeded, 0, "", 0},
		{"a job that goes on", 29 * time.Minute, "wall", fleet.Running, 1, "", 16*time.Minute + lastPoll},
		{"a simulation", 50 * time.Minute, "given", fleet.Succeeded, 1, outcome.Applied, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			log := logrus.New()
			log.SetOutput(io.Discard)
			lasted := tc.lasted
			x := &Executor{Env: &Env{At: at, Log: log}, Lasted: func() time.Duration { return lasted },
				Wait: func(_ context.Context, d time.Duration) bool { lasted += d; return true }}
			tp := &tip{est: &estate.Estate{}, decider: frame(&estate.Estate{}, basis{})}
			tp.est.Settings.Clock = tc.clock
			f := &told{looks: []string{"4.2.1"}, job: fleet.Job{ID: "j", State: tc.state}}
			b := &brake{x: x, t: tp}
			h := &hand{Executor: x, t: tp, fleet: f, caps: fleet.Caps{Ops: []string{"installed"}}, bars: func(ctx context.Context, j *job) string {
				if b.x.lasted(tp) < longest {
					return "" // the branch has not moved
				}
				return b.bars(ctx, j)
			}}
			c := &rollout.Change{Change: plan.Change{Host: "web-1", Patch: "generic:heron-web@4.2.2"}, NotAfter: at.Add(30 * time.Minute)}
			if tc.lasted >= longest {
				c.NotAfter = at.Add(time.Hour)
			}
			got := h.carry(t.Context(), []*job{{live: &live{deed: deed{plan: &plan.Plan{ID: "p"}}}, change: c, key: "k", from: "4.2.1", to: "4.2.2"}})
			var event outcome.Event
			if len(got) > 0 {
				event = got[0].Event
			}
			if event != tc.want || f.asked != tc.asked || lasted-tc.lasted > tc.waits {
				t.Errorf("carry() = %q after %d requests and %s of waiting, want %q after %d and at most %s", event, f.asked, lasted-tc.lasted, tc.want, tc.asked, tc.waits)
			}
		})
	}
}

// Another run's intents are left to it for a while, but where hosts see to it that what
// is asked for twice is done once: there whoever comes next asks.
func TestTheirs(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		kind string
		run  string
		age  time.Duration
		want bool
	}{
		{"exec", "another", 44 * time.Minute, true},
		{"exec", "another", 45 * time.Minute, false},
		{"exec", "this", time.Minute, false},
		{"sim", "another", time.Minute, true},
		{"ssh", "another", 0, false},
		{"ansible", "another", 0, false},
	} {
		est := &estate.Estate{Hosts: []inventory.Host{{ID: "web-1"}}, Fleets: []ring.Fleet{{Kind: tc.kind}}}
		d := frame(est, basis{})
		d.hosts = est.Hosts
		x := &Executor{Env: &Env{At: at, Run: "this", Remote: &repo.Remote{}}}
		c := &rollout.Change{Change: plan.Change{Host: "web-1", Patch: "p"}}
		l := &live{deed: deed{lines: []outcome.Line{{Event: outcome.Intended, Host: "web-1", Patch: "p", At: at.Add(-tc.age), Run: tc.run}}}}
		if _, got := x.theirs(&tip{est: est, decider: d}, l, c); got != tc.want {
			t.Errorf("%s, intended by %s run %s ago: theirs is %t, want %t", tc.kind, tc.run, tc.age, got, tc.want)
		}
	}
}
