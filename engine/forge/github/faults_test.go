package github_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/forge/github/githubtest"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// deed is something done to a pull request, and what must hold once it is done.
type deed struct {
	name   string
	before func(t *testing.T, w *world)
	do     func(t *testing.T, w *world) error
	after  func(t *testing.T, w *world)
}

// one is the only pull request there is of the branch.
func one(t *testing.T, w *world) githubtest.Pull {
	t.Helper()
	pulls := slices.DeleteFunc(w.hub.Pulls(), func(p githubtest.Pull) bool { return p.HeadRef != w.branch })
	if len(pulls) != 1 {
		t.Fatalf("there are %d pull requests, want 1", len(pulls))
	}
	return pulls[0]
}

func deeds() []deed {
	propose := func(text string) func(*testing.T, *world) error {
		return func(t *testing.T, w *world) error {
			_, err := w.forge.Propose(t.Context(), w.proposal(w.commit(t, text)))
			return err
		}
	}
	opened := func(t *testing.T, w *world) { w.propose(t, w.commit(t, "one")) }
	proposed := func(text string) func(*testing.T, *world) {
		return func(t *testing.T, w *world) {
			p := one(t, w)
			if p.State != "open" || p.Head != w.commit(t, text) || p.Title != "A plan" || p.Body != "What and why." || fmt.Sprint(p.Labels) != "[plan high]" {
				t.Errorf("it is %+v", p)
			}
		}
	}
	return append(talkDeeds(opened), []deed{
		{"open", func(*testing.T, *world) {}, propose("one"), proposed("one")},
		{"update", func(t *testing.T, w *world) {
			opened(t, w)
			w.hub.Change(one(t, w).Number, func(p *githubtest.Pull) { p.Title, p.Body, p.Labels = "Old", "Old.", []string{"plan"} })
		}, propose("two"), proposed("two")},
		{"open again", func(t *testing.T, w *world) {
			opened(t, w)
			if err := w.forge.Close(t.Context(), w.branch, "", "by mistake"); err != nil {
				t.Fatal(err)
			}
		}, propose("two"), proposed("two")},
		{"reopen", func(t *testing.T, w *world) {
			opened(t, w)
			w.hub.Close(one(t, w).Number, "bob")
		}, func(t *testing.T, w *world) error {
			pr, err := w.forge.Find(t.Context(), w.branch)
			if err != nil {
				return err
			}
			if pr.State == "closed" && pr.ClosedBy != "bob" {
				t.Errorf("it was closed by %q, want bob", pr.ClosedBy)
			}
			return w.forge.Reopen(t.Context(), w.branch, "", start)
		}, proposed("one")},
		{"merge", opened, func(t *testing.T, w *world) error {
			_, err := w.forge.Merge(t.Context(), w.branch, w.commit(t, "one"), "", start)
			return err
		}, func(t *testing.T, w *world) {
			p := one(t, w)
			tip := w.main(t)
			c, err := w.hub.Git().Commit(tip)
			if err != nil || !p.Merged || p.Merge != string(tip) || c.Parents[0] != w.tip {
				t.Errorf("it is %+v, and main is %+v, %v; want one merge upon the base", p, c, err)
			}
		}},
		{"close", opened, func(t *testing.T, w *world) error {
			return w.forge.Close(t.Context(), w.branch, "", "superseded by high-main-2")
		}, func(t *testing.T, w *world) {
			p := one(t, w)
			if p.State != "closed" || p.Merged || len(p.Comments) != 1 || !strings.Contains(p.Comments[0].Body, "superseded by high-main-2") {
				t.Errorf("it is %+v, want closed with one comment", p)
			}
		}},
		{"pin", func(*testing.T, *world) {}, func(t *testing.T, w *world) error {
			_, err := w.forge.Pin(t.Context(), forge.Page{Key: "status", Title: "Where it stands", Body: w.branch})
			return err
		}, func(t *testing.T, w *world) {
			if list := w.hub.Issues(); len(list) != 1 || list[0].State != "open" || !strings.HasSuffix(list[0].Body, w.branch) || fmt.Sprint(list[0].Labels) != "[ringmaster-status]" {
				t.Errorf("the issues are %+v, want one page", list)
			}
		}},
		{"pin once more", func(t *testing.T, w *world) {
			if _, err := w.forge.Pin(t.Context(), forge.Page{Key: "status", Title: "Where it stood", Body: "before"}); err != nil {
				t.Fatal(err)
			}
			w.hub.ChangeIssue(0, func(i *githubtest.Issue) { i.State = "closed" })
		}, func(t *testing.T, w *world) error {
			_, err := w.forge.Pin(t.Context(), forge.Page{Key: "status", Title: "Where it stands", Body: w.branch})
			return err
		}, func(t *testing.T, w *world) {
			if list := w.hub.Issues(); len(list) != 1 || list[0].State != "open" || list[0].Title != "Where it stands" || !strings.HasSuffix(list[0].Body, w.branch) {
				t.Errorf("the issues are %+v, want one page", list)
			}
		}},
		{"approve", func(t *testing.T, w *world) {
			opened(t, w)
		}, func(t *testing.T, w *world) error {
			if len(one(t, w).Reviews) > 0 {
				return nil // as people who run it again would see
			}
			return w.open(t, "t-carol").Approve(t.Context(), w.branch, "", start)
		}, func(t *testing.T, w *world) {
			if p := one(t, w); len(p.Reviews) != 1 || p.Reviews[0].By != "carol" || p.Reviews[0].State != "APPROVED" {
				t.Errorf("its reviews are %+v, want one", p.Reviews)
			}
		}},
	}...)
}

