package github_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/forge/github/githubtest"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// TestTalkingTwiceSendsNothing does each deed again.
func TestTalkingTwiceSendsNothing(t *testing.T) {
	for _, d := range talkDeeds(func(t *testing.T, w *world) { w.propose(t, w.commit(t, "one")) }) {
		w := newWorld(t)
		d.before(t, w)
		for range 2 {
			w.server.Seen()
			if err := d.do(t, w); err != nil {
				t.Errorf("%s: %v", d.name, err)
			}
		}
		for _, r := range w.server.Seen() {
			if !strings.HasPrefix(r, "GET ") && !strings.HasSuffix(r, "/git-upload-pack") {
				t.Errorf("%s: the second time it sent %s", d.name, r)
			}
		}
		d.after(t, w)
	}
}

// TestOthersMarks: what looks like ours and was made by somebody else is left as
// it is, and something of our own is made.
func TestOthersMarks(t *testing.T) {
	w := newWorld(t)
	c := w.commit(t, "one")
	w.propose(t, c)
	for _, by := range []string{"mallory", "ringmaster", "helper[bot]", ""} {
		w.hub.Comment(1, by, forged)
	}
	v := w.verdict(t, 1)
	w.hub.AddCheck(githubtest.Check{App: "helper", Name: v.Name, Commit: c, External: "ringmaster: " + v.Name, Status: "completed", Conclusion: "success"})
	w.hub.AddCheck(githubtest.Check{App: "ringmaster", Name: v.Name, Commit: c, External: "a job of a workflow", Status: "in_progress"})
	w.hub.Deploy(githubtest.Deployment{Creator: "mallory", Commit: string(w.base), Task: "ringmaster:high-main-1", Environment: "ringmaster/canary"})
	w.hub.Mark(githubtest.Status{By: "mallory", Commit: string(w.base), Context: "ringmaster/high-main-1/canary", State: "failure", Description: "1 of 3 hosts"})
	w.hub.Mark(githubtest.Status{By: "ci", Commit: string(w.base), Context: "tests", State: "success", Description: "1 of 3 hosts"})
	checks, deployments := w.hub.Checks(), w.hub.Deployments()
	if err := w.forge.Say(t.Context(), w.branch, "outcome", "1 of 3 done."); err != nil {
		t.Fatal(err)
	}
	if err := w.forge.Verdict(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	if err := w.forge.Mirror(t.Context(), w.progress(t, "success")); err != nil {
		t.Fatal(err)
	}
	p := w.hub.Pulls()[0]
	if got := said(p); len(p.Comments) != 5 || !slices.Equal(got, []string{"1 of 3 done."}) {
		t.Errorf("the comments are %+v, want one of ours", p.Comments)
	}
	for _, m := range p.Comments[:4] {
		if m.Body != forged {
			t.Errorf("%q says %q now", m.By, m.Body)
		}
	}
	if got := w.hub.Checks(); len(got) != 3 || got[0].Title != checks[0].Title || got[1].Status != "in_progress" {
		t.Errorf("the check runs are %+v", got)
	}
	judged(t, w, v, 1)
	if got := w.hub.Deployments(); len(got) != 2 || len(got[0].Statuses) != len(deployments[0].Statuses) || got[1].Creator != bot {
		t.Errorf("the deployments are %+v", got)
	}
	if got := marked(w); !slices.Equal(got, []string{"failure: 1 of 3 hosts", "success: 1 of 3 hosts"}) || len(w.hub.Statuses()) != 3 {
		t.Errorf("the commit's statuses are %q, want ours to count", got)
	}
	list, err := w.forge.Comments(t.Context(), w.branch)
	if err != nil || len(list) != 4 || list[0].By != "mallory" || list[0].Bot || !list[2].Bot || list[3].By != "" {
		t.Errorf("Comments() = %+v, %v, want the four of others", list, err)
	}
}

func TestSayingTooMuch(t *testing.T) {
	w := newWorld(t)
	w.propose(t, w.commit(t, "one"))
	mark := len("<!-- ringmaster: note outcome -->\n")
	if err := w.forge.Say(t.Context(), w.branch, "outcome", strings.Repeat("ü", 65536-mark)); err != nil {
		t.Error(err)
	}
	if err := w.forge.Say(t.Context(), w.branch, "outcome", strings.Repeat("ü", 65537-mark)); err == nil || !strings.Contains(err.Error(), "65537 characters, and GitHub takes 65536") {
		t.Errorf("Say() of one too many = %v", err)
	}
}

// TestPeopleEdit: somebody with a right to write changes what was said; it is
// said again as it should be.
func TestPeopleEdit(t *testing.T) {
	w := newWorld(t)
	w.propose(t, w.commit(t, "one"))
	for _, change := range []func(*githubtest.Pull){
		func(p *githubtest.Pull) { p.Comments[0].Body += "\nand more" },
		func(p *githubtest.Pull) { p.Comments[0].Body = "gone" },
		func(p *githubtest.Pull) { p.Comments = nil },
	} {
		if err := w.forge.Say(t.Context(), w.branch, "outcome", "1 of 3 done."); err != nil {
			t.Fatal(err)
		}
		w.hub.Change(1, change)
		if err := w.forge.Say(t.Context(), w.branch, "outcome", "1 of 3 done."); err != nil {
			t.Fatal(err)
		}
		if got := said(w.hub.Pulls()[0]); got[len(got)-1] != "1 of 3 done." {
			t.Errorf("said is %q", got)
		}
	}
}

// TestTalkingAtOnce has another run do the same just before.
func TestTalkingAtOnce(t *testing.T) {
	for _, d := range talkDeeds(func(t *testing.T, w *world) { w.propose(t, w.commit(t, "one")) }) {
		w := newWorld(t)
		d.before(t, w)
		w.server.Fail(githubtest.Fault{Match: func(r *http.Request) bool {
			return (r.Method == "POST" || r.Method == "PATCH") && !strings.HasSuffix(r.URL.Path, "git-upload-pack") && !asksWho(t, r)
		}, Do: func() {
			w.server.Mend()
			mine := w.forge
			w.forge = w.open(t, secret)
			defer func() { w.forge = mine }()
			if err := d.do(t, w); err != nil {
				t.Errorf("%s: the other run: %v", d.name, err)
			}
		}})
		if err := d.do(t, w); err != nil {
			t.Errorf("%s: %v", d.name, err)
		}
		switch d.name {
		case "mirror": // of two the newer one is out of use
			if got := deployed(w); !slices.Equal(got, []string{"pending", "inactive"}) {
				t.Errorf("deployments are %q", got)
			}
		case "mirror the next state":
			if got := deployed(w); len(got) != 1 || !strings.HasSuffix(got[0], " success") {
				t.Errorf("deployments are %q", got)
			}
			if got := marked(w); got[len(got)-1] != "success: 1 of 3 hosts" { // the newest counts
				t.Errorf("the commit's statuses are %q", got)
			}
		case "verdict", "verdict of many lines", "verdict with fewer lines": // the newest counts
			runs := w.hub.Checks()
			judged(t, w, w.verdict(t, len(runs[len(runs)-1].Notes)), len(runs))
		case "verdict with more lines": // annotations may come twice: none is lost
			if k := w.hub.Checks()[0]; k.Conclusion != "failure" || len(k.Notes) < 60 {
				t.Errorf("the check run is %+v", k)
			}
		default:
			d.after(t, w)
		}
	}
}

func TestVerdictOfVeryMany(t *testing.T) {
	w := newWorld(t)
	w.propose(t, w.commit(t, "one"))
	v := w.verdict(t, 777)
	v.Summary = strings.Repeat("ü", 40000)
	v.Notes[3].Message = strings.Repeat("x", 70000)
	v.Notes[4].Line = 0
	if err := w.forge.Verdict(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	k := w.hub.Checks()[0]
	if len(k.Notes) != 500 || len(k.Summary) > 65535 || !strings.HasSuffix(k.Summary, "Beside the 500 that are annotated there are 277 more.") || k.Notes[4].From != 1 {
		t.Errorf("it has %d annotations and a summary of %d bytes", len(k.Notes), len(k.Summary))
	}
}

// TestVerdictInParts: one whose annotations are not all there says nothing yet.
func TestVerdictInParts(t *testing.T) {
	w := newWorld(t)
	v := w.verdict(t, 60)
	v.Conclusion = "success"
	w.propose(t, v.Commit)
	w.server.Fail(githubtest.Fault{Kind: githubtest.ServerError, Times: 10, Match: func(r *http.Request) bool { return r.Method == "PATCH" }})
	if err := w.forge.Verdict(t.Context(), v); err == nil {
		t.Error("Verdict() went well")
	}
	if k := w.hub.Checks(); len(k) != 1 || k[0].Status != "in_progress" || k[0].Conclusion != "" || len(k[0].Notes) != 50 {
		t.Errorf("the check runs are %+v, want one in progress", k)
	}
	w.server.Mend()
	if err := w.forge.Verdict(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	judged(t, w, v, 1)
}

func TestVerdictRefused(t *testing.T) {
	w := newWorld(t)
	v := w.verdict(t, 1)
	w.propose(t, v.Commit)
	err := w.open(t, "t-carol").Verdict(t.Context(), v)
	if err == nil || !strings.Contains(err.Error(), `it takes the token of a GitHub App, or of a workflow, with "checks: write"`) {
		t.Errorf("Verdict() by a person = %v", err)
	}
	v.Conclusion = "fine"
	if err := w.forge.Verdict(t.Context(), v); err == nil || !strings.Contains(err.Error(), `conclusion "fine"; expected one of success`) {
		t.Errorf("Verdict() = %v", err)
	}
	if len(w.hub.Checks()) > 0 {
		t.Error("there is a check run all the same")
	}
}

// TestAutoMerge goes from the asking to GitHub's merge.
func TestAutoMerge(t *testing.T) {
	w := newWorld(t)
	w.hub.Require(1, "Same bytes, made again")
	v := w.verdict(t, 0)
	v.Conclusion = "success"
	w.propose(t, v.Commit)
	if err := w.forge.AutoMerge(t.Context(), w.branch, v.Commit, true); err != nil {
		t.Fatal(err)
	}
	w.hub.Review(1, "alice", "APPROVED")
	if pr := w.find(t); pr.State != "open" {
		t.Errorf("it is %s before its check", pr.State)
	}
	if err := w.forge.Verdict(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	if pr := w.find(t); pr.State != "merged" || pr.Head != v.Commit || pr.MergedBy != bot {
		t.Errorf("it is %+v, want merged by GitHub", pr)
	}
	for _, on := range []bool{true, false} {
		if err := w.forge.AutoMerge(t.Context(), w.branch, v.Commit, on); err != nil {
			t.Errorf("AutoMerge(%v) of what is merged = %v", on, err)
		}
	}
}

// TestAutoMergeOfWhatMayBe: GitHub takes nothing for auto-merge that it could
// merge at once.
func TestAutoMergeOfWhatMayBe(t *testing.T) {
	w := newWorld(t)
	w.hub.Require(1)
	c := w.commit(t, "one")
	w.propose(t, c)
	w.hub.Review(1, "alice", "APPROVED")
	v := w.verdict(t, 0)
	for _, v.Conclusion = range []string{"failure", "success"} {
		if err := w.forge.Verdict(t.Context(), v); err != nil {
			t.Fatal(err)
		}
		if err := w.forge.AutoMerge(t.Context(), w.branch, c, true); err != nil {
			t.Fatal(err)
		}
		if pr := w.find(t); (pr.State == "merged") != (v.Conclusion == "success") || pr.Head != c {
			t.Errorf("with a check that is no requirement and says %s it is %s", v.Conclusion, pr.State)
		}
	}
}

func TestAutoMergeRefused(t *testing.T) {
	w := newWorld(t)
	c := w.commit(t, "one")
	w.propose(t, c)
	if err := w.forge.AutoMerge(t.Context(), w.branch, c, true); err == nil || !strings.Contains(err.Error(), "main asks for nothing before a merge; protect it") {
		t.Errorf("AutoMerge() into a branch that is not protected = %v", err)
	}
	w.hub.Require(1)
	w.hub.NoAutoMerge = true
	if err := w.forge.AutoMerge(t.Context(), w.branch, c, true); err == nil || !strings.Contains(err.Error(), `switch on "Allow auto-merge"`) {
		t.Errorf("AutoMerge() = %v", err)
	}
	w.hub.NoAutoMerge = false
	w.server.Fail(githubtest.Fault{Match: func(r *http.Request) bool { return r.URL.Path == githubtest.GraphQL }, Do: func() { // a push between the look and the request
		w.hub.Change(1, func(p *githubtest.Pull) {})
		if err := w.clone.Push(t.Context(), w.forge.Remote(), "refs/heads/"+w.branch, repo.Hash(c), repo.Hash(w.commit(t, "two"))); err != nil {
			t.Error(err)
		}
	}})
	if err := w.forge.AutoMerge(t.Context(), w.branch, c, true); err == nil || !strings.Contains(err.Error(), "Head sha") {
		t.Errorf("AutoMerge() of what moved = %v", err)
	}
	if p := w.hub.Pulls()[0]; p.AutoMerge != "" || p.State != "open" {
		t.Errorf("it is %+v", p)
	}
}

func TestPermission(t *testing.T) {
	w := newWorld(t)
	for login, may := range map[string]string{"mia": "maintain", "tom": "triage", "rob": "read"} {
		w.hub.Grant(login, may)
	}
	for person, want := range map[string]string{
		"alice": "write", "ALICE": "write", "carol": "admin", "rita": "read", "mia": "maintain", "tom": "triage",
		"mallory": "none", "": "none", "аlice": "none", "alice/../carol": "none", bot: "none", "ali\u212Ae": "none",
	} {
		if got, err := w.forge.Permission(t.Context(), person); err != nil || got != want {
			t.Errorf("Permission(%q) = %q, %v, want %q", person, got, err, want)
		}
	}
	w.hub.Grant("alice", "read")
	if got, err := w.forge.Permission(t.Context(), "alice"); err != nil || got != "read" {
		t.Errorf("Permission() after it was taken = %q, %v, want read", got, err)
	}
}

func TestMirrorIsCut(t *testing.T) {
	w := newWorld(t)
	p := w.progress(t, "failure")
	p.Text = strings.Repeat("ü", 200)
	for range 2 {
		if err := w.forge.Mirror(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	d := w.hub.Deployments()
	if len(d) != 1 || len(d[0].Statuses) != 1 || d[0].Statuses[0].AutoInactive || len([]rune(d[0].Statuses[0].Description)) != 140 {
		t.Errorf("the deployments are %+v", d)
	}
	if s := w.hub.Statuses(); len(s) != 1 || s[0].Context != "ringmaster/high-main-1/canary" || len([]rune(s[0].Description)) != 140 || s[0].Target != p.URL || s[0].By != bot {
		t.Errorf("the statuses are %+v", s)
	}
	p.State = "fine"
	if err := w.forge.Mirror(t.Context(), p); err == nil || !strings.Contains(err.Error(), `state "fine"; expected one of pending`) {
		t.Errorf("Mirror() = %v", err)
	}
}

// TestStatesOfACommit: what a ring is as a deployment and as a commit status.
func TestStatesOfACommit(t *testing.T) {
	w := newWorld(t)
	for state, want := range map[string]string{"pending": "pending", "in_progress": "pending", "success": "success", "failure": "failure", "inactive": "error"} {
		if err := w.forge.Mirror(t.Context(), w.progress(t, state)); err != nil {
			t.Fatal(err)
		}
		if got := marked(w); got[len(got)-1] != want+": 1 of 3 hosts" {
			t.Errorf("%s is %q as a commit status, want %s", state, got[len(got)-1], want)
		}
		w.server.Seen()
		if err := w.forge.Mirror(t.Context(), w.progress(t, state)); err != nil {
			t.Fatal(err)
		}
		if seen := w.server.Seen(); len(seen) != 1 {
			t.Errorf("that nothing changed takes %q, want one request", seen)
		}
	}
}

// TestMirrorWithHalfOfItsRights: what the token may show is there, and what it may
// not is named.
func TestMirrorWithHalfOfItsRights(t *testing.T) {
	for _, test := range []struct {
		lacks, needs          string
		deployments, statuses int
	}{
		{"statuses", "statuses: read", 1, 0},
		{"deployments", "deployments: read", 0, 1},
	} {
		w := newWorld(t)
		w.server.Token("t-half", bot, test.lacks)
		err := w.open(t, "t-half").Mirror(t.Context(), w.progress(t, "success"))
		if err == nil || !strings.Contains(err.Error(), `it takes a token with "`+test.needs) {
			t.Errorf("Mirror() without %s = %v", test.lacks, err)
		}
		if d, s := len(w.hub.Deployments()), len(w.hub.Statuses()); d != test.deployments || s != test.statuses {
			t.Errorf("without %s there are %d deployments and %d statuses", test.lacks, d, s)
		}
	}
}
