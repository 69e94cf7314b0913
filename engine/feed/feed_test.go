package feed

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/advisory/snapshot"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

const feeds = "../../testdata/feeds"

var (
	monday  = time.Date(2031, 3, 10, 9, 0, 0, 0, time.UTC)
	tuesday = monday.AddDate(0, 0, 1)
)

func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(feeds, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// tree returns the files of an estate with their bytes.
func tree(t testing.TB, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(root, name))
		files[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func feedOf(kind string, from ...string) []inventory.Feed {
	return []inventory.Feed{{Kind: kind, From: from}}
}

// sync runs Sync and returns its report, and its error as text.
func sync(t testing.TB, o Options) (Report, string) {
	t.Helper()
	if o.At.IsZero() {
		o.At = monday
	}
	report, err := Sync(context.Background(), o)
	if err == nil {
		return report, ""
	}
	return report, err.Error()
}

func statuses(r Report) string {
	var s []string
	for _, x := range r.Results {
		s = append(s, fmt.Sprintf("%s %s %d", x.Kind, x.Status, x.Records))
	}
	return strings.Join(s, ", ")
}

// handler answers with what it holds, and counts.
type handler struct {
	body     []byte
	etag     string
	modified string
	asked    atomic.Int32
	notMod   atomic.Int32
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.asked.Add(1)
	if h.etag != "" {
		w.Header().Set("ETag", h.etag)
	}
	if h.modified != "" {
		w.Header().Set("Last-Modified", h.modified)
	}
	if h.etag != "" && r.Header.Get("If-None-Match") == h.etag || h.modified != "" && r.Header.Get("If-Modified-Since") == h.modified {
		h.notMod.Add(1)
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(h.body)
}

func TestConditional(t *testing.T) {
	for _, h := range []*handler{
		{body: file(t, "known_exploited_vulnerabilities.json"), etag: `"v1"`},
		{body: file(t, "known_exploited_vulnerabilities.json"), modified: "Mon, 10 Mar 2031 09:00:00 GMT"},
	} {
		server := httptest.NewServer(h)
		defer server.Close()
		root := t.TempDir()
		o := Options{Root: root, Feeds: feedOf("kev", server.URL+"/kev.json")}
		report, text := sync(t, o)
		if text != "" || statuses(report) != "kev new 2" {
			t.Fatalf("Sync() = %s, %s", statuses(report), text)
		}
		first := tree(t, root)
		if got := first["inventory/advisories/kev/1-kev.json"]; got != string(h.body) {
			t.Error("the snapshot differs from what the server sent")
		}

		o.At = tuesday
		report, text = sync(t, o)
		if text != "" || statuses(report) != "kev unchanged 2" || h.notMod.Load() != 1 || len(report.Changed) != 0 {
			t.Errorf("Sync() again = %s, %s, %d not modified", statuses(report), text, h.notMod.Load())
		}
		if diff := cmp.Diff(first, tree(t, root)); diff != "" {
			t.Errorf("an unchanged source changed the estate:\n%s", diff)
		}

		// a snapshot that is gone is not asked for conditionally
		if err := os.Remove(filepath.Join(root, "inventory/advisories/kev/1-kev.json")); err != nil {
			t.Fatal(err)
		}
		if report, text = sync(t, o); text != "" || statuses(report) != "kev changed 2" || h.notMod.Load() != 1 {
			t.Errorf("Sync() without the snapshot = %s, %s", statuses(report), text)
		}
	}
}

// TestUnchangedContent answers anew each time, with the same bytes under another
// tag: nothing changes. Then other bytes come.
func TestUnchangedContent(t *testing.T) {
	h := &handler{body: file(t, "known_exploited_vulnerabilities.json"), etag: `"1"`}
	server := httptest.NewServer(h)
	defer server.Close()
	root := t.TempDir()
	o := Options{Root: root, Feeds: feedOf("kev", server.URL+"/kev.json")}
	sync(t, o)
	first := tree(t, root)
	h.etag, o.At = `"2"`, tuesday
	if report, text := sync(t, o); text != "" || statuses(report) != "kev unchanged 2" {
		t.Errorf("Sync() = %s, %s", statuses(report), text)
	}
	if diff := cmp.Diff(first, tree(t, root)); diff != "" {
		t.Errorf("the estate changed:\n%s", diff)
	}
	h.body, h.etag = file(t, "known_exploited_vulnerabilities.csv"), `"3"`
	report, text := sync(t, o)
	if text != "" || statuses(report) != "kev changed 2" {
		t.Errorf("Sync() = %s, %s", statuses(report), text)
	}
	if diff := cmp.Diff([]string{"inventory/advisories/kev/1-kev.json", stateFile}, report.Changed); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	if state := tree(t, root)[stateFile]; !strings.Contains(state, `"at": "2031-03-11T09:00:00Z"`) || !strings.Contains(state, `"etag": "\"3\""`) {
		t.Errorf("state = %s, want the new time and tag", state)
	}
}

// TestBadAnswers brings a good snapshot, and then everything that may come in
// its place: the good one stays, byte for byte.
func TestBadAnswers(t *testing.T) {
	good := gzipped(t, file(t, "epss_scores-2031-03-10.csv"))
	plain := file(t, "epss_scores-2031-03-10.csv")
	release := make(chan struct{})
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
		want   string
		opts   func(*Options)
	}{
		{name: "cut midway", want: "the connection ended after", answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(good)))
			_, _ = w.Write(good[:len(good)/2])
		}},
		{name: "cut chunks", want: "the connection ended after", answer: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(good[:len(good)/2])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}},
		{name: "cut without a length, packed", want: "it ends early", answer: hangUp(good[:len(good)/2])},
		{name: "cut without a length, plain", want: "its last line has no end: it may be cut", answer: hangUp(plain[:len(plain)-3])},
		{name: "cut by the server", want: "it ends early", answer: send(good[:len(good)-4])},
		{name: "another kind", want: `1 of its documents are KEV, where feed "epss" was expected`, answer: send(file(t, "known_exploited_vulnerabilities.json"))},
		{name: "a page", want: `it is not what feed "epss" holds; expected EPSS`, answer: send([]byte("<!doctype html><title>Sign in</title>"))},
		{name: "nothing", want: `it is not what feed "epss" holds; expected EPSS`, answer: send(nil)},
		{name: "no rows", want: "it holds no records, where there were 3 before; the snapshot stays as it was", answer: send([]byte("cve,epss,percentile\n"))},
		{name: "500", want: "the server answered 500 Internal Server Error", answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }},
		{name: "404", want: "the server answered 404 Not Found", answer: http.NotFound},
		{name: "part", want: "the server answered 206 Partial Content", answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(206) }},
		{name: "too long, said", want: "2000 bytes are more than the limit of 1000", opts: func(o *Options) { o.MaxSize = 1000 }, answer: send(make([]byte, 2000))},
		{name: "too long, not said", want: "more than the limit of 1000 bytes", opts: func(o *Options) { o.MaxSize = 1000 }, answer: func(w http.ResponseWriter, _ *http.Request) {
			for range 1000 {
				_, _ = w.Write(make([]byte, 1000))
				w.(http.Flusher).Flush()
			}
		}},
		{name: "a bomb", want: "unpacks to more than 1048576 bytes: it may be a decompression bomb", opts: func(o *Options) { o.Limits.Total = 1 << 20 }, answer: send(gzipped(t, make([]byte, 4<<20)))},
		{name: "slow", want: "it took longer than 50ms", opts: func(o *Options) { o.Timeout = 50 * time.Millisecond }, answer: func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write(plain[:10])
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
			case <-release:
			}
		}},
		{name: "to a file", want: `it redirects to "file:", which is not http or https`, answer: redirect("file:///etc/passwd")},
		{name: "to ftp", want: `it redirects to "ftp:", which is not http or https`, answer: redirect("ftp://127.0.0.1/x")},
		{name: "in a circle", want: "it redirects more than 5 times", answer: redirect("/scores.csv.gz?token=secret")},
		{name: "not modified, unasked", want: "the server answered 304 Not Modified", opts: func(o *Options) { o.Feeds[0].From[0] += "?token=secret" }, answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(304) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer := send(good)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(w, r) }))
			defer server.Close()
			root := t.TempDir()
			o := Options{Root: root, Feeds: feedOf("epss", server.URL+"/scores.csv.gz")}
			if report, text := sync(t, o); text != "" || statuses(report) != "epss new 3" {
				t.Fatalf("Sync() = %s, %s", statuses(report), text)
			}
			before := tree(t, root)
			if test.opts != nil {
				test.opts(&o)
			}
			answer = test.answer
			report, text := sync(t, o)
			if !strings.Contains(text, test.want) || !strings.HasPrefix(text, `feed "epss": `+server.URL+"/scores.csv.gz") {
				t.Errorf("Sync() = %q, want %q", text, test.want)
			}
			if strings.Contains(text, "secret") {
				t.Errorf("Sync() = %q tells a secret", text)
			}
			if len(report.Results) != 1 || report.Results[0].Status != Failed || report.Results[0].Err == nil {
				t.Errorf("report = %+v, want a failure", report)
			}
			if diff := cmp.Diff(before, tree(t, root)); diff != "" {
				t.Errorf("the estate changed:\n%s", diff)
			}
		})
	}
	close(release)
}

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func send(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		_, _ = w.Write(data)
	}
}

