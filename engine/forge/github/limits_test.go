package github_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/forge/github"
	"github.com/ringmaster-dev/ringmaster/engine/forge/github/githubtest"
)

func TestLimitsAreWaitedFor(t *testing.T) {
	for _, test := range []struct {
		name string
		kind githubtest.Kind
		n    int
		want []time.Duration
	}{
		{"secondary", githubtest.Secondary, 1, []time.Duration{7 * time.Second}},
		{"secondary, again", githubtest.Secondary, 3, []time.Duration{7 * time.Second, 7 * time.Second, 7 * time.Second}},
		{"secondary without a time", githubtest.SecondaryBare, 1, []time.Duration{time.Minute}},
		{"429", githubtest.TooMany, 1, []time.Duration{7 * time.Second}},
		{"primary", githubtest.Primary, 1, []time.Duration{41 * time.Second}},
		{"server errors", githubtest.ServerError, 2, []time.Duration{time.Second, 2 * time.Second}},
	} {
		w := newWorld(t)
		w.server.Fail(githubtest.Fault{Kind: test.kind, Times: test.n})
		if _, err := w.forge.Base(t.Context()); err != nil || fmt.Sprint(w.waits) != fmt.Sprint(test.want) {
			t.Errorf("%s: Base() = %v after waiting %v, want %v", test.name, err, w.waits, test.want)
		}
	}
}

func TestLimitTooFarAway(t *testing.T) {
	w := newWorld(t)
	w.server.Budget(0, time.Hour)
	_, err := w.forge.Base(t.Context())
	var limit *github.LimitError
	if !errors.As(err, &limit) || limit.Kind != "primary" || !limit.Until.Equal(start.Add(time.Hour+time.Second)) || !strings.Contains(err.Error(), "2026-03-02T10:00:01Z") {
		t.Errorf("Base() = %v, want a limit until 10:00:01", err)
	}
	if len(w.waits) > 0 {
		t.Errorf("it waited %v for what is too far away", w.waits)
	}
	w.server.Seen()
	if _, err := w.forge.Base(t.Context()); !errors.As(err, &limit) || len(w.server.Seen()) > 0 {
		t.Errorf("Base() = %v; it asked although nothing is left", err)
	}
	w.wait(t.Context(), time.Hour+time.Second)
	if _, err := w.forge.Base(t.Context()); err == nil {
		t.Error("the budget is none; expected another refusal")
	}
}

func TestWaitsAddUpToTheBound(t *testing.T) {
	w := newWorld(t)
	w.server.Fail(githubtest.Fault{Kind: githubtest.SecondaryBare, Times: 100})
	_, err := w.forge.Base(t.Context())
	var limit *github.LimitError
	if !errors.As(err, &limit) || limit.Kind != "secondary" || len(w.waits) != 5 {
		t.Errorf("Base() = %v after %d waits, want a secondary limit after 5", err, len(w.waits))
	}
}

// TestBudget runs out in the middle, and the run goes on when it is refilled.
func TestBudget(t *testing.T) {
	w := newWorld(t)
	w.server.Budget(3, time.Minute)
	w.propose(t, w.commit(t, "one"))
	if p := one(t, w); p.State != "open" || len(p.Labels) != 2 {
		t.Errorf("it is %+v", p)
	}
	if len(w.waits) == 0 {
		t.Error("it waited for nothing")
	}
	for _, d := range w.waits {
		if d > time.Minute+time.Second {
			t.Errorf("it waited %v, longer than the limit lasts", d)
		}
	}
}

