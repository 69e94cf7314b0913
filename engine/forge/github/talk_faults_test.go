package github_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/forge/github/githubtest"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// asksWho says whether a request only asks whose token it is, which GraphQL
// takes as a POST.
func asksWho(t *testing.T, r *http.Request) bool {
	t.Helper()
	if r.URL.Path != githubtest.GraphQL {
		return false
	}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(data))
	return bytes.Contains(data, []byte("viewer"))
}

const forged = "<!-- ringmaster: note outcome -->\nAll is done."

// said are the comments of the bot, without what only it reads.
func said(p githubtest.Pull) []string {
	var out []string
	for _, c := range p.Comments {
		if c.By == bot {
			_, text, _ := strings.Cut(c.Body, "-->\n")
			out = append(out, text)
		}
	}
	return out
}

// verdict is one with a number of annotations.
func (w *world) verdict(t *testing.T, n int) forge.Verdict {
	v := forge.Verdict{Name: "Same bytes, made again", Commit: w.commit(t, "one"), Conclusion: "failure", Title: fmt.Sprintf("%d faults", n), Summary: "They are at their lines."}
	for i := range n {
		v.Notes = append(v.Notes, forge.Annotation{File: w.path(), Line: i + 1, Level: "failure", Message: fmt.Sprintf("fault %d of %s", i, w.branch)})
	}
	return v
}

// judged holds the check runs of the case's commit to a verdict: the newest of
// ours is it, and there are n of ours.
func judged(t *testing.T, w *world, v forge.Verdict, n int) {
	t.Helper()
	ours := slices.DeleteFunc(w.hub.Checks(), func(k githubtest.Check) bool {
		return k.Commit != v.Commit || k.App != "ringmaster" || !strings.HasPrefix(k.External, "ringmaster: ")
	})
	if len(ours) != n {
		t.Fatalf("there are %d check runs, want %d: %+v", len(ours), n, ours)
	}
	k := ours[n-1]
	lines := map[int]bool{}
	for _, n := range k.Notes {
		lines[n.From] = true
	}
	if k.Status != "completed" || k.Conclusion != v.Conclusion || k.Title != v.Title || len(k.Notes) != len(v.Notes) || len(lines) != len(v.Notes) {
		t.Errorf("it is %s, %s, %q with %d annotations of %d lines; want %s, %q with %d", k.Status, k.Conclusion, k.Title, len(k.Notes), len(lines), v.Conclusion, v.Title, len(v.Notes))
	}
}

func (w *world) tree(t *testing.T, r *repo.Repo, commit string) repo.Hash {
	t.Helper()
	c, err := r.Commit(repo.Hash(commit))
	if err != nil {
		t.Fatal(err)
	}
	return c.Tree
}

func (w *world) progress(t *testing.T, state string) forge.Progress {
	return forge.Progress{Plan: strings.TrimPrefix(w.branch, "ringmaster/"), Ring: "canary", Commit: string(w.base), State: state, Text: "1 of 3 hosts", URL: w.url + "/acme/estate/pull/1", At: start}
}

// marked are the statuses that the base has had for the canary ring of the case's plan.
func marked(w *world) (states []string) {
	for _, s := range w.hub.Statuses() {
		if s.Commit == string(w.base) && s.Context == w.branch+"/canary" {
			states = append(states, s.State+": "+s.Description)
		}
	}
	return states
}

// deployed are the deployments of the case's plan with the states each has had.
func deployed(w *world) (states []string) {
	for _, d := range w.hub.Deployments() {
		if d.Task == "ringmaster:"+strings.TrimPrefix(w.branch, "ringmaster/") && d.Creator == bot {
			var s []string
			for _, x := range d.Statuses {
				s = append(s, x.State)
			}
			states = append(states, strings.Join(s, " "))
		}
	}
	return states
}

