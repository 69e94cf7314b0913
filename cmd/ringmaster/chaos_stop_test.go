//go:build unix

package main

import (
	"context"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/exec"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

const freezeAll = `
freeze "fire" {
  from     = "2026-03-02T09:00:00Z"
  to       = "2026-03-02T11:00:00Z"
  services = ["*"]
  reason   = "the data centre is on fire"
}
`

// What people do while a run is under way counts before the next host, and not only
// before the next wave: of three hosts with two changes each the first changes may be
// under way by then, and no second one begins.
func TestStoppedBetweenHosts(t *testing.T) {
	first := newWorld(t)
	for _, tc := range []struct {
		name string
		do   func(s *shared)
		undo func(s *shared)
		ends bool // the plan does, once what was done is over
	}{
		{"a stop", func(s *shared) {
			if _, err := s.runner(1, chaosAt).Override(t.Context(), outcome.Override{Kind: "stop", By: "olivia", Reason: "fire", Until: chaosAt.Add(2 * time.Hour)}); err != nil {
				t.Error(err)
			}
		}, nil, true},
		{"a stop of this plan", func(s *shared) {
			if _, err := s.runner(1, chaosAt).Override(t.Context(), outcome.Override{Kind: "stop", Plan: s.plan(), By: "olivia", Reason: "fire", Until: chaosAt.Add(2 * time.Hour)}); err != nil {
				t.Error(err)
			}
		}, nil, true},
		{"a stop by a later clock", func(s *shared) {
			if _, err := s.runner(1, chaosAt.Add(2*time.Minute)).Override(t.Context(), outcome.Override{Kind: "stop", By: "olivia", Reason: "fire", Until: chaosAt.Add(2 * time.Hour)}); err != nil {
				t.Error(err)
			}
		}, nil, true},
		{"a freeze", func(s *shared) { s.commit("inventory/freezes.hcl", []byte(freezeAll)) }, nil, true},
		{"a freeze that begins after the run", func(s *shared) {
			s.commit("inventory/freezes.hcl", []byte(strings.Replace(freezeAll, "09:00:00Z", "09:02:00Z", 1)))
		}, nil, true},
		{"a plan taken back", func(s *shared) { s.commit("plans/"+s.plan()+"/plan.json", nil) }, nil, false},
		{"an estate that is broken", func(s *shared) { s.commit("rings/more.hcl", []byte("ring {")) }, func(s *shared) { s.commit("rings/more.hcl", nil) }, true},
		{"a forge that is down", func(s *shared) { s.rename("shared.git", "down.git") }, func(s *shared) { s.rename("down.git", "shared.git") }, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newShared(t, first, 2)
			s.commit("inventory/estate.hcl", []byte(strings.Replace(chaosFiles()["inventory/estate.hcl"], `"given"`, `"wall"`, 1)))
			s.commit("rings/fleet.hcl", []byte(strings.Replace(chaosFiles()["rings/fleet.hcl"], "parallel = 5", "parallel = 1", 1)))
			x := s.runner(0, chaosAt)
			var lasted atomic.Int64
			x.Lasted = func() time.Duration { return time.Duration(lasted.Load()) }
			open := x.OpenFleet
			x.OpenFleet = func(ctx context.Context, b ring.Fleet, w engine.World) (fleet.Fleet, error) {
				f, err := open(ctx, b, w)
				return &interrupted{Fleet: f.(*exec.Fleet), first: func() {
					tc.do(s)
					lasted.Store(int64(3 * time.Minute))
				}}, err
			}
			if _, err := x.Execute(t.Context()); err != nil && tc.undo == nil {
				t.Error(err)
			}
			if n := len(s.moved()); n != 1 {
				t.Errorf("%d of 6 changes were made, want the one that was under way", n)
			}
			if tc.undo != nil {
				tc.undo(s)
			}
			for _, after := range []time.Duration{3 * time.Hour, 4 * time.Hour, 5 * time.Hour, 26 * time.Hour, 27 * time.Hour, 28 * time.Hour, 29 * time.Hour} {
				if _, err := s.runner(1, chaosAt.Add(after)).Execute(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if !tc.ends {
				if n := len(s.moved()); n > 1 {
					t.Errorf("%d changes of a plan that was taken back were made in the end", n)
				}
				return
			}
			s.checkShared(t)
		})
	}
}

// interrupted is a fleet; something happens before the first step begins.
type interrupted struct {
	*exec.Fleet
	once  sync.Once
	first func()
}

func (f *interrupted) Apply(ctx context.Context, now time.Time, s fleet.Step) (fleet.Job, error) {
	f.once.Do(f.first)
	return f.Fleet.Apply(ctx, now, s)
}

// plan is the id of the plan.
func (s *shared) plan() string {
	p, _ := ledgerOf(s.t, s.bare)
	return p.ID
}

// commit changes a file of the shared repository as somebody else; nil deletes it.
func (s *shared) commit(path string, data []byte) {
	s.t.Helper()
	h, err := s.bare.Ref("refs/heads/main")
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.bare.Advance("refs/heads/main", repo.Next{Base: h, Changes: map[string][]byte{path: data}, Message: "a change",
		Author: repo.Person{Name: "olivia", Email: "olivia@example.com"}, At: chaosAt}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shared) rename(from, to string) {
	s.t.Helper()
	if err := os.Rename(s.base+"/"+from, s.base+"/"+to); err != nil {
		s.t.Fatal(err)
	}
}

// A stop between the phases counts for every shard: nothing of the intents begins,
// and each shard says why.
func TestStoppedBetweenPhases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(chaosAt, "execute", "--phase", "intend")
	w.must(chaosAt, "stop", "--by", "olivia", "--reason", "fire", "--until", "2026-03-02T11:00:00Z")
	said := ""
	for _, shard := range []string{"1/2", "2/2"} {
		said += w.run(chaosAt, "execute", "--phase", "apply", "--shard", shard, "--results", "../results")
	}
	w.run(chaosAt, "execute", "--phase", "record", "--results", "../results")
	if n := len(w.moved()); n != 0 || strings.Count(said, "stopped by olivia: fire") != 6 {
		t.Errorf("%d changes were made after the stop, want none; the shards say\n%s", n, said)
	}
	w.checkEnd(t, w.finish(chaosAt.Add(3*time.Hour)))
}
