package githubtest

import (
	"net/http"
	"net/http/httptest"
	"time"
)

// Kind is a way for a request to fail.
type Kind int

// The ways. Those named After take effect all the same.
const (
	Nothing       Kind = iota // it is answered; for a Fault's Do alone
	ServerError               // 500
	ErrorAfter                // 500
	BadGateway                // 502, in HTML
	Reset                     // the connection breaks
	ResetAfter                // the connection breaks
	TornAfter                 // the connection breaks in the middle of the answer
	Secondary                 // 403 with Retry-After: 7
	SecondaryBare             // 403 that names no time
	TooMany                   // 429 with Retry-After: 7
	Primary                   // 403 (of GraphQL, 200) with no requests remaining for 40 seconds
	BaseModified              // 405, as a merge meets while its base moves
)

// Kinds are the ways that any request may fail, by name.
var Kinds = map[string]Kind{
	"500": ServerError, "500 after": ErrorAfter, "502": BadGateway, "reset": Reset, "reset after": ResetAfter, "torn after": TornAfter,
	"secondary limit": Secondary, "secondary limit without a time": SecondaryBare, "429": TooMany, "primary limit": Primary,
}

// Fault makes requests fail.
type Fault struct {
	Kind  Kind
	At    int                      // the first to fail, of those that match, from now on
	Times int                      // how many, one after the other; 0: one
	Match func(*http.Request) bool // nil: every request, Git's too
	Do    func()                   // what happens elsewhere just before, as a competing push
}

type planned struct {
	Fault
	n int
}

// Fail plans a fault.
func (s *Server) Fail(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &planned{f, 0})
}

// Mend takes back the faults that are planned.
func (s *Server) Mend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// Seen returns the requests since it was last called, as "GET /api/v3/…".
func (s *Server) Seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.seen
	s.seen = nil
	return seen
}

// due returns the fault that a request meets, nil for none.
func (s *Server) due(req *http.Request) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, req.Method+" "+req.URL.RequestURI())
	for _, f := range s.faults {
		if f.Match != nil && !f.Match(req) {
			continue
		}
		f.n++
		if f.n > f.At && f.n <= f.At+max(f.Times, 1) {
			return &f.Fault
		}
	}
	return nil
}

func (s *Server) failing(w http.ResponseWriter, req *http.Request, next func(http.ResponseWriter)) {
	f := s.due(req)
	if f == nil {
		next(w)
		return
	}
	if f.Do != nil {
		f.Do()
	}
	rec := httptest.NewRecorder()
	if f.Kind == ErrorAfter || f.Kind == ResetAfter || f.Kind == TornAfter {
		next(rec)
	}
	switch f.Kind {
	case Nothing:
		next(w)
	case ServerError, ErrorAfter:
		write(w, refuse(500, "Server Error"))
	case BadGateway:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		w.Write([]byte("<html><body>Unicorn!</body></html>"))
	case TornAfter:
		w.Header().Set("Content-Length", "100000")
		w.WriteHeader(rec.Code)
		w.Write(rec.Body.Bytes()[:rec.Body.Len()/2])
		panic(http.ErrAbortHandler)
	case BaseModified:
		write(w, refuse(405, "Base branch was modified. Review and try the merge again."))
	case Reset, ResetAfter:
		panic(http.ErrAbortHandler)
	default:
		s.limited(w, req, f.Kind)
	}
}

// limited refuses for a limit. GraphQL says of the primary one with status 200.
func (s *Server) limited(w http.ResponseWriter, req *http.Request, k Kind) {
	status, message := 403, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
	switch k {
	case Secondary:
		w.Header().Set("Retry-After", "7")
	case TooMany:
		w.Header().Set("Retry-After", "7")
		status = 429
	case Primary:
		limits(w, 5000, 0, s.clock().Add(40*time.Second))
		message = "API rate limit exceeded for user ID 1."
		if req.URL.Path == GraphQL {
			write(w, graphed(nil, &deny{"RATE_LIMITED", message}))
			return
		}
	}
	write(w, refuse(status, message))
}