// hangUp answers as old servers do: no length, and the end of the connection is
// the end of the answer.
func hangUp(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, out, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(out, "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n")
		_, _ = out.Write(data)
		_ = out.Flush()
		_ = conn.Close()
	}
}

func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
}

func TestRedirect(t *testing.T) {
	h := &handler{body: file(t, "known_exploited_vulnerabilities.json")}
	to := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Referer") != "" || r.Header.Get("Authorization") != "" {
			t.Errorf("the redirect carries %q and %q", r.Header.Get("Referer"), r.Header.Get("Authorization"))
		}
		h.ServeHTTP(w, r)
	}))
	defer to.Close()
	from := httptest.NewServer(redirect(strings.Replace(to.URL, "127.0.0.1", "localhost", 1)))
	defer from.Close()
	root := t.TempDir()
	report, text := sync(t, Options{Root: root, Feeds: feedOf("kev", strings.Replace(from.URL, "http://", "http://me:secret@", 1)+"/kev.json?token=secret")})
	if text != "" || statuses(report) != "kev new 2" {
		t.Errorf("Sync() = %s, %s", statuses(report), text)
	}
	for name, data := range tree(t, root) {
		if strings.Contains(data, "secret") {
			t.Errorf("%s keeps a secret", name)
		}
	}
	if want := from.URL + "/kev.json?token=…"; report.Results[0].From != want {
		t.Errorf("From = %s, want %s", report.Results[0].From, want)
	}
}

