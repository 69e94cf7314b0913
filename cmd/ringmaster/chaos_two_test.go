//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/forge/local"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// Two runs begin in one clone at the same moment, again and again: together
// they do what one would.
func TestTwoRunners(t *testing.T) {
	t.Parallel()
	first := newWorld(t)
	began, meetings := time.Now(), 0
	for rounds := chaosRounds(t, 1); meetings < rounds; {
		w := first.copied(t)
		at := chaosAt
		for {
			var wg sync.WaitGroup
			outs := make([]string, 2)
			for i := range outs {
				cmd, out := w.command(at, "execute")
				wg.Go(func() {
					if err := cmd.Run(); err != nil && cmd.ProcessState.ExitCode() != exitHeld {
						t.Errorf("execute: %v\n%s", err, out)
					}
					outs[i] = out.String()
				})
			}
			wg.Wait()
			meetings++
			next, ok := due(outs[0])
			if !ok {
				next, ok = due(outs[1])
			}
			if !ok || t.Failed() {
				break
			}
			at = next
		}
		w.checkEnd(t, at)
		if t.Failed() {
			return
		}
	}
	t.Logf("%d meetings, %.1f s", meetings, time.Since(began).Seconds())
}

// checkEnd checks that everything was done once, and all of it.
func (w *world) checkEnd(t *testing.T, at time.Time) {
	t.Helper()
	_, lines := w.ledger()
	moved := w.moved()
	checkLedger(t, lines, moved)
	if n := events(lines); n[outcome.Intended] != 24 || n[outcome.Healthy] != 24 || n[outcome.Promoted] != 4 || n[outcome.Completed] != 1 || len(moved) != 24 {
		t.Errorf("%d real moves, the ledger has %v; want 24, each intended once and healthy", len(moved), n)
	}
	w.checkRest(at)
}

// shared is a bare repository with several clones of it, each with a runner.
type shared struct {
	*world
	clones []*repo.Repo
	bare   *repo.Repo
}

