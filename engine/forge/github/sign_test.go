package github_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/forge/github"
	"github.com/ringmaster-dev/ringmaster/engine/forge/github/githubtest"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// branches are those of the repository at GitHub.
func (w *world) branches(t *testing.T) []string {
	t.Helper()
	refs, err := w.hub.Git().Refs("refs/heads/")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range refs {
		out = append(out, strings.TrimPrefix(r.Name, "refs/heads/"))
	}
	return out
}

func (w *world) sign(t *testing.T, branch, commit string) string {
	t.Helper()
	h, err := w.forge.Sign(t.Context(), branch, commit)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestSign: what GitHub makes has the same parent, files and message, and is
// merged where an unsigned one is not. Doing it twice does it once.
func TestSign(t *testing.T) {
	w := newWorld(t)
	w.hub.RequireSigned(true)
	c := w.commit(t, "one")
	w.propose(t, c)
	if _, err := w.forge.Merge(t.Context(), w.branch, c, "", start); err == nil || !strings.Contains(err.Error(), "verified signatures") {
		t.Errorf("Merge() of an unsigned commit = %v", err)
	}
	h := w.sign(t, w.branch, c)
	got, err := w.clone.Commit(repo.Hash(h))
	if err != nil {
		t.Fatal(err)
	}
	want, err := w.clone.Commit(repo.Hash(c))
	if err != nil {
		t.Fatal(err)
	}
	if h == c || !w.hub.Signed(h) || got.Tree != want.Tree || !slices.Equal(got.Parents, want.Parents) || strings.TrimSpace(got.Message) != strings.TrimSpace(want.Message) {
		t.Errorf("Sign() = %+v, want what GitHub signed of %+v", got, want)
	}
	if got := w.branches(t); !slices.Equal(got, []string{"main", w.branch}) {
		t.Errorf("the branches are %q", got)
	}
	w.propose(t, h)
	w.server.Seen()
	for _, again := range []string{c, h} {
		if got := w.sign(t, w.branch, again); got != h {
			t.Errorf("Sign(%.10s) once more = %.10s, want %.10s", again, got, h)
		}
	}
	for _, r := range w.server.Seen() {
		if strings.Contains(r, "graphql") || strings.HasPrefix(r, "POST") && strings.HasSuffix(r, "/git-receive-pack") {
			t.Errorf("the second time it sent %s", r)
		}
	}
	if pr, err := w.forge.Merge(t.Context(), w.branch, h, "", start); err != nil || pr.State != "merged" {
		t.Errorf("Merge() = %+v, %v", pr, err)
	}
}

// TestSignForMain is how ledgers come to main: another commit is refused.
func TestSignForMain(t *testing.T) {
	w := newWorld(t)
	w.hub.RequireSigned(true)
	c, err := w.clone.Write(next(w.base, "outcomes\n\nrun 7", map[string][]byte{"outcomes/a.jsonl": []byte("{}\n"), "README.md": nil}))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.clone.Push(t.Context(), w.forge.Remote(), "refs/heads/main", w.base, c); err == nil || w.main(t) != w.base {
		t.Errorf("a push of an unsigned commit = %v", err)
	}
	h := repo.Hash(w.sign(t, "main", string(c)))
	if err := w.clone.Push(t.Context(), w.forge.Remote(), "refs/heads/main", w.base, h); err != nil {
		t.Fatal(err)
	}
	if got := w.branches(t); !slices.Equal(got, []string{"main"}) || w.main(t) != h {
		t.Errorf("the branches are %q, main is at %s", got, w.main(t))
	}
}

// TestSignWhereItIsSaid: the older protection of branches does not tell.
func TestSignWhereItIsSaid(t *testing.T) {
	w := newWorld(t)
	w.hub.RequireSigned(false)
	c := w.commit(t, "one")
	if h := w.sign(t, w.branch, c); h != c {
		t.Errorf("Sign() = %s although nothing tells that it must", h)
	}
	f, err := github.New(github.Options{Token: secret, Repository: "acme/estate", API: w.url + githubtest.API, Server: w.url, Repo: w.clone, Signed: true})
	if err != nil {
		t.Fatal(err)
	}
	if h, err := f.Sign(t.Context(), w.branch, c); err != nil || !w.hub.Signed(h) {
		t.Errorf("Sign() = %s, %v, want a signed one", h, err)
	}
}

func TestSignRefuses(t *testing.T) {
	w := newWorld(t)
	w.hub.RequireSigned(true)
	n := next(w.base, "a program", map[string][]byte{"run": []byte("#!/bin/sh\n")})
	n.Executable = map[string]bool{"run": true}
	program, err := w.clone.Write(n)
	if err != nil {
		t.Fatal(err)
	}
	merge, err := w.clone.Merge(repo.Hash(w.commit(t, "one")), program, next("", "merged", nil))
	if err != nil {
		t.Fatal(err)
	}
	for commit, want := range map[repo.Hash]string{program: "run is not a plain file", merge: "it has 2 parents"} {
		if _, err := w.forge.Sign(t.Context(), w.branch, string(commit)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Sign() = %v, want %q", err, want)
		}
	}
	w.hub.Alter = func(changes map[string][]byte) { changes["more"] = []byte("x") }
	if _, err := w.forge.Sign(t.Context(), w.branch, w.commit(t, "one")); err == nil || !strings.Contains(err.Error(), "holds other files") {
		t.Errorf("Sign() of what GitHub alters = %v", err)
	}
	w.hub.Alter = nil
	if h := w.sign(t, w.branch, w.commit(t, "one")); !w.hub.Signed(h) {
		t.Error("it is not signed")
	}
}

// TestSignAgainstAnother: another run moves the place of signing in between. The
// loser is told, and takes nothing of it.
func TestSignAgainstAnother(t *testing.T) {
	w := newWorld(t)
	w.hub.RequireSigned(true)
	w.server.Fail(githubtest.Fault{Match: func(r *http.Request) bool { return r.URL.Path == githubtest.GraphQL }, Do: func() {
		if err := w.clone.Push(t.Context(), w.forge.Remote(), "refs/heads/ringmaster-unsigned/high-main-1", w.base, repo.Hash(w.commit(t, "two"))); err != nil {
			t.Error(err)
		}
	}})
	if h, err := w.forge.Sign(t.Context(), w.branch, w.commit(t, "one")); !errors.Is(err, repo.ErrMoved) {
		t.Errorf("Sign() = %s, %v, want ErrMoved", h, err)
	}
	if h := w.sign(t, w.branch, w.commit(t, "one")); !w.hub.Signed(h) {
		t.Error("it is not signed")
	}
}
