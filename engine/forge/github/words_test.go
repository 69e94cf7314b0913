package github

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-github/v60/github"
)

// TestWords tells people what to do about GitHub's answers.
func TestWords(t *testing.T) {
	resp := func(status int, needs string) *http.Response {
		return &http.Response{StatusCode: status, Header: http.Header{"X-Accepted-Github-Permissions": {needs}}}
	}
	for _, test := range []struct {
		err    error
		want   string
		status int
		lost   bool
	}{
		{nil, "<nil>", 0, false},
		{&github.ErrorResponse{Response: resp(422, ""), Message: "Validation Failed", Errors: []github.Error{{Resource: "PullRequest", Field: "base", Code: "invalid"}, {Message: "No commits"}}},
			"GitHub answers 422: Validation Failed: PullRequest base invalid: No commits", 422, false},
		{&github.ErrorResponse{Response: resp(403, "pull_requests=write"), Message: "Resource not accessible by integration"},
			`GitHub answers 403: Resource not accessible by integration; it takes a token with "pull_requests: write"`, 403, false},
		{&github.ErrorResponse{Response: resp(403, ""), Message: "No"}, "GitHub answers 403: No; the token may not do this", 403, false},
		{(*github.TwoFactorAuthError)(&github.ErrorResponse{Response: resp(401, ""), Message: "OTP"}), "GitHub answers 401: OTP; the token is not valid or has expired", 401, false},
		{&github.ErrorResponse{Response: resp(404, "metadata=read"), Message: "Not Found"}, "GitHub answers 404: Not Found; it is not there, or the token may not see it", 404, false},
		{&github.ErrorResponse{Response: resp(502, "")}, "GitHub answers 502", 502, true},
		{&github.AcceptedError{}, "<nil>", 0, false},
		{io.ErrUnexpectedEOF, "unexpected EOF", 0, true},
		{fmt.Errorf("Get: %w", &LimitError{"primary", time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}), "GitHub's primary rate limit is used up until 2026-03-02T10:00:00Z; run again after that", 0, false},
		{&LimitError{Kind: "secondary"}, "GitHub's secondary rate limit is used up for a while; run again after that", 0, false},
	} {
		got := wrong(test.err)
		if fmt.Sprint(got) != test.want || said(got) != test.status || lost(got) != test.lost {
			t.Errorf("wrong(%T) = %v (%d, lost %v), want %s (%d, %v)", test.err, got, said(got), lost(got), test.want, test.status, test.lost)
		}
		if again := wrong(got); !errors.Is(again, got) {
			t.Errorf("wrong() twice = %v, want %v", again, got)
		}
	}
}

// TestGraphQLStandsBesideREST on every kind of server.
func TestGraphQLStandsBesideREST(t *testing.T) {
	for rest, want := range map[string]string{
		"https://api.github.com":          "https://api.github.com/graphql",
		"https://api.github.com/":         "https://api.github.com/graphql",
		"https://api.acme.ghe.com":        "https://api.acme.ghe.com/graphql",
		"https://git.acme.example/api/v3": "https://git.acme.example/api/graphql",
		"http://127.0.0.1:8080/api/v3/":   "http://127.0.0.1:8080/api/graphql",
	} {
		f, err := New(Options{Token: "t", Repository: "acme/estate", API: rest})
		if err != nil || f.graphql != want {
			t.Errorf("of %s it is %q, %v, want %s", rest, f.graphql, err, want)
		}
	}
	f, err := New(Options{Token: "t", Repository: "acme/estate", GraphQL: "https://elsewhere.example/graphql"})
	if err != nil || f.graphql != "https://elsewhere.example/graphql" {
		t.Errorf("it is %q, %v, want what was said", f.graphql, err)
	}
}

// FuzzSameName: names are the same only where they differ in the case of ASCII
// letters at most.
func FuzzSameName(f *testing.F) {
	for _, s := range [][2]string{{"kim", "\u212Aim"}, {"s", "ſ"}, {"Alice", "aLICE"}, {"аlice", "alice"}, {"", ""}, {"a\x80", "a\x80"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		lower := func(s string) string {
			return strings.Map(func(r rune) rune {
				if r >= 'A' && r <= 'Z' {
					r += 'a' - 'A'
				}
				return r
			}, s)
		}
		if sameName(a, b) && (lower(a) != lower(b) || len(a) != len(b)) {
			t.Errorf("sameName(%q, %q)", a, b)
		}
		if isLogin(a) && strings.ContainsAny(a, "/?#%\\ \n\u0430") {
			t.Errorf("isLogin(%q)", a)
		}
	})
}
