//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// A run is killed while its plugin is at work, and nobody comes again before
// the wave is over: what was done is recorded as done, what was not as skipped.
func TestKilledThenLate(t *testing.T) {
	for name, plugin := range map[string][]string{
		"keys": nil, "looking": {"-forget-keys"}, "blind": {"-ops", "apply,rollback,status,probe"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seldom(t, name == "blind")
			w := newWorld(t, append(plugin, "-misbehave", "delay=30ms")...)
			k := &killer{rng: rand.New(rand.NewPCG(1, 1))}
			k.stop(w, chaosAt, false, k.when(0, func() bool { return len(w.moved()) >= 2 }))
			before := len(w.moved())
			if _, lines := w.ledger(); !open(lines) {
				t.Fatal("no intent is open; the run was not killed in its middle")
			}
			at := w.finish(chaosAt.Add(30 * time.Hour))
			_, lines := w.ledger()
			checkLedger(t, lines, w.moved())
			n := events(lines)
			if n[outcome.Applied] != before || n[outcome.Applied]+n[outcome.Skipped] < 6 || n[outcome.Completed] != 1 {
				t.Errorf("%d were installed in time; the ledger has %v", before, n)
			}
			w.checkRest(at)
		})
	}
}

// A plugin accepts jobs that take longer than their wave is open; its runner is
// killed, or waits no longer, and the next comes when the wave is over and the
// jobs are still under way. They are no steps that never began: each is open
// until it has ended, and what was never asked for is skipped.
func TestAcceptedThenLate(t *testing.T) {
	t.Parallel()
	for rounds := range chaosRounds(t, 1) {
		s := newShared(t, newWorld(t, "-accept", "25h", "-misbehave", "delay=20ms"), 1)
		k := &killer{rng: rand.New(rand.NewPCG(3, uint64(rounds)))}
		n := 1 + k.rng.IntN(2) // of the first wave
		k.stop(s.world, chaosAt, false, k.when(0, func() bool { return len(s.moved()) >= n }))
		accepted := len(s.moved())
		after := chaosAt.Add(24*time.Hour + 30*time.Minute)
		s.hurried(t, after)
		_, lines := s.ledger()
		if n := events(lines); n[outcome.Intended] == 0 || n[outcome.Applied] != 0 || n[outcome.Skipped] != n[outcome.Intended]-accepted {
			t.Errorf("%d jobs are under way after their wave; the ledger has %v, want them open and the others skipped", accepted, n)
		}
		s.hurried(t, after.Add(time.Hour))
		_, lines = s.ledger()
		checkLedger(t, lines, s.moved())
		if n := events(lines); n[outcome.Applied] != accepted {
			t.Errorf("%d jobs have ended; the ledger has %v", accepted, n)
		}
		s.checkRest(after.Add(time.Hour))
		if t.Failed() {
			return
		}
	}
}

// hurried is a run in the estate's own folder that waits for no job.
func (s *shared) hurried(t *testing.T, at time.Time) {
	t.Helper()
	r := openedAt(t, s.dir())
	x := s.runnerIn(r, nil, fmt.Sprintf("hurried-%d", at.Unix()), at)
	x.Wait = nil
	if _, err := x.Execute(t.Context()); err != nil {
		t.Fatalf("Execute() at %s: %v", at.Format(time.RFC3339), err)
	}
}

// A run was killed after its commit was on the branch and before its files
// were: the next one brings them along even when nothing is due.
func TestKilledBeforeFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(chaosAt, "execute")
	r := w.open()
	head, err := r.Head()
	if err != nil {
		t.Fatal(err)
	}
	c, err := r.Commit(head.Commit)
	if err != nil {
		t.Fatal(err)
	}
	old := c.Parents[0]
	_, lines := w.ledger()
	if err := os.WriteFile(filepath.Join(r.GitDir(), "ringmaster", "pending"), pendingMove(t, "refs/heads/main", old, head.Commit), 0o644); err != nil {
		t.Fatal(err)
	}
	files, err := commitFiles(r, old)
	if err != nil {
		t.Fatal(err)
	}
	path := outcome.Path(lines[0].Plan)
	if err := os.WriteFile(filepath.Join(w.dir(), path), files[path], 0o644); err != nil {
		t.Fatal(err)
	}
	r.Close()
	w.run(chaosAt, "execute")
	w.checkRest(chaosAt)
}

func pendingMove(t *testing.T, ref string, old, new repo.Hash) []byte {
	t.Helper()
	data, err := json.Marshal(map[string]any{"ref": ref, "old": old, "new": new})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// What others left in .git stops a run before it touches a host, and the run
// says what to do; once that is done, it goes on.
func TestLeftInTheWay(t *testing.T) {
	index := filepath.Join(".git", "index")
	tests := []struct {
		name, file, text, says string
	}{
		{"branch locked", filepath.Join(".git", "refs", "heads", "main.lock"), "", "main.lock is there; remove it when no git program is running"},
		{"index locked", index + ".lock", "", "index.lock is there; remove it when no git program is running"},
		{"index cut", index, "DIRC\x00\x00\x00\x02\x00\x00", "and it is made again from HEAD"},
		{"edited ledger", filepath.Join("outcomes", "high-main-1.jsonl"), "mine\n", "commit or undo your edits"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			file := filepath.Join(w.dir(), test.file)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(test.text), 0o644); err != nil {
				t.Fatal(err)
			}
			cmd, out := w.command(chaosAt, "execute")
			if err := cmd.Run(); err == nil || cmd.ProcessState.ExitCode() != exitFailed || !strings.Contains(out.String(), test.says) {
				t.Errorf("execute: %v, %q; want exit 1 and %q", err, out, test.says)
			}
			if n := len(w.moved()); n != 0 {
				t.Errorf("%d installs; want none before the way is free", n)
			}
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			w.run(chaosAt, "execute")
			_, lines := w.ledger()
			checkLedger(t, lines, w.moved())
			w.checkRest(chaosAt)
		})
	}
}

// Lock files of a run that was killed are known by their second names, and go.
func TestOwnLocksLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for path, lock := range map[string]string{"refs%2Fheads%2Fmain": "refs/heads/main.lock", "index": "index.lock"} {
		own := filepath.Join(w.dir(), ".git", "ringmaster", path+".claim")
		if err := os.WriteFile(own, []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(own, filepath.Join(w.dir(), ".git", filepath.FromSlash(lock))); err != nil {
			t.Fatal(err)
		}
	}
	w.run(chaosAt, "execute")
	w.checkRest(chaosAt)
}
