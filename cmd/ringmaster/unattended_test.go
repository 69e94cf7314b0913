package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// A plan that policy asks nobody about is merged by GitHub itself, when its own
// requirements are met, once the estate has half a year of outcomes of its own;
// before that never, whatever its policies say.
func TestGitHubMergesByItself(t *testing.T) {
	t.Parallel()
	w, _, hub := hubbed(t)
	hub.Require(0, "ringmaster: plan")
	w.pushed("policies that ask nobody", map[string][]byte{"policies/approvals/data.json": w.replaced("policies/approvals/data.json", `"supervised_months": 6`, `"supervised_months": 0`)})
	w.says(0, []string{"a person merges it: the estate's own history is 0.0 months, and nothing goes unattended before 6"}, "plan", "--open")
	if p := hub.Pulls()[0]; p.AutoMerge != "" || p.State != "open" || !strings.Contains(p.Body, "nobody") {
		t.Errorf("in its first month GitHub is to merge by itself: %q, and the pull request is %s", p.AutoMerge, p.State)
	}
}

// Merging by itself takes its months, and then the checks that GitHub requires.
func TestGitHubMergesByItselfAfterItsMonths(t *testing.T) {
	t.Parallel()
	w, server, hub := hubbed(t)
	mergeAt(w, hub)
	for day := 0; !strings.Contains(string(w.fetched("outcomes/"+trusted+".jsonl")), `"completed"`); day++ {
		w.at = trustAt.AddDate(0, 0, day)
		w.want(0, "execute")
	}
	w.at = trustAt.AddDate(0, 7, 0)
	files := map[string][]byte{"inventory/patches/next.jsonl": []byte(strings.NewReplacer("OSP-88", "OSP-99", "2.3.1", "2.3.2", "2.3.0", "2.3.1", "2026-02-18", "2026-09-18", "10088", "10099").Replace(string(w.shared("osprey.jsonl"))))}
	for i := range 4 {
		host := fmt.Sprintf("office-0%d", i+1)
		files["inventory/facts/"+host+".jsonl"] = w.factsOf(host, "2.3.1")
	}
	w.pushed("half a year later", files)
	hub.Require(0, "ringmaster: plan")
	w.want(0, "plan", "--open")
	p := hub.Pulls()[1]
	if p.AutoMerge != "bot" || p.State != "open" {
		t.Fatalf("GitHub is to merge #2 by itself for %q, and it is %s; want for the bot, and open until it is checked\n%s", p.AutoMerge, p.State, p.Body[:800])
	}
	w.inCI(server, hub, repo.Hash(p.Head))
	w.want(0, "check", "--verdict")
	if p = hub.Pulls()[1]; !p.Merged {
		t.Fatalf("checked, #2 is %s", p.State)
	}
	w.write(".git/HEAD", "ref: refs/heads/main\n", 0o644)
	w.env["GITHUB_TOKEN"] = "ghs_bot"
	w.says(0, []string{"applied     canary/1"}, "execute")
}
