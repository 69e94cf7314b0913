package github_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/forge/github/githubtest"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

func names(list []forge.Review) string {
	var out []string
	for _, r := range list {
		out = append(out, r.By)
	}
	return strings.Join(out, " ")
}

// TestApprovals tells which reviews stand.
func TestApprovals(t *testing.T) {
	type said struct{ by, state string }
	for _, test := range []struct {
		name string
		said []said
		want string
	}{
		{"in any order, sorted", []said{{"carol", "APPROVED"}, {"alice", "APPROVED"}, {"bob", "APPROVED"}}, "alice bob carol"},
		{"a comment afterwards takes no side", []said{{"alice", "APPROVED"}, {"alice", "COMMENTED"}, {"alice", "PENDING"}}, "alice"},
		{"changes requested afterwards", []said{{"alice", "APPROVED"}, {"alice", "CHANGES_REQUESTED"}}, ""},
		{"approved after changes", []said{{"alice", "CHANGES_REQUESTED"}, {"alice", "APPROVED"}}, "alice"},
		{"dismissed", []said{{"alice", "DISMISSED"}, {"bob", "APPROVED"}}, "bob"},
		{"readers do not count", []said{{"rita", "APPROVED"}, {"bob", "APPROVED"}}, "bob"},
		{"strangers do not count", []said{{"mallory", "APPROVED"}}, ""},
		{"apps do not count", []said{{"helper[bot]", "APPROVED"}}, ""},
		{"look-alikes do not count", []said{{"аlice", "APPROVED"}}, ""},
		{"deleted accounts do not count", []said{{"", "APPROVED"}}, ""},
	} {
		w := newWorld(t)
		w.propose(t, w.commit(t, "one"))
		for _, s := range test.said {
			w.hub.Review(1, s.by, s.state)
		}
		if got := names(w.find(t).Approvals); got != test.want {
			t.Errorf("%s: Approvals = %q, want %q", test.name, got, test.want)
		}
	}
}

func TestPermissionsAreAskedOnce(t *testing.T) {
	w := newWorld(t)
	w.propose(t, w.commit(t, "one"))
	w.hub.Review(1, "alice", "APPROVED")
	w.find(t)
	w.server.Seen()
	w.find(t)
	for _, r := range w.server.Seen() {
		if strings.Contains(r, "/collaborators/") {
			t.Errorf("it asked again: %s", r)
		}
	}
}

