package githubtest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

func (c *call) at() string { return "http://" + c.req.Host }

func (c *call) repoJSON(r *Repository) any {
	if r == nil {
		return nil // a fork that was deleted
	}
	owner := userJSON(r.owner)
	if _, org := c.orgs[r.owner]; org {
		owner["type"] = "Organization"
	}
	return map[string]any{
		"id": r.id, "name": r.name, "full_name": r.FullName(), "owner": owner, "private": !r.Public, "fork": false, "default_branch": "main",
		"html_url": c.at() + "/" + r.FullName(), "clone_url": c.at() + "/" + r.FullName() + ".git", "url": c.at() + API + "/repos/" + r.FullName(),
	}
}

func userJSON(login string) map[string]any {
	kind := "User"
	if strings.HasSuffix(login, "[bot]") {
		kind = "Bot"
	}
	return map[string]any{"login": login, "id": userID(login), "type": kind, "site_admin": false}
}

// nodeID is what GraphQL knows a thing by.
func nodeID(kind string, id int64) string { return fmt.Sprintf("%s_%d", kind, id) }

// userID is an account's number, which no other has.
func userID(login string) int64 {
	sum := sha256.Sum256([]byte(strings.ToLower(login)))
	return int64(binary.BigEndian.Uint32(sum[:4]))
}

// pullJSON leaves out of a listing what GitHub leaves out.
func (c *call) pullJSON(p *Pull, whole bool) any {
	owner := "unknown"
	var headUser any
	if p.from != nil {
		owner, headUser = p.from.owner, userJSON(p.from.owner)
	}
	v := map[string]any{
		"id": p.id, "node_id": nodeID("PR", p.id), "auto_merge": nil, "number": p.Number, "state": p.State, "locked": false, "draft": false, "title": p.Title, "body": null(p.Body), "user": userJSON(p.Author),
		"labels": labelsJSON(p), "created_at": stamp(p.Created), "updated_at": stamp(p.Created), "closed_at": nil, "merged_at": nil, "merge_commit_sha": null(p.Merge),
		"head":     map[string]any{"label": owner + ":" + p.HeadRef, "ref": p.HeadRef, "sha": p.Head, "user": headUser, "repo": c.repoJSON(p.from)},
		"base":     map[string]any{"label": c.repo.owner + ":" + p.Base, "ref": p.Base, "sha": p.Head, "user": userJSON(c.repo.owner), "repo": c.repoJSON(c.repo)},
		"html_url": fmt.Sprintf("%s/%s/pull/%d", c.at(), c.repo.FullName(), p.Number), "url": fmt.Sprintf("%s%s/repos/%s/pulls/%d", c.at(), API, c.repo.FullName(), p.Number),
	}
	if p.State == "closed" {
		v["closed_at"] = stamp(p.Closed)
	} else {
		v["merge_commit_sha"] = strings.Repeat("7", 40) // a trial merge, which is no merge
	}
	if p.Merged {
		v["merged_at"] = stamp(p.Done)
	}
	if p.AutoMerge != "" {
		v["auto_merge"] = map[string]any{"enabled_by": userJSON(p.AutoMerge), "merge_method": "merge", "commit_title": "", "commit_message": ""}
	}
	if whole {
		v["merged"], v["mergeable"], v["merged_by"] = p.Merged, true, nil
		if p.Merged {
			v["merged_by"] = userJSON(p.MergedBy)
		}
	}
	return v
}

func (c *call) reviewJSON(p *Pull, r Review) any {
	v := map[string]any{"id": r.ID, "user": nil, "body": r.Body, "state": r.State, "commit_id": r.Commit, "submitted_at": stamp(r.At),
		"html_url": fmt.Sprintf("%s/%s/pull/%d#pullrequestreview-%d", c.at(), c.repo.FullName(), p.Number, r.ID)}
	if r.By != "" { // a deleted account is nobody
		v["user"] = userJSON(r.By)
	}
	return v
}

func (c *call) commentJSON(p *Pull, m Comment) any {
	v := map[string]any{"id": m.ID, "user": nil, "body": m.Body, "created_at": stamp(m.At), "updated_at": stamp(m.Edited),
		"html_url": fmt.Sprintf("%s/%s/pull/%d#issuecomment-%d", c.at(), c.repo.FullName(), p.Number, m.ID)}
	if m.By != "" { // a deleted account is nobody
		v["user"] = userJSON(m.By)
	}
	return v
}

func labelsJSON(p *Pull) any {
	list := []any{}
	for i, name := range p.Labels {
		list = append(list, map[string]any{"id": i + 1, "name": name, "color": "ededed", "default": false, "description": ""})
	}
	return list
}

func null(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