// TestAllAtOnce has good and bad sources: the good ones are kept, and all faults
// are told.
func TestAllAtOnce(t *testing.T) {
	root := t.TempDir()
	report, text := sync(t, Options{Root: root, Feeds: []inventory.Feed{
		{Kind: "kev", From: []string{"nowhere.json", abs(t, "known_exploited_vulnerabilities.json")}},
		{Kind: "osv", From: []string{abs(t, "heron.jsonl"), abs(t, "osv")}},
	}})
	if want := "kev failed 0, kev new 2, osv failed 0, osv new 8"; statuses(report) != want {
		t.Errorf("Sync() = %s, want %s", statuses(report), want)
	}
	if want := "feed \"kev\": nowhere.json: no such file or directory\nfeed \"osv\": " + abs(t, "heron.jsonl") + ": 1 of its documents are ringmaster/patch/v1, where feed \"osv\" was expected"; text != want {
		t.Errorf("Sync() = %s\nwant %s", text, want)
	}
	got := tree(t, root)
	if got["inventory/advisories/kev/2-known_exploited_vulnerabilities.json"] == "" || got["inventory/advisories/osv/2-osv"] == "" || len(got) != 3 {
		t.Errorf("the estate has %d files, want the two snapshots and the state", len(got))
	}
}

func abs(t testing.TB, name string) string {
	t.Helper()
	full, err := filepath.Abs(filepath.Join(feeds, name))
	if err != nil {
		t.Fatal(err)
	}
	return full
}

func TestSourcesRefused(t *testing.T) {
	_, text := sync(t, Options{Root: t.TempDir(), Feeds: []inventory.Feed{{Kind: "kev", From: []string{"file:///etc/passwd", "ftp://u:secret@h/x", ""}}, {Kind: "rss", From: []string{"x"}}}})
	want := "feed \"kev\": file:///etc/passwd: \"file\" is not fetched; expected a path, http:// or https://\n" +
		"feed \"kev\": ftp://h/x: \"ftp\" is not fetched; expected a path, http:// or https://\n" +
		"feed \"kev\": : an empty path\nunknown feed \"rss\""
	if text != want {
		t.Errorf("Sync() = %s\nwant %s", text, want)
	}
}

func TestProgress(t *testing.T) {
	server := httptest.NewServer(send(append(file(t, "DSA-list"), bytes.Repeat([]byte("\tNOTE: long\n"), 400_000)...)))
	defer server.Close()
	var seen []Progress
	_, text := sync(t, Options{Root: t.TempDir(), Feeds: feedOf("debian", server.URL+"/list"), Progress: func(p Progress) { seen = append(seen, p) }})
	if text != "" || len(seen) < 4 {
		t.Fatalf("Sync() told %d times, %s", len(seen), text)
	}
	if last := seen[len(seen)-1]; last.Result == nil || last.Result.Records != 3 || seen[0].Result != nil || seen[1].Read < 1<<20 || seen[1].Total < 4<<20 {
		t.Errorf("Sync() told %+v, want a beginning, bytes and an end", seen)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	root := t.TempDir()
	_, err := Sync(ctx, Options{Root: root, At: monday, Feeds: feedOf("kev", "http://127.0.0.1:1/kev.json")})
	if err == nil || !strings.Contains(err.Error(), "context canceled") || len(tree(t, root)) != 0 {
		t.Errorf("Sync() = %v, want that it was cancelled and nothing written", err)
	}
}

func TestLimitsDefault(t *testing.T) {
	o := Options{Limits: snapshot.Limits{Members: 3}, Root: t.TempDir(), Feeds: feedOf("osv", abs(t, "osv")), At: monday}
	if _, err := Sync(context.Background(), o); err == nil || !strings.Contains(err.Error(), "more than 3 members") {
		t.Errorf("Sync() = %v, want the limit on members", err)
	}
}
