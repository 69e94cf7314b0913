package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/forge/github/githubtest"
)

// flow takes a plan from its page to its outcome.
func flow(t *testing.T, f *githubtest.Fault) (*githubtest.Server, *githubtest.Repository) {
	t.Helper()
	w, server, hub := hubbed(t)
	server.Seen()
	if f != nil {
		server.Fail(*f)
	}
	w.toMerge(server, hub)
	w.toOutcome(hub, 0)
	return server, hub
}

// toMerge takes a plan from its page to main.
func (w *site) toMerge(server *githubtest.Server, hub *githubtest.Repository) {
	w.t.Helper()
	w.insists("plan", "--open")
	hub.Comment(1, "fred", "/ringmaster help")
	w.insists("comments")
	w.inCI(server, hub, w.branch())
	hub.Review(1, "fred", "APPROVED")
	for range 2 { // each review starts it; a check run that GitHub did not take fails nothing
		w.insists("check", "--verdict")
	}
	w.write(".git/HEAD", "ref: refs/heads/main\n", 0o644)
	w.env["GITHUB_TOKEN"] = "ghs_olivia"
	w.insists("pr", "merge", trusted)
	w.env["GITHUB_TOKEN"] = "ghs_bot"
}

// toOutcome executes a merged plan, once a day from some day on, until it is over.
func (w *site) toOutcome(hub *githubtest.Repository, day int) {
	w.t.Helper()
	for ; !strings.Contains(string(landed(w.t, hub, "outcomes/"+trusted+".jsonl")), `"completed"`); day++ {
		if day > 10 {
			w.t.Fatal("the plan does not complete")
		}
		w.at = trustAt.AddDate(0, 0, day)
		w.insists("execute")
	}
	w.at = w.at.Add(15 * time.Minute)
	w.insists("execute")
}

// insists runs the command. Where it ends in an error its workflow runs again, a
// quarter of an hour later and for an hour.
func (w *site) insists(args ...string) {
	w.t.Helper()
	code, said := w.patiently(args...)
	if code == 0 {
		return
	}
	runs := 1
	if args[0] == "execute" {
		runs = 4 // what another run began is left to it for a while
	}
	for range runs {
		w.at = w.at.Add(15 * time.Minute)
		if code, again := w.patiently(args...); code != 0 {
			w.t.Fatalf("%q fails, and the next run does: %s\n%s", args, said, again)
		}
	}
}

// patiently runs the command in a world where waiting takes no time.
func (w *site) patiently(args ...string) (code int, said string) {
	var o, e bytes.Buffer
	args = append([]string{"-C", w.dir, "--at", w.at.Format(time.RFC3339)}, args...)
	code = paced(w.t.Context(), args, streams{strings.NewReader(""), &o, &e}, func(name string) string { return w.env[name] }, w.clock,
		func(ctx context.Context, _ time.Duration) bool { return ctx.Err() == nil }, nil)
	return code, fmt.Sprintf("%d\n%s%s", code, o.String(), e.String())
}