// TestForksAreNotOurs opens pull requests from forks whose branches are named
// as ringmaster's, one of them of the same owner.
func TestForksAreNotOurs(t *testing.T) {
	w := newWorld(t)
	c := w.commit(t, "one")
	for _, owner := range []string{"mallory", "acme"} {
		fork, err := w.hub.Fork(owner, "estate-"+owner)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.clone.Push(t.Context(), repo.Remote{URL: fork.Git().GitDir()}, "refs/heads/"+w.branch, "", repo.Hash(c)); err != nil {
			t.Fatal(err)
		}
		if _, err := w.hub.Open(fork, w.branch, owner, "A plan"); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := w.forge.List(t.Context(), ""); err != nil || len(list) != 0 {
		t.Errorf("List() = %+v, %v, want none", list, err)
	}
	if _, err := w.forge.Find(t.Context(), w.branch); !errors.Is(err, forge.ErrNotFound) {
		t.Errorf("Find() = %v, want ErrNotFound", err)
	}
	if err := w.forge.Close(t.Context(), w.branch, "", "superseded"); !errors.Is(err, forge.ErrNotFound) {
		t.Errorf("Close() = %v, want ErrNotFound", err)
	}
	pr := w.propose(t, c)
	if pr.Number != 3 || pr.Author != bot {
		t.Errorf("Propose() = %+v, want a pull request of its own", pr)
	}
	if list, err := w.forge.List(t.Context(), "open"); err != nil || len(list) != 1 || list[0].Number != 3 {
		t.Errorf("List() = %+v, %v, want #3", list, err)
	}
}

// TestMergedTellsWhoeverBroughtIt: people's pull requests come from any branch,
// and from forks.
func TestMergedTellsWhoeverBroughtIt(t *testing.T) {
	w := newWorld(t)
	fork, err := w.hub.Fork("mallory", "estate")
	if err != nil {
		t.Fatal(err)
	}
	c := repo.Hash(w.commit(t, "one"))
	for r, name := range map[*githubtest.Repository]string{fork: "ringmaster/high-main-1", w.hub: "policy-change"} {
		h := c
		if r == w.hub {
			h, _ = w.clone.Write(next(w.base, "policy", map[string][]byte{"policies/a.rego": []byte("package a\n")}))
		}
		if err := w.clone.Push(t.Context(), repo.Remote{URL: r.Git().GitDir()}, "refs/heads/"+name, "", h); err != nil {
			t.Fatal(err)
		}
	}
	n, err := w.hub.Open(w.hub, "policy-change", "bob", "A policy")
	if err != nil {
		t.Fatal(err)
	}
	w.hub.Review(n, "alice", "APPROVED")
	merge, err := w.hub.Merge(n, "carol")
	if err != nil {
		t.Fatal(err)
	}
	list, err := w.forge.Merged(t.Context(), merge)
	if err != nil || len(list) != 1 || list[0].Branch != "policy-change" || list[0].MergedBy != "carol" || list[0].Author != "bob" || list[0].Merge != merge || names(list[0].Approvals) != "alice" {
		t.Errorf("Merged() = %+v, %v", list, err)
	}
	if _, err := w.forge.Find(t.Context(), "policy-change"); !errors.Is(err, forge.ErrNotFound) {
		t.Errorf("Find() of a person's branch = %v, want ErrNotFound", err)
	}
	if n, err = w.hub.Open(fork, "ringmaster/high-main-1", "mallory", "A plan"); err != nil {
		t.Fatal(err)
	}
	if merge, err = w.hub.Merge(n, "carol"); err != nil {
		t.Fatal(err)
	}
	if list, err = w.forge.Merged(t.Context(), merge); err != nil || len(list) != 1 || list[0].Branch != "mallory:ringmaster/high-main-1" {
		t.Errorf("Merged() = %+v, %v; want the branch told to be a fork's", list, err)
	}
	if list, err = w.forge.Merged(t.Context(), strings.Repeat("0", 40)); err != nil || len(list) != 0 {
		t.Errorf("Merged() of no commit = %+v, %v", list, err)
	}
}

func TestMember(t *testing.T) {
	w := newWorld(t)
	for _, test := range []struct {
		team, person string
		want         bool
	}{
		{"team-payments", "alice", true},
		{"Team-Payments", "Alice", true},
		{"@acme/team-payments", "alice", true},
		{"@other/team-payments", "alice", false},
		{"team-payments", "pat", false}, // has not accepted yet
		{"team-payments", "bob", false},
		{"team-payments", "team-payments", false}, // a person who took a team's name
		{"team-payments", "аlice", false},         // Cyrillic а
		{"bob", "bob", true},
		{"bob", "BOB", true},
		{"kim", "Kim", true},
		{"kim", "\u212Aim", false}, // Kelvin sign, which folds to k
		{"bob", "bоb", false},      // Cyrillic о
		{"bоb", "bоb", false},
		{"bob", "", false},
		{"", "bob", false},
		{"team-payments", "alice/../../x", false},
		{"nobody", "alice", false},
	} {
		if got, err := w.forge.Member(t.Context(), test.team, test.person); err != nil || got != test.want {
			t.Errorf("Member(%q, %q) = %v, %v, want %v", test.team, test.person, got, err, test.want)
		}
	}
	w.server.Token("t-blind", bot, "members")
	if _, err := w.open(t, "t-blind").Member(t.Context(), "team-payments", "alice"); err == nil || !strings.Contains(err.Error(), "members: read") {
		t.Errorf("Member() without the permission = %v, want it named", err)
	}
}

func TestApproveOwn(t *testing.T) {
	w := newWorld(t)
	w.propose(t, w.commit(t, "one"))
	if err := w.forge.Approve(t.Context(), w.branch, "", start); err == nil || !strings.Contains(err.Error(), "nobody approves what they opened") {
		t.Errorf("Approve() = %v", err)
	}
	if err := w.open(t, "t-carol").Approve(t.Context(), w.branch, "", start); err != nil {
		t.Error(err)
	}
	if got := names(w.find(t).Approvals); got != "carol" {
		t.Errorf("Approvals = %q", got)
	}
}

// TestFile reads with a clone that has nothing: by Git where a reference names
// the commit, else by the API, whatever the size.
func TestFile(t *testing.T) {
	w := newWorld(t)
	big := strings.Repeat("0123456789abcde\n", 3<<16)
	first, err := w.clone.Write(next(w.base, "one", map[string][]byte{"plans/a b/plan.json": []byte(big), "small": []byte("x")}))
	if err != nil {
		t.Fatal(err)
	}
	second, err := w.clone.Write(next(first, "two", map[string][]byte{"other": []byte("y")}))
	if err != nil {
		t.Fatal(err)
	}
	w.propose(t, string(second))
	for _, test := range []struct {
		commit repo.Hash
		path   string
		want   string
		by     string
	}{
		{second, "plans/a b/plan.json", big, "git-upload-pack"},
		{first, "plans/a b/plan.json", big, "/git/blobs/"},
		{first, "small", "x", "/contents/"},
	} {
		f := w.openIn(t, secret, clone(t))
		w.server.Seen()
		got, err := f.File(t.Context(), string(test.commit), test.path)
		if err != nil || string(got) != test.want {
			t.Errorf("File(%.10s, %q) = %d bytes, %v, want %d", test.commit, test.path, len(got), err, len(test.want))
		}
		if seen := w.server.Seen(); !strings.Contains(seen[len(seen)-1], test.by) {
			t.Errorf("File(%.10s, %q) came by %q, want %s", test.commit, test.path, seen, test.by)
		}
		if _, err := f.File(t.Context(), string(test.commit), "nowhere"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("File(nowhere) = %v, want fs.ErrNotExist", err)
		}
	}
	if _, err := w.openIn(t, secret, clone(t)).File(t.Context(), string(first), "../secret"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("File(../secret) = %v, want fs.ErrInvalid", err)
	}
}

func TestPreflight(t *testing.T) {
	w := newWorld(t)
	w.server.Token("t-reader", "rita")
	w.server.Token("t-stranger", "mallory")
	for _, lack := range []string{"contents", "members", "pull_requests", "issues", "deployments", "statuses", "checks"} {
		w.server.Token("t-no-"+lack, bot, lack)
	}
	for token, want := range map[string][]string{
		secret:               nil,
		"t-reader":           {"contents: write"},
		"t-stranger":         {"metadata: read"},
		"t-unknown":          {"a token that is valid"},
		"t-no-contents":      {"contents: write"},
		"t-no-members":       {"members: read"},
		"t-no-issues":        {"issues: write"},
		"t-no-pull_requests": {"pull requests: write"},
		"t-no-deployments":   {"deployments: write"},
		"t-no-statuses":      {"commit statuses: write"},
		"t-no-checks":        {"checks: write"},
	} {
		got, err := w.open(t, token).Preflight(t.Context())
		if err != nil || len(got) != len(want) || len(want) > 0 && !strings.HasPrefix(got[0], want[0]) {
			t.Errorf("Preflight() with %s = %q, %v, want %q", token, got, err, want)
		}
	}
}

// TestPreflightOfClassicTokens goes by what such a token says of itself.
func TestPreflightOfClassicTokens(t *testing.T) {
	w := newWorld(t)
	for scopes, want := range map[string]int{"repo, read:org": 0, "repo, admin:org, gist": 0, "repo": 1, "public_repo, read:org": 1, "": 2} {
		w.server.Scopes(secret, scopes)
		if got, err := w.forge.Preflight(t.Context()); err != nil || len(got) != want {
			t.Errorf("Preflight() with scopes %q = %q, %v, want %d", scopes, got, err, want)
		}
	}
	w.hub.Public = true
	w.server.Scopes(secret, "public_repo, read:org")
	if got, err := w.forge.Preflight(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("Preflight() of a public repository = %q, %v", got, err)
	}
}

func TestRefusalsNameWhatTheTokenLacks(t *testing.T) {
	w := newWorld(t)
	w.server.Token("t-weak", bot, "pull_requests")
	_, err := w.open(t, "t-weak").List(t.Context(), "open")
	if err == nil || !strings.Contains(err.Error(), `it takes a token with "pull_requests: read"`) {
		t.Errorf("List() = %v", err)
	}
	_, err = w.open(t, "t-wrong").List(t.Context(), "open")
	if err == nil || !strings.Contains(err.Error(), "not valid or has expired") || strings.Contains(err.Error(), "t-wrong") {
		t.Errorf("List() = %v", err)
	}
}

// TestPages follows listings of several pages, two at a time.
func TestPages(t *testing.T) {
	w := newWorld(t)
	for i := range 5 {
		w.branch = fmt.Sprintf("ringmaster/low-main-%d", i+1)
		w.propose(t, w.commit(t, "one"))
		for range 5 {
			w.hub.Review(i+1, "bob", "COMMENTED")
		}
		w.hub.Review(i+1, "alice", "APPROVED")
	}
	list, err := w.forge.List(t.Context(), "open")
	if err != nil || len(list) != 5 || list[4].Branch != "ringmaster/low-main-5" || names(list[4].Approvals) != "alice" {
		t.Errorf("List() = %+v, %v", list, err)
	}
}