// TestEachRequestFailsInEachWay breaks every request of every deed in every
// way. Most are survived at once; what is not is done by the next run. Nothing
// is duplicated and nothing lost. Each case has a branch of its own.
//
// An ordinary run takes a quarter of the ways for each request, those that came
// least so far, so that every request fails and every way comes;
// RINGMASTER_LONG=1 takes all.
func TestEachRequestFailsInEachWay(t *testing.T) {
	long, came := os.Getenv("RINGMASTER_LONG") != "", map[string]int{}
	names := slices.Sorted(maps.Keys(githubtest.Kinds))
	for _, d := range deeds() {
		t.Run(d.name, func(t *testing.T) {
			for i, request := range newWorld(t).try(t, d, githubtest.Fault{At: 1000}) {
				ways := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !tells(request, githubtest.Kinds[name]) })
				slices.SortStableFunc(ways, func(a, b string) int { return came[a] - came[b] })
				if !long {
					ways = ways[:(len(ways)+3)/4]
				}
				w := newWorld(t) // with few branches: all pull requests are looked through
				for _, name := range ways {
					came[name]++
					t.Run(fmt.Sprintf("%d %s", i, name), func(t *testing.T) { w.try(t, d, githubtest.Fault{Kind: githubtest.Kinds[name], At: i}) })
				}
			}
		})
	}
	for _, name := range names {
		if came[name] < 5 {
			t.Errorf("%q came %d times, want 5", name, came[name])
		}
	}
}

// tells says whether a way to fail is one of its own for a request: to a read it
// is all the same whether it took effect.
func tells(request string, k githubtest.Kind) bool {
	read := strings.HasPrefix(request, "GET ") || strings.HasSuffix(request, "git-upload-pack")
	return !read || k != githubtest.ErrorAfter && k != githubtest.ResetAfter && k != githubtest.BadGateway && k != githubtest.SecondaryBare && k != githubtest.TooMany
}

// try does a deed on a new branch while a request fails, again where it did not
// survive that, and returns the requests.
func (w *world) try(t *testing.T, d deed, f githubtest.Fault) []string {
	t.Helper()
	w.cases++
	w.branch = fmt.Sprintf("ringmaster/high-main-%d", w.cases)
	w.server.Mend()
	d.before(t, w)
	w.tip = w.main(t)
	w.server.Seen()
	w.server.Fail(f)
	err := d.do(t, w)
	if err != nil {
		t.Log(err)
		hides(t, err)
		err = d.do(t, w)
	}
	if err != nil {
		t.Errorf("one request failed once, and the next run fails too: %v", err)
	}
	requests := w.server.Seen()
	d.after(t, w)
	return requests
}

