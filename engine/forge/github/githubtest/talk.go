package githubtest

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

func listReviews(c *call) reply {
	p, bad := c.pull()
	if bad != nil {
		return bad
	}
	var list []any
	for _, r := range p.Reviews {
		list = append(list, c.reviewJSON(p, r))
	}
	return listing{list: list}
}

func createReview(c *call) reply {
	p, bad := c.pull()
	if bad != nil {
		return bad
	}
	if bad := c.long(); bad != nil {
		return bad
	}
	event := c.text("event")
	if p.Author == c.user && event != "COMMENT" {
		return refuse(422, "Unprocessable Entity", map[string]string{"APPROVE": "Can not approve your own pull request", "REQUEST_CHANGES": "Can not request changes on your own pull request"}[event])
	}
	commit := c.text("commit_id")
	if commit == "" {
		commit = p.Head
	}
	if _, err := c.repo.git.Commit(repo.Hash(commit)); err != nil {
		return refuse(422, "Unprocessable Entity", "The commit_id is not part of the pull request")
	}
	state := map[string]string{"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED", "": "PENDING"}[event]
	r := Review{ID: c.id(), By: c.user, State: state, Body: c.text("body"), Commit: commit, At: c.clock()}
	p.Reviews = append(p.Reviews, r)
	return ok(c.reviewJSON(p, r))
}

func listComments(c *call) reply {
	p, bad := c.pull()
	if bad != nil {
		return bad
	}
	var list []any
	for _, m := range p.Comments {
		list = append(list, c.commentJSON(p, m))
	}
	return listing{list: list}
}

func createComment(c *call) reply {
	p, bad := c.pull()
	if bad != nil {
		return bad
	}
	if bad := c.long(); bad != nil {
		return bad
	}
	if strings.TrimSpace(c.text("body")) == "" {
		return failed("IssueComment", "body", "missing_field", "")
	}
	m := Comment{c.id(), c.user, c.text("body"), c.clock(), c.clock()}
	p.Comments = append(p.Comments, m)
	return object{201, c.commentJSON(p, m)}
}

// comment finds the comment that the path names, which may be changed by its
// author and by whoever may write.
func (c *call) comment() (*Pull, int, reply) {
	id, _ := strconv.ParseInt(c.req.PathValue("comment_id"), 10, 64)
	for _, p := range c.repo.pulls {
		if i := slices.IndexFunc(p.Comments, func(m Comment) bool { return m.ID == id }); i >= 0 {
			if p.Comments[i].By != c.user && !c.repo.writer(c.user) {
				return nil, 0, refuse(403, "Must have push access to the repository.")
			}
			return p, i, nil
		}
	}
	return nil, 0, refuse(404, "Not Found")
}

func editComment(c *call) reply {
	p, i, bad := c.comment()
	if bad != nil {
		return bad
	}
	if bad := c.long(); bad != nil {
		return bad
	}
	if strings.TrimSpace(c.text("body")) == "" {
		return failed("IssueComment", "body", "missing_field", "")
	}
	p.Comments[i].Body, p.Comments[i].Edited = c.text("body"), c.clock()
	return ok(c.commentJSON(p, p.Comments[i]))
}

func deleteComment(c *call) reply {
	p, i, bad := c.comment()
	if bad != nil {
		return bad
	}
	p.Comments = slices.Delete(p.Comments, i, i+1)
	return nothing{}
}

func addLabels(c *call) reply {
	p, bad := c.pull()
	if bad != nil {
		return bad
	}
	given, _ := c.body["labels"].([]any)
	for _, v := range given {
		name, _ := v.(string)
		if name == "" || len(name) > 50 {
			return failed("Label", "name", "invalid", "")
		}
		if !slices.ContainsFunc(p.Labels, func(l string) bool { return strings.EqualFold(l, name) }) {
			p.Labels = append(p.Labels, name)
		}
	}
	return ok(labelsJSON(p))
}
