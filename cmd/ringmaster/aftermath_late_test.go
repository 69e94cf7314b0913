package main

import (
	"net/http"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/forge/github/githubtest"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// still says that a run sends nothing but questions.
func still(t *testing.T, server *githubtest.Server, run func()) {
	t.Helper()
	server.Seen()
	run()
	for _, s := range server.Seen() {
		if !strings.HasPrefix(s, "GET ") && !strings.Contains(s, "/graphql") && !strings.Contains(s, "git-upload-pack") {
			t.Errorf("a run in which nothing changes sends %q", s)
		}
	}
}

// How a plan ended is told although GitHub took nothing when it did, and for two
// days after; what was told is left alone, and then no more asked for.
func TestEndIsToldLate(t *testing.T) {
	t.Parallel()
	w, server, hub := hubbed(t)
	mergeAt(w, hub)
	w.want(0, "execute")
	server.Fail(githubtest.Fault{Kind: githubtest.BaseModified, Times: 1_000_000, Match: func(r *http.Request) bool {
		return strings.Contains(r.URL.Path, "/comments") || strings.Contains(r.URL.Path, "/deployments") || strings.Contains(r.URL.Path, "/status")
	}})
	for day := 1; !strings.Contains(string(w.fetched("outcomes/"+trusted+".jsonl")), `"completed"`); day++ {
		w.at = trustAt.AddDate(0, 0, day)
		w.want(0, "execute")
	}
	if got := outcomeSaid(t, hub); !strings.HasPrefix(got, "**Under way**") {
		t.Fatalf("the thread says\n%s", got)
	}
	server.Mend()
	w.at = w.at.Add(48 * time.Hour)
	w.want(0, "execute")
	if got := outcomeSaid(t, hub); !strings.HasPrefix(got, "**Done**: all of 4 changes are healthy.\n") {
		t.Errorf("two days later the thread says\n%s", got)
	}
	if got, want := marks(t, hub), "canary success: 1 of 1 healthy; broad success: 3 of 3 healthy"; got != want {
		t.Errorf("two days later the commit's statuses say %q, want %q", got, want)
	}
	still(t, server, func() { w.want(0, "execute") })
	w.at = w.at.Add(48 * time.Hour)
	server.Seen()
	w.want(0, "execute")
	if seen := server.Seen(); asked(seen, "/comments")+asked(seen, "/deployments")+asked(seen, "/status") > 0 {
		t.Errorf("what is over is asked for for ever:\n%s", strings.Join(seen, "\n"))
	}
}

// What changes by time alone is told, however long ago the plan was merged: that
// it waits, and that it expired.
func TestThreadOfAPlanThatExpires(t *testing.T) {
	t.Parallel()
	w, server, hub := hubbed(t)
	w.want(0, "plan", "--open")
	if _, err := hub.Merge(1, "olivia"); err != nil {
		t.Fatal(err)
	}
	p, err := plan.Parse(w.fetched(plan.Path(trusted)))
	if err != nil {
		t.Fatal(err)
	}
	w.want(3, "execute", "--phase", "intend")
	w.at = p.Expires.Add(-time.Hour)
	still(t, server, func() { w.want(3, "execute", "--phase", "intend") })
	w.at = p.Expires.Add(time.Hour)
	w.want(3, "execute", "--phase", "intend")
	if got := outcomeSaid(t, hub); !strings.HasPrefix(got, "**Not carried out**: it expired on ") || !strings.Contains(got, "\n**Next** nothing: this plan is over.\n") {
		t.Errorf("expired, the thread says\n%s", got)
	}
	if got := marks(t, hub); !strings.HasPrefix(got, "canary error: not carried out: it expired on ") {
		t.Errorf("expired, the commit's statuses say %q", got)
	}
}

// A plan that was taken back says so in its thread, whether it had begun or not,
// and no ring of it is shown as if it went on.
func TestThreadOfAPlanThatWasTakenBack(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		begun      bool
		says, mark string
	}{
		"before it began": {false, "**Not carried out**: it was taken back", "canary error: not carried out: it was taken back"},
		"after it began":  {true, "**Stopped**, with 0 of 4 changes healthy: it was taken back after it had begun", "canary failure: 0 of 1 healthy; stopped: it was taken back after it had begun"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, server, hub := hubbed(t)
			mergeAt(w, hub)
			code := 0
			if row.begun {
				w.want(0, "execute")
				code = 3 // a change of it is in the middle
			}
			w.pulled()
			files := map[string][]byte{}
			for _, file := range []string{"plan.json", "plan.md", "schedule.svg", "risk.svg", "reasons.svg"} {
				files[path.Join("plans", trusted, file)] = nil
			}
			h, err := w.repo.Write(repo.Next{Base: w.tip(), Changes: files, Message: "Revert", Author: mallory, At: w.at})
			if err == nil {
				err = w.repo.Push(t.Context(), repo.Remote{URL: hub.Git().GitDir()}, "refs/heads/revert", "", h)
			}
			if err != nil {
				t.Fatal(err)
			}
			n, err := hub.Open(hub, "revert", "fred", "Revert")
			if err != nil {
				t.Fatal(err)
			}
			hub.Review(n, "olivia", "APPROVED")
			if _, err := hub.Merge(n, "olivia"); err != nil {
				t.Fatal(err)
			}
			w.at = w.at.Add(30 * time.Hour)
			w.want(code, "execute")
			if got := outcomeSaid(t, hub); !strings.HasPrefix(got, row.says) || !strings.Contains(got, "\n**Next** nothing: this plan is over.\n") {
				t.Errorf("the thread says\n%s", got)
			}
			if got := marks(t, hub); !strings.HasPrefix(got, row.mark) {
				t.Errorf("the commit's statuses say %q", got)
			}
			still(t, server, func() { w.want(code, "execute") })
		})
	}
}

// While somebody stops everything the thread says so, and until when.
func TestThreadOfAPlanThatIsStopped(t *testing.T) {
	t.Parallel()
	w, server, hub := hubbed(t)
	mergeAt(w, hub)
	w.want(0, "stop", "--by", "olivia", "--reason", "a storm", "--until", w.at.Add(2*time.Hour).Format(time.RFC3339))
	w.at = w.at.Add(time.Minute)
	w.want(3, "execute")
	if got := outcomeSaid(t, hub); !strings.Contains(got, "\n| stop everything | `olivia` | a storm | Mon 2 Mar 2026 12:00: **ends soon** |\n") {
		t.Errorf("stopped, the thread says\n%s", got)
	}
	w.at = w.at.Add(time.Minute)
	still(t, server, func() { w.want(3, "execute") })
	w.at = w.at.Add(2 * time.Hour)
	w.want(0, "execute")
	if got := outcomeSaid(t, hub); !strings.Contains(got, "Mon 2 Mar 2026 12:00: **ended** |") || !strings.HasPrefix(got, "**Under way**") {
		t.Errorf("no longer stopped, the thread says\n%s", got)
	}
}
