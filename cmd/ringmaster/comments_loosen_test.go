package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/forge/github/githubtest"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// A line that a pull request took out is not written again.
func TestCommentsTakenBack(t *testing.T) {
	t.Parallel()
	w := prepared(t).at(t, opened)
	w.want(0, "pr", "comment", trusted, "/ringmaster hold office-01 until 2026-03-09 because month end", "--by", "fred")
	w.says(0, []string{"recorded: nothing of host office-01 begins"}, "comments")
	w.reviewed("lift", map[string][]byte{overridesFile: nil})
	w.at = trustAt.Add(time.Hour)
	w.says(0, []string{"recorded and taken back since: nothing of host office-01 begins"}, "comments")
	if got := w.file(overridesFile); got != nil {
		t.Errorf("the override is back: %s", got)
	}
}

// Whoever may push a line that tightens may push one of a comment's evidence, and
// have it say less, or begin later: what the comment says is recorded all the same.
func TestCommentsForgedEvidence(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"says less":    `"at":"2026-03-02T09:00:00Z","by":"fred","kind":"hold","host":"office-04"`,
		"begins later": `"at":"2026-03-08T22:00:00Z","by":"fred","kind":"hold","host":"office-01"`,
	} {
		t.Run(name, func(t *testing.T) { forgedEvidence(t, line) })
	}
}

func forgedEvidence(t *testing.T, line string) {
	w := prepared(t).at(t, opened)
	const text = "/ringmaster hold office-01 until 2026-03-09 because month end"
	w.want(0, "pr", "comment", trusted, text, "--by", "fred")
	w.push("forged", map[string][]byte{overridesFile: fmt.Appendf(nil, `{"schema":"ringmaster/override/v1",%s,"until":"2026-03-08T23:00:00Z","reason":"month end","loosens":false,"evidence":"ringmaster/%s comment 1 line 1 %s"}`+"\n", line, trusted, plan.Sum([]byte(text)))})
	w.says(0, []string{"recorded: nothing of host office-01 begins"}, "comments")
	if got := string(w.file(overridesFile)); strings.Count(got, "\n") != 2 || !strings.Contains(got, `"at":"2026-03-02T09:00:00Z","by":"fred","evidence":`) {
		t.Errorf("the overrides are %s", got)
	}
}

// What takes caution away is proposed by the bot, names who asked, and cannot be
// approved by them.
func TestCommentsLoosen(t *testing.T) {
	t.Parallel()
	x := talk(t)
	x.hub.Comment(1, "olivia", "/ringmaster override risk=low until 2026-04-01 because wrong-score: it is an agent")
	x.says(0, "proposed, for it takes caution away, so that an owner other than olivia must approve it: the risk of plan "+trusted+" is taken for low until Wed 1 Apr 2026 00:00 (wrong-score) ([see]("+x.env["GITHUB_SERVER_URL"]+"/acme/estate/pull/2))")
	p := x.hub.Pulls()[1]
	if !slices.Contains(p.Labels, "override") || !strings.Contains(p.Body, "    asked for by olivia, until 2026-03-31T22:00:00Z\n    reason: wrong-score\n") {
		t.Errorf("the pull request has the labels %q and says\n%s", p.Labels, p.Body)
	}
	id := strings.TrimPrefix(p.HeadRef, "ringmaster/")
	x.at = trustAt.Add(time.Hour)
	x.says(0, "proposed, for it takes caution away")
	if n := len(x.hub.Pulls()); n != 2 {
		t.Errorf("%d pull requests, want 2", n)
	}
	x.hub.Review(2, "olivia", "APPROVED")
	x.env["GITHUB_TOKEN"] = "ghs_omar"
	if out := x.want(3, "pr", "merge", id); !strings.Contains(out, "0 of 1 by one of owners") {
		t.Errorf("who asked approved it, and the merge says %s", out)
	}
	x.hub.Review(2, "omar", "APPROVED")
	x.want(0, "pr", "merge", id)
	x.env["GITHUB_TOKEN"] = "ghs_bot"
	x.says(0, "recorded: the risk of plan "+trusted+" is taken for low")
	if data := string(x.fetched("overrides/" + id + ".jsonl")); !strings.Contains(data, fmt.Sprintf(`"plan":%q,"predicted":0.`, trusted)) || !strings.Contains(data, `"reason_type":"wrong-score"`) {
		t.Errorf("the override is %s", data)
	}
	x.want(0, "audit", "verify")

	// What the owners decline is not proposed again.
	x.hub.Comment(1, "fred", "/ringmaster override risk=low until 2026-03-30 because I say so")
	x.says(0, "proposed, for it takes caution away, so that an owner other than fred")
	last := len(x.hub.Pulls())
	x.hub.Change(last, func(p *githubtest.Pull) { p.State = "closed" })
	x.says(0, "proposed and declined: the risk of plan "+trusted)
	if p := x.hub.Pulls(); len(p) != last || p[last-1].State != "closed" {
		t.Errorf("what was declined is proposed again")
	}
}

