package main

import (
	"bytes"
	"strings"
	"testing"
)

// A person's no at GitHub is not overruled each night, in a clone that is new each
// time; what is new opens the plan's pull request again and says why, and so does
// a person who has changed their mind.
func TestPlanThatAPersonClosed(t *testing.T) {
	t.Parallel()
	w, server, hub := hubbed(t)
	w.want(0, "plan", "--open")
	hub.Close(1, "fred")
	anew := func() { // as a workflow's clone is
		t.Helper()
		if err := w.repo.CompareAndSwap("refs/heads/ringmaster/"+trusted, w.branch(), ""); err != nil {
			t.Fatal(err)
		}
	}
	anew()
	server.Seen()
	for day := range 3 {
		w.at = trustAt.AddDate(0, 0, day)
		w.says(3, []string{trusted, "declined: fred closed its pull request, and it brings nothing new; `ringmaster pr reopen " + trusted + "` opens it again"}, "plan", "--open")
	}
	for _, s := range server.Seen() {
		if !strings.HasPrefix(s, "GET ") && !strings.Contains(s, "/graphql") && !strings.Contains(s, "git-upload-pack") {
			t.Errorf("a plan that was declined sends %q", s)
		}
	}
	w.want(0, "status", "--pin")
	if body := hub.Issues()[0].Body; !strings.Contains(body, "fred closed its pull request") || !strings.Contains(body, "| ["+trusted+"]("+w.env["GITHUB_SERVER_URL"]+"/acme/estate/pull/1) |") {
		t.Errorf("the page does not say that it was declined:\n%s", body)
	}

	w.env["GITHUB_TOKEN"] = "ghs_olivia"
	w.want(0, "pr", "reopen", trusted)
	w.env["GITHUB_TOKEN"] = "ghs_bot"
	w.want(0, "plan", "--open")
	if p := hub.Pulls()[0]; p.State != "open" {
		t.Fatalf("opened again by a person, it is %s", p.State)
	}

	hub.Close(1, "fred")
	anew()
	w.pushed("a host", map[string][]byte{"inventory/facts/hosts.jsonl": joined(w.file("inventory/facts/hosts.jsonl"))})
	w.says(0, []string{"opened: ", "fred closed its pull request, and new since is ", "office-09"}, "plan", "--open")
	open := hub.Pulls()[len(hub.Pulls())-1]
	if open.State != "open" || !strings.Contains(open.Body, "## Since the last version\n\n- fred closed its pull request, and new since is ") || !strings.Contains(open.Body, "hosts that were not in it: ") {
		t.Errorf("with something new, the last of %d pull requests is %s and says\n%s", len(hub.Pulls()), open.State, open.Body)
	}
}

// What ringmaster closed by itself it opens by itself.
func TestPlanThatRingmasterClosed(t *testing.T) {
	t.Parallel()
	w, _, hub := hubbed(t)
	w.want(0, "plan", "--open")
	facts := w.file("inventory/facts/hosts.jsonl")
	w.pushed("nobody", map[string][]byte{"inventory/facts/hosts.jsonl": nil})
	w.says(0, []string{trusted, "closed: "}, "plan", "--open")
	if p := hub.Pulls()[0]; p.State != "closed" || p.ClosedBy != "bot" {
		t.Fatalf("it is %s, closed by %q", p.State, p.ClosedBy)
	}
	w.pushed("somebody", map[string][]byte{"inventory/facts/hosts.jsonl": facts})
	w.says(0, []string{trusted, "pull request opened"}, "plan", "--open")
}

// A branch that somebody deleted when they closed its pull request changes
// nothing of their no, and what is new opens another.
func TestPlanWhoseBranchWasDeleted(t *testing.T) {
	t.Parallel()
	w, _, hub := hubbed(t)
	w.want(0, "plan", "--open")
	hub.Close(1, "fred")
	ref := "refs/heads/ringmaster/" + trusted
	head, err := hub.Git().Ref(ref)
	if err == nil {
		err = hub.Git().CompareAndSwap(ref, head, "")
	}
	if err == nil {
		err = w.repo.CompareAndSwap(ref, head, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	w.says(3, []string{"declined: fred closed"}, "plan", "--open")
	w.asOlivia(1, []string{"GitHub does not open pull request #1 again: its branch was deleted"}, "pr", "reopen", trusted)
	w.pushed("facts", map[string][]byte{"inventory/facts/hosts.jsonl": joined(w.file("inventory/facts/hosts.jsonl"))})
	w.says(0, []string{"opened: ", "/acme/estate/pull/2", "fred closed its pull request, and new since is "}, "plan", "--open")
}

// joined are facts with one host more, office-09, which is as office-01.
func joined(facts []byte) []byte {
	for line := range bytes.Lines(facts) {
		if bytes.Contains(line, []byte(`"office-01"`)) {
			return append(facts, bytes.ReplaceAll(line, []byte(`"office-01"`), []byte(`"office-09"`))...)
		}
	}
	return facts
}
