//go:build unix

package main

import (
	"testing"
	"time"
)

// The protected branch is forced back to before a run, so that its intents and
// outcomes are gone: the hosts that it moved are found moved, by whichever runner comes
// next, nothing is moved twice, and the ledger is whole again.
func TestForcedBack(t *testing.T) {
	t.Parallel()
	for next, name := range []string{"the same clone", "another clone"} {
		s := newShared(t, newWorld(t), 2)
		before, err := s.bare.Ref("refs/heads/main")
		if err != nil {
			t.Fatal(err)
		}
		if done, err := s.runner(0, chaosAt).Execute(t.Context()); err != nil || len(s.moved()) == 0 {
			t.Fatalf("Execute() = %+v, %v, and %d moves, want some", done, err, len(s.moved()))
		}
		after, err := s.bare.Ref("refs/heads/main")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.bare.CompareAndSwap("refs/heads/main", after, before); err != nil {
			t.Fatal(err)
		}
		for at := chaosAt.Add(time.Minute); !at.IsZero(); {
			done, err := s.runner(next, at).Execute(t.Context())
			if err != nil {
				t.Fatalf("%s: Execute() at %s: %v", name, at, err)
			}
			at = done.Wake
		}
		s.checkShared(t)
	}
}