// What was held or stopped by a comment is released by one, once an owner other than who
// asks has approved it; until then it holds, and what is said meanwhile stands.
func TestCommentsRelease(t *testing.T) {
	t.Parallel()
	x := talk(t)
	hosts := func() string { title, _, _ := strings.Cut(x.hub.Pulls()[0].Title, ", by"); return title }
	x.hub.Comment(1, "fred", "/ringmaster hold office-01 until 2026-03-20 because untested: nobody tried it")
	x.says(0, "recorded: nothing of host office-01 begins until Fri 20 Mar 2026 00:00 (untested)")
	if got := hosts(); !strings.Contains(got, "3 hosts") {
		t.Errorf("held, the plan is %q", got)
	}
	x.at = trustAt.Add(time.Minute)
	x.hub.Comment(1, "olivia", "/ringmaster release office-01 because untested: we tried it")
	x.says(0, "proposed, for it takes caution away, so that an owner other than olivia must approve it: what adds caution about host office-01 ends (untested)")
	p := x.hub.Pulls()[1]
	if !strings.Contains(p.Body, "    it ends:\n    hold of host office-01 by fred, until 2026-03-19T23:00:00Z: nobody tried it\n") {
		t.Errorf("the pull request says\n%s", p.Body)
	}
	// Somebody else holds it too, in the minute of the release; that stands.
	x.hub.Comment(1, "mia", "/ringmaster hold office-01 until 2026-03-09 because month end")
	x.says(0, "recorded: nothing of host office-01 begins until Mon 9 Mar 2026 00:00")
	id := strings.TrimPrefix(p.HeadRef, "ringmaster/")
	x.hub.Review(2, "olivia", "APPROVED")
	x.env["GITHUB_TOKEN"] = "ghs_omar"
	x.site.says(3, []string{"0 of 1 by one of owners"}, "pr", "merge", id)
	x.hub.Review(2, "omar", "APPROVED")
	x.want(0, "pr", "merge", id)
	x.env["GITHUB_TOKEN"] = "ghs_bot"
	x.at = trustAt.Add(time.Hour)
	x.hub.Comment(1, "fred", "/ringmaster replan")
	x.says(0, "recorded and released since: nothing of host office-01 begins until Fri 20 Mar", "recorded: what adds caution about host office-01 ends (untested)", "recorded: nothing of host office-01 begins until Mon 9 Mar 2026 00:00")
	if got := hosts(); !strings.Contains(got, "3 hosts") {
		t.Errorf("held by mia, the plan is %q", got)
	}
	if data := string(x.fetched("overrides/" + id + ".jsonl")); strings.Count(data, "\n") != 1 || !strings.Contains(data, `"kind":"release","loosens":true`) || !strings.Contains(data, `"account":"`) {
		t.Errorf("the release is %s", data)
	}
	x.hub.Comment(1, "fred", "/ringmaster release office-01 because mia agrees")
	x.says(0, "proposed, for it takes caution away, so that an owner other than fred")
	id = strings.TrimPrefix(x.hub.Pulls()[2].HeadRef, "ringmaster/")
	x.hub.Review(3, "omar", "APPROVED")
	x.env["GITHUB_TOKEN"] = "ghs_olivia"
	x.want(0, "pr", "merge", id)
	x.env["GITHUB_TOKEN"] = "ghs_bot"
	x.at = trustAt.Add(2 * time.Hour)
	x.hub.Comment(1, "fred", "/ringmaster replan")
	x.want(0, "comments")
	if got := hosts(); !strings.Contains(got, "4 hosts") {
		t.Errorf("released, the plan is %q", got)
	}
	x.want(0, "audit", "verify")
}

// A release that found nothing to end does not end what is said a day later.
func TestCommentsReleaseOfLater(t *testing.T) {
	t.Parallel()
	x := talk(t)
	x.hub.Comment(1, "olivia", "/ringmaster release office-01 because just in case")
	x.says(0, "not done: nothing is held, excluded, stopped or taken for riskier")
	x.at = trustAt.AddDate(0, 0, 1)
	x.want(0, "override", "hold", "--host", "office-01", "--by", "fred", "--reason", "month end", "--until", "2026-03-09")
	x.says(0, "not done: nothing is held, excluded, stopped or taken for riskier")
	if n := len(x.hub.Pulls()); n != 1 {
		t.Errorf("%d pull requests, want the plan's alone", n)
	}
}
