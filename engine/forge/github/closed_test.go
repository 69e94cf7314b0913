package github_test

import (
	"strings"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/forge/github"
	"github.com/ringmaster-dev/ringmaster/engine/forge/github/githubtest"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// TestWhoClosed: a person is told from ringmaster and from other programs, also
// where ringmaster works with that person's token.
func TestWhoClosed(t *testing.T) {
	w := newWorld(t)
	w.propose(t, w.commit(t, "one"))
	closed := func(f *github.Forge) string {
		t.Helper()
		pr, err := f.Find(t.Context(), w.branch)
		if err != nil || pr.State != "closed" {
			t.Fatalf("Find() = %+v, %v", pr, err)
		}
		return pr.ClosedBy
	}
	carols := w.open(t, "t-carol")
	for who, want := range map[string]string{"bob": "bob", "stale[bot]": "", bot: "", "carol": "carol", "": ""} {
		w.hub.Close(1, who)
		for name, f := range map[string]*github.Forge{"its own": w.forge, "carol's": carols} {
			if got := closed(f); got != want {
				t.Errorf("closed by %q, with %s token ClosedBy is %q, want %q", who, name, got, want)
			}
		}
	}
	w.hub.Change(1, func(p *githubtest.Pull) { p.State = "open" })
	if err := carols.Close(t.Context(), w.branch, "", "superseded"); err != nil {
		t.Fatal(err)
	}
	if got := closed(carols); got != "" {
		t.Errorf("closed by ringmaster with carol's token, ClosedBy is %q", got)
	}
	if got := closed(w.forge); got != "carol" {
		t.Errorf("closed with carol's token, ClosedBy is %q to the App", got)
	}
}

// TestReopenWhatGitHubDoesNot: of a branch that was deleted or rewritten.
func TestReopenWhatGitHubDoesNot(t *testing.T) {
	w := newWorld(t)
	first := w.commit(t, "one")
	w.propose(t, first)
	w.hub.Close(1, "bob")
	if err := w.clone.Push(t.Context(), w.forge.Remote(), "refs/heads/"+w.branch, repo.Hash(first), repo.Hash(w.commit(t, "rewritten"))); err != nil {
		t.Fatal(err)
	}
	if err := w.forge.Reopen(t.Context(), w.branch, "", start); err == nil || !strings.Contains(err.Error(), "GitHub does not open pull request #1 again: its branch was deleted") {
		t.Errorf("Reopen() = %v", err)
	}
}
