package repo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// remotes are the kinds of remote that must behave alike.
func remotes(t *testing.T, run func(t *testing.T, there *Repo, m Remote)) {
	bare := func(t *testing.T) *Repo {
		r, err := InitBare(filepath.Join(t.TempDir(), "there.git"), "main")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		return r
	}
	t.Run("path", func(t *testing.T) {
		there := bare(t)
		run(t, there, Remote{URL: there.GitDir()})
	})
	t.Run("own server", func(t *testing.T) {
		there := bare(t)
		srv := httptest.NewServer(there.Serve())
		t.Cleanup(srv.Close)
		run(t, there, Remote{URL: srv.URL, Token: "secret"})
	})
	t.Run("git-http-backend", func(t *testing.T) {
		there := bare(t)
		srv := httptest.NewServer(backend(t, there))
		t.Cleanup(srv.Close)
		run(t, there, Remote{URL: srv.URL + "/there.git", Token: "secret"})
	})
}

// backend is the git program's own server, skipped where there is none.
func backend(t *testing.T, there *Repo) http.Handler {
	path := filepath.Join(git(t, "", "--exec-path"), "git-http-backend")
	if _, err := os.Stat(path); err != nil {
		t.Skip("git-http-backend is not installed; it is needed for the comparison only")
	}
	git(t, there.GitDir(), "config", "http.receivepack", "true")
	return &cgi.Handler{Path: path, Env: []string{"GIT_PROJECT_ROOT=" + filepath.Dir(there.GitDir()), "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"}}
}

func TestPushAndFetch(t *testing.T) {
	ctx := context.Background()
	remotes(t, func(t *testing.T, there *Repo, m Remote) {
		here, second := scratch(t), scratch(t)
		a := advance(t, here, "", "f", "1", "d/x", "1")
		if err := here.Push(ctx, m, "refs/heads/main", "", a); err != nil {
			t.Fatal(err)
		}
		b := advance(t, here, a, "f", "2")
		if err := here.Push(ctx, m, "refs/heads/main", a, b); err != nil {
			t.Fatal(err)
		}
		if err := here.Push(ctx, m, "refs/heads/main", a, b); !errors.Is(err, ErrMoved) {
			t.Errorf("Push() from an old place = %v, want ErrMoved", err)
		}
		if err := here.Push(ctx, m, "refs/heads/copy", "", b); err != nil {
			t.Errorf("Push() of what is there already = %v", err)
		}
		got, err := second.Fetch(ctx, m)
		if err != nil {
			t.Fatal(err)
		}
		if want := []Ref{{"refs/heads/copy", b}, {"refs/heads/main", b}}; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("Fetch() = %v, want %v", got, want)
		}
		if data, err := second.ReadFile(a, "d/x"); err != nil || string(data) != "1" {
			t.Errorf("ReadFile() of what was fetched = %q, %v", data, err)
		}
		if h := must(second.Ref("refs/remotes/origin/main")); h != b {
			t.Errorf("the tracking reference is at %q, want %q", h, b)
		}
		if err := second.Move("refs/heads/main", "", b); err != nil {
			t.Fatal(err)
		}
		c := advance(t, second, b, "f", "3")
		if err := second.Push(ctx, m, "refs/heads/main", b, c); err != nil {
			t.Fatal(err)
		}
		d := advance(t, here, b, "f", "4")
		if err := here.Push(ctx, m, "refs/heads/main", b, d); !errors.Is(err, ErrMoved) {
			t.Errorf("Push() of the loser = %v, want ErrMoved", err)
		}
		if _, err := here.Fetch(ctx, m, "main"); err != nil {
			t.Fatal(err)
		}
		if data, err := here.ReadFile(c, "f"); err != nil || string(data) != "3" {
			t.Errorf("ReadFile() = %q, %v", data, err)
		}
		if _, err := here.Fetch(ctx, m, "nowhere"); !errors.Is(err, ErrNotFound) {
			t.Errorf("Fetch(nowhere) = %v, want ErrNotFound", err)
		}
		if err := here.Push(ctx, m, "refs/heads/copy", b, ""); err != nil {
			t.Errorf("Push() that deletes = %v", err)
		}
		if refs := must(there.Refs("refs/")); len(refs) != 1 || refs[0].Hash != c {
			t.Errorf("the remote has %v", refs)
		}
	})
}

