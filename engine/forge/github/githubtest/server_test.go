package githubtest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/forge/github/githubtest"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

var at = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// serve is a server with a repository that has a branch beside main.
func serve(t *testing.T) (*githubtest.Server, *githubtest.Repository, string) {
	t.Helper()
	s := githubtest.New(t.TempDir(), func() time.Time { return at })
	s.PageSize = 2
	s.Token("t-bot", "bot")
	s.Token("t-rita", "rita")
	r, err := s.Create("acme", "estate")
	if err != nil {
		t.Fatal(err)
	}
	r.Grant("bot", "write")
	r.Grant("rita", "read")
	var base repo.Hash
	for i, name := range []string{"main", "ringmaster/a", "ringmaster/b", "ringmaster/c"} {
		n := repo.Next{Base: base, Message: name, At: at, Author: repo.Person{Name: "a", Email: "a@localhost"}, Changes: map[string][]byte{"f": fmt.Append(nil, i)}}
		h, err := r.Git().Write(n)
		if err == nil {
			err = r.Git().CompareAndSwap("refs/heads/"+name, "", h)
		}
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			base = h
		}
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return s, r, srv.URL + githubtest.API + "/repos/acme/estate"
}

const annotation = `{"path":"f","start_line":1,"end_line":1,"annotation_level":"notice","message":"m"}`

func ask(t *testing.T, method, url, token, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(data)
}

// TestRefuses holds the server to GitHub's refusals.
func TestRefuses(t *testing.T) {
	s, r, url := serve(t)
	s.Token("t-app", "app[bot]")
	r.Grant("app[bot]", "write")
	if _, err := r.Open(r, "ringmaster/a", "bot", "A"); err != nil {
		t.Fatal(err)
	}
	tip, err := r.Git().Ref("refs/heads/main")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		method, path, token, body string
		status                    int
		says                      string
	}{
		{"GET", "", "t-nobody", "", 401, "Bad credentials"},
		{"GET", "/nothing", "t-bot", "", 404, "Not Found"},
		{"GET", "/pulls/9", "t-bot", "", 404, "Not Found"},
		{"POST", "/pulls", "t-rita", `{}`, 403, "push access"},
		{"POST", "/pulls", "t-bot", `{"title":`, 400, "Problems parsing JSON"},
		{"POST", "/pulls", "t-bot", `{"title":"T","head":"ringmaster/b"}`, 422, `wasn't supplied`},
		{"POST", "/pulls", "t-bot", `{"title":7,"head":"ringmaster/b","base":"main"}`, 422, "is not a string"},
		{"POST", "/pulls", "t-bot", `{"title":"T","head":"nowhere","base":"main"}`, 422, `"field":"head"`},
		{"POST", "/pulls", "t-bot", `{"title":"T","head":"ringmaster/b","base":"nowhere"}`, 422, `"field":"base"`},
		{"POST", "/pulls", "t-bot", `{"title":"T","head":"ringmaster/a","base":"main"}`, 422, "A pull request already exists for acme:ringmaster/a."},
		{"POST", "/pulls", "t-bot", `{"title":"T","head":"main","base":"main"}`, 422, "No commits between main and main"},
		{"POST", "/pulls", "t-bot", `{"title":"` + strings.Repeat("x", 257) + `","head":"ringmaster/b","base":"main"}`, 422, "too long"},
		{"PATCH", "/pulls/1", "t-bot", `{"body":"` + strings.Repeat("x", 65537) + `"}`, 422, "maximum is 65536"},
		{"PATCH", "/pulls/1", "t-bot", `{"state":"merged"}`, 422, "is not a member of"},
		{"PUT", "/pulls/1/merge", "t-bot", `{"sha":"` + strings.Repeat("0", 40) + `"}`, 409, "Head branch was modified"},
		{"PUT", "/pulls/1/merge", "t-bot", `{"merge_method":"squash"}`, 405, "not allowed"},
		{"POST", "/pulls/1/reviews", "t-bot", `{"event":"APPROVE"}`, 422, "Can not approve your own pull request"},
		{"POST", "/issues/1/comments", "t-bot", `{"body":" "}`, 422, "missing_field"},
		{"POST", "/issues/1/labels", "t-bot", `["plan"]`, 422, "is not an object"},
		{"POST", "/issues/1/labels", "t-bot", `{"labels":[]}`, 422, "minimum number of items is 1"},
		{"POST", "/issues/1/labels", "t-bot", `{"labels":[""]}`, 422, "Label"},
		{"POST", "/check-runs", "t-bot", `{"name":"x","head_sha":"main"}`, 403, "You must authenticate via a GitHub App."},
		{"POST", "/check-runs", "t-app", `{"name":"x"}`, 422, `"head_sha`},
		{"POST", "/check-runs", "t-app", `{"name":"x","head_sha":"` + strings.Repeat("0", 40) + `"}`, 422, "No commit found"},
		{"POST", "/check-runs", "t-app", `{"name":"x","head_sha":"main","output":{"summary":"s"}}`, 422, `title`},
		{"POST", "/check-runs", "t-app", `{"name":"x","head_sha":"main","output":{"title":"t","summary":"s","annotations":[` + strings.Repeat(annotation+",", 50) + annotation + `]}}`, 422, "no more than 50 items are allowed; 51 were supplied"},
		{"POST", "/statuses/" + strings.Repeat("0", 40), "t-bot", `{"state":"success"}`, 422, "No commit found"},
		{"POST", "/statuses/" + strings.Repeat("0", 40), "t-bot", `{"state":"done"}`, 422, "not a member of"},
		{"POST", "/statuses/" + string(tip), "t-bot", `{"state":"success","description":"` + strings.Repeat("x", 141) + `"}`, 422, "too long"},
		{"POST", "/deployments", "t-bot", `{"ref":"main"}`, 409, "Conflict merging"},
		{"POST", "/deployments", "t-bot", `{"ref":"main","auto_merge":false}`, 409, "checks failed"},
		{"POST", "/deployments", "t-bot", `{"ref":"main","auto_merge":false,"required_contexts":[],"description":"` + strings.Repeat("x", 141) + `"}`, 422, "too long"},
		{"GET", "/pulls?branch=x", "t-bot", "", 500, `GitHub knows no query parameter \"branch\"`},
		{"GET", "/pulls?page=x", "t-bot", "", 500, `query parameter page=x`},
		{"POST", "/pulls", "t-bot", `{"title":"T","head":"ringmaster/b","base":"main","label":"plan"}`, 500, `GitHub knows no \"label\" of the body`},
		{"GET", "/commits/" + strings.Repeat("0", 40) + "/pulls", "t-bot", "", 422, "No commit found"},
		{"GET", "/collaborators/x/permission", "t-rita", "", 403, "push access"},
	} {
		resp, body := ask(t, test.method, url+test.path, test.token, test.body)
		if resp.StatusCode != test.status || !strings.Contains(body, test.says) {
			t.Errorf("%s %s %.60s = %d %s, want %d %q", test.method, test.path, test.body, resp.StatusCode, body, test.status, test.says)
		}
	}
	if p := r.Pulls(); len(p) != 1 || p[0].State != "open" || len(p[0].Labels)+len(p[0].Comments)+len(p[0].Reviews) > 0 {
		t.Errorf("a refusal left %+v", p)
	}
	if n := len(s.Strange()); n != 3 {
		t.Errorf("%d requests were strange, want 3: %q", n, s.Strange())
	}
}

