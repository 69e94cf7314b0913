//go:build unix

package main

import (
	"encoding/json"
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
