//go:build unix

package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/testdata/plugin/reference"
)

// ledger is the one plan with its lines, read from the protected branch; a
// chain that does not hold is fatal.
func (w *world) ledger() (*plan.Plan, []outcome.Line) {
	w.t.Helper()
	r := w.open()
	defer r.Close()
	return ledgerOf(w.t, r)
}

func ledgerOf(t testing.TB, r *repo.Repo) (*plan.Plan, []outcome.Line) {
	t.Helper()
	h, err := r.Ref("refs/heads/main")
	if err != nil {
		t.Fatal(err)
	}
	files, err := commitFiles(r, h)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		if filepath.Base(name) != "plan.json" {
			continue
		}
		p, err := plan.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := outcome.Parse(files[outcome.Path(p.ID)], p.Digest)
		if err != nil {
			t.Fatalf("the chain of %s does not hold: %v", p.ID, err)
		}
		return p, lines
	}
	t.Fatal("no plan lies on main")
	return nil, nil
}

// events counts a ledger's events.
func events(lines []outcome.Line) map[outcome.Event]int {
	n := map[outcome.Event]int{}
	for _, l := range lines {
		n[l.Event]++
	}
	return n
}

// moved are the plugin's real installs and removals.
func (w *world) moved() []reference.Entry {
	w.t.Helper()
	list, err := reference.ReadJournal(w.state())
	if err != nil {
		w.t.Fatal(err)
	}
	return slices.DeleteFunc(list, func(e reference.Entry) bool { return e.Event != "moved" })
}

// checkLedger checks that a ledger and what really happened are the same: each
// intent has one result, each key is intended once, and nothing was moved twice
// or without an intent. It returns the versions that hosts have.
func checkLedger(t testing.TB, lines []outcome.Line, moved []reference.Entry) map[string]string {
	t.Helper()
	intents, results := map[string]int{}, map[string]outcome.Event{}
	told := map[string]string{}
	for _, l := range lines {
		switch l.Event {
		case outcome.Intended:
			intents[l.Key]++
		case outcome.Applied, outcome.RolledBack, outcome.Failed, outcome.Skipped, outcome.Unreachable:
			if e, ok := results[l.Key]; ok && !(l.Event == e && (e == outcome.RolledBack && l.Measured != nil || e == outcome.Unreachable)) { // that it is well again, or given up
				t.Errorf("%s: %s was recorded after %s", l.Key, l.Event, e)
			}
			results[l.Key] = l.Event
		}
		if l.Event == outcome.Applied || l.Event == outcome.RolledBack {
			_, name, _, _ := l.Patch.Parts()
			told[string(l.Host)+" "+name] = l.To
		}
	}
	for key, n := range intents {
		if n != 1 || results[key] == "" {
			t.Errorf("%s: intended %d times, result %q; want once, and one", key, n, results[key])
		}
	}
	done, versions := map[string]int{}, map[string]string{}
	for slot, version := range told {
		if version == chaosFrom[slot[strings.IndexByte(slot, ' ')+1:]] {
			versions[slot] = version // what never moved need not be moved back
		}
	}
	for _, e := range moved {
		if done[e.Key]++; done[e.Key] > 1 {
			t.Errorf("%s: moved %d times", e.Key, done[e.Key])
		}
		if r := results[e.Key]; intents[e.Key] == 0 || r != outcome.Applied && r != outcome.RolledBack {
			t.Errorf("%s: moved, and the ledger says %q after %d intents", e.Key, r, intents[e.Key])
		}
		for _, m := range e.Packages {
			versions[e.Host+" "+m.Name] = m.To
		}
	}
	if d := gocmp.Diff(told, versions); d != "" {
		t.Errorf("versions by the ledger (-) and on the hosts (+):\n%s", d)
	}
	return versions
}

// checkRest checks that the repository is as if nobody had ever been killed.
func (w *world) checkRest(at time.Time) {
	w.t.Helper()
	r := w.open()
	defer r.Close()
	head, err := r.Head()
	if err != nil || head.Branch != "main" {
		w.t.Fatalf("Head() = %+v, %v; want main", head, err)
	}
	want, err := commitFiles(r, head.Commit)
	if err != nil {
		w.t.Fatal(err)
	}
	got, err := workFiles(w.dir())
	if err != nil {
		w.t.Fatal(err)
	}
	if d := gocmp.Diff(want, got); d != "" {
		w.t.Errorf("files by HEAD (-) and on disk (+):\n%s", d)
	}
	if dirty, err := r.Dirty(slices.Sorted(maps.Keys(want))); err != nil || len(dirty) > 0 {
		w.t.Errorf("Dirty() = %q, %v; want none", dirty, err)
	}
	for _, left := range leftovers(w.t, r.GitDir()) {
		w.t.Errorf("%s was left behind", left)
	}
	w.must(at, "audit", "verify")
}

// leftovers are files in .git that only a run under way may have.
func leftovers(t testing.TB, git string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(git, func(name string, e os.DirEntry, err error) error {
		base := filepath.Base(name)
		if err == nil && (strings.HasSuffix(base, ".lock") && base != "ringmaster.lock" || base == "pending" || strings.HasSuffix(base, ".claim")) {
			list = append(list, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// ends is how each change ended, by host and patch.
func ends(lines []outcome.Line) map[string]outcome.Event {
	list := map[string]outcome.Event{}
	for _, l := range lines {
		if l.Host != "" {
			list[fmt.Sprintf("%s %s", l.Host, cmp.Or(l.Patch, plan.PatchID("-")))] = l.Event
		}
	}
	return list
}
