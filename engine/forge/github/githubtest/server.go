// Package githubtest is a GitHub for tests: stateful, with real Git behind it.
//
// A Server answers the part of the REST API that ringmaster uses under /api/v3/,
// that of GraphQL under /api/graphql, and Git's smart HTTP at /owner/name and /owner/name.git. A push moves the head
// of an open pull request, a merge is a merge, a request that GitHub would refuse
// is refused in GitHub's words, long listings come in pages, answers carry ETags
// and a Date of the clock handed in. Any request can be made to fail: before it
// takes effect or after, by a limit, by a broken connection (see Fault).
//
// Every request and every answer is held to GitHub's own descriptions, cut to
// what is answered here: api.json (OpenAPI) and schema.graphql; see cut. What
// they require and nobody here models is there, empty. A request with something
// that GitHub would pass over in silence, and an answer that GitHub would not
// give, are answered 500 and told by Strange.
//
// # What the client library does otherwise
//
// Seen with go-github v60:
//
//   - PullRequests.List with Head "branch" filters nothing: GitHub wants
//     "owner:branch", and passes over anything else.
//   - Issues.AddLabelsToIssue sends a bare array, which GitHub takes and no longer
//     describes; here it is refused, and github sends the object.
//   - Repositories.CreateFile with nil content sends null, which GitHub refuses;
//     nothing here is committed that way.
//   - RepositoryPermissionLevel has no role_name, so that maintain and triage are
//     not told apart from write and read.
//   - DeploymentRequest leaves auto_merge and required_contexts out where they are
//     nil, and then GitHub merges the default branch and waits for all statuses.
//   - CheckRunOutput leaves the title out where it is nil, which GitHub refuses, as
//     it does more than 50 annotations.
//   - UpdateCheckRunOptions always sends a name: one that is left out is "".
//   - RepositoryContent of more than a megabyte has encoding none and no content,
//     without an error.
//   - Users.Get("") is refused with 403 to the tokens of Apps; GraphQL's viewer is
//     not.
//   - Limits are remembered against the machine's clock; github takes their headers
//     away before the library sees them.
//
// And GitHub otherwise than it describes: refusals carry a status, 401, 403 and
// 404 may come from anywhere, and 422 from whatever takes a body.
package githubtest

