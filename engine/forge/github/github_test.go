package github_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/forge/forgetest"
	"github.com/ringmaster-dev/ringmaster/engine/forge/github"
	"github.com/ringmaster-dev/ringmaster/engine/forge/github/githubtest"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

const (
	secret = "ghs_tokenOfTheBot"
	bot    = "ringmaster[bot]"
)

// world is a GitHub with a repository, and a clone of it whose forge waits
// without waiting.
type world struct {
	server *githubtest.Server
	url    string
	hub    *githubtest.Repository
	clone  *repo.Repo
	base   repo.Hash
	forge  *github.Forge
	branch string
	cases  int
	tip    repo.Hash // of main, before a case

	mu    sync.Mutex
	now   time.Time
	waits []time.Duration
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) wait(ctx context.Context, d time.Duration) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
	w.waits = append(w.waits, d)
	return ctx.Err() == nil
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{now: start, branch: "ringmaster/high-main-1"}
	w.server = githubtest.New(t.TempDir(), w.clock)
	w.server.PageSize = 2
	w.server.Team("acme", "team-payments", map[string]string{"alice": "active", "pat": "pending"})
	w.server.Token(secret, bot)
	w.server.Token("t-carol", "carol")
	var err error
	if w.hub, err = w.server.Create("acme", "estate"); err != nil {
		t.Fatal(err)
	}
	for login, may := range map[string]string{bot: "write", "alice": "write", "bob": "write", "carol": "admin", "rita": "read"} {
		w.hub.Grant(login, may)
	}
	srv := httptest.NewServer(w.server)
	t.Cleanup(srv.Close)
	w.url = srv.URL
	t.Cleanup(func() {
		if list := w.server.Strange(); len(list) > 0 {
			t.Errorf("GitHub does not describe this:\n%s", strings.Join(list, "\n"))
		}
	})
	w.clone = clone(t)
	w.forge = w.open(t, secret)
	w.base, err = w.clone.Advance("refs/heads/main", next("", "begin", map[string][]byte{"README.md": []byte("an estate\n")}))
	if err == nil {
		err = w.clone.Push(t.Context(), w.forge.Remote(), "refs/heads/main", "", w.base)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.tip = w.base
	w.server.Seen()
	return w
}

func clone(t *testing.T) *repo.Repo {
	t.Helper()
	r, err := repo.Init(filepath.Join(t.TempDir(), "clone"), "main")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func (w *world) open(t *testing.T, token string) *github.Forge {
	t.Helper()
	return w.openIn(t, token, w.clone)
}

func (w *world) openIn(t *testing.T, token string, r *repo.Repo) *github.Forge {
	t.Helper()
	f, err := github.New(github.Options{Token: token, Repository: "acme/estate", API: w.url + githubtest.API, Server: w.url, Repo: r, Wait: w.wait, Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func next(base repo.Hash, message string, changes map[string][]byte) repo.Next {
	return repo.Next{Base: base, Message: message, At: start, Author: repo.Person{Name: "ringmaster", Email: "ringmaster@localhost"}, Changes: changes}
}

// commit writes a plan that is not anywhere yet.
func (w *world) commit(t *testing.T, text string) string {
	t.Helper()
	h, err := w.clone.Write(next(w.base, "plan "+text, map[string][]byte{w.path(): []byte(text + "\n")}))
	if err != nil {
		t.Fatal(err)
	}
	return string(h)
}

func (w *world) path() string {
	return "plans/" + strings.TrimPrefix(w.branch, "ringmaster/") + "/plan.json"
}

func (w *world) proposal(commit string) forge.Proposal {
	return forge.Proposal{Branch: w.branch, Commit: commit, Title: "A plan", Body: "What and why.", Labels: []string{"plan", "high"}, Author: "ringmaster", At: start}
}

func (w *world) propose(t *testing.T, commit string) forge.PullRequest {
	t.Helper()
	pr, err := w.forge.Propose(t.Context(), w.proposal(commit))
	if err != nil {
		t.Fatal(err)
	}
	return pr
}

func (w *world) find(t *testing.T) forge.PullRequest {
	t.Helper()
	pr, err := w.forge.Find(t.Context(), w.branch)
	if err != nil {
		t.Fatal(err)
	}
	return pr
}

func TestForge(t *testing.T) {
	forgetest.Test(t, func(t *testing.T) forgetest.Fixture {
		w := newWorld(t)
		if strings.HasSuffix(t.Name(), "merges_by_itself") {
			w.hub.Require(1)
		}
		return forgetest.Fixture{Forge: w.forge, Repo: w.clone, Base: w.base, At: start, Approve: func(branch, by string) error {
			for _, p := range w.hub.Pulls() {
				if p.HeadRef == branch && p.State == "open" {
					w.hub.Review(p.Number, by, "APPROVED")
					return nil
				}
			}
			return fmt.Errorf("%s is not open", branch)
		}, Comment: func(branch, by, body string) error {
			w.hub.Comment(1, by, body)
			return nil
		}, Said: func(branch string) []string {
			var said []string
			for _, c := range w.hub.Pulls()[0].Comments {
				if _, text, ok := strings.Cut(c.Body, "-->\n"); ok && c.By == bot {
					said = append(said, text)
				}
			}
			return said
		}}
	})
}

func TestDoingItTwiceSendsNothing(t *testing.T) {
	w := newWorld(t)
	c := w.commit(t, "one")
	w.propose(t, c)
	w.server.Seen()
	w.propose(t, c)
	for _, r := range w.server.Seen() {
		if r[:4] != "GET " {
			t.Errorf("the second time it sent %s", r)
		}
	}
}

func TestOnlyWhatDiffersIsChanged(t *testing.T) {
	w := newWorld(t)
	c := w.commit(t, "one")
	w.propose(t, c)
	w.hub.Change(1, func(p *githubtest.Pull) { p.Labels, p.Body = append(p.Labels, "mine"), "Somebody's edit." })
	pr := w.propose(t, c)
	if pr.Body != "What and why." || fmt.Sprint(pr.Labels) != "[plan high mine]" {
		t.Errorf("Propose() = %q, %v", pr.Body, pr.Labels)
	}
	w.hub.Change(1, func(p *githubtest.Pull) { p.Body = "What and\r\nwhy." })
	n := w.proposal(c)
	n.Body = "What and\nwhy."
	w.server.Seen()
	if _, err := w.forge.Propose(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	for _, r := range w.server.Seen() {
		if r[:4] != "GET " {
			t.Errorf("for carriage returns it sent %s", r)
		}
	}
}

func TestBaseAndNow(t *testing.T) {
	w := newWorld(t)
	for range 2 { // the second time from the cache, with a new date
		if at, err := w.forge.Now(t.Context()); err != nil || !at.Equal(w.clock()) {
			t.Errorf("Now() = %v, %v, want %v", at, err, w.clock())
		}
		w.wait(t.Context(), time.Hour)
	}
	if base, err := w.forge.Base(t.Context()); err != nil || base != "main" {
		t.Errorf("Base() = %q, %v", base, err)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, o := range []github.Options{
		{Token: "t", Repository: "acme"},
		{Token: "t", Repository: "acme/../x"},
		{Repository: "acme/estate"},
		{Token: "t", Repository: "acme/estate", API: "ftp://x"},
		{Token: "t", Repository: "acme/estate", Server: "https://me:hidden@github.com"},
	} {
		if _, err := github.New(o); err == nil {
			t.Errorf("New(%+v) took it", o)
		}
	}
}