// landed is a file of main at GitHub, nil where there is none.
func landed(t *testing.T, hub *githubtest.Repository, name string) []byte {
	t.Helper()
	tip, err := hub.Git().Ref("refs/heads/main")
	if err != nil {
		t.Fatal(err)
	}
	data, err := hub.Git().ReadFile(tip, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return data
}

// became is all that a flow leaves at GitHub, in a few words.
func became(t *testing.T, hub *githubtest.Repository) string {
	t.Helper()
	var b strings.Builder
	for _, p := range hub.Pulls() {
		fmt.Fprintf(&b, "#%d %s %v %s\n", p.Number, p.HeadRef, p.Merged, p.Labels)
		for _, c := range p.Comments {
			first, _, _ := strings.Cut(c.Body, "\n")
			fmt.Fprintf(&b, "%s: %s\n", c.By, first)
		}
		fmt.Fprintln(&b, verdicts(hub, p.Head))
	}
	fmt.Fprintln(&b, rings(hub))
	fmt.Fprintln(&b, marks(t, hub))
	fmt.Fprintln(&b, strings.SplitN(outcomeSaid(t, hub), "\n", 2)[0])
	var lines, together []string // what comes to hosts of a ring one after another, in any order
	before := ""
	for line := range bytes.Lines(landed(t, hub, "outcomes/"+trusted+".jsonl")) {
		var l struct{ Event, Ring, Host string }
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatal(err)
		}
		if what := l.Event + " " + l.Ring; what != before {
			lines, together, before = append(lines, slices.Sorted(slices.Values(together))...), nil, what
		}
		together = append(together, fmt.Sprintln(l.Event, l.Ring, l.Host))
	}
	for _, line := range append(lines, slices.Sorted(slices.Values(together))...) {
		b.WriteString(line)
	}
	fmt.Fprintln(&b, bytes.Count(landed(t, hub, "approvals/"+trusted+".jsonl"), []byte("\n")), "approvals")
	return b.String()
}

// Whichever request fails between a plan's page and its outcome, and however, the
// outcome is the same: nothing is lost and nothing is there twice.
//
// An ordinary run takes one of the requests and one way, RINGMASTER_LONG=1 each of
// the requests and the ways in turn, RINGMASTER_LONG=2 each of them in each way.
func TestEachRequestOfAFlowFails(t *testing.T) {
	t.Parallel()
	server, hub := flow(t, nil)
	want, requests := became(t, hub), server.Seen()
	if !strings.Contains(want, "completed") || !strings.Contains(want, "**Done**") {
		t.Fatalf("nothing failed, and it became\n%s", want)
	}
	ways := slices.Sorted(maps.Keys(githubtest.Kinds))
	for i, request := range requests {
		for n, way := range ways {
			switch long := os.Getenv("RINGMASTER_LONG"); {
			case long == "" && (i != len(requests)/2 || n != 0), long == "1" && n != i%len(ways):
				continue
			}
			t.Run(fmt.Sprintf("%d %s", i, way), func(t *testing.T) {
				t.Parallel()
				_, hub := flow(t, &githubtest.Fault{Kind: githubtest.Kinds[way], At: i})
				if got := became(t, hub); got != want {
					t.Errorf("where %s fails by %q it becomes\n%s\nwant\n%s", request, way, got, want)
				}
			})
		}
	}
}

// GitHub, its Git too, is down for an hour, from some request on of the run that begins
// a plan's first ring: each run until then fails, and the one after goes on. Nothing is
// lost and nothing is there twice.
func TestForgeDownForAnHour(t *testing.T) {
	t.Parallel()
	_, hub := flow(t, nil)
	want := became(t, hub)
	w, server, hub := hubbed(t)
	w.toMerge(server, hub)
	server.Seen()
	w.insists("execute")
	requests := len(server.Seen())
	for _, at := range []int{0, requests / 4, requests / 2, 3 * requests / 4, requests - 1} {
		t.Run(fmt.Sprintf("from request %d of %d on", at, requests), func(t *testing.T) {
			t.Parallel()
			w, server, hub := hubbed(t)
			w.toMerge(server, hub)
			server.Fail(githubtest.Fault{Kind: githubtest.BadGateway, At: at, Times: 1 << 20})
			for run := range 4 {
				if code, said := w.patiently("execute"); (code != 1 || !strings.Contains(said, "hint: nothing is lost")) && (run > 0 || at < requests/2) {
					t.Errorf("execute = %d while GitHub is down, want 1:\n%s", code, said)
				}
				w.at = w.at.Add(15 * time.Minute)
			}
			server.Mend()
			w.insists("execute")
			w.toOutcome(hub, 1)
			if got := became(t, hub); got != want {
				t.Errorf("it became\n%s, want\n%s", got, want)
			}
		})
	}
}