import (
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// API is what comes before the paths of the REST API, as on an Enterprise server.
const API = "/api/v3"

// Server is a GitHub. Make one with New and hand it to httptest.NewServer.
type Server struct {
	// PageSize caps the pages of listings, so that a handful of entries fills
	// several; 0: GitHub's own cap.
	PageSize int

	dir   string
	clock func() time.Time
	mux   *http.ServeMux

	mu      sync.Mutex
	tokens  map[string]*token
	orgs    map[string]map[string]map[string]string // org → team → login → active | pending
	repos   map[string]*Repository                  // by lower-case owner/name
	blobs   map[string][]byte                       // contents that were shown, by hash
	faults  []*planned
	seen    []string
	strange []string
	budget  *budget
	nextID  int64
}

type token struct {
	login  string
	lacks  map[string]bool
	scopes *string // of a classic token
}

// lack says whether the token lacks a permission, as "contents=read".
func (t *token) lack(need string) bool {
	what, _, _ := strings.Cut(need, "=")
	return t.lacks[what] || t.lacks[need]
}

// budget is a primary limit.
type budget struct {
	left, most int
	reset      time.Time
	span       time.Duration
}

// New returns a server that keeps its repositories in dir.
func New(dir string, clock func() time.Time) *Server {
	s := &Server{
		dir: dir, clock: clock, mux: http.NewServeMux(), tokens: map[string]*token{}, orgs: map[string]map[string]map[string]string{},
		repos: map[string]*Repository{}, blobs: map[string][]byte{}, nextID: 1000,
	}
	s.route()
	return s
}

// routes are the requests that are answered, by method and path as GitHub
// describes them.
var routes = map[string]route{
	"GET /repos/{owner}/{repo}":                                       {"metadata=read", false, repository},
	"GET /repos/{owner}/{repo}/pulls":                                 {"pull_requests=read", false, listPulls},
	"POST /repos/{owner}/{repo}/pulls":                                {"pull_requests=write", true, createPull},
	"GET /repos/{owner}/{repo}/pulls/{pull_number}":                   {"pull_requests=read", false, getPull},
	"PATCH /repos/{owner}/{repo}/pulls/{pull_number}":                 {"pull_requests=write", true, editPull},
	"PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge":             {"contents=write", true, mergePull},
	"GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews":           {"pull_requests=read", false, listReviews},
	"POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews":          {"pull_requests=write", false, createReview},
	"GET /repos/{owner}/{repo}/issues":                                {"issues=read", false, listIssues},
	"POST /repos/{owner}/{repo}/issues":                               {"issues=write", false, createIssue},
	"GET /repos/{owner}/{repo}/issues/{issue_number}":                 {"issues=read; pull_requests=read", false, getIssue},
	"PATCH /repos/{owner}/{repo}/issues/{issue_number}":               {"issues=write", false, editIssue},
	"GET /repos/{owner}/{repo}/issues/{issue_number}/comments":        {"issues=read; pull_requests=read", false, listComments},
	"POST /repos/{owner}/{repo}/issues/{issue_number}/comments":       {"issues=write; pull_requests=write", false, createComment},
	"POST /repos/{owner}/{repo}/issues/{issue_number}/labels":         {"issues=write; pull_requests=write", true, addLabels},
	"PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}":        {"issues=write; pull_requests=write", false, editComment},
	"DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}":       {"issues=write; pull_requests=write", false, deleteComment},
	"POST /repos/{owner}/{repo}/check-runs":                           {"checks=write", true, createCheck},
	"PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}":           {"checks=write", true, updateCheck},
	"GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations": {"checks=read", false, listNotes},
	"GET /repos/{owner}/{repo}/commits/{ref}/check-runs":              {"checks=read", false, listChecks},
	"GET /repos/{owner}/{repo}/commits/{ref}/status":                  {"statuses=read", false, combinedStatus},
	"POST /repos/{owner}/{repo}/statuses/{sha}":                       {"statuses=write", true, markCommit},
	"GET /repos/{owner}/{repo}/deployments":                           {"deployments=read", false, listDeployments},
	"POST /repos/{owner}/{repo}/deployments":                          {"deployments=write", true, createDeployment},
	"GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses":  {"deployments=read", false, listStatuses},
	"POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses": {"deployments=write", true, createStatus},
	"GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls":            {"pull_requests=read", false, pullsOfCommit},
	"GET /repos/{owner}/{repo}/collaborators/{username}/permission":   {"metadata=read", true, permission},
	"GET /repos/{owner}/{repo}/contents/{path}":                       {"contents=read", false, contents},
	"GET /repos/{owner}/{repo}/git/blobs/{file_sha}":                  {"contents=read", false, blob},
	"GET /repos/{owner}/{repo}/git/commits/{commit_sha}":              {"contents=read", false, gitCommit},
	"GET /repos/{owner}/{repo}/rules/branches/{branch}":               {"metadata=read", false, branchRules},
	"GET /repos/{owner}/{repo}/git/ref/{ref}":                         {"contents=read", false, gitRef},
	"GET /orgs/{org}/teams":                                           {"members=read", false, listTeams},
	"GET /orgs/{org}/teams/{team_slug}":                               {"members=read", false, getTeam},
	"GET /orgs/{org}/teams/{team_slug}/memberships/{username}":        {"members=read", false, membership},
}

// Routes are the requests of the REST API that are answered, as GitHub describes
// them.
func Routes() []string { return slices.Sorted(maps.Keys(routes)) }

// route serves all requests. A path or a reference at an end may hold slashes.
func (s *Server) route() {
	for name, route := range routes {
		verb, path, _ := strings.Cut(name, " ")
		if strings.HasSuffix(path, "/{path}") || strings.HasSuffix(path, "/{ref}") {
			path = strings.TrimSuffix(path, "}") + "...}"
		}
		s.mux.HandleFunc(verb+" "+API+path, func(w http.ResponseWriter, req *http.Request) { s.serve(w, req, name, route) })
	}
	s.mux.HandleFunc("POST "+GraphQL, s.serveGraphQL)
	s.mux.HandleFunc(API+"/", func(w http.ResponseWriter, req *http.Request) { write(w, refuse(404, "Not Found")) })
}

// route is one request of the API: the permission it takes of the token (of
// several, after "; ", any),
// whether it takes write access to the repository, and what answers it.
type route struct {
	needs  string
	writer bool
	answer func(*call) reply
}

// call is one request being answered, with the state locked.
type call struct {
	*Server
	req   *http.Request
	token *token
	user  string
	repo  *Repository
	body  map[string]any
	list  []any // a body that is an array
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Date", s.clock().UTC().Format(http.TimeFormat))
	s.failing(w, req, func(w http.ResponseWriter) {
		if strings.HasPrefix(req.URL.Path, API+"/") || req.URL.Path == GraphQL {
			s.mux.ServeHTTP(w, req)
		} else {
			s.git(w, req)
		}
	})
}

// git answers Git's own protocol. A push takes a token that may write.
func (s *Server) git(w http.ResponseWriter, req *http.Request) {
	parts := strings.SplitN(strings.TrimPrefix(req.URL.Path, "/"), "/", 3)
	if len(parts) < 3 {
		http.NotFound(w, req)
		return
	}
	name := parts[0] + "/" + strings.TrimSuffix(parts[1], ".git")
	_, secret, ok := req.BasicAuth()
	s.mu.Lock()
	r, who := s.repos[strings.ToLower(name)], s.tokens[secret]
	var may string
	if r != nil && who != nil {
		may = r.may(who.login)
	}
	s.mu.Unlock()
	push := strings.Contains(req.URL.RequestURI(), "git-receive-pack")
	switch {
	case !ok || who == nil:
		w.Header().Set("WWW-Authenticate", `Basic realm="GitHub"`)
		http.Error(w, "Invalid username or password.", http.StatusUnauthorized)
	case r == nil || may == "none":
		http.Error(w, "Repository not found.", http.StatusNotFound)
	case push && (may == "read" || who.lack("contents=write")):
		http.Error(w, "Write access to repository not granted.", http.StatusForbidden)
	default:
		next := http.StripPrefix("/"+parts[0]+"/"+parts[1], r.git.Serve())
		if push {
			r.push(w, req, next)
		} else {
			next.ServeHTTP(w, req)
		}
	}
}

// Token lets a person in. Lacks are permissions that the token was not given:
// contents, pull_requests, issues, checks, deployments, statuses, members, metadata;
// with "=write" behind it, one that it was given for reading alone.
func (s *Server) Token(secret, login string, lacks ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &token{login: login, lacks: map[string]bool{}}
	for _, l := range lacks {
		t.lacks[l] = true
	}
	s.tokens[secret] = t
}

// Scopes makes a token a classic one, which tells its scopes with every answer.
func (s *Server) Scopes(secret, scopes string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[secret].scopes = &scopes
}

// Team makes a team of an organisation, which is made too. States are active or
// pending, by login.
func (s *Server) Team(org, slug string, states map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.orgs[org] == nil {
		s.orgs[org] = map[string]map[string]string{}
	}
	if slug != "" {
		s.orgs[org][slug] = states
	}
}

// Create makes an empty private repository, whose branch will be main.
func (s *Server) Create(owner, name string) (*Repository, error) {
	g, err := repo.InitBare(filepath.Join(s.dir, owner, name+".git"), "main")
	if err != nil {
		return nil, fmt.Errorf("making %s/%s: %w", owner, name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &Repository{s: s, owner: owner, name: name, id: s.id(), git: g, grants: map[string]string{}, signed: map[repo.Hash]bool{}}
	s.repos[strings.ToLower(r.FullName())] = r
	return r, nil
}

// Budget limits the requests to most in each span, as GitHub's primary limit.
func (s *Server) Budget(most int, span time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.budget = &budget{left: most, most: most, reset: s.clock().Add(span), span: span}
}

// spend takes one request off the budget and says whether none was left.
func (s *Server) spend(w http.ResponseWriter) bool {
	b := s.budget
	if b == nil {
		return false
	}
	if now := s.clock(); !now.Before(b.reset) {
		b.left, b.reset = b.most, now.Add(b.span)
	}
	over := b.left == 0
	b.left = max(b.left-1, 0)
	limits(w, b.most, b.left, b.reset)
	if over {
		write(w, refuse(403, "API rate limit exceeded for user ID 1."))
	}
	return over
}

func limits(w http.ResponseWriter, most, left int, reset time.Time) {
	w.Header().Set("X-RateLimit-Limit", fmt.Sprint(most))
	w.Header().Set("X-RateLimit-Remaining", fmt.Sprint(left))
	w.Header().Set("X-RateLimit-Reset", fmt.Sprint(reset.Unix()))
	w.Header().Set("X-RateLimit-Resource", "core")
}

func (s *Server) id() int64 {
	s.nextID++
	return s.nextID
}