// TestRoutesAreDescribed: each has its operation, and no other is kept.
func TestRoutesAreDescribed(t *testing.T) {
	var doc struct{ Paths map[string]map[string]any }
	data, err := os.ReadFile("api.json")
	if err == nil {
		err = json.Unmarshal(data, &doc)
	}
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for path, methods := range doc.Paths {
		for m := range methods {
			got = append(got, strings.ToUpper(m)+" "+path)
		}
	}
	slices.Sort(got)
	if want := githubtest.Routes(); !slices.Equal(got, want) {
		t.Errorf("described are %q, want %q: run go generate", got, want)
	}
}

// TestGraphQLIsHeldToItsSchema refuses what the schema does not have.
func TestGraphQLIsHeldToItsSchema(t *testing.T) {
	s, _, url := serve(t)
	url = strings.TrimSuffix(url, githubtest.API+"/repos/acme/estate") + githubtest.GraphQL
	for query, want := range map[string]string{
		`{"query":"query { viewer { login databaseId } }"}`: `{"data":{"viewer":{"databaseId":`,
		`{"query":"query { viewer { name } }"}`:             `Cannot query field \"name\" on type \"User\"`,
		`{"query":"query { me { login } }"}`:                `Cannot query field \"me\" on type \"Query\"`,
		`{"query":"query { viewer"}`:                        `Expected Name`,
		`{"query":"mutation($input: EnablePullRequestAutoMergeInput!) { enablePullRequestAutoMerge(input: $input) { pullRequest { number } } }","variables":{"input":{}}}`:                                            `must be defined`,
		`{"query":"mutation($input: EnablePullRequestAutoMergeInput!) { enablePullRequestAutoMerge(input: $input) { pullRequest { number } } }","variables":{"input":{"pullRequestId":"PR_1","mergeMethod":"FAST"}}}`: `FAST is not a valid`,
		`{"query":"mutation($input: EnablePullRequestAutoMergeInput!) { enablePullRequestAutoMerge(input: $input) { pullRequest { number } } }","variables":{"input":{"pullRequestId":"PR_1"}}}`:                      `Could not resolve to a node`,
	} {
		if _, body := ask(t, "POST", url, "t-bot", query); !strings.Contains(body, want) {
			t.Errorf("%s = %s, want %s", query, body, want)
		}
	}
	if n := len(s.Strange()); n != 5 {
		t.Errorf("%d were strange, want 5: %q", n, s.Strange())
	}
}

// TestBareHeadFiltersNothing is as GitHub does it.
func TestBareHeadFiltersNothing(t *testing.T) {
	_, r, url := serve(t)
	for _, b := range []string{"a", "b", "c"} {
		if _, err := r.Open(r, "ringmaster/"+b, "bot", b); err != nil {
			t.Fatal(err)
		}
	}
	for query, want := range map[string]int{"head=ringmaster/b": 2, "head=acme:ringmaster/b": 1, "head=other:ringmaster/b": 0, "page=2": 1, "page=3": 0, "per_page=1": 1} {
		resp, body := ask(t, "GET", url+"/pulls?"+query, "t-bot", "")
		var list []any
		if err := json.Unmarshal([]byte(body), &list); err != nil || len(list) != want {
			t.Errorf("pulls?%s = %s, want %d", query, body, want)
		}
		if next := strings.Contains(resp.Header.Get("Link"), `rel="next"`); next != (query == "head=ringmaster/b" || query == "per_page=1") {
			t.Errorf("pulls?%s links to %s", query, resp.Header.Get("Link"))
		}
	}
}

func TestConditional(t *testing.T) {
	_, r, url := serve(t)
	first, _ := ask(t, "GET", url, "t-bot", "")
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer t-bot")
	req.Header.Set("If-None-Match", first.Header.Get("ETag"))
	for _, want := range []int{304, 200} {
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want || resp.Header.Get("Date") != at.Format(http.TimeFormat) {
			t.Errorf("GET = %d of %s, want %d", resp.StatusCode, resp.Header.Get("Date"), want)
		}
		r.Grant("bot", "admin")
	}
}
