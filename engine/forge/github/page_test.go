package github_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/forge/github/githubtest"
)

var page = forge.Page{Key: "status", Title: "Where it stands", Body: "Nothing waits."}

// TestPinLeavesOthersAlone: neither a pull request nor an issue of the same label
// is taken for the page.
func TestPinLeavesOthersAlone(t *testing.T) {
	w := newWorld(t)
	w.propose(t, w.commit(t, "one"))
	w.hub.Change(1, func(p *githubtest.Pull) {
		p.Labels, p.Body = append(p.Labels, "ringmaster-status"), "<!-- ringmaster: page status -->\nmine"
	})
	first, err := w.forge.Pin(t.Context(), page)
	if err != nil {
		t.Fatal(err)
	}
	w.hub.ChangeIssue(0, func(i *githubtest.Issue) { i.Body = "somebody's question" })
	second, err := w.forge.Pin(t.Context(), page)
	if err != nil {
		t.Fatal(err)
	}
	list := w.hub.Issues()
	if first == second || len(list) != 2 || list[0].Body != "somebody's question" || !strings.HasSuffix(list[1].Body, page.Body) {
		t.Errorf("the issues are %+v; want the question and a page of its own", list)
	}
	if got := w.hub.Pulls()[0].Body; !strings.HasSuffix(got, "mine") {
		t.Errorf("the pull request says %q now", got)
	}
}

func TestPinTwiceSendsNothing(t *testing.T) {
	w := newWorld(t)
	for range 2 {
		if _, err := w.forge.Pin(t.Context(), page); err != nil {
			t.Fatal(err)
		}
	}
	w.server.Seen()
	if _, err := w.forge.Pin(t.Context(), page); err != nil {
		t.Fatal(err)
	}
	for _, request := range w.server.Seen() {
		if !strings.HasPrefix(request, "GET ") {
			t.Errorf("it sent %s", request)
		}
	}
}

func TestPinNamesWhatTheTokenLacks(t *testing.T) {
	w := newWorld(t)
	w.server.Token("t-poor", bot, "issues")
	if _, err := w.open(t, "t-poor").Pin(t.Context(), page); err == nil || !strings.Contains(err.Error(), `it takes a token with "issues: read"`) {
		t.Errorf("Pin() = %v; want it to name the permission", err)
	}
}

// TestPinsAtOnce: of two runs that make the page in the same moment, the newer
// page is closed.
func TestPinsAtOnce(t *testing.T) {
	w := newWorld(t)
	other := w.open(t, "t-carol")
	w.server.Fail(githubtest.Fault{Match: makesIssue, Do: func() {
		if _, err := other.Pin(t.Context(), page); err != nil {
			t.Error(err)
		}
	}})
	at, err := w.forge.Pin(t.Context(), page)
	if err != nil {
		t.Fatal(err)
	}
	list := w.hub.Issues()
	if len(list) != 2 || list[0].State != "open" || list[1].State != "closed" || !strings.HasSuffix(at, "/5001") {
		t.Errorf("the issues are %+v and the page is at %s; want the older one alone open", list, at)
	}
}

// TestPinWithoutItsLabel: GitHub leaves out labels of who may not push. Then
// nothing stays open, and it is told.
func TestPinWithoutItsLabel(t *testing.T) {
	w := newWorld(t)
	w.server.Token("t-alice", "alice")
	w.hub.Grant("alice", "write")
	f := w.open(t, "t-alice")
	w.server.Fail(githubtest.Fault{Match: makesIssue, Do: func() { w.hub.Grant("alice", "read") }})
	if _, err := f.Pin(t.Context(), page); err == nil || !strings.Contains(err.Error(), `left the label "ringmaster-status" out of issue #5001`) {
		t.Errorf("Pin() = %v; want it to tell of the label", err)
	}
	if list := w.hub.Issues(); len(list) != 1 || list[0].State != "closed" {
		t.Errorf("the issues are %+v; want none open", list)
	}
}

func makesIssue(r *http.Request) bool {
	return r.Method == "POST" && strings.HasSuffix(r.URL.Path, "/issues")
}
