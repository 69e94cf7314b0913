//go:build unix

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
)

// Hosts that nobody can measure hold their ring: the run says what it waits for,
// until when and what then, and then that they are held and what helps.
func TestNoVerdict(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "-ops", "apply,rollback,status,installed")
	w.run(chaosAt, "execute")
	soaked, limit := chaosAt.Add(30*time.Minute), chaosAt.Add(24*time.Hour+30*time.Minute)
	for _, at := range []time.Time{soaked, limit.Add(-time.Second)} {
		out := w.must(at, "execute")
		next, ok := due(out)
		if !ok || !next.Equal(limit) || !strings.Contains(out, "has soaked and waits for a verdict on its health; it is held if there is none by then") {
			t.Fatalf("at %s execute says\n%s\nwant what it waits for until %s", at.Format(time.RFC3339), out, limit.Format(time.RFC3339))
		}
	}
	cmd, out := w.command(limit, "execute")
	if cmd.Run(); cmd.ProcessState.ExitCode() != exitHeld || !strings.Contains(out.String(), "no verdict on its health") || !strings.Contains(out.String(), "or take the plan back by a pull request that reverts its merge") {
		t.Errorf("execute = %d at the limit, and says\n%s", cmd.ProcessState.ExitCode(), out)
	}
	_, lines := w.ledger()
	if n := events(lines); n[outcome.Held] != 6 || n[outcome.Promoted] != 0 {
		t.Errorf("the ledger has %v, want 6 held and nothing promoted", n)
	}
	again := w.run(limit.Add(time.Minute), "execute")
	if _, more := w.ledger(); len(more) != len(lines) || !strings.Contains(again, "held: ") || !strings.Contains(again, "is too late to begin, unless the rings before it are done") {
		t.Errorf("a minute later there are %d lines more, and execute says\n%s", len(more)-len(lines), again)
	}
}

// Health that cannot be opened ends what is not begun before it begins; what soaks
// already goes on to soak, and the run fails for it.
func TestHealthThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(chaosAt, "execute", "--phase", "intend")
	w.run(chaosAt, "execute", "--phase", "apply", "--shard", "1/2", "--results", "../results")
	w.run(chaosAt, "execute", "--phase", "record", "--results", "../results")
	_, lines := w.ledger()
	begun := events(lines)[outcome.Applied]
	if begun == 0 || begun == 6 {
		t.Fatalf("after one of two shards the ledger has %v, want some of 6 applied", events(lines))
	}
	w.rewrite("rings/fleet.hcl", `health "exec" {}`, "health \"prometheus\" {\n  url       = \"http://127.0.0.1:9\"\n  token_env = \"PROM_TOKEN\"\n  up        = \"up{host='{{host}}'}\"\n}")
	cmd, out := w.command(chaosAt.Add(time.Minute), "execute")
	if cmd.Run(); cmd.ProcessState.ExitCode() != exitFailed || !strings.Contains(out.String(), `opening health "prometheus": the variable "PROM_TOKEN"`) {
		t.Errorf("execute = %d and says\n%s\nwant %d and why health is not measured", cmd.ProcessState.ExitCode(), out, exitFailed)
	}
	_, lines = w.ledger()
	if n := events(lines); n[outcome.Applied] != begun || n[outcome.Held] != 6-begun || len(w.moved()) != begun {
		t.Errorf("the ledger has %v and %d changes were made, want %d, and the others held", n, len(w.moved()), begun)
	}
	for _, l := range lines {
		if l.Event == outcome.Held && !strings.Contains(l.Detail, `nothing could be told from the change afterwards: opening health "prometheus": the variable "PROM_TOKEN"`) {
			t.Errorf("%s is held as %q", l.Host, l.Detail)
		}
	}
}

// A stop lets nothing begin; what went wrong is rolled back all the same, unless
// the stop says otherwise.
func TestStopAndRollbacks(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		back int
	}{"stop": {nil, 6}, "stop of rollbacks too": {[]string{"--rollbacks"}, 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "-misbehave", "sick=*")
			w.run(chaosAt, "execute", "--phase", "intend")
			w.run(chaosAt, "execute", "--phase", "apply", "--results", "../results")
			w.run(chaosAt, "execute", "--phase", "record", "--results", "../results")
			at := chaosAt.Add(30 * time.Minute)
			w.must(at, append([]string{"stop", "--by", "olivia", "--reason", "the network is down", "--until", "2026-03-02T10:00:00Z"}, test.args...)...)
			out := w.run(at, "execute")
			if test.back == 0 && !strings.Contains(out, "stopped with rollbacks by olivia: the network is down") {
				t.Errorf("execute says\n%s", out)
			}
			_, lines := w.ledger()
			if n := events(lines); n[outcome.RolledBack] != test.back || n[outcome.Degraded] == 0 {
				t.Errorf("the ledger has %v, want %d rolled back", n, test.back)
			}
			if test.back > 0 {
				return
			}
			if next, ok := due(out); !ok || next.After(chaosAt.Add(time.Hour)) {
				t.Errorf("next due: %v, %v; want the stop's end at the latest\n%s", next, ok, out)
			}
			w.run(chaosAt.Add(time.Hour), "execute")
			if _, lines = w.ledger(); events(lines)[outcome.RolledBack] != 6 {
				t.Errorf("after the stop the ledger has %v, want 6 rolled back", events(lines))
			}
		})
	}
}
