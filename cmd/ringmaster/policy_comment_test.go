package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// A pull request that touches policies gets what they would have changed as one
// comment, made where there is no token and said where there is one.
func TestReplayComment(t *testing.T) {
	t.Parallel()
	w, server, hub := hubbed(t)
	mergeAt(w, hub)
	if _, err := w.repo.Fetch(t.Context(), repo.Remote{URL: w.env["GITHUB_SERVER_URL"] + "/acme/estate", Token: "ghs_bot"}, "main"); err != nil {
		t.Fatal(err)
	}
	if err := w.repo.CompareAndSwap("refs/heads/main", w.tip(), repo.Hash(hub.Pulls()[0].Merge)); err != nil {
		t.Fatal(err)
	}
	saved := filepath.Join(t.TempDir(), "policies.json")
	brings := func(rule string) string {
		h, err := w.repo.Write(repo.Next{Base: w.tip(), Changes: map[string][]byte{"policies/rack/rack.rego": []byte(rule)}, Message: "racks", Author: mallory, At: w.at})
		if err != nil {
			t.Fatal(err)
		}
		old := repo.Hash("")
		for _, p := range hub.Pulls() {
			if p.HeadRef == "racks" {
				old = repo.Hash(p.Head)
			}
		}
		if err := w.repo.Push(t.Context(), repo.Remote{URL: w.env["GITHUB_SERVER_URL"] + "/acme/estate", Token: "ghs_bot"}, "refs/heads/racks", old, h); err != nil {
			t.Fatal(err)
		}
		if old == "" {
			if _, err := hub.Open(hub, "racks", "mallory", "racks"); err != nil {
				t.Fatal(err)
			}
		}
		w.inCI(server, hub, w.onMain(h))
		w.write("policies/rack/rack.rego", rule, 0o644)
		token := w.env["GITHUB_TOKEN"]
		w.env["GITHUB_TOKEN"] = ""
		w.want(0, "policy", "replay", "--against", "HEAD^1", "--save", saved)
		w.env["GITHUB_TOKEN"] = token
		return string(h)
	}
	rule := "package ringmaster.rack\n\nhold contains {\"msg\": \"ask `@everybody` <b>\", \"remedy\": \"r\"} if input.patch.package == \"osprey-agent\"\n"
	h := brings(rule)
	said := func() string {
		t.Helper()
		for range 2 {
			w.says(0, []string{"said on racks"}, "policy", "comment", saved)
		}
		for _, p := range hub.Pulls() {
			if p.HeadRef == "racks" {
				if len(p.Comments) != 1 {
					t.Fatalf("there are %d comments", len(p.Comments))
				}
				return p.Comments[0].Body
			}
		}
		t.Fatal("there is no such pull request")
		return ""
	}
	text := said()
	for _, want := range []string{"## Replay: what these would have changed", "As of commit `" + h + "`", "| would have been stopped | ", "| `rack.hold` | ", "`ask '@everybody' <b>`"} {
		if !strings.Contains(text, want) {
			t.Errorf("the comment lacks %q:\n%s", want, text)
		}
	}
	h = brings(strings.Replace(rule, "osprey-agent", "osprey-other", 1))
	if text := said(); !strings.Contains(text, "nothing flips") || !strings.Contains(text, h) {
		t.Errorf("edited, the comment is:\n%s", text)
	}

	// What is no report is not said, and what nobody proposed has nowhere to be said.
	if err := os.WriteFile(saved, []byte("## Approved by security\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	w.says(1, []string{"it is no report"}, "policy", "comment", saved)
	if err := os.WriteFile(saved, []byte(`{"schema":"ringmaster/replay/v1","candidate":"Approved by @security","plans":1}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if text := said(); !strings.Contains(text, "`Approved by @security`") {
		t.Errorf("what was made up is said as\n%s", text)
	}
	w.write(".git/HEAD", string(w.tip())+"\n", 0o644)
	w.says(0, []string{"no pull request of this repository has HEAD under review"}, "policy", "comment", saved)

	// A fork's gets none.
	fork, err := hub.Fork("mallory", "estate")
	if err != nil {
		t.Fatal(err)
	}
	far, err := w.repo.Write(repo.Next{Base: w.tip(), Changes: map[string][]byte{"policies/rack/rack.rego": []byte(rule)}, Message: "from afar", Author: mallory, At: w.at})
	if err != nil {
		t.Fatal(err)
	}
	server.Token("ghs_mallory", "mallory")
	fork.Grant("mallory", "admin")
	if err := w.repo.Push(t.Context(), repo.Remote{URL: w.env["GITHUB_SERVER_URL"] + "/mallory/estate", Token: "ghs_mallory"}, "refs/heads/racks2", "", far); err != nil {
		t.Fatal(err)
	}
	if _, err := hub.Open(fork, "racks2", "mallory", "racks"); err != nil {
		t.Fatal(err)
	}
	w.inCI(server, hub, w.onMain(far))
	w.says(0, []string{"no pull request of this repository"}, "policy", "comment", saved)
}
