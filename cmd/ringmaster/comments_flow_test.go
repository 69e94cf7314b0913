package main

import (
	"context"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/forge/github/githubtest"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// Of pull requests that are not the open one of a plan, nothing is read.
func TestCommentsElsewhere(t *testing.T) {
	t.Parallel()
	x := talk(t)
	const hold = "/ringmaster hold office-01 until 2026-03-09 because of me"
	fork, err := x.hub.Fork("mallory", "estate")
	if err != nil {
		t.Fatal(err)
	}
	var numbers []int
	for _, from := range []struct {
		of     *githubtest.Repository
		branch string
	}{{fork, "ringmaster/" + trusted}, {x.hub, "feature"}, {x.hub, "ringmaster/models"}, {x.hub, "ringmaster/high-main-1"}} {
		if from.of == x.hub {
			head, err := x.hub.Git().Ref("refs/heads/main")
			if err == nil {
				err = x.hub.Git().CompareAndSwap("refs/heads/"+from.branch, "", head)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		n, err := x.hub.Open(from.of, from.branch, "mallory", "looks like a plan")
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, n)
		x.hub.Comment(n, "fred", hold)
	}
	x.hub.Change(1, func(p *githubtest.Pull) { p.State = "closed" })
	x.hub.Comment(1, "fred", hold)
	x.want(0, "comments")
	// A branch of a plan's name that brings none is answered so.
	last := numbers[len(numbers)-1]
	if text := x.answer(last); !strings.Contains(text, "the pull request brings no plan that can be read: there is no plan.json") {
		t.Errorf("a branch without a plan is answered %q", text)
	}
	for _, n := range append(numbers[:len(numbers)-1], 1) {
		if text := x.answer(n); text != "" {
			t.Errorf("pull request %d is answered %q", n, text)
		}
	}
	if n := x.recorded(); n > 0 {
		t.Errorf("%d overrides are recorded, want none", n)
	}
}

// What a comment decides is recorded or proposed once, wherever a run is cut off and
// whoever else pushes, and told in one comment. Ordinary runs cut off one that holds and
// one that releases everywhere, and the others nowhere; RINGMASTER_LONG=1 does everywhere.
func TestCommentsOnce(t *testing.T) {
	t.Parallel()
	to := func(method, part string) func(*http.Request) bool {
		return func(r *http.Request) bool { return r.Method == method && strings.Contains(r.URL.Path, part) }
	}
	faults := map[string]githubtest.Fault{
		"nothing fails":                  {},
		"while the comments are read":    {Kind: githubtest.Reset, Match: to("GET", "/comments")},
		"before it is known who may":     {Kind: githubtest.Reset, Match: to("GET", "/permission")},
		"before the push":                {Kind: githubtest.Reset, Match: to("POST", "git-receive-pack")},
		"after the push":                 {Kind: githubtest.ResetAfter, Match: to("POST", "git-receive-pack")},
		"before the plan is made again":  {Kind: githubtest.Reset, At: 1, Match: to("GET", "/pulls")},
		"before the answer":              {Kind: githubtest.Reset, Match: to("POST", "/issues/1/comments")},
		"after the answer, without news": {Kind: githubtest.ResetAfter, Match: to("POST", "/issues/1/comments")},
	}
	proposing := map[string]githubtest.Fault{
		"before it is proposed":                {Kind: githubtest.Reset, Match: to("POST", "/pulls")},
		"after it is proposed, without news":   {Kind: githubtest.ResetAfter, Match: to("POST", "/pulls")},
		"before the proposal is labelled":      {Kind: githubtest.Reset, Match: to("POST", "/labels")},
		"after the proposal is labelled":       {Kind: githubtest.ResetAfter, Match: to("POST", "/labels")},
		"after the proposal's branch is there": {Kind: githubtest.ResetAfter, Match: to("POST", "git-receive-pack")},
	}
	for _, c := range []struct {
		name, text, want string
		loosens          bool
	}{
		{"hold", "hold office-01 until 2026-03-09 because business: month end", "recorded: nothing of host office-01 begins until Mon 9 Mar 2026 00:00 (business)", false},
		{"exclude", "exclude office-01 because capacity: nobody is there", "recorded: nothing of host office-01 begins until it is released (capacity)", false},
		{"stop", "stop until 2026-03-09 because the network is down", "recorded: nothing begins until Mon 9 Mar 2026 00:00", false},
		{"override high", "override risk=high because failed-before: in June", "recorded: the risk of plan " + trusted + " is taken for high until it is released (failed-before)", false},
		{"override low", "override risk=low until 2026-04-01 because wrong-score: it is an agent", "must approve it: the risk of plan " + trusted + " is taken for low", true},
		{"exception", "exception generic:osprey-agent@* rule=soak.deny until 2026-04-01 because mitigated: it is read only", "must approve it: soak.deny lets patch generic:osprey-agent@&#8203;\\* through until Wed 1 Apr 2026 00:00 (mitigated)", true},
		{"release", "release office-02 because the ship is here", "must approve it: what adds caution about host office-02 ends", true},
	} {
		all := maps.Clone(faults)
		if c.loosens {
			maps.Copy(all, proposing)
		}
		if c.name != "hold" && c.name != "release" && os.Getenv("RINGMASTER_LONG") == "" {
			all = map[string]githubtest.Fault{"nothing fails": {}}
		}
		for name, f := range all {
			t.Run(c.name+" "+name, func(t *testing.T) {
				t.Parallel()
				x := talk(t)
				x.want(0, "override", "hold", "--host", "office-02", "--by", "fred", "--reason", "on a ship", "--until", "2026-03-20")
				x.hub.Comment(1, "fred", "/ringmaster "+c.text)
				if f.Match != nil {
					x.killed(f)
				}
				x.says(0, c.want)
				recorded, pulls := 2, 1
				if c.loosens {
					recorded, pulls = 1, 2
				}
				if n := x.recorded(); n != recorded {
					t.Errorf("%d overrides are recorded, want %d:\n%s", n, recorded, x.fetched(overridesFile))
				}
				if n := len(x.hub.Pulls()); n != pulls {
					t.Errorf("%d pull requests, want %d", n, pulls)
				}
				if p := x.hub.Pulls()[pulls-1]; c.loosens && (!slices.Equal(p.Labels, []string{"override"}) || !strings.Contains(p.Body, "asked for by fred")) {
					t.Errorf("the proposal is %+v", p)
				}
				x.server.Seen()
				x.at = trustAt.Add(time.Minute)
				x.want(0, "comments")
				for _, s := range x.server.Seen() {
					if !strings.HasPrefix(s, "GET ") && !strings.Contains(s, "git-upload-pack") && !strings.HasSuffix(s, "/graphql") {
						t.Errorf("a run with nothing to do asks %s", s)
					}
				}
			})
		}
	}
}

// killed is a run that ends where a fault strikes.
func (x *thread) killed(f githubtest.Fault) {
	x.t.Helper()
	ctx, kill := context.WithCancel(x.t.Context())
	defer kill()
	f.Do = kill
	x.server.Fail(f)
	args := []string{"-C", x.dir, "--at", x.at.Format(time.RFC3339), "comments"}
	if code := run(ctx, args, streams{strings.NewReader(""), io.Discard, io.Discard}, func(name string) string { return x.env[name] }, x.clock); code == 0 {
		x.t.Error("the run was not killed")
	}
	x.server.Mend()
}

// A competing push between two looks at the branch costs a second look, and
// nothing else.
func TestCommentsCompete(t *testing.T) {
	t.Parallel()
	x := talk(t)
	x.hub.Comment(1, "fred", "/ringmaster hold office-01 until 2026-03-09 because month end")
	x.server.Fail(githubtest.Fault{Kind: githubtest.Nothing, Match: func(r *http.Request) bool { return strings.Contains(r.URL.Path, "git-receive-pack") }, Do: func() {
		g := x.hub.Git()
		head, err := g.Ref("refs/heads/main")
		if err == nil {
			_, err = g.Advance("refs/heads/main", repo.Next{Base: head, Changes: map[string][]byte{"inventory/facts/more.jsonl": []byte("")}, Message: "facts", Author: mallory, At: trustAt})
		}
		if err != nil {
			t.Error(err)
		}
	}})
	x.says(0, "recorded: nothing of host office-01 begins")
	if n := x.recorded(); n != 1 {
		t.Errorf("%d overrides are recorded, want one", n)
	}
}

// Of two runs at once one records what a comment decides.
func TestCommentsTwoRunners(t *testing.T) {
	t.Parallel()
	x := talk(t)
	x.hub.Comment(1, "fred", "/ringmaster hold office-01 until 2026-03-09 because month end")
	dir := filepath.Join(t.TempDir(), "estate")
	if err := os.CopyFS(dir, os.DirFS(x.dir)); err != nil {
		t.Fatal(err)
	}
	other := enter(t, dir)
	other.env = x.env
	x.server.Fail(githubtest.Fault{Kind: githubtest.Nothing, Match: func(r *http.Request) bool { return strings.Contains(r.URL.Path, "git-receive-pack") }, Do: func() {
		if code, out, errs := other.run("comments"); code != 0 {
			t.Errorf("the other run ends with %d: %s%s", code, out, errs)
		}
	}})
	x.says(0, "recorded: nothing of host office-01 begins")
	if n := x.recorded(); n != 1 {
		t.Errorf("%d overrides are recorded, want one:\n%s", n, x.fetched(overridesFile))
	}
}

// A plan that is carried out is listened to until it is over, for then a hold is
// most urgent.
func TestCommentsOfARunningPlan(t *testing.T) {
	t.Parallel()
	x := talk(t)
	x.hub.Review(1, "fred", "APPROVED")
	x.env["GITHUB_TOKEN"] = "ghs_olivia"
	x.want(0, "pr", "merge", trusted)
	x.env["GITHUB_TOKEN"] = "ghs_bot"
	x.site.says(0, []string{"applied"}, "execute")
	x.hub.Comment(1, "fred", "/ringmaster hold generic:osprey-agent@* until 2026-03-09 because failed-before: the canary is odd\n/ringmaster replan\n/ringmaster explain office-04")
	x.says(0, "recorded: nothing of patch generic:osprey-agent@&#8203;\\* begins", "this plan is merged, and not made again", "```text\ngeneric:osprey-agent@2.3.1 in plan "+trusted)
	x.at = trustAt.AddDate(0, 0, 1)
	x.site.says(3, []string{"hold by fred: the canary is odd"}, "execute")
	x.want(0, "audit", "verify")
	for x.at = trustAt.AddDate(0, 0, 8); !strings.Contains(string(x.fetched("outcomes/"+trusted+".jsonl")), `"completed"`); x.at = x.at.AddDate(0, 0, 1) {
		if x.at.After(trustAt.AddDate(0, 1, 0)) {
			t.Fatal("the plan does not complete")
		}
		x.run("execute")
	}
	before := x.answer(1)
	x.hub.Comment(1, "fred", "/ringmaster help")
	x.site.says(0, []string{"nobody asks for anything"}, "comments")
	if x.answer(1) != before {
		t.Error("a plan that is over is answered")
	}
}

// A clone that is behind is brought along before it plans again.
func TestCommentsReplan(t *testing.T) {
	t.Parallel()
	x := talk(t)
	g := x.hub.Git()
	head, err := g.Ref("refs/heads/main")
	if err != nil {
		t.Fatal(err)
	}
	var facts string
	for l := range strings.Lines(string(x.shared("facts.jsonl"))) {
		if strings.Contains(l, `"office-01"`) {
			facts = strings.Replace(l, "office-01", "office-09", 1)
		}
	}
	if _, err := g.Advance("refs/heads/main", repo.Next{Base: head, Changes: map[string][]byte{"inventory/facts/more.jsonl": []byte(facts)}, Message: "facts", Author: mallory, At: trustAt}); err != nil {
		t.Fatal(err)
	}
	x.hub.Comment(1, "fred", "/ringmaster replan")
	x.at = trustAt.Add(time.Hour)
	x.says(0, "planned again; the plan is that of Mon 2 Mar 2026 11:00")
	if p := x.hub.Pulls()[0]; !strings.Contains(p.Title, "5 hosts") {
		t.Errorf("the plan is still %q", p.Title)
	}
	x.at = trustAt.Add(8 * time.Hour)
	x.says(0, "wished for over 6 hours ago, and left to the schedule since; the plan is that of Mon 2 Mar 2026 11:00")
}

// What was recorded stays told when its author may write no more or has another
// name, and when the comment is edited; none of it makes a second.
func TestCommentsStand(t *testing.T) {
	t.Parallel()
	x := talk(t)
	x.hub.Comment(1, "fred", "/ringmaster hold office-01 until 2026-03-09 because month end")
	x.says(0, "recorded: nothing of host office-01 begins")
	x.hub.Grant("fred", "read")
	x.says(0, "recorded: nothing of host office-01 begins")
	x.hub.Grant("fred", "write")
	x.hub.Grant("frederic", "write")
	rename := func(from, to string) {
		x.hub.Change(1, func(p *githubtest.Pull) {
			for i := range p.Comments {
				if p.Comments[i].By == from {
					p.Comments[i].By = to
				}
			}
		})
	}
	rename("fred", "frederic")
	x.says(0, "`frederic`, Mon 2 Mar 2026 10:00: recorded: nothing of host office-01 begins")
	rename("frederic", "fred")
	x.hub.Change(1, func(p *githubtest.Pull) {
		i := slices.IndexFunc(p.Comments, func(c githubtest.Comment) bool { return c.By == "fred" })
		p.Comments[i].Body = strings.Replace(p.Comments[i].Body, "office-01", "office-02", 1)
		p.Comments[i].Edited = p.Comments[i].At.Add(time.Hour)
	})
	x.says(0, "- `hold host office-01`<br>`fred`, Mon 2 Mar 2026 10:00: recorded before the comment was edited, as it was then", "hold office-02 until 2026-03-09 because month end`<br>`fred`, Mon 2 Mar 2026 10:00: the comment was edited since it was written")
	if n := x.recorded(); n != 1 {
		t.Errorf("%d overrides are recorded, want one:\n%s", n, x.fetched(overridesFile))
	}
}

// What tightens changes the plan in the same run, and its page.
func TestCommentsPlanAgain(t *testing.T) {
	t.Parallel()
	x := talk(t)
	x.hub.Comment(1, "mia", "/ringmaster override risk=high because failed-before: in June\n\n/ringmaster replan\n\n/ringmaster explain office-01")
	x.at = trustAt.Add(time.Hour)
	x.says(0, "recorded: the risk of plan "+trusted+" is taken for high until it is released (failed-before)", "planned again; the plan is that of Mon 2 Mar 2026 11:00", "```text\ngeneric:osprey-agent@2.3.1 in plan "+trusted)
	if body := x.hub.Pulls()[0].Body; !strings.Contains(body, "mia says high: in June") {
		t.Errorf("the plan does not say why its risk is high:\n%s", body)
	}
	// Where nothing is left of it the pull request closes, and is answered still.
	x.hub.Comment(1, "mia", "/ringmaster hold generic:*@* until 2026-03-09 because untested: nobody tried it\n/ringmaster replan")
	x.says(0, "recorded: nothing of patch generic:\\*@&#8203;\\* begins until Mon 9 Mar 2026 00:00 (untested)", "planned again, and this pull request is closed: nothing of it can be planned now")
	if p := x.hub.Pulls()[0]; p.State != "closed" {
		t.Errorf("the pull request is %s", p.State)
	}
}

// A plan that somebody pushed to its branch may name a commit of theirs: the
// policies there are not asked.
func TestCommentsExplainTheBaseAlone(t *testing.T) {
	t.Parallel()
	w := prepared(t).at(t, opened)
	w.want(0, "pr", "comment", trusted, "/ringmaster explain office-01", "--by", "fred")
	evil, err := w.repo.Write(repo.Next{Base: w.tip(), Changes: map[string][]byte{"policies/evil/evil.rego": []byte("package ringmaster.evil\n")}, Message: "evil", Author: mallory, At: w.at})
	if err != nil {
		t.Fatal(err)
	}
	w.remade(engine.Version, func(p *plan.Plan) { p.Inputs.Commit = string(evil) })
	w.says(0, []string{"not explained: the plan names a commit that is not the protected branch's"}, "comments")
}

// A stop in a comment stops at once what is carried out, and a release of it lets it go on.
func TestCommentsStop(t *testing.T) {
	t.Parallel()
	x := talk(t)
	x.hub.Review(1, "fred", "APPROVED")
	x.env["GITHUB_TOKEN"] = "ghs_olivia"
	x.want(0, "pr", "merge", trusted)
	x.env["GITHUB_TOKEN"] = "ghs_bot"
	x.hub.Comment(1, "fred", "/ringmaster stop because the network is down")
	x.says(0, "recorded: nothing begins until it is released", "| stop everything | `fred` | the network is down | it is released |")
	x.site.says(3, []string{"stopped by fred: the network is down"}, "execute")
	x.hub.Comment(1, "fred", "/ringmaster release because the network is up")
	x.says(0, "not done: nothing that stands is about just plan "+trusted+"; what stands is stop of everything by fred")
	x.hub.Comment(1, "fred", "/ringmaster release stop because the network is up")
	x.at = trustAt.Add(time.Minute)
	x.says(0, "proposed, for it takes caution away, so that an owner other than fred must approve it: what adds caution about everything ends")
	x.site.says(3, []string{"stopped by fred: the network is down"}, "execute")
	p := x.hub.Pulls()[1]
	x.hub.Review(2, "olivia", "APPROVED")
	x.env["GITHUB_TOKEN"] = "ghs_olivia"
	x.want(0, "pr", "merge", strings.TrimPrefix(p.HeadRef, "ringmaster/"))
	x.env["GITHUB_TOKEN"] = "ghs_bot"
	x.site.says(0, []string{"applied"}, "execute")
	x.want(0, "audit", "verify")
}
