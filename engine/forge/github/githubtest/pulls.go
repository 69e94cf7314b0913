package githubtest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

func listPulls(c *call) reply {
	q := c.req.URL.Query()
	state := q.Get("state")
	if state == "" {
		state = "open"
	}
	if !slices.Contains([]string{"open", "closed", "all"}, state) {
		return failed("PullRequest", "state", "invalid", "")
	}
	owner, ref, filtered := strings.Cut(q.Get("head"), ":") // a bare branch filters nothing
	var list []any
	for _, p := range c.repo.pulls {
		switch {
		case state != "all" && p.State != state:
		case q.Get("base") != "" && p.Base != q.Get("base"):
		case filtered && (p.from == nil || !strings.EqualFold(p.from.owner, owner) || p.HeadRef != ref):
		default:
			list = append(list, c.pullJSON(p, false))
		}
	}
	if q.Get("direction") != "asc" {
		slices.Reverse(list)
	}
	return listing{list: list}
}

func getPull(c *call) reply {
	p, bad := c.pull()
	if bad != nil {
		return bad
	}
	return ok(c.pullJSON(p, true))
}

func createPull(c *call) reply {
	if bad := c.long(); bad != nil {
		return bad
	}
	branch := c.text("head")
	if owner, ref, ok := strings.Cut(branch, ":"); ok && strings.EqualFold(owner, c.repo.owner) {
		branch = ref
	}
	head, err := c.repo.git.Ref("refs/heads/" + branch)
	if err != nil || head == "" {
		return failed("PullRequest", "head", "invalid", "")
	}
	base, err := c.repo.git.Ref("refs/heads/" + c.text("base"))
	if err != nil || base == "" {
		return failed("PullRequest", "base", "invalid", "")
	}
	if bad := titled(c.text("title")); bad != nil {
		return bad
	}
	if bad := c.duplicate(branch, c.text("base")); bad != nil {
		return bad
	}
	if in, err := c.repo.git.IsAncestor(head, base); err != nil || in {
		return failed("PullRequest", "", "custom", fmt.Sprintf("No commits between %s and %s", c.text("base"), branch))
	}
	p := c.repo.open(c.repo, branch, string(head), c.text("base"), c.user, strings.TrimSpace(c.text("title")), c.text("body"))
	return object{201, c.pullJSON(p, true)}
}

func titled(title string) reply {
	if strings.TrimSpace(title) == "" {
		return failed("PullRequest", "title", "missing_field", "")
	}
	if utf8.RuneCountInString(title) > 256 {
		return failed("PullRequest", "title", "custom", "title is too long (maximum is 256 characters)")
	}
	return nil
}

// duplicate refuses a second open pull request of the same branches.
func (c *call) duplicate(branch, base string) reply {
	if slices.ContainsFunc(c.repo.pulls, func(p *Pull) bool {
		return p.State == "open" && p.from == c.repo && p.HeadRef == branch && p.Base == base
	}) {
		return failed("PullRequest", "", "custom", fmt.Sprintf("A pull request already exists for %s:%s.", c.repo.owner, branch))
	}
	return nil
}

func editPull(c *call) reply {
	p, bad := c.pull()
	if bad != nil {
		return bad
	}
	if bad := c.long(); bad != nil {
		return bad
	}
	if _, given := c.body["title"]; given {
		if bad := titled(c.text("title")); bad != nil {
			return bad
		}
	}
	if state := c.text("state"); state != "" && state != p.State {
		if bad := c.turn(p, state); bad != nil {
			return bad
		}
	}
	if _, given := c.body["title"]; given {
		p.Title = strings.TrimSpace(c.text("title"))
	}
	if _, given := c.body["body"]; given {
		p.Body = c.text("body")
	}
	return ok(c.pullJSON(p, true))
}