// TestLimitOfGraphQL is told with status 200, and is not REST's.
func TestLimitOfGraphQL(t *testing.T) {
	w := newWorld(t)
	w.propose(t, w.commit(t, "one"))
	graphql := func(r *http.Request) bool { return r.URL.Path == githubtest.GraphQL }
	w.server.Fail(githubtest.Fault{Kind: githubtest.Primary, Match: graphql})
	if err := w.forge.Say(t.Context(), w.branch, "outcome", "Nothing is done yet."); err != nil || fmt.Sprint(w.waits) != "[41s]" {
		t.Errorf("Say() = %v after waiting %v, want 41s", err, w.waits)
	}
	f, err := github.New(github.Options{Token: secret, Repository: "acme/estate", API: w.url + githubtest.API, Server: w.url, Repo: w.clone, Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	w.server.Fail(githubtest.Fault{Kind: githubtest.Primary, Match: graphql})
	var limit *github.LimitError
	if err := f.Say(t.Context(), w.branch, "outcome", "1 of 3 done."); !errors.As(err, &limit) || limit.Kind != "primary" {
		t.Errorf("Say() = %v, want a limit", err)
	}
	w.server.Seen()
	if err := f.Say(t.Context(), w.branch, "outcome", "1 of 3 done."); !errors.As(err, &limit) || slices.ContainsFunc(w.server.Seen(), func(r string) bool { return strings.Contains(r, "graphql") }) {
		t.Errorf("Say() = %v; GraphQL was asked although nothing is left", err)
	}
	if _, err := f.Find(t.Context(), w.branch); err != nil {
		t.Errorf("Find() = %v; REST has a limit of its own", err)
	}
}

// TestNotModifiedCostsNothing asks again and again on a budget of a few.
func TestNotModifiedCostsNothing(t *testing.T) {
	w := newWorld(t)
	w.propose(t, w.commit(t, "one"))
	w.find(t)
	w.server.Budget(1, time.Hour)
	for range 5 {
		w.find(t)
	}
	if len(w.waits) > 0 {
		t.Errorf("it waited %v", w.waits)
	}
	w.server.Budget(100, time.Hour)
	w.hub.Review(1, "alice", "APPROVED")
	if pr := w.find(t); len(pr.Approvals) != 1 {
		t.Errorf("Approvals = %+v, want the new one", pr.Approvals)
	}
}

// TestTalkThatIsUnchangedCostsNothing: what is said, put and shown again is
// compared with answers that have not changed.
func TestTalkThatIsUnchangedCostsNothing(t *testing.T) {
	w := newWorld(t)
	w.propose(t, w.commit(t, "one"))
	w.hub.Comment(1, "alice", "/ringmaster help")
	talk := func() {
		t.Helper()
		_, err := w.forge.Comments(t.Context(), w.branch)
		_, asked := w.forge.Permission(t.Context(), "alice")
		if err := errors.Join(err, asked,
			w.forge.Say(t.Context(), w.branch, "outcome", "1 of 3 done."),
			w.forge.Verdict(t.Context(), w.verdict(t, 60)),
			w.forge.Mirror(t.Context(), w.progress(t, "in_progress")),
		); err != nil {
			t.Fatal(err)
		}
	}
	talk()
	talk() // what came about in the first is kept by now
	w.server.Budget(1, time.Hour)
	talk()
	if len(w.waits) > 0 {
		t.Errorf("it waited %v", w.waits)
	}
}

func TestWithoutWait(t *testing.T) {
	w := newWorld(t)
	f, err := github.New(github.Options{Token: secret, Repository: "acme/estate", API: w.url + githubtest.API, Server: w.url, Repo: w.clone})
	if err != nil {
		t.Fatal(err)
	}
	w.server.Fail(githubtest.Fault{Kind: githubtest.Secondary})
	var limit *github.LimitError
	if _, err := f.Base(t.Context()); !errors.As(err, &limit) {
		t.Errorf("Base() = %v, want a limit", err)
	}
	if base, err := f.Base(t.Context()); err != nil || base != "main" {
		t.Errorf("Base() = %q, %v", base, err)
	}
}

func TestCanceled(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.server.Fail(githubtest.Fault{Kind: githubtest.Secondary, Times: 100, Do: cancel})
	if _, err := w.forge.Base(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Base() = %v, want context.Canceled", err)
	}
}

// TestTokenStaysHere redirects the API to another host, which must not see it.
func TestTokenStaysHere(t *testing.T) {
	w := newWorld(t)
	seen := make(chan string, 8)
	client := &http.Client{Transport: hop(func(r *http.Request) (*http.Response, error) {
		seen <- r.URL.Host + " " + r.Header.Get("Authorization")
		if r.URL.Host == "elsewhere.example" {
			return &http.Response{StatusCode: 404, Status: "404 Not Found", Body: http.NoBody, Header: http.Header{}, Request: r}, nil
		}
		return &http.Response{StatusCode: 307, Status: "307", Body: http.NoBody, Header: http.Header{"Location": {"http://elsewhere.example/x"}}, Request: r}, nil
	})}
	f, err := github.New(github.Options{Token: secret, Repository: "acme/estate", API: "http://api.example", Repo: w.clone, HTTP: client})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Base(t.Context()); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("Base() = %v", err)
	}
	if first, second := <-seen, <-seen; first != "api.example Bearer "+secret || second != "elsewhere.example " {
		t.Errorf("sent %q and then %q", first, second)
	}
}

type hop func(*http.Request) (*http.Response, error)

func (h hop) RoundTrip(r *http.Request) (*http.Response, error) { return h(r) }
