// Package githubtest is a GitHub for tests: stateful, with real Git behind it.
//
// A Server answers the part of the REST API that ringmaster uses under /api/v3/,
// that of GraphQL under /api/graphql, and Git's smart HTTP at /owner/name and /owner/name.git. A push moves the head
// of an open pull request, a merge is a merge, a request that GitHub would refuse
// is refused in GitHub's words, long listings come in pages, answers carry ETags
// and a Date of the clock handed in. Any request can be made to fail: before it
// takes effect or after, by a limit, by a broken connection (see Fault).
package githubtest

import (
	"fmt"
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

	mu     sync.Mutex
	tokens map[string]*token
	orgs   map[string]map[string]map[string]string // org → team → login → active | pending
	repos  map[string]*Repository                  // by lower-case owner/name
	blobs  map[string][]byte                       // contents that were shown, by hash
	faults []*planned
	seen   []string
	budget *budget
	nextID int64
}

type token struct {
	login  string
	lacks  map[string]bool
	scopes *string // of a classic token
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
	s.routes()
	return s
}

func (s *Server) routes() {
	const r = "/repos/{owner}/{name}"
	for pattern, route := range map[string]route{
		"GET " + r:                                        {"metadata=read", false, repository},
		"GET " + r + "/pulls":                             {"pull_requests=read", false, listPulls},
		"POST " + r + "/pulls":                            {"pull_requests=write", true, createPull},
		"GET " + r + "/pulls/{number}":                    {"pull_requests=read", false, getPull},
		"PATCH " + r + "/pulls/{number}":                  {"pull_requests=write", true, editPull},
		"PUT " + r + "/pulls/{number}/merge":              {"contents=write", true, mergePull},
		"GET " + r + "/pulls/{number}/reviews":            {"pull_requests=read", false, listReviews},
		"POST " + r + "/pulls/{number}/reviews":           {"pull_requests=write", false, createReview},
		"GET " + r + "/issues":                            {"issues=read", false, listIssues},
		"POST " + r + "/issues":                           {"issues=write", false, createIssue},
		"PATCH " + r + "/issues/{number}":                 {"issues=write", false, editIssue},
		"GET " + r + "/issues/{number}/comments":          {"issues=read; pull_requests=read", false, listComments},
		"POST " + r + "/issues/{number}/comments":         {"issues=write; pull_requests=write", false, createComment},
		"POST " + r + "/issues/{number}/labels":           {"issues=write; pull_requests=write", true, addLabels},
		"PATCH " + r + "/issues/comments/{id}":            {"issues=write; pull_requests=write", false, editComment},
		"DELETE " + r + "/issues/comments/{id}":           {"issues=write; pull_requests=write", false, deleteComment},
		"POST " + r + "/check-runs":                       {"checks=write", true, createCheck},
		"PATCH " + r + "/check-runs/{id}":                 {"checks=write", true, updateCheck},
		"GET " + r + "/check-runs/{id}/annotations":       {"checks=read", false, listNotes},
		"GET " + r + "/commits/{sha}/check-runs":          {"checks=read", false, listChecks},
		"GET " + r + "/deployments":                       {"deployments=read", false, listDeployments},
		"POST " + r + "/deployments":                      {"deployments=write", true, createDeployment},
		"GET " + r + "/deployments/{id}/statuses":         {"deployments=read", false, listStatuses},
		"POST " + r + "/deployments/{id}/statuses":        {"deployments=write", true, createStatus},
		"GET " + r + "/commits/{sha}/pulls":               {"pull_requests=read", false, pullsOfCommit},
		"GET " + r + "/collaborators/{user}/permission":   {"metadata=read", true, permission},
		"GET " + r + "/contents/{path...}":                {"contents=read", false, contents},
		"GET " + r + "/git/blobs/{sha}":                   {"contents=read", false, blob},
		"GET " + r + "/git/ref/{ref...}":                  {"contents=read", false, gitRef},
		"GET /orgs/{org}/teams":                           {"members=read", false, listTeams},
		"GET /orgs/{org}/teams/{team}":                    {"members=read", false, getTeam},
		"GET /orgs/{org}/teams/{team}/memberships/{user}": {"members=read", false, membership},
	} {
		verb, path, _ := strings.Cut(pattern, " ")
		s.mux.HandleFunc(verb+" "+API+path, func(w http.ResponseWriter, req *http.Request) { s.serve(w, req, route) })
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

func (s *Server) serve(w http.ResponseWriter, req *http.Request, r route) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind, secret, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	who := s.tokens[secret]
	if who == nil || kind != "Bearer" && kind != "token" {
		write(w, refuse(401, "Bad credentials"))
		return
	}
	if s.spend(w) {
		return
	}
	c := &call{Server: s, req: req, token: who, user: who.login}
	w.Header().Set("X-Accepted-GitHub-Permissions", r.needs)
	if who.scopes != nil {
		w.Header().Set("X-OAuth-Scopes", *who.scopes)
	}
	if bad := c.enter(r, who); bad != nil {
		write(w, bad)
		return
	}
	s.settle(req, w, r.answer(c))
}

// enter finds the repository and refuses who may not come in.
func (c *call) enter(r route, who *token) reply {
	if name := c.req.PathValue("name"); name != "" {
		c.repo = c.repos[strings.ToLower(c.req.PathValue("owner")+"/"+name)]
		if c.repo == nil || c.repo.may(c.user) == "none" {
			return refuse(404, "Not Found")
		}
		c.repo.follow()
	}
	if !slices.ContainsFunc(strings.Split(r.needs, "; "), func(need string) bool {
		what, _, _ := strings.Cut(need, "=")
		return !who.lacks[what]
	}) {
		return refuse(403, "Resource not accessible by personal access token")
	}
	if r.writer && !c.repo.writer(c.user) {
		return refuse(403, "Must have push access to the repository.")
	}
	return c.read()
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
	case push && (may == "read" || who.lacks["contents"]):
		http.Error(w, "Write access to repository not granted.", http.StatusForbidden)
	default:
		http.StripPrefix("/"+parts[0]+"/"+parts[1], r.git.Serve()).ServeHTTP(w, req)
	}
}

// Token lets a person in. Lacks are permissions that the token was not given:
// contents, pull_requests, issues, checks, deployments, members, metadata.
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
	r := &Repository{s: s, owner: owner, name: name, id: s.id(), git: g, grants: map[string]string{}}
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
