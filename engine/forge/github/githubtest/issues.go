package githubtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Issue is an issue that is no pull request. GitHub counts both in one row of
// numbers; here issues begin after firstIssue.
type Issue struct {
	Number      int
	Title, Body string
	State       string // open | closed
	Author      string
	Labels      []string

	id int64
}

const firstIssue = 5000

// Issues returns the issues as they are now.
func (r *Repository) Issues() []Issue {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	var out []Issue
	for _, i := range r.issues {
		copied := *i
		copied.Labels = slices.Clone(i.Labels)
		out = append(out, copied)
	}
	return out
}

// ChangeIssue changes the n-th issue, from 0, behind everybody's back.
func (r *Repository) ChangeIssue(n int, change func(*Issue)) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	change(r.issues[n])
}

func (c *call) issueJSON(i *Issue) map[string]any {
	labels := []any{}
	for _, l := range i.Labels {
		labels = append(labels, map[string]any{"name": l})
	}
	return map[string]any{
		"id": i.id, "number": i.Number, "title": i.Title, "body": i.Body, "state": i.State, "labels": labels,
		"user": map[string]any{"login": i.Author}, "html_url": fmt.Sprintf("http://%s/%s/issues/%d", c.req.Host, c.repo.FullName(), i.Number),
	}
}

// listIssues lists pull requests too, as GitHub does, where their labels match.
func listIssues(c *call) reply {
	q := c.req.URL.Query()
	state := q.Get("state")
	if state == "" {
		state = "open"
	}
	if !slices.Contains([]string{"open", "closed", "all"}, state) {
		return failed("Issue", "state", "invalid", "")
	}
	var want []string
	if q.Get("labels") != "" {
		want = strings.Split(q.Get("labels"), ",")
	}
	has := func(labels []string) bool {
		return !slices.ContainsFunc(want, func(w string) bool {
			return !slices.ContainsFunc(labels, func(l string) bool { return strings.EqualFold(l, w) })
		})
	}
	var list []any
	for _, p := range c.repo.pulls {
		if (state == "all" || p.State == state) && has(p.Labels) {
			list = append(list, c.pullAsIssue(p))
		}
	}
	for _, i := range c.repo.issues {
		if (state == "all" || i.State == state) && has(i.Labels) {
			list = append(list, c.issueJSON(i))
		}
	}
	if q.Get("direction") != "asc" {
		slices.Reverse(list)
	}
	return listing{list: list}
}

func (c *call) pullAsIssue(p *Pull) map[string]any {
	j := c.issueJSON(&Issue{Number: p.Number, Title: p.Title, Body: p.Body, State: p.State, Author: p.Author, Labels: p.Labels, id: p.id})
	j["pull_request"] = map[string]any{"url": fmt.Sprintf("http://%s%s/repos/%s/pulls/%d", c.req.Host, API, c.repo.FullName(), p.Number)}
	return j
}

// getIssue says of a pull request who closed it, which pulls do not.
func getIssue(c *call) reply {
	p, bad := c.pull()
	if bad != nil {
		return bad
	}
	j := c.pullAsIssue(p)
	if p.State == "closed" && p.ClosedBy != "" {
		j["closed_by"] = userJSON(p.ClosedBy)
	}
	return ok(j)
}

// createIssue leaves labels out where the author may not write, as GitHub does.
func createIssue(c *call) reply {
	if bad := c.long(); bad != nil {
		return bad
	}
	if bad := issued(c.text("title"), c.text("body")); bad != nil {
		return bad
	}
	i := &Issue{Number: firstIssue + len(c.repo.issues) + 1, Title: strings.TrimSpace(c.text("title")), Body: c.text("body"), State: "open", Author: c.user, id: c.id()}
	if given, _ := c.body["labels"].([]any); c.repo.writer(c.user) {
		for _, v := range given {
			name, is := v.(string)
			if !is || name == "" || len(name) > 50 {
				return failed("Label", "name", "invalid", "")
			}
			i.Labels = append(i.Labels, name)
		}
	}
	c.repo.issues = append(c.repo.issues, i)
	return object{201, c.issueJSON(i)}
}

// editIssue lets authors edit their own, and whoever may write.
func editIssue(c *call) reply {
	n, err := strconv.Atoi(c.req.PathValue("issue_number"))
	if n -= firstIssue + 1; err != nil || n < 0 || n >= len(c.repo.issues) {
		return refuse(404, "Not Found")
	}
	i := c.repo.issues[n]
	if i.Author != c.user && !c.repo.writer(c.user) {
		return refuse(403, "Must have push access to the repository.")
	}
	if bad := c.long(); bad != nil {
		return bad
	}
	title, body := i.Title, i.Body
	if _, given := c.body["title"]; given {
		title = strings.TrimSpace(c.text("title"))
	}
	if _, given := c.body["body"]; given {
		body = c.text("body")
	}
	if bad := issued(title, body); bad != nil {
		return bad
	}
	i.Title, i.Body = title, body
	if state := c.text("state"); state != "" {
		i.State = state
	}
	return ok(c.issueJSON(i))
}

func issued(title, body string) reply {
	switch {
	case strings.TrimSpace(title) == "":
		return failed("Issue", "title", "missing_field", "")
	case utf8.RuneCountInString(title) > 256:
		return failed("Issue", "title", "custom", "title is too long (maximum is 256 characters)")
	case utf8.RuneCountInString(body) > 65536:
		return failed("Issue", "body", "custom", "body is too long (maximum is 65536 characters)")
	}
	return nil
}
