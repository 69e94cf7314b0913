package main

import (
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/forge/github/githubtest"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// whole makes the estate one commit, for at GitHub review is required from the
// first on.
func (w *site) whole() {
	w.t.Helper()
	files, err := commitFiles(w.repo, w.tip())
	if err != nil {
		w.t.Fatal(err)
	}
	h, err := w.repo.Write(repo.Next{Changes: files, Message: "an estate", Author: mallory, At: w.at})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.repo.Move("refs/heads/main", w.tip(), h); err != nil {
		w.t.Fatal(err)
	}
}

// hubbed is an estate whose forge is a GitHub.
func hubbed(t *testing.T) (*site, *githubtest.Server, *githubtest.Repository) {
	t.Helper()
	return hubbedWith(t, nil)
}

// hubbedWith is hubbed with other files in the estate.
func hubbedWith(t *testing.T, files map[string][]byte) (*site, *githubtest.Server, *githubtest.Repository) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "estate")
	settle(t, dir)
	w := enter(t, dir)
	w.push("more of it", files)
	w.whole()
	server := githubtest.New(t.TempDir(), func() time.Time { return trustAt })
	t.Cleanup(func() {
		if list := server.Strange(); len(list) > 0 {
			t.Errorf("GitHub does not describe this:\n%s", strings.Join(list, "\n"))
		}
	})
	server.Team("acme", "team-office", map[string]string{"fred": "active"})
	server.Team("acme", "owners", map[string]string{"olivia": "active"})
	for _, who := range []string{"bot", "olivia"} {
		server.Token("ghs_"+who, who)
	}
	hub, err := server.Create("acme", "estate")
	if err != nil {
		t.Fatal(err)
	}
	for login, may := range map[string]string{"bot": "write", "fred": "write", "olivia": "admin"} {
		hub.Grant(login, may)
	}
	srv := httptest.NewServer(server)
	t.Cleanup(srv.Close)
	w.env = map[string]string{"GITHUB_TOKEN": "ghs_bot", "GITHUB_REPOSITORY": "acme/estate", "GITHUB_API_URL": srv.URL + githubtest.API, "GITHUB_SERVER_URL": srv.URL}
	if err := w.repo.Push(t.Context(), repo.Remote{URL: srv.URL + "/acme/estate", Token: "ghs_bot"}, "refs/heads/main", "", w.tip()); err != nil {
		t.Fatal(err)
	}
	return w, server, hub
}

// mergeAt opens the estate's one plan, approves and merges it.
func mergeAt(w *site, hub *githubtest.Repository) {
	w.t.Helper()
	w.want(0, "plan", "--open")
	hub.Review(1, "fred", "APPROVED")
	w.env["GITHUB_TOKEN"] = "ghs_olivia"
	w.want(0, "pr", "merge", trusted)
	w.env["GITHUB_TOKEN"] = "ghs_bot"
}

// asked counts the requests to the API that hold a text.
func asked(seen []string, text string) int {
	n := 0
	for _, s := range seen {
		if strings.Contains(s, githubtest.API) && strings.Contains(s, text) {
			n++
		}
	}
	return n
}

// A run's phases ask GitHub once about a plan, and what is over is not asked
// for again: the number of requests does not grow with what was done.
func TestRequestsOfARun(t *testing.T) {
	t.Parallel()
	w, server, hub := hubbed(t)
	mergeAt(w, hub)
	server.Seen()
	w.says(0, []string{"applied"}, "execute")
	seen := server.Seen()
	for text, most := range map[string]int{
		"head=acme": 2, "/pulls/1/reviews": 1, "state=closed": 1, "/memberships/": 1, "/orgs/acme/teams?": 1, "/commits/": 2, "/statuses/": 2, // how far each of two rings is
		"/comments": 3, "/deployments": 10, // of two rings, which had none
	} {
		if n := asked(seen, text); n > most {
			t.Errorf("a run of three phases asks %d times for %q, want %d:\n%s", n, text, most, strings.Join(seen, "\n"))
		}
	}
	if n := asked(seen, "") - asked(seen, "/comments") - asked(seen, "/deployments") - asked(seen, "/status"); n > 13 {
		t.Errorf("a run asks %d times besides what it tells, want no more than 13:\n%s", n, strings.Join(seen, "\n"))
	}
	for day := 1; !strings.Contains(string(w.fetched("outcomes/"+trusted+".jsonl")), `"completed"`); day++ {
		if day > 10 {
			t.Fatal("the plan does not complete")
		}
		w.at = trustAt.AddDate(0, 0, day)
		w.want(0, "execute")
	}
	server.Seen()
	w.at = trustAt.AddDate(0, 1, 0)
	w.says(0, []string{"nothing is due"}, "execute")
	seen = server.Seen()
	if n := asked(seen, "/reviews") + asked(seen, "head=acme") + asked(seen, "/commits/"); n > 0 {
		t.Errorf("a plan that is over is asked for again:\n%s", strings.Join(seen, "\n"))
	}
	if n := asked(seen, ""); n > 6 {
		t.Errorf("a run with nothing to do asks %d times, want no more than 6:\n%s", n, strings.Join(seen, "\n"))
	}
}

