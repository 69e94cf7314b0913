//go:build unix

package main

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
)

// A runner commits intents and dies, before or after its plugin has done them.
// One in another clone takes over when the lease of 45 minutes is out, and never
// before: until then nobody can tell a dead runner from a slow one.
func TestTakenOver(t *testing.T) {
	t.Parallel()
	first := newWorld(t)
	rng := rand.New(rand.NewPCG(5, 5))
	for round := range chaosRounds(t, 1) {
		for _, applied := range []bool{false, true} {
			s := newShared(t, first, 2)
			a := s.runner(0, chaosAt)
			if n, err := a.Intend(t.Context(), &engine.Executed{}); err != nil || n != 6 {
				t.Fatalf("Intend() = %d, %v; want 6", n, err)
			}
			done := 0
			if applied { // and what it did is told to nobody
				if list, err := a.Apply(t.Context(), 0, 1); err != nil || len(list) != 6 {
					t.Fatalf("Apply() = %d results, %v; want 6", len(list), err)
				}
				done = 6
			}
			early := 45*time.Minute - time.Second
			if round > 0 {
				early = time.Duration(rng.Int64N(int64(early))).Truncate(time.Second)
			}
			for _, after := range []time.Duration{0, early} {
				if got := s.takes(t, chaosAt.Add(after)); len(got.Lines) != 0 || len(s.moved()) != done {
					t.Errorf("applied %v: %s after the intents another runner wrote %d lines and %d changes are made, want 0 and %d", applied, after, len(got.Lines), len(s.moved()), done)
				}
			}
			s.takes(t, chaosAt.Add(45*time.Minute))
			_, lines := ledgerOf(t, s.bare)
			checkLedger(t, lines, s.moved())
			if n := events(lines); n[outcome.Intended] != 6 || n[outcome.Applied] != 6 || len(s.moved()) != 6 {
				t.Errorf("applied %v: after the lease the ledger has %v and %d changes are made, want 6 applied", applied, n, len(s.moved()))
			}
			// The dead one was only slow: it comes back with what it knew.
			late := s.runner(0, chaosAt.Add(46*time.Minute))
			if _, err := late.Execute(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, lines = ledgerOf(t, s.bare)
			checkLedger(t, lines, s.moved())
			if t.Failed() {
				return
			}
		}
	}
}

// takes is a run in the second clone.
func (s *shared) takes(t *testing.T, at time.Time) *engine.Executed {
	t.Helper()
	got, err := s.runner(1, at).Execute(t.Context())
	if err != nil {
		t.Fatalf("Execute() at %s: %v", at.Format(time.RFC3339), err)
	}
	return got
}
