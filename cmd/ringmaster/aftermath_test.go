package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/forge/github/githubtest"
)

// outcomeSaid is what ringmaster says of what became of the estate's plan, "" where it
// has said nothing; there is one such comment.
func outcomeSaid(t *testing.T, hub *githubtest.Repository) string {
	t.Helper()
	var said []string
	for _, c := range hub.Pulls()[0].Comments {
		if rest, ok := strings.CutPrefix(c.Body, "<!-- ringmaster: note outcome -->\n"); ok {
			said = append(said, rest)
		}
	}
	if len(said) > 1 {
		t.Fatalf("there are %d comments that say what became of it:\n%s", len(said), strings.Join(said, "\n"))
	}
	return strings.Join(said, "")
}

// rings is how far deployments say that each ring is, as "canary: success".
func rings(hub *githubtest.Repository) string {
	var list []string
	for _, d := range hub.Deployments() {
		s := d.Statuses[len(d.Statuses)-1]
		list = append(list, strings.TrimPrefix(d.Environment, "ringmaster/")+" "+s.State+": "+s.Description)
	}
	return strings.Join(list, "; ")
}

// marks is how far the newest statuses of commits say that each ring of the
// estate's plan is, as "canary success: …"; all are of the merge, and lead to the
// thread.
func marks(t *testing.T, hub *githubtest.Repository) string {
	t.Helper()
	var order []string
	newest := map[string]string{}
	for _, s := range hub.Statuses() {
		ring, ours := strings.CutPrefix(s.Context, "ringmaster/"+trusted+"/")
		if p := hub.Pulls()[0]; !ours || s.Commit != p.Merge || !strings.HasSuffix(s.Target, "/acme/estate/pull/1") {
			t.Errorf("there is a status %+v of something else than the merge %.10s", s, p.Merge)
		}
		if newest[ring] == "" {
			order = append(order, ring)
		}
		newest[ring] = ring + " " + s.State + ": " + s.Description
	}
	for i, ring := range order {
		order[i] = newest[ring]
	}
	return strings.Join(order, "; ")
}

// From a page to an outcome: a plan is opened, reviewed, approved, checked,
// merged and carried out, and the thread of its pull request says what became of
// it, in one comment, as deployments do ring by ring.
func TestFromAPageToAnOutcome(t *testing.T) {
	t.Parallel()
	w, server, hub := hubbed(t)
	w.want(0, "plan", "--open")
	head := hub.Pulls()[0].Head
	w.want(0, "execute")
	if n := len(hub.Pulls()[0].Comments); n > 0 {
		t.Errorf("just opened, the thread has %d comments", n)
	}
	w.inCI(server, hub, w.branch())
	w.want(0, "check", "--verdict")
	hub.Review(1, "fred", "APPROVED")
	w.want(0, "check", "--verdict")
	if got, want := verdicts(hub, head), "ringmaster: plan: success, ringmaster: approvals: success"; got != want {
		t.Errorf("the check runs are %q, want %q", got, want)
	}
	w.write(".git/HEAD", "ref: refs/heads/main\n", 0o644)
	w.asOlivia(0, nil, "pr", "merge", trusted)
	w.want(0, "execute")
	if got := outcomeSaid(t, hub); !strings.Contains(got, "**Under way**: 0 of 4 changes are healthy.\n") || !strings.Contains(got, "\n| canary | 0 of 1 | 1 |  |  |  |  |\n| broad | 0 of 3 |  |  |  |  | 3 |\n") ||
		!strings.Contains(got, "**Next** on Mon 2 Mar 2026 11:00 (Europe/Berlin): ") {
		t.Errorf("begun, the thread says\n%s", got)
	}
	if got, want := rings(hub), "canary in_progress: 0 of 1 healthy; broad pending: 0 of 3 healthy"; got != want {
		t.Errorf("begun, deployments say %q, want %q", got, want)
	}
	if got, want := marks(t, hub), "canary pending: 0 of 1 healthy; broad pending: 0 of 3 healthy"; got != want {
		t.Errorf("begun, the commit's statuses say %q, want %q", got, want)
	}
	server.Seen()
	w.want(0, "execute")
	for _, s := range server.Seen() {
		if !strings.HasPrefix(s, "GET ") && !strings.Contains(s, "/graphql") && !strings.Contains(s, "git-upload-pack") {
			t.Errorf("a run in which nothing happens sends %q", s)
		}
	}
	for day := 1; !strings.Contains(string(w.fetched("outcomes/"+trusted+".jsonl")), `"completed"`); day++ {
		w.at = trustAt.AddDate(0, 0, day)
		w.want(0, "execute")
	}
	if got := outcomeSaid(t, hub); !strings.HasPrefix(got, "**Done**: all of 4 changes are healthy.\n") {
		t.Errorf("over, the thread says\n%s", got)
	}
	if got, want := rings(hub), "canary success: 1 of 1 healthy; broad success: 3 of 3 healthy"; got != want {
		t.Errorf("over, deployments say %q, want %q", got, want)
	}
	if got, want := marks(t, hub), "canary success: 1 of 1 healthy; broad success: 3 of 3 healthy"; got != want {
		t.Errorf("over, the commit's statuses say %q, want %q", got, want)
	}
}