// turn closes or opens again.
func (c *call) turn(p *Pull, state string) reply {
	if state == "closed" {
		p.State, p.Closed, p.ClosedBy, p.AutoMerge = "closed", c.clock(), c.user, ""
		return nil
	}
	if p.Merged {
		return failed("PullRequest", "state", "custom", "state cannot be changed. The pull request cannot be reopened.")
	}
	if bad := c.duplicate(p.HeadRef, p.Base); bad != nil {
		return bad
	}
	head, err := p.from.git.Ref("refs/heads/" + p.HeadRef)
	if err != nil || head == "" {
		return failed("PullRequest", "state", "custom", fmt.Sprintf("state cannot be changed. The %s branch has been deleted.", p.HeadRef))
	}
	if in, err := p.from.git.IsAncestor(repo.Hash(p.Head), head); err != nil || !in {
		return failed("PullRequest", "state", "custom", fmt.Sprintf("state cannot be changed. The %s branch was force-pushed or recreated.", p.HeadRef))
	}
	p.State = "open"
	c.repo.follow()
	return nil
}

func mergePull(c *call) reply {
	p, bad := c.pull()
	if bad != nil {
		return bad
	}
	if p.Merged || p.State != "open" {
		return refuse(405, "Pull Request is not mergeable")
	}
	if sha := c.text("sha"); sha != "" && sha != p.Head {
		return refuse(409, "Head branch was modified. Review and try the merge again.")
	}
	if m := c.text("merge_method"); m != "" && m != "merge" {
		return refuse(405, strings.ToUpper(m[:1])+m[1:]+" merges are not allowed on this repository.")
	}
	if unmet := c.repo.unmet(p); len(unmet) > 0 {
		return refuse(405, strings.Join(unmet, " "))
	}
	merge, err := c.repo.merge(p, c.user)
	switch {
	case errors.Is(err, repo.ErrConflict) || errors.Is(err, repo.ErrMerged):
		return refuse(405, "Pull Request is not mergeable")
	case errors.Is(err, repo.ErrMoved):
		return refuse(405, "Base branch was modified. Review and try the merge again.")
	case err != nil:
		return refuse(500, err.Error())
	}
	return ok(map[string]any{"sha": merge, "merged": true, "message": "Pull Request successfully merged"})
}

func (r *Repository) merge(p *Pull, by string) (string, error) {
	ref, at := "refs/heads/"+p.Base, r.s.clock()
	base, err := r.git.Ref(ref)
	if err != nil {
		return "", err
	}
	merge, err := r.git.Merge(base, repo.Hash(p.Head), repo.Next{
		Message: fmt.Sprintf("Merge pull request #%d from %s/%s\n\n%s", p.Number, p.from.owner, p.HeadRef, p.Title),
		Author:  repo.Person{Name: by, Email: by + "@users.noreply.github.com"}, At: at,
	})
	if err != nil {
		return "", err
	}
	if err := r.git.CompareAndSwap(ref, base, merge); err != nil {
		return "", err
	}
	r.signed[merge] = true
	p.State, p.Merged, p.Merge, p.MergedBy, p.Done, p.Closed, p.AutoMerge = "closed", true, string(merge), by, at, at, ""
	return string(merge), nil
}

// pullsOfCommit lists the pull requests that a commit belongs to: of one on the
// base branch those that were merged, of another those that are open too.
func pullsOfCommit(c *call) reply {
	sha := repo.Hash(c.req.PathValue("commit_sha"))
	if _, err := c.repo.git.Commit(sha); err != nil {
		return refuse(422, "No commit found for SHA: "+string(sha))
	}
	main, _ := c.repo.git.Ref("refs/heads/main")
	landed, _ := c.repo.git.IsAncestor(sha, main)
	var list []any
	for _, p := range c.repo.pulls {
		if p.Merged && p.Merge == string(sha) || (p.Merged || !landed) && c.brings(p, sha) {
			list = append(list, c.pullJSON(p, false))
		}
	}
	return listing{list: list}
}

// brings says whether a commit is one of a pull request's own.
func (c *call) brings(p *Pull, sha repo.Hash) bool {
	in, err := c.repo.git.IsAncestor(sha, repo.Hash(p.Head))
	if err != nil || !in {
		return false
	}
	before, _ := c.repo.git.Ref("refs/heads/" + p.Base)
	if p.Merged {
		m, err := c.repo.git.Commit(repo.Hash(p.Merge))
		if err != nil {
			return false
		}
		before = m.Parents[0]
	}
	old, err := c.repo.git.IsAncestor(sha, before)
	return err == nil && !old
}