// The page that says where the estate stands is one issue, edited in place; the
// pull request carries a chart and pictures by address.
func TestPageOnTheForge(t *testing.T) {
	t.Parallel()
	w, _, hub := hubbed(t)
	w.want(0, "status", "--pin")
	w.want(0, "plan", "--open")
	w.want(0, "status", "--pin")
	list := hub.Issues()
	p := hub.Pulls()[0]
	if len(list) != 1 || list[0].Title != "Where acme stands" {
		t.Fatalf("the issues are %+v, want one page", list)
	}
	for _, want := range []string{
		"| [" + trusted + "](" + w.env["GITHUB_SERVER_URL"] + "/acme/estate/pull/1) | ",
		"_As of Mon 2 Mar 2026 10:00. Is it later than **Mon 2 Mar 2026 22:00**? Then this page is no longer written and ringmaster has stopped",
	} {
		if !strings.Contains(list[0].Body, want) {
			t.Errorf("the page does not say %q:\n%s", want, list[0].Body)
		}
	}
	for _, want := range []string{"```mermaid\ngantt", "![What made the highest risk](" + w.env["GITHUB_SERVER_URL"] + "/acme/estate/raw/" + p.Head + "/plans/" + trusted + "/reasons.svg)", "[`plan.md`](" + w.env["GITHUB_SERVER_URL"] + "/acme/estate/blob/" + p.Head + "/plans/" + trusted + "/plan.md)",
		"begin a comment with `/ringmaster help`"} {
		if !strings.Contains(p.Body, want) {
			t.Errorf("the pull request does not say %q", want)
		}
	}
}

// fetched is a file of the protected branch as the last run saw it.
func (w *site) fetched(name string) []byte {
	w.t.Helper()
	remote := repo.Remote{URL: w.env["GITHUB_SERVER_URL"] + "/acme/estate", Token: "ghs_bot"}
	refs, err := w.repo.Fetch(w.t.Context(), remote, "main")
	if err != nil || len(refs) != 1 {
		w.t.Fatal(refs, err)
	}
	if blob, err := w.repo.Blob(refs[0].Hash, name); err != nil || blob == "" {
		return nil
	}
	data, err := w.repo.ReadFile(refs[0].Hash, name)
	if err != nil {
		w.t.Fatal(err)
	}
	return data
}

// A run says what its token lacks before it does half of its work.
func TestRunNamesWhatTheTokenLacks(t *testing.T) {
	t.Parallel()
	w, server, hub := hubbed(t)
	server.Token("ghs_weak", "bot", "members")
	w.env["GITHUB_TOKEN"] = "ghs_weak"
	const lacks = "the github forge's credentials lack: members: read, of the organisation (to see who is in a team); see `ringmaster preflight`"
	w.says(0, []string{lacks}, "plan", "--open")
	mergeAt(w, hub)
	w.env["GITHUB_TOKEN"] = "ghs_weak"
	server.Seen()
	w.says(1, []string{lacks}, "execute")
	seen := server.Seen()
	if len(seen) < 2 || asked(seen[:2], "/repos/acme/estate") != 1 || asked(seen[:2], "/orgs/acme/teams") != 1 {
		t.Errorf("asked first: %q; want the repository and its teams", seen)
	}
}

// A workflow's clone is new each time: what it has of a plan is the pull request
// alone, and a plan that holds is left alone all the same, with its approvals.
func TestPlanInANewClone(t *testing.T) {
	t.Parallel()
	w, _, hub := hubbed(t)
	w.want(0, "plan", "--open")
	hub.Review(1, "fred", "APPROVED")
	head := hub.Pulls()[0].Head
	ref := "refs/heads/ringmaster/" + trusted
	if err := w.repo.CompareAndSwap(ref, w.branch(), ""); err != nil {
		t.Fatal(err)
	}
	w.at = trustAt.Add(time.Hour)
	w.says(0, []string{trusted, "says the same as before; left alone"}, "plan", "--open")
	if now := hub.Pulls()[0].Head; now != head {
		t.Errorf("the pull request's head is %s now, was %s", now, head)
	}
}
