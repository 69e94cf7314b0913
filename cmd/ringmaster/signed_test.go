package main

import (
	"slices"
	"strings"
	"testing"
)

// Where main takes signed commits alone, all that comes there is signed by
// GitHub: plans, approvals, intents and outcomes.
func TestSignedCommits(t *testing.T) {
	t.Parallel()
	w, _, hub := hubbed(t)
	hub.RequireSigned(true)
	begin := w.tip()
	w.want(0, "plan", "--open")
	p := hub.Pulls()[0]
	if !hub.Signed(p.Head) || !strings.Contains(p.Body, "/raw/"+p.Head+"/") {
		t.Errorf("the head %s is signed: %v; the page shows pictures of it: %v", p.Head, hub.Signed(p.Head), strings.Contains(p.Body, "/raw/"+p.Head+"/"))
	}
	w.want(0, "plan", "--open")
	if again := hub.Pulls(); len(again) != 1 || again[0].Head != p.Head {
		t.Errorf("planned twice, the pull requests are %+v; want the same head %s", again, p.Head)
	}
	mergeAt(w, hub)
	w.says(0, []string{"applied"}, "execute")
	tip, err := hub.Git().Ref("refs/heads/main")
	if err != nil {
		t.Fatal(err)
	}
	var ledgers []string
	for c, err := range hub.Git().FirstParents(tip) {
		if err != nil {
			t.Fatal(err)
		}
		if c.Hash == begin {
			break
		}
		if !hub.Signed(string(c.Hash)) {
			t.Errorf("%.10s is not signed: %s", c.Hash, c.Message)
		}
		changed, err := hub.Git().Changed(c.Hash)
		if err != nil {
			t.Fatal(err)
		}
		ledgers = append(ledgers, changed...)
	}
	for _, want := range []string{"approvals/" + trusted + ".jsonl", "outcomes/" + trusted + ".jsonl"} {
		if !slices.Contains(ledgers, want) {
			t.Errorf("main has %q since, want %s among them", ledgers, want)
		}
	}
	refs, err := hub.Git().Refs("refs/heads/ringmaster-unsigned/")
	if err != nil || len(refs) > 0 {
		t.Errorf("branches of signing are left: %v, %v", refs, err)
	}
	w.want(0, "audit", "verify")
}