// A commit whose tree is that of an earlier one, since what came between was undone:
// both are pushed and fetched at once, and nothing of the first is missed.
func TestWhatWasUndoneComesWhole(t *testing.T) {
	ctx := context.Background()
	remotes(t, func(t *testing.T, there *Repo, m Remote) {
		here, second := scratch(t), scratch(t)
		a := advance(t, here, "", "f", "1")
		if err := here.Push(ctx, m, "refs/heads/main", "", a); err != nil {
			t.Fatal(err)
		}
		if _, err := second.Fetch(ctx, m); err != nil {
			t.Fatal(err)
		}
		b := advance(t, here, a, "d/x", "1")
		c := advance(t, here, b, "f", "2")
		d := advance(t, here, c, "f", "1")
		if err := here.Push(ctx, m, "refs/heads/main", a, d); err != nil {
			t.Fatal(err)
		}
		if _, err := second.Fetch(ctx, m); err != nil {
			t.Fatal(err)
		}
		for _, r := range []*Repo{there, second} {
			if data, err := r.ReadFile(d, "d/x"); err != nil || string(data) != "1" {
				t.Errorf("ReadFile() of what was undone to = %q, %v", data, err)
			}
			if data, err := r.ReadFile(c, "f"); err != nil || string(data) != "2" {
				t.Errorf("ReadFile() of what was undone = %q, %v", data, err)
			}
		}
	})
}

