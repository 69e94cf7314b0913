//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
)

// phases runs intend, apply in shards and record as processes of their own, in
// one folder of results, which is returned. Shards for which lost is true run
// and their results never arrive.
func (w *world) phases(at time.Time, shards int, lost func(int) bool) string {
	w.t.Helper()
	results := filepath.Join(w.base, fmt.Sprintf("results-%d", at.Unix()))
	w.run(at, "execute", "--phase", "intend")
	for n := 1; n <= shards; n++ {
		w.run(at, "execute", "--phase", "apply", "--shard", fmt.Sprintf("%d/%d", n, shards), "--results", results)
		if lost(n) {
			if err := os.Remove(filepath.Join(results, fmt.Sprintf("results-%d-of-%d.jsonl", n, shards))); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	w.run(at, "execute", "--phase", "record", "--results", results)
	return results
}

// Phases in separate processes, a shard lost at each time: the next run finds
// out what it did.
func TestPhases(t *testing.T) {
	for name, plugin := range map[string][]string{"keys": nil, "looking": {"-forget-keys"}, "blind": {"-ops", "apply,rollback,status,probe"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seldom(t, name == "looking")
			w := newWorld(t, plugin...)
			results := w.phases(chaosAt, 3, func(n int) bool { return n == 2 })
			_, lines := w.ledger()
			n := events(lines)
			if n[outcome.Intended] != 6 || n[outcome.Applied] == 0 || n[outcome.Applied] == 6 {
				t.Fatalf("with a shard lost the ledger has %v; want 6 intended and some of them applied", n)
			}
			before := len(lines)
			w.run(chaosAt, "execute", "--phase", "record", "--results", results)
			if _, lines = w.ledger(); len(lines) != before {
				t.Errorf("recording again made %d lines of %d", len(lines), before)
			}
			w.phases(chaosAt.Add(5*time.Minute), 3, func(int) bool { return false })
			_, lines = w.ledger()
			checkLedger(t, lines, w.moved())
			if n = events(lines); n[outcome.Applied] != 6 {
				t.Errorf("after the next run the ledger has %v; want 6 applied", n)
			}
			w.checkEnd(t, w.finish(chaosAt.Add(35*time.Minute)))
		})
	}
}

// What a results file says about anything that no committed intent asks for is
// passed over, with a warning.
func TestForgedResults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(chaosAt, "execute", "--phase", "intend")
	_, lines := w.ledger()
	id, host, patch := lines[0].Plan, string(lines[0].Host), string(lines[0].Patch)
	results := filepath.Join(w.base, "forged")
	if err := os.MkdirAll(results, 0o755); err != nil {
		t.Fatal(err)
	}
	var forged bytes.Buffer
	for _, r := range [][4]string{
		{id, "office-01", patch, "applied"},                // not intended: a later ring
		{id, host, "generic:heron-web@9.9.9", "applied"},   // not in the plan
		{id, "elsewhere", patch, "applied"},                // no such host
		{"high-main-99", host, patch, "applied"},           // no such plan
		{id, host, patch, "healthy"},                       // not applied yet
		{id, host, patch, "completed"},                     // no outcome of a host
		{id, host, patch, "rolled_back"},                   // nothing to roll back
		{id, host, patch, "intended"},                      // only the intend phase intends
		{"../../inventory/estate", host, patch, "applied"}, // no id at all
		{id, host, patch + "\u0000", "applied"},            // no patch
		{id, host, patch, "made up"},                       // no event
	} {
		fmt.Fprintf(&forged, `{"key":%q,"plan":%q,"host":%q,"patch":%q,"event":%q,"at":"2026-03-02T09:00:00Z","seconds":0,"detail":"","fleet":"exec"}`+"\n",
			r[0]+"/"+r[1]+"/"+strings.ReplaceAll(r[2], "\u0000", "")+"/1", r[0], r[1], strings.ReplaceAll(r[2], "\u0000", "?"), r[3])
	}
	fmt.Fprintf(&forged, `{"key":"%s/%s/%s/2","plan":%q,"host":%q,"patch":%q,"event":"applied","at":"2026-03-02T09:00:00Z","seconds":0,"detail":"","fleet":"exec"}`+"\n",
		id, host, patch, id, host, patch) // another attempt's key
	if err := os.WriteFile(filepath.Join(results, "results-1-of-1.jsonl"), forged.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	out := w.run(chaosAt, "execute", "--phase", "record", "--results", results)
	if _, now := w.ledger(); len(now) != len(lines) {
		t.Errorf("forged results made %d lines of %d:\n%s", len(now), len(lines), out)
	}
	if !strings.Contains(out, "passed over") {
		t.Errorf("nobody is told of it: %q", out)
	}
	w.run(chaosAt.Add(time.Minute), "execute")
	_, lines = w.ledger()
	checkLedger(t, lines, w.moved())
}

// A host is not healthy before its soak is over, whatever a results file says: what was
// measured may have been before something else was rolled back there.
func TestHealthyTooEarly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(chaosAt, "execute")
	_, lines := w.ledger()
	results := filepath.Join(w.base, "early")
	if err := os.MkdirAll(results, 0o755); err != nil {
		t.Fatal(err)
	}
	for n, at := range []time.Time{chaosAt.Add(30*time.Minute - time.Second), chaosAt.Add(30 * time.Minute)} {
		var said bytes.Buffer
		for _, l := range lines {
			if l.Event == outcome.Applied {
				fmt.Fprintf(&said, `{"key":%q,"plan":%q,"host":%q,"patch":%q,"event":"healthy","at":%q,"seconds":0,"detail":"well","fleet":"exec"}`+"\n", l.Key, l.Plan, l.Host, l.Patch, at.Format(time.RFC3339))
			}
		}
		if err := os.WriteFile(filepath.Join(results, "results-1-of-1.jsonl"), said.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		w.run(at, "execute", "--phase", "record", "--results", results)
		_, now := w.ledger()
		if got, want := events(now)[outcome.Healthy], []int{0, 6}[n]; got != want {
			t.Errorf("at %s %d changes are healthy, want %d of 6 that soak until %s", at.Format(time.TimeOnly), got, want, chaosAt.Add(30*time.Minute).Format(time.TimeOnly))
		}
	}
}

// A result that is there twice is one: shards that were shared out anew, or a job that was
// run again, leave the same in two files. Two that contradict one another say nothing sure,
// and the host is asked again.
func TestResultsTwice(t *testing.T) {
	t.Parallel()
	for second, want := range map[string]int{"applied": 6, "failed": 0} {
		w := newWorld(t)
		results := filepath.Join(w.base, "results")
		w.run(chaosAt, "execute", "--phase", "intend")
		w.run(chaosAt, "execute", "--phase", "apply", "--results", results)
		data, err := os.ReadFile(filepath.Join(results, "results-1-of-1.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		again := bytes.ReplaceAll(data, []byte(`"event":"applied"`), []byte(`"event":"`+second+`"`))
		if err := os.WriteFile(filepath.Join(results, "results-1-of-2.jsonl"), again, 0o644); err != nil {
			t.Fatal(err)
		}
		w.run(chaosAt, "execute", "--phase", "record", "--results", results)
		_, lines := w.ledger()
		if n := events(lines); n[outcome.Applied] != want || len(lines) != 6+want {
			t.Errorf("with a second result %q the ledger has %v, want 6 intended and %d applied", second, n, want)
		}
		w.run(chaosAt.Add(time.Minute), "execute")
		_, lines = w.ledger()
		checkLedger(t, lines, w.moved())
	}
}

// A result that claims to come from the future is recorded at the time of the
// run that records it: it would else stop every run until then.
func TestResultFromTheFuture(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	results := filepath.Join(w.base, "results")
	w.run(chaosAt, "execute", "--phase", "intend")
	w.run(chaosAt, "execute", "--phase", "apply", "--results", results)
	file := filepath.Join(results, "results-1-of-1.jsonl")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	later := bytes.ReplaceAll(data, []byte(`"at":"2026-`), []byte(`"at":"2099-`))
	if bytes.Equal(later, data) {
		t.Fatalf("no result has a time of 2026: %s", data)
	}
	if err := os.WriteFile(file, later, 0o644); err != nil {
		t.Fatal(err)
	}
	w.run(chaosAt, "execute", "--phase", "record", "--results", results)
	w.run(chaosAt.Add(time.Minute), "execute")
	_, lines := w.ledger()
	checkLedger(t, lines, w.moved())
}
