package githubtest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

// reply is an answer: a value to be encoded, a listing to be paged, raw bytes,
// or a refusal.
type reply interface{ status() int }

type (
	object struct {
		code  int
		value any
	}
	listing struct {
		list   []any
		under  string         // the member that holds it, with a count beside; "": it is the answer
		beside map[string]any // further members
	}
	raw     struct{ data []byte }
	nothing struct{}
	refusal struct {
		code    int
		Message string `json:"message"`
		Errors  []any  `json:"errors,omitempty"`
		URL     string `json:"documentation_url"`
		Status  string `json:"status"`
	}
)

func (o object) status() int   { return o.code }
func (listing) status() int    { return 200 }
func (raw) status() int        { return 200 }
func (nothing) status() int    { return 204 }
func (r *refusal) status() int { return r.code }

func ok(v any) reply { return object{200, v} }

// refuse is a no. Errors are strings, or field errors (see invalid).
func refuse(code int, message string, errors ...any) reply {
	return &refusal{code, message, errors, "https://docs.github.com/rest", strconv.Itoa(code)}
}

// failed is a refusal in which GitHub says what is wrong of a resource.
func failed(resource, field, code, message string) reply {
	e := map[string]any{"resource": resource, "code": code}
	if field != "" {
		e["field"] = field
	}
	if message != "" {
		e["message"] = message
	}
	return refuse(422, "Validation Failed", e)
}

func write(w http.ResponseWriter, r reply) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	var data []byte
	switch r := r.(type) {
	case object:
		data, _ = json.Marshal(r.value)
	case nothing:
		w.WriteHeader(http.StatusNoContent)
		return
	case raw:
		w.Header().Set("Content-Type", "application/vnd.github.raw")
		data = r.data
	default:
		data, _ = json.Marshal(r)
	}
	w.WriteHeader(r.status())
	w.Write(data)
}

// settle answers a conditional request.
func (s *Server) settle(req *http.Request, w http.ResponseWriter, r reply) {
	o, is := r.(object)
	if !is || req.Method != http.MethodGet {
		write(w, r)
		return
	}
	data, _ := json.Marshal(o.value)
	sum := sha256.Sum256(append(data, w.Header().Get("Link")...))
	etag := `W/"` + hex.EncodeToString(sum[:16]) + `"`
	w.Header().Set("ETag", etag)
	if req.Header.Get("If-None-Match") == etag {
		if b := s.budget; b != nil { // it is not counted
			b.left++
			limits(w, b.most, b.left, b.reset)
		}
		w.WriteHeader(http.StatusNotModified)
		return
	}
	write(w, r)
}

// page cuts a listing and links to its neighbours.
func (s *Server) page(req *http.Request, w http.ResponseWriter, l listing) reply {
	size, page := number(req, "per_page", 30), number(req, "page", 1)
	size = min(size, 100)
	if s.PageSize > 0 {
		size = min(size, s.PageSize)
	}
	list := l.list
	last := max((len(list)+size-1)/size, 1)
	var links []string
	link := func(rel string, n int) {
		u := *req.URL
		q := u.Query()
		q.Set("page", strconv.Itoa(n))
		u.RawQuery = q.Encode()
		links = append(links, fmt.Sprintf(`<http://%s%s>; rel="%s"`, req.Host, u.RequestURI(), rel))
	}
	if page > 1 {
		link("prev", page-1)
		link("first", 1)
	}
	if page < last {
		link("next", page+1)
		link("last", last)
	}
	if len(links) > 0 {
		w.Header().Set("Link", strings.Join(links, ", "))
	}
	from := min((page-1)*size, len(list))
	cut := append([]any{}, list[from:min(from+size, len(list))]...)
	if l.under != "" {
		v := map[string]any{"total_count": len(list), l.under: cut}
		maps.Copy(v, l.beside)
		return ok(v)
	}
	return ok(cut)
}

func number(req *http.Request, name string, otherwise int) int {
	if n, err := strconv.Atoi(req.URL.Query().Get(name)); err == nil && n > 0 {
		return n
	}
	return otherwise
}

// read decodes the body, nil where it is as it should be.
func (c *call) read() reply {
	data, err := io.ReadAll(c.req.Body)
	if err != nil || len(data) == 0 {
		return nil
	}
	var v any
	if json.Unmarshal(data, &v) != nil {
		return refuse(400, "Problems parsing JSON")
	}
	switch v := v.(type) {
	case map[string]any:
		c.body = v
	case []any:
		c.list = v
	default:
		return refuse(400, "Body should be a JSON object")
	}
	return nil
}

// given is the body, nil where there is none.
func (c *call) given() any {
	switch {
	case c.body != nil:
		return c.body
	case c.list != nil:
		return c.list
	}
	return nil
}

// long refuses a text that GitHub does not take for its length, of which its
// description says nothing.
func (c *call) long() reply {
	if utf8.RuneCountInString(c.text("body")) > 65536 {
		return failed("Issue", "body", "custom", "body is too long (maximum is 65536 characters)")
	}
	return nil
}

// text is a string member of the body, "" where it is not given.
func (c *call) text(name string) string {
	s, _ := c.body[name].(string)
	return s
}

// pull finds the pull request that the path names.
func (c *call) pull() (*Pull, reply) {
	n, err := strconv.Atoi(cmp.Or(c.req.PathValue("pull_number"), c.req.PathValue("issue_number")))
	if err != nil || n < 1 || n > len(c.repo.pulls) {
		return nil, refuse(404, "Not Found")
	}
	return c.repo.pulls[n-1], nil
}