func TestOneOfManyPushesWins(t *testing.T) {
	ctx := context.Background()
	remotes(t, func(t *testing.T, there *Repo, m Remote) {
		here := scratch(t)
		a := advance(t, here, "", "f", "1")
		if err := here.Push(ctx, m, "refs/heads/main", "", a); err != nil {
			t.Fatal(err)
		}
		var won atomic.Int32
		var wg sync.WaitGroup
		for i := range 4 {
			h := write(t, here, a, "f", fmt.Sprint("by ", i))
			wg.Go(func() {
				err := here.Push(ctx, m, "refs/heads/main", a, h)
				if err == nil {
					won.Add(1)
				} else if !errors.Is(err, ErrMoved) {
					t.Errorf("Push() = %v, want ErrMoved", err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("%d pushes won, want 1", won.Load())
		}
	})
}

// cutting lets a number of pushes take effect and loses their answers, or
// loses them on the way there.
func cutting(next http.Handler, answers, requests int32) http.Handler {
	var a, q atomic.Int32
	a.Store(answers)
	q.Store(requests)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.HasSuffix(req.URL.Path, "/git-receive-pack") {
			if q.Add(-1) >= 0 {
				panic(http.ErrAbortHandler)
			}
			if a.Add(-1) >= 0 {
				next.ServeHTTP(httptest.NewRecorder(), req)
				panic(http.ErrAbortHandler)
			}
		}
		next.ServeHTTP(w, req)
	})
}

func TestLostAnswersAreLookedUp(t *testing.T) {
	ctx := context.Background()
	for _, tc := range []struct {
		name              string
		answers, requests int32
		lost              bool
	}{{"answer lost", 1, 0, false}, {"request lost", 0, 1, false}, {"both", 1, 1, false}, {"never arrives", 0, 9, true}} {
		t.Run(tc.name, func(t *testing.T) {
			there := must(InitBare(t.TempDir(), "main"))
			srv := httptest.NewServer(cutting(there.Serve(), tc.answers, tc.requests))
			defer srv.Close()
			here := scratch(t)
			a := advance(t, here, "", "f", "1")
			err := here.Push(ctx, Remote{URL: srv.URL}, "refs/heads/main", "", a)
			if (err != nil) != tc.lost {
				t.Errorf("Push() = %v", err)
			}
			if got := must(there.Ref("refs/heads/main")); (got == a) == tc.lost {
				t.Errorf("the remote is at %q", got)
			}
		})
	}
}

// What is read of a remote in trouble is asked for again, after pauses, a bounded
// number of times; a refusal is an answer.
func TestReadingFromARemoteInTrouble(t *testing.T) {
	for _, tc := range []struct {
		name   string
		fails  int
		status int // 0 cuts the connection
		pauses int
		ok     bool
	}{
		{"once", 1, http.StatusBadGateway, 1, true},
		{"three times", 3, http.StatusServiceUnavailable, 3, true},
		{"cut off", 2, 0, 2, true},
		{"for good", 99, http.StatusInternalServerError, readTries - 1, false},
		{"refused", 1, http.StatusForbidden, 0, false},
	} {
		for _, what := range []string{"/info/refs", "/git-upload-pack"} {
			t.Run(tc.name+" "+what, func(t *testing.T) {
				there := must(InitBare(t.TempDir(), "main"))
				a := advance(t, there, "", "f", "1")
				serve, left, pauses := there.Serve(), atomic.Int64{}, []time.Duration(nil)
				left.Store(int64(tc.fails)) // requests come on connections of their own
				srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
					if strings.HasSuffix(req.URL.Path, what) && left.Add(-1) >= 0 {
						if tc.status == 0 {
							panic(http.ErrAbortHandler)
						}
						w.WriteHeader(tc.status)
						return
					}
					serve.ServeHTTP(w, req)
				}))
				defer srv.Close()
				m := Remote{URL: srv.URL, Wait: func(_ context.Context, d time.Duration) bool { pauses = append(pauses, d); return true }}
				here := scratch(t)
				refs, err := here.Fetch(t.Context(), m, "main")
				if (err == nil) != tc.ok || tc.ok && refs[0].Hash != a || len(pauses) != tc.pauses {
					t.Errorf("Fetch() = %v, %v after pauses of %v, want %d of them", refs, err, pauses, tc.pauses)
				}
			})
		}
	}
}

func TestTokensAreNotTold(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if _, pass, _ := req.BasicAuth(); pass != "secret" {
			t.Errorf("the token did not come: %q", pass)
		}
		w.WriteHeader(http.StatusForbidden)
	}))
	defer srv.Close()
	r := scratch(t)
	a := advance(t, r, "", "f", "1")
	err := r.Push(context.Background(), Remote{URL: strings.Replace(srv.URL, "http://", "http://user:hidden@", 1), Token: "secret"}, "refs/heads/main", "", a)
	if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "hidden") {
		t.Errorf("Push() = %v", err)
	}
	if _, err := r.Fetch(context.Background(), Remote{URL: "ssh://git@example.com/x"}); err == nil || !strings.Contains(err.Error(), "expected http") {
		t.Errorf("Fetch() over ssh = %v", err)
	}
}

func TestTheGitProgramClonesFromServe(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("the git program is not on PATH; it is needed for the comparison only")
	}
	there := scratch(t)
	advance(t, there, "", "f", "1")
	srv := httptest.NewServer(there.Serve())
	defer srv.Close()
	dir := filepath.Join(t.TempDir(), "clone")
	git(t, "", "clone", "-q", "-b", "main", srv.URL, dir)
	os.WriteFile(filepath.Join(dir, "f"), []byte("2"), 0o666)
	git(t, dir, "commit", "-qam", "by hand")
	git(t, dir, "push", "-q", "origin", "main")
	if got := read(t, there, "f"); got != "2" {
		t.Errorf("f = %q", got)
	}
}
