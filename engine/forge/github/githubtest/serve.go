package githubtest

import (
	"net/http"
	"slices"
	"strings"
)

// serve answers a request. One of the REST API has a name, by which GitHub
// describes it.
func (s *Server) serve(w http.ResponseWriter, req *http.Request, name string, r route) {
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
	answer := c.enter(r, who)
	if name == "" {
		if answer == nil {
			answer = r.answer(c)
		}
		s.settle(req, w, answer)
		return
	}
	o := described(name)
	var err error
	if answer == nil {
		answer, err = o.request(req, c.given())
	}
	if answer == nil && err == nil {
		answer = r.answer(c)
	}
	if err == nil {
		answer, err = s.whole(o, req, w, answer)
	}
	if err != nil {
		s.strange = append(s.strange, err.Error())
		answer = refuse(500, err.Error())
	}
	s.settle(req, w, answer)
}

// whole is an answer as GitHub describes it.
func (s *Server) whole(o operation, req *http.Request, w http.ResponseWriter, r reply) (reply, error) {
	switch r := r.(type) {
	case listing:
		return s.whole(o, req, w, s.page(req, w, r))
	case object:
		v, err := o.response(r.code, r.value)
		return object{r.code, v}, err
	case *refusal:
		_, err := o.response(r.code, r)
		return r, err
	case nothing:
		_, err := o.response(r.status(), nil)
		return r, err
	}
	return r, nil
}

// Strange are requests and answers that GitHub does not describe. Each was
// answered 500.
func (s *Server) Strange() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.strange)
}

// enter finds the repository and refuses who may not come in.
func (c *call) enter(r route, who *token) reply {
	if name := c.req.PathValue("repo"); name != "" {
		c.repo = c.repos[strings.ToLower(c.req.PathValue("owner")+"/"+name)]
		if c.repo == nil || c.repo.may(c.user) == "none" {
			return refuse(404, "Not Found")
		}
		c.repo.follow()
	}
	if !slices.ContainsFunc(strings.Split(r.needs, "; "), func(need string) bool { return !who.lack(need) }) {
		return refuse(403, "Resource not accessible by personal access token")
	}
	if r.writer && !c.repo.writer(c.user) {
		return refuse(403, "Must have push access to the repository.")
	}
	return c.read()
}