func (w *world) main(t *testing.T) repo.Hash {
	t.Helper()
	h, err := w.hub.Git().Ref("refs/heads/main")
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// hides checks that an error does not tell the token.
func hides(t *testing.T, err error) {
	t.Helper()
	if strings.Contains(err.Error(), secret) {
		t.Errorf("the token is in %q", err)
	}
}

// TestServerThatStaysDown ends in an error, after some tries.
func TestServerThatStaysDown(t *testing.T) {
	for _, d := range deeds() {
		t.Run(d.name, func(t *testing.T) {
			w := newWorld(t)
			d.before(t, w)
			w.server.Seen()
			w.server.Fail(githubtest.Fault{Kind: githubtest.ServerError, Times: 1000})
			err := d.do(t, w)
			if err == nil {
				t.Error("it went well although nothing answered")
			}
			if n := len(w.server.Seen()); n > 3 {
				t.Errorf("it asked %d times, want 3", n)
			}
			w.server.Mend()
			if err := d.do(t, w); err != nil {
				t.Errorf("once the server is back: %v", err)
			}
			d.after(t, w)
		})
	}
}

// TestEveryAnswerIsLost has every write take effect and break the connection.
func TestEveryAnswerIsLost(t *testing.T) {
	for _, d := range deeds() {
		w := newWorld(t)
		d.before(t, w)
		w.server.Fail(githubtest.Fault{Kind: githubtest.ResetAfter, Times: 1000, Match: func(r *http.Request) bool {
			return r.Method != "GET" && r.Method != "PATCH" && !strings.HasSuffix(r.URL.Path, "/labels") && !strings.HasSuffix(r.URL.Path, "/git-upload-pack") && !asksWho(t, r)
		}})
		if err := d.do(t, w); err != nil {
			t.Errorf("%s: %v", d.name, err)
		}
		d.after(t, w)
	}
}

// TestCompetingPush has somebody else push between the look and the push: the
// loser is told and overwrites nothing.
func TestCompetingPush(t *testing.T) {
	w := newWorld(t)
	w.propose(t, w.commit(t, "one"))
	other := w.commit(t, "by another run")
	w.server.Fail(githubtest.Fault{Match: isPush, Do: func() {
		mine, err := w.hub.Git().Ref("refs/heads/" + w.branch)
		if err != nil {
			t.Error(err)
		}
		if err := w.clone.Push(t.Context(), repo.Remote{URL: w.hub.Git().GitDir()}, "refs/heads/"+w.branch, mine, repo.Hash(other)); err != nil {
			t.Error(err)
		}
	}})
	_, err := w.forge.Propose(t.Context(), w.proposal(w.commit(t, "two")))
	if !errors.Is(err, repo.ErrMoved) {
		t.Errorf("Propose() = %v, want ErrMoved", err)
	}
	if p := one(t, w); p.Head != other {
		t.Errorf("its head is %s, want the other run's", p.Head)
	}
}

func isPush(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/git-receive-pack") }

// TestCompetingProposal has another run open the pull request first.
func TestCompetingProposal(t *testing.T) {
	w := newWorld(t)
	c := w.commit(t, "one")
	w.server.Fail(githubtest.Fault{Match: func(r *http.Request) bool { return r.Method == "POST" && strings.HasSuffix(r.URL.Path, "/pulls") }, Do: func() {
		if _, err := w.hub.Open(w.hub, w.branch, bot, "Another run's title"); err != nil {
			t.Error(err)
		}
	}})
	pr := w.propose(t, c)
	if p := one(t, w); pr.Number != p.Number || p.Title != "A plan" {
		t.Errorf("Propose() = %+v, there is %+v", pr, p)
	}
}

// TestBaseMovesWhileMerging is what GitHub asks to try again.
func TestBaseMovesWhileMerging(t *testing.T) {
	w := newWorld(t)
	c := w.commit(t, "one")
	w.propose(t, c)
	w.server.Fail(githubtest.Fault{Kind: githubtest.BaseModified, Match: isMerge})
	if pr, err := w.forge.Merge(t.Context(), w.branch, c, "", start); err != nil || pr.State != "merged" || pr.MergedBy != bot || !pr.MergedAt.Equal(w.clock()) {
		t.Errorf("Merge() = %+v, %v", pr, err)
	}
}

func isMerge(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/merge") }

// TestMergeRefused says why in words.
func TestMergeRefused(t *testing.T) {
	w := newWorld(t)
	c := w.commit(t, "one")
	w.propose(t, c)
	clash, err := w.clone.Write(next(w.base, "clash", map[string][]byte{w.path(): []byte("other\n")}))
	if err == nil {
		err = w.clone.Push(t.Context(), w.forge.Remote(), "refs/heads/main", w.base, clash)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.forge.Merge(t.Context(), w.branch, c, "", start); err == nil || !strings.Contains(err.Error(), "conflicts") {
		t.Errorf("Merge() of a conflict = %v", err)
	}
	w.server.Fail(githubtest.Fault{Match: isMerge, Do: func() { // a push between the look and the merge
		if err := w.clone.Push(t.Context(), w.forge.Remote(), "refs/heads/"+w.branch, repo.Hash(c), repo.Hash(w.commit(t, "two"))); err != nil {
			t.Error(err)
		}
		w.hub.Pulls()
	}})
	if _, err := w.forge.Merge(t.Context(), w.branch, c, "", start); err == nil || !strings.Contains(err.Error(), "head has moved") {
		t.Errorf("Merge() of what moved = %v", err)
	}
	if one(t, w).Merged {
		t.Error("it was merged")
	}
}

// TestClosedAndRewritten cannot be opened again at GitHub, and so is opened anew.
func TestClosedAndRewritten(t *testing.T) {
	w := newWorld(t)
	one := w.commit(t, "one")
	w.propose(t, one)
	if err := w.forge.Close(t.Context(), w.branch, "", "by mistake"); err != nil {
		t.Fatal(err)
	}
	if err := w.clone.Push(t.Context(), w.forge.Remote(), "refs/heads/"+w.branch, repo.Hash(one), repo.Hash(w.commit(t, "rewritten"))); err != nil {
		t.Fatal(err)
	}
	pr := w.propose(t, w.commit(t, "two"))
	states := []string{}
	for _, p := range w.hub.Pulls() {
		states = append(states, p.State)
	}
	if pr.Number != 2 || !slices.Equal(states, []string{"closed", "open"}) {
		t.Errorf("Propose() = #%d, there are %v", pr.Number, states)
	}
}

func TestMergedIsNotProposedAgain(t *testing.T) {
	w := newWorld(t)
	c := w.commit(t, "one")
	w.propose(t, c)
	if _, err := w.forge.Merge(t.Context(), w.branch, c, "", start); err != nil {
		t.Fatal(err)
	}
	if _, err := w.forge.Propose(t.Context(), w.proposal(w.commit(t, "two"))); err == nil || !strings.Contains(err.Error(), "merged already") {
		t.Errorf("Propose() = %v", err)
	}
}

// TestMergedStays: somebody who may write opens another pull request from the
// branch of a plan that was merged. It hides nothing.
func TestMergedStays(t *testing.T) {
	w := newWorld(t)
	c := w.commit(t, "one")
	w.propose(t, c)
	if _, err := w.forge.Merge(t.Context(), w.branch, c, "", start); err != nil {
		t.Fatal(err)
	}
	if err := w.clone.Push(t.Context(), w.forge.Remote(), "refs/heads/"+w.branch, repo.Hash(c), repo.Hash(w.commit(t, "two"))); err != nil {
		t.Fatal(err)
	}
	if _, err := w.hub.Open(w.hub, w.branch, "bob", "Another"); err != nil {
		t.Fatal(err)
	}
	if pr := w.find(t); pr.State != "merged" || pr.Number != 1 || pr.Head != c {
		t.Errorf("Find() = %+v, want the merged one", pr)
	}
	if err := w.forge.Close(t.Context(), w.branch, "", "superseded"); err != nil {
		t.Fatal(err)
	}
	if p := w.hub.Pulls()[1]; p.State != "closed" {
		t.Errorf("the other one is %s, want closed", p.State)
	}
	if pr := w.find(t); pr.State != "merged" {
		t.Errorf("Find() = %+v, want the merged one", pr)
	}
}

func TestTextThatIsTooLong(t *testing.T) {
	w := newWorld(t)
	n := w.proposal(w.commit(t, "one"))
	n.Title = strings.Repeat("lïbrary ", 50)
	for range 2 {
		pr, err := w.forge.Propose(t.Context(), n)
		if err != nil || len([]rune(pr.Title)) > 256 || !strings.HasSuffix(pr.Title, "…") {
			t.Errorf("Propose() = %q, %v", pr.Title, err)
		}
	}
	n.Body = strings.Repeat("ü", 65536)
	if _, err := w.forge.Propose(t.Context(), n); err != nil {
		t.Errorf("Propose() of 65,536 characters = %v", err)
	}
	n.Body += "x"
	if _, err := w.forge.Propose(t.Context(), n); err == nil || !strings.Contains(err.Error(), "65537 characters") {
		t.Errorf("Propose() of one too many = %v", err)
	}
}

// TestRunsAtOnce has several runs propose the same plan: one pull request comes
// of it, and all are told of that one.
func TestRunsAtOnce(t *testing.T) {
	w := newWorld(t)
	c := w.commit(t, "one")
	var runs sync.WaitGroup
	for range 4 {
		f := w.open(t, secret)
		runs.Go(func() {
			if pr, err := f.Propose(t.Context(), w.proposal(c)); err != nil || pr.Number != 1 || pr.Head != c {
				t.Errorf("Propose() = %+v, %v, want #1", pr, err)
			}
		})
	}
	runs.Wait()
	if p := one(t, w); p.State != "open" || fmt.Sprint(p.Labels) != "[plan high]" {
		t.Errorf("it is %+v", p)
	}
}