// What happens to hosts waits for no comment: where the forge takes none the run
// ends as it would, and a later one says it.
func TestExecuteWaitsForNoComment(t *testing.T) {
	t.Parallel()
	w, server, hub := hubbed(t)
	mergeAt(w, hub)
	server.Fail(githubtest.Fault{Kind: githubtest.BaseModified, Times: 1000, Match: func(r *http.Request) bool {
		return strings.Contains(r.URL.Path, "/comments") || strings.Contains(r.URL.Path, "/deployments") || strings.Contains(r.URL.Path, "/status")
	}})
	w.says(0, []string{"applied", "the next run tells it", "the next run shows it"}, "execute")
	if got := outcomeSaid(t, hub); got != "" {
		t.Fatalf("the thread says %q", got)
	}
	server.Mend()
	w.at = trustAt.Add(15 * time.Minute)
	w.want(0, "execute", "--phase", "intend")
	if got := outcomeSaid(t, hub); !strings.Contains(got, "**Under way**") {
		t.Errorf("a quarter of an hour later the thread says %q", got)
	}
	if got := rings(hub); !strings.Contains(got, "canary in_progress") {
		t.Errorf("a quarter of an hour later deployments say %q", got)
	}
	if got := marks(t, hub); !strings.Contains(got, "canary pending") {
		t.Errorf("a quarter of an hour later the commit's statuses say %q", got)
	}
}

// A merged plan that is not carried out says why, where people merged it.
func TestThreadOfARefusedPlan(t *testing.T) {
	t.Parallel()
	w, _, hub := hubbed(t)
	w.want(0, "plan", "--open")
	if _, err := hub.Merge(1, "olivia"); err != nil {
		t.Fatal(err)
	}
	w.want(3, "execute", "--phase", "intend")
	if got := outcomeSaid(t, hub); !strings.Contains(got, "**Not carried out**: approvals are missing: 0 of 1 by \"team-office\"") {
		t.Errorf("the thread says %q", got)
	}
	if got := rings(hub); !strings.HasPrefix(got, "canary inactive: not carried out: approvals are missing") {
		t.Errorf("deployments say %q", got)
	}
	w.want(0, "execute", "--phase", "record", "--results", t.TempDir())
	if got := outcomeSaid(t, hub); !strings.Contains(got, "**Not carried out**: approvals are missing: 0 of 1 by \"team-office\"") {
		t.Errorf("after a phase that carried out nothing the thread says %q", got)
	}
	if got := marks(t, hub); !strings.HasPrefix(got, "canary error: not carried out: approvals are missing") {
		t.Errorf("the commit's statuses say %q", got)
	}
}

// A token that may not give statuses shows deployments of each ring all the same,
// and one line says what it lacks.
func TestExecuteWithoutStatuses(t *testing.T) {
	t.Parallel()
	w, server, hub := hubbed(t)
	mergeAt(w, hub)
	server.Token("ghs_bot", "bot", "statuses")
	w.says(0, []string{"applied", "2 of them in vain; the next run shows it", "it takes a token with \\\"statuses: read\\\""}, "execute")
	if got, want := rings(hub), "canary in_progress: 0 of 1 healthy; broad pending: 0 of 3 healthy"; got != want {
		t.Errorf("deployments say %q, want %q", got, want)
	}
	if got := marks(t, hub); got != "" {
		t.Errorf("the commit's statuses say %q", got)
	}
}

// Who should have approved is told so once their time is over, and so is whom the
// plan names for that: in one comment, which is edited when they have.
func TestApproverWhoSleeps(t *testing.T) {
	t.Parallel()
	w, _, hub := hubbed(t)
	said := func() string {
		text := ""
		for _, c := range hub.Pulls()[0].Comments {
			if rest, ok := strings.CutPrefix(c.Body, "<!-- ringmaster: note approvals -->\n"); ok {
				text += rest
			}
		}
		return text
	}
	w.at = trustAt.Add(-time.Minute)
	w.pushed("a window", map[string][]byte{"inventory/services.hcl": append(w.file("inventory/services.hcl"), "\nwindow \"later\" {\n  recur    = \"FREQ=DAILY;BYHOUR=11;BYMINUTE=0\"\n  duration = \"4h\"\n  timezone = \"UTC\"\n}\n\nhost \"office-02\" {\n  window = \"later\"\n}\n"...)})
	w.want(0, "plan", "--open")
	if got := said(); got != "" {
		t.Fatalf("before anybody is late it is said %q", got)
	}
	w.at = trustAt.Add(2*time.Hour + time.Minute)
	for range 2 {
		w.want(0, "plan", "--open")
	}
	if got, want := said(), "**Overdue**: it was to begin on Mon 2 Mar 2026 12:00 (Europe/Berlin), and is not approved.\n\n- 0 of 1 by @acme/team-office, by Mon 2 Mar 2026 12:00 (Europe/Berlin); @acme/owners, it is up to you to reach them\n\nNothing begins before that. A wave that can no longer begin in time is planned again."; strings.TrimSpace(got) != want {
		t.Errorf("late, it is said\n%s\nwant\n%s", got, want)
	}
	w.says(3, []string{"was to start at Mon 2 Mar 12:00 and still lacks 0 of 1 by \"team-office\"; it is up"}, "status")
	hub.Review(1, "fred", "APPROVED")
	w.want(0, "plan", "--open")
	if got := said(); !strings.HasPrefix(got, "It was to begin on Mon 2 Mar 2026 12:00 (Europe/Berlin), and everybody has approved since.") {
		t.Errorf("approved, it is said %q", got)
	}
}