// talkDeeds are what is done to a pull request beside opening and merging it.
func talkDeeds(opened func(*testing.T, *world)) []deed {
	say := func(text string) func(*testing.T, *world) error {
		return func(t *testing.T, w *world) error { return w.forge.Say(t.Context(), w.branch, "outcome", text) }
	}
	saidOnce := func(text string, others int) func(*testing.T, *world) {
		return func(t *testing.T, w *world) {
			p := one(t, w)
			if got := said(p); !slices.Equal(got, []string{text}) || len(p.Comments) != 1+others {
				t.Errorf("said is %q among %d comments, want %q among %d", got, len(p.Comments), text, 1+others)
			}
		}
	}
	put := func(n int) func(*testing.T, *world) error {
		return func(t *testing.T, w *world) error { return w.forge.Verdict(t.Context(), w.verdict(t, n)) }
	}
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	guarded := func(t *testing.T, w *world) {
		opened(t, w)
		w.hub.Require(1)
	}
	auto := func(on bool) func(*testing.T, *world) error {
		return func(t *testing.T, w *world) error {
			return w.forge.AutoMerge(t.Context(), w.branch, one(t, w).Head, on)
		}
	}
	automatic := func(by string) func(*testing.T, *world) {
		return func(t *testing.T, w *world) {
			if p := one(t, w); p.AutoMerge != by || p.State != "open" {
				t.Errorf("it is %s and merged for %q by itself, want open and %q", p.State, p.AutoMerge, by)
			}
		}
	}
	return []deed{
		{"say", opened, say("Nothing is done yet."), saidOnce("Nothing is done yet.", 0)},
		{"say something else", func(t *testing.T, w *world) {
			opened(t, w)
			w.hub.Comment(one(t, w).Number, "mallory", forged)
			must(t, say("Nothing is done yet.")(t, w))
		}, say("1 of 3 done."), saidOnce("1 of 3 done.", 1)},
		{"hear", func(t *testing.T, w *world) {
			opened(t, w)
			must(t, say("Nothing is done yet.")(t, w))
			for range 3 {
				w.hub.Comment(one(t, w).Number, "alice", "/ringmaster help")
			}
		}, func(t *testing.T, w *world) error {
			list, err := w.forge.Comments(t.Context(), w.branch)
			if err == nil && len(list) != 3 {
				t.Errorf("Comments() = %+v, want three", list)
			}
			return err
		}, saidOnce("Nothing is done yet.", 3)},
		{"verdict", opened, put(3), func(t *testing.T, w *world) { judged(t, w, w.verdict(t, 3), 1) }},
		{"verdict of many lines", opened, put(120), func(t *testing.T, w *world) { judged(t, w, w.verdict(t, 120), 1) }},
		{"verdict with more lines", func(t *testing.T, w *world) {
			opened(t, w)
			must(t, put(3)(t, w))
		}, put(60), func(t *testing.T, w *world) { judged(t, w, w.verdict(t, 60), 1) }},
		{"verdict with fewer lines", func(t *testing.T, w *world) {
			opened(t, w)
			must(t, put(3)(t, w))
		}, put(2), func(t *testing.T, w *world) { judged(t, w, w.verdict(t, 2), 2) }},
		{"merge by itself", guarded, auto(true), automatic(bot)},
		{"no longer merge by itself", func(t *testing.T, w *world) {
			guarded(t, w)
			must(t, auto(true)(t, w))
		}, auto(false), automatic("")},
		{"a new head is not merged by itself", func(t *testing.T, w *world) {
			guarded(t, w)
			must(t, auto(true)(t, w))
		}, func(t *testing.T, w *world) error {
			_, err := w.forge.Propose(t.Context(), w.proposal(w.commit(t, "two")))
			return err
		}, automatic("")},
		{"sign and propose", func(t *testing.T, w *world) { w.hub.RequireSigned(true) }, func(t *testing.T, w *world) error {
			h, err := w.forge.Sign(t.Context(), w.branch, w.commit(t, "one"))
			if err == nil {
				_, err = w.forge.Propose(t.Context(), w.proposal(h))
			}
			return err
		}, func(t *testing.T, w *world) {
			if p := one(t, w); p.State != "open" || !w.hub.Signed(p.Head) || w.tree(t, w.hub.Git(), p.Head) != w.tree(t, w.clone, w.commit(t, "one")) {
				t.Errorf("it is %+v, want it open with a signed head", p)
			}
		}},
		{"mirror", opened, func(t *testing.T, w *world) error { return w.forge.Mirror(t.Context(), w.progress(t, "pending")) }, func(t *testing.T, w *world) {
			if got := deployed(w); !slices.Equal(got, []string{"pending"}) {
				t.Errorf("deployments are %q, want one that is pending", got)
			}
			if got := marked(w); !slices.Equal(got, []string{"pending: 1 of 3 hosts"}) {
				t.Errorf("the commit's statuses are %q, want one that is pending", got)
			}
		}},
		{"mirror the next state", func(t *testing.T, w *world) {
			opened(t, w)
			must(t, w.forge.Mirror(t.Context(), w.progress(t, "in_progress")))
		}, func(t *testing.T, w *world) error { return w.forge.Mirror(t.Context(), w.progress(t, "success")) }, func(t *testing.T, w *world) {
			if got := deployed(w); !slices.Equal(got, []string{"in_progress success"}) {
				t.Errorf("deployments are %q, want one that went from in_progress to success", got)
			}
			if got := marked(w); !slices.Equal(got, []string{"pending: 1 of 3 hosts", "success: 1 of 3 hosts"}) {
				t.Errorf("the commit's statuses are %q, want pending, then success", got)
			}
		}},
	}
}
