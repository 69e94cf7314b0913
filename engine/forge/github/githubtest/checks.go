package githubtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// Check is a check run, made by an App. The latest of an App, name and commit is
// the one that counts.
type Check struct {
	ID             int64
	App            string // its slug
	Name, Commit   string
	External       string
	Status         string // queued | in_progress | completed
	Conclusion     string // "" while it is not completed
	Title, Summary string
	Notes          []Note
}

// Note is an annotation of a check run.
type Note struct {
	Path           string
	From, To       int
	Level, Message string
}

// noteMost is how many annotations GitHub takes in one request.
const noteMost = 50

// Checks returns the check runs as they are now, oldest first.
func (r *Repository) Checks() []Check {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	var out []Check
	for _, k := range r.checks {
		copied := *k
		copied.Notes = slices.Clone(k.Notes)
		out = append(out, copied)
	}
	return out
}

// AddCheck adds a check run of whatever App.
func (r *Repository) AddCheck(k Check) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	k.ID = r.s.id()
	r.checks = append(r.checks, &k)
	r.follow()
}

// app is the App that asks, "" where it is a person.
func (c *call) app() string {
	slug, is := strings.CutSuffix(c.user, "[bot]")
	if !is {
		return ""
	}
	return slug
}

func createCheck(c *call) reply {
	if c.app() == "" {
		return refuse(403, "You must authenticate via a GitHub App.")
	}
	if _, err := c.repo.git.Commit(repo.Hash(c.text("head_sha"))); err != nil {
		return refuse(422, "No commit found for SHA: "+c.text("head_sha"))
	}
	k := &Check{ID: c.id(), App: c.app(), Name: c.text("name"), Commit: c.text("head_sha"), Status: "queued"}
	if bad := c.fill(k); bad != nil {
		return bad
	}
	c.repo.checks = append(c.repo.checks, k)
	return object{201, c.checkJSON(k)}
}

// updateCheck adds annotations to those that are there.
func updateCheck(c *call) reply {
	k := c.check()
	switch {
	case k == nil:
		return refuse(404, "Not Found")
	case k.App != c.app():
		return refuse(403, "Invalid app_id `"+k.App+"` - check run can only be modified by the GitHub App that created it.")
	}
	changed := *k
	if bad := c.fill(&changed); bad != nil {
		return bad
	}
	*k = changed
	return ok(c.checkJSON(k))
}

func (c *call) check() *Check {
	id, _ := strconv.ParseInt(c.req.PathValue("check_run_id"), 10, 64)
	i := slices.IndexFunc(c.repo.checks, func(k *Check) bool { return k.ID == id })
	if i < 0 {
		return nil
	}
	return c.repo.checks[i]
}

// fill takes over what a body says of a check run.
func (c *call) fill(k *Check) reply {
	if s := c.text("external_id"); s != "" {
		k.External = s
	}
	if s := c.text("status"); s != "" {
		k.Status = s
	}
	if s := c.text("conclusion"); s != "" {
		k.Conclusion, k.Status = s, "completed"
	}
	if k.Status == "completed" && k.Conclusion == "" {
		return refuse(422, "Invalid request.\n\n\"conclusion\" wasn't supplied.")
	}
	output, given := c.body["output"].(map[string]any)
	if !given {
		return nil
	}
	title, _ := output["title"].(string)
	summary, _ := output["summary"].(string)
	notes, _ := output["annotations"].([]any)
	switch {
	case title == "" || summary == "": // of a new one GitHub asks for both, of another for the summary
		return refuse(422, "Invalid request.\n\n\"title\", \"summary\" weren't supplied.")
	case len(summary) > 65535:
		return failed("CheckRun", "summary", "custom", "Summary exceeds a maximum bytesize of 65535")
	case len(notes) > noteMost:
		return refuse(422, fmt.Sprintf("Invalid request.\n\nNo more than 50 items are allowed; %d were supplied.", len(notes)))
	}
	k.Title, k.Summary = title, summary
	return c.annotate(k, notes)
}

func (c *call) annotate(k *Check, notes []any) reply {
	k.Notes = slices.Clone(k.Notes)
	for _, v := range notes {
		m, _ := v.(map[string]any)
		from, isFrom := m["start_line"].(float64)
		to, isTo := m["end_line"].(float64)
		n := Note{From: int(from), To: int(to)}
		n.Path, _ = m["path"].(string)
		n.Level, _ = m["annotation_level"].(string)
		n.Message, _ = m["message"].(string)
		if n.Path == "" || n.Message == "" || len(n.Message) > 64<<10 || !isFrom || !isTo || from < 1 || to < from || !slices.Contains([]string{"notice", "warning", "failure"}, n.Level) {
			return failed("CheckRun", "annotations", "invalid", "")
		}
		k.Notes = append(k.Notes, n)
	}
	return nil
}

// listChecks lists the newest first; "latest" is one of an App and name.
func listChecks(c *call) reply {
	q := c.req.URL.Query()
	seen := map[string]bool{}
	var list []any
	for _, k := range slices.Backward(c.repo.checks) {
		if k.Commit != c.req.PathValue("ref") || q.Get("check_name") != "" && k.Name != q.Get("check_name") || seen[k.App+" "+k.Name] {
			continue
		}
		seen[k.App+" "+k.Name] = q.Get("filter") != "all"
		list = append(list, c.checkJSON(k))
	}
	return listing{list: list, under: "check_runs"}
}

func listNotes(c *call) reply {
	k := c.check()
	if k == nil {
		return refuse(404, "Not Found")
	}
	var list []any
	for _, n := range k.Notes {
		list = append(list, map[string]any{"path": n.Path, "start_line": n.From, "end_line": n.To, "start_column": nil, "end_column": nil,
			"annotation_level": n.Level, "message": n.Message, "title": nil, "raw_details": nil, "blob_href": ""})
	}
	return listing{list: list}
}

func (c *call) checkJSON(k *Check) any {
	return map[string]any{"id": k.ID, "node_id": nodeID("CR", k.ID), "name": k.Name, "head_sha": k.Commit, "external_id": k.External, "status": k.Status, "conclusion": null(k.Conclusion),
		"app":    map[string]any{"id": userID(k.App), "slug": k.App, "name": k.App},
		"output": map[string]any{"title": null(k.Title), "summary": null(k.Summary), "text": nil, "annotations_count": len(k.Notes), "annotations_url": ""}}
}
