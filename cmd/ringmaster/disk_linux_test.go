package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// disk is a small one that holds a world's clone, and nothing else of it.
type disk struct {
	*world
	sort ballast
}

// ballast is what a disk runs out of: how much is free of it, and how it is
// filled up to so much.
type ballast struct {
	name string
	free func(*syscall.Statfs_t) int
	fill func(dir string, n int, s *syscall.Statfs_t) error
}

var ballasts = []ballast{
	{"blocks", func(s *syscall.Statfs_t) int { return int(s.Bavail) }, func(dir string, n int, s *syscall.Statfs_t) error {
		return os.WriteFile(filepath.Join(dir, "block"), make([]byte, n*int(s.Bsize)), 0o644)
	}},
	{"inodes", func(s *syscall.Statfs_t) int { return int(s.Ffree) }, func(dir string, n int, _ *syscall.Statfs_t) error {
		for i := range n {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o644); err != nil {
				return err
			}
		}
		return nil
	}},
}

// onDisk is the same world with its clone on a disk of its own.
func (w *world) onDisk(t *testing.T, sort ballast) *disk {
	t.Helper()
	d := &disk{&world{t: t, base: t.TempDir()}, sort}
	if err := os.Mkdir(d.dir(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("none", d.dir(), "tmpfs", 0, "size=4m,nr_inodes=2000"); err != nil {
		t.Skipf("a small disk cannot be mounted here (%v), so none can be filled", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(d.dir(), syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	if err := os.CopyFS(d.base, os.DirFS(w.base)); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *disk) ballast() string { return filepath.Join(d.dir(), ".git", "ballast") }

func (d *disk) stat() syscall.Statfs_t {
	d.t.Helper()
	var s syscall.Statfs_t
	if err := syscall.Statfs(d.dir(), &s); err != nil {
		d.t.Fatal(err)
	}
	return s
}

// fill leaves so much free.
func (d *disk) fill(left int) {
	d.t.Helper()
	if err := os.Mkdir(d.ballast(), 0o755); err != nil {
		d.t.Fatal(err)
	}
	s := d.stat()
	if err := d.sort.fill(d.ballast(), d.sort.free(&s)-left, &s); err != nil {
		d.t.Fatal(err)
	}
	if s = d.stat(); d.sort.free(&s) != left {
		d.t.Fatalf("%d %s are free, want %d", d.sort.free(&s), d.sort.name, left)
	}
}

func (d *disk) makeRoom() {
	d.t.Helper()
	if err := os.RemoveAll(d.ballast()); err != nil {
		d.t.Fatal(err)
	}
}

// refs are all references with what they name.
func (d *disk) refs() map[string]repo.Hash {
	d.t.Helper()
	r := d.open()
	defer r.Close()
	list, err := r.Refs("refs/")
	if err != nil {
		d.t.Fatal(err)
	}
	at := map[string]repo.Hash{}
	for _, ref := range list {
		at[ref.Name] = ref.Hash
	}
	return at
}

// checkWhole checks that every reference is where it was or whole commits
// further, with every object that it needs.
func (d *disk) checkWhole(was map[string]repo.Hash) {
	d.t.Helper()
	r := d.open()
	defer r.Close()
	now := d.refs()
	for name, old := range was {
		if ok, err := r.IsAncestor(old, now[name]); err != nil || !ok {
			d.t.Errorf("%s was at %s and is at %s (%v); want it there or further", name, old, now[name], err)
		}
	}
	seen := map[repo.Hash]bool{}
	for name, h := range now {
		for next := []repo.Hash{h}; len(next) > 0; next = next[1:] {
			if seen[next[0]] {
				continue
			}
			seen[next[0]] = true
			c, err := r.Commit(next[0])
			if err == nil {
				_, err = commitFiles(r, c.Hash)
			}
			if err != nil {
				d.t.Fatalf("%s: %v", name, err)
			}
			next = append(next, c.Parents...)
		}
	}
}

// full runs a verb with so much free, and makes room again. It is false where
// that was enough; else the run ended with 1, said why and what to do, and left
// nothing half done.
func (d *disk) full(left int, at time.Time, args ...string) bool {
	d.t.Helper()
	was := d.refs()
	d.fill(left)
	cmd, out := d.command(at, args...)
	err := cmd.Run()
	d.makeRoom()
	d.checkWhole(was)
	if err == nil {
		return false
	}
	if cmd.ProcessState.ExitCode() != exitFailed || !strings.Contains(out.String(), "no space left on device") ||
		!strings.Contains(out.String(), "hint: the disk of the clone is full") {
		d.t.Errorf("%v with %d %s free: %v\n%s\nwant exit 1, the reason and what to do", args, left, d.sort.name, err, out)
	}
	return true
}

// levels are how much is left free, from nothing to a half more than what a
// verb leaves behind, since it needs some for a moment: all of them, or a few.
func levels(t *testing.T, need int) []int {
	t.Helper()
	step := 1
	if chaosRounds(t, 0) == 0 {
		step = max(1, need)
	}
	var list []int
	for n := 0; n <= need+need/2; n += step {
		list = append(list, n)
	}
	return list
}

// used is how much a verb takes of an empty disk.
func (d *disk) used(at time.Time, args ...string) int {
	d.t.Helper()
	before := d.stat()
	d.run(at, args...)
	after := d.stat()
	return d.sort.free(&before) - d.sort.free(&after)
}

// The disk that holds the clone fills up at any moment of a run: nothing is
// half written, and once there is room the next run goes on from there. No host
// is patched twice.
func TestDiskFullExecuting(t *testing.T) {
	for _, sort := range ballasts {
		t.Run(sort.name, func(t *testing.T) {
			t.Parallel()
			seldom(t, sort.name == "blocks")
			first := newWorld(t)
			need, failed, midway := first.onDisk(t, sort).used(chaosAt, "execute"), 0, 0
			for _, left := range levels(t, need) {
				d := first.onDisk(t, sort)
				if d.full(left, chaosAt, "execute") {
					failed++
				}
				_, lines := d.ledger()
				moved := d.moved()
				if open(lines) {
					midway++
				}
				for _, e := range moved {
					if !slices.ContainsFunc(lines, func(l outcome.Line) bool { return l.Key == e.Key }) {
						t.Errorf("with %d %s free %s was moved without an intent", left, sort.name, e.Key)
					}
				}
				d.run(chaosAt.Add(time.Minute), "execute")
				_, lines = d.ledger()
				checkLedger(t, lines, d.moved())
				if n := events(lines); n[outcome.Applied] != 6 || len(d.moved()) != 6 {
					t.Errorf("with %d %s free and room afterwards the ledger has %v, %d moves; want 6 applied", left, sort.name, n, len(d.moved()))
				}
				d.checkRest(chaosAt.Add(time.Minute))
				if t.Failed() {
					return
				}
			}
			if failed == 0 {
				t.Errorf("no run had too little, though a run takes %d %s", need, sort.name)
			}
			t.Logf("a run takes %d %s; %d ended for lack of them, %d with open intents", need, sort.name, failed, midway)
		})
	}
}

// The same of a plan and its pull request.
func TestDiskFullPlanning(t *testing.T) {
	for _, sort := range ballasts {
		t.Run(sort.name, func(t *testing.T) {
			t.Parallel()
			seldom(t, false)
			first := unplannedEstate(t)
			need, failed := first.onDisk(t, sort).used(chaosAt, "plan", "--open"), 0
			for _, left := range levels(t, need) {
				d := first.onDisk(t, sort)
				if d.full(left, chaosAt, "plan", "--open") {
					failed++
				}
				d.run(chaosAt, "plan", "--open")
				list := d.must(chaosAt, "pr", "list", "--format", "json")
				if n := bytes.Count([]byte(list), []byte(`"state":"open"`)); n != 1 {
					t.Errorf("with %d %s free and room afterwards %d pull requests are open, want 1: %s", left, sort.name, n, list)
				}
				d.must(chaosAt, "pr", "approve", "--by", "fred")
				d.must(chaosAt, "pr", "merge", "--by", "olivia")
				d.checkRest(chaosAt)
				if t.Failed() {
					return
				}
			}
			if failed == 0 {
				t.Errorf("no plan had too little, though a run takes %d %s", need, sort.name)
			}
			t.Logf("a plan takes %d %s; %d ended for lack of them", need, sort.name, failed)
		})
	}
}

// A disk that a person may not write to any more is as full as another.
func TestHintForFullDisk(t *testing.T) {
	for _, err := range []error{syscall.ENOSPC, syscall.EDQUOT} {
		wrapped := fmt.Errorf("executing: %w", &os.PathError{Op: "write", Path: "main.lock", Err: err})
		if got := hintFor(errors.Join(wrapped)); !strings.Contains(got, "make room") {
			t.Errorf("hintFor(%v) = %q, want it to say to make room", wrapped, got)
		}
	}
}