// newShared makes clones that share one plugin and its state.
func newShared(t *testing.T, first *world, clones int) *shared {
	t.Helper()
	s := &shared{world: first.copied(t)}
	bare := filepath.Join(s.base, "shared.git")
	if err := os.CopyFS(bare, os.DirFS(filepath.Join(s.dir(), ".git"))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bare, "config"), []byte("[core]\n\trepositoryformatversion = 0\n\tbare = true\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s.bare = openedAt(t, bare)
	for n := range clones {
		dir := filepath.Join(s.base, fmt.Sprintf("clone-%d", n))
		if err := os.CopyFS(dir, os.DirFS(s.dir())); err != nil {
			t.Fatal(err)
		}
		s.clones = append(s.clones, openedAt(t, dir))
	}
	return s
}

func openedAt(t *testing.T, dir string) *repo.Repo {
	t.Helper()
	r, err := repo.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// runner is an executor in one of the clones.
func (s *shared) runner(n int, at time.Time) *engine.Executor {
	return s.runnerIn(s.clones[n], &repo.Remote{URL: s.bare.GitDir()}, fmt.Sprintf("run-%d-%d", n, at.Unix()), at)
}

func (s *shared) runnerIn(r *repo.Repo, remote *repo.Remote, run string, at time.Time) *engine.Executor {
	log := logrus.New()
	log.SetOutput(io.Discard)
	a := &app{streams: streams{os.Stdin, io.Discard, io.Discard}, getenv: os.Getenv, log: log}
	return a.executor(&engine.Env{Repo: r, Forge: local.New(r, "main", localTeams(r)), Remote: remote,
		At: at, Clock: at, Version: engine.Version, Run: run, Log: log})
}

// Two runners in two clones of one repository, at the same moment.
func TestTwoRunnersInClones(t *testing.T) {
	t.Parallel()
	first := newWorld(t)
	began, meetings, lost := time.Now(), 0, 0
	for rounds := chaosRounds(t, 1); meetings < rounds; {
		s := newShared(t, first, 2)
		at := chaosAt
		for !at.IsZero() && !t.Failed() {
			var wg sync.WaitGroup
			done := make([]*engine.Executed, 2)
			for i := range done {
				wg.Go(func() {
					got, err := s.runner(i, at).Execute(context.Background())
					if err != nil {
						t.Errorf("Execute() in clone %d at %s: %v", i, at.Format(time.RFC3339), err)
					}
					done[i] = got
				})
			}
			wg.Wait()
			meetings++
			for _, d := range done {
				if len(d.Lines) == 0 {
					lost++
				}
			}
			at = earliest(done)
		}
		s.checkShared(t)
		if t.Failed() {
			return
		}
	}
	t.Logf("%d meetings, %d times one runner had all of it, %.1f s", meetings, lost, time.Since(began).Seconds())
}

func earliest(done []*engine.Executed) time.Time {
	var at time.Time
	for _, d := range done {
		if !d.Wake.IsZero() && (at.IsZero() || d.Wake.Before(at)) {
			at = d.Wake
		}
	}
	return at
}

func (s *shared) checkShared(t *testing.T) {
	t.Helper()
	_, lines := ledgerOf(t, s.bare)
	moved := s.moved()
	checkLedger(t, lines, moved)
	if n := events(lines); n[outcome.Intended] != 24 || n[outcome.Healthy] != 24 || n[outcome.Promoted] != 4 || n[outcome.Completed] != 1 || len(moved) != 24 {
		t.Errorf("%d real moves, the ledger has %v; want 24, each intended once and healthy", len(moved), n)
		for _, l := range lines {
			t.Log(l.At.Format("15:04"), l.Run, lineText(l, false))
		}
	}
}

// A run that lasts records what it did although another, in another clone, has written
// to the ledger since it began, at a later time; and time in the ledger does not run backwards.
func TestRunThatLasts(t *testing.T) {
	t.Parallel()
	first := newWorld(t)
	first.rewrite("inventory/estate.hcl", `clock    = "given"`, `clock    = "wall"`)
	s := newShared(t, first, 2)
	ctx, done := t.Context(), &engine.Executed{}
	long := s.runner(0, chaosAt)
	lasted := time.Duration(0)
	long.Lasted = func() time.Duration { return lasted }
	if n, err := long.Intend(ctx, done); n != 6 || err != nil {
		t.Fatalf("Intend() = %d, %v; want 6", n, err)
	}
	var shards [2][]engine.Result
	for i := range shards {
		var err error
		if shards[i], err = long.Apply(ctx, i, len(shards)); err != nil || len(shards[i]) == 0 {
			t.Fatalf("Apply() = %d results, %v; want some", len(shards[i]), err)
		}
	}
	if _, err := long.Record(ctx, shards[0], done); err != nil {
		t.Fatal(err)
	}
	lasted = 31 * time.Minute
	if got, err := s.runner(1, chaosAt.Add(lasted)).Execute(ctx); err != nil || len(got.Lines) != len(shards[0]) {
		t.Fatalf("the other run wrote %d lines, %v; want a verdict for each of %d", len(got.Lines), err, len(shards[0]))
	}
	if n, err := long.Record(ctx, shards[1], done); n != len(shards[1]) || err != nil {
		t.Errorf("Record() = %d, %v after another run; want %d", n, err, len(shards[1]))
	}
	if n, err := long.Intend(ctx, done); n != 0 || err != nil {
		t.Errorf("Intend() = %d, %v after another run; want nothing, for that one is ahead", n, err)
	}
	_, lines := ledgerOf(t, s.bare)
	checkLedger(t, lines, s.moved())
	for i := range lines[1:] {
		if lines[i+1].At.Before(lines[i].At) {
			t.Errorf("line %d is of %s, after one of %s", i+2, lines[i+1].At, lines[i].At)
		}
	}
}

// A commit of somebody else lands between a runner's reading and its push: the
// runner reads again, and both commits stay.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	s := newShared(t, newWorld(t), 2)
	for n, phase := range []string{"intend", "record"} {
		x := s.runner(0, chaosAt)
		forge := &overtaker{Forge: x.Forge.(*local.Forge), times: 3, push: func(i int) { s.push(t, fmt.Sprintf("notes/%s-%d", phase, i)) }}
		done := &engine.Executed{}
		switch phase {
		case "intend":
			x.Forge = forge
			if got, err := x.Intend(t.Context(), done); err != nil || got != 6 {
				t.Fatalf("Intend() = %d, %v; want 6", got, err)
			}
		case "record":
			list, err := x.Apply(t.Context(), 0, 1)
			if err != nil {
				t.Fatal(err)
			}
			x = s.runner(1, chaosAt) // which has walked nothing yet, as a job of its own has not
			x.Forge = forge
			if got, err := x.Record(t.Context(), list, done); err != nil || got != 6 {
				t.Fatalf("Record() = %d, %v; want 6", got, err)
			}
		}
		if forge.n != 4 {
			t.Errorf("%s: read the branch %d times, want 4: three times another was first", phase, forge.n)
		}
		if got := s.notes(t); got != 3*(n+1) {
			t.Errorf("%s: %d commits of others are on main, want %d", phase, got, 3*(n+1))
		}
	}
	_, lines := ledgerOf(t, s.bare)
	checkLedger(t, lines, s.moved())
}

// overtaker pushes something between a runner's reading of the branch and its
// own push: the second time that a look asks for the branch's name is when it
// walks what it has read.
type overtaker struct {
	*local.Forge
	times, n, asked int
	push            func(int)
}

func (o *overtaker) Base(ctx context.Context) (string, error) {
	if o.asked++; o.asked%2 == 0 {
		if o.n++; o.n <= o.times {
			o.push(o.n)
		}
	}
	return o.Forge.Base(ctx)
}

// push commits a file to the shared repository as somebody else.
func (s *shared) push(t *testing.T, path string) {
	t.Helper()
	h, err := s.bare.Ref("refs/heads/main")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.bare.Advance("refs/heads/main", repo.Next{Base: h, Changes: map[string][]byte{path: []byte("mine\n")}, Message: "a note",
		Author: repo.Person{Name: "olivia", Email: "olivia@example.com"}, At: chaosAt}); err != nil {
		t.Fatal(err)
	}
}

func (s *shared) notes(t *testing.T) int {
	t.Helper()
	h, err := s.bare.Ref("refs/heads/main")
	if err != nil {
		t.Fatal(err)
	}
	files, err := commitFiles(s.bare, h)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for name, data := range files {
		if filepath.Dir(name) == "notes" && bytes.Equal(data, []byte("mine\n")) {
			n++
		}
	}
	return n
}
