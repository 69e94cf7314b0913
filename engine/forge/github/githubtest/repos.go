package githubtest

import (
	"cmp"
	"encoding/base64"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

func repository(c *call) reply {
	v := c.repoJSON(c.repo).(map[string]any)
	may := c.repo.may(c.user)
	rank := slices.Index(roles, may)
	v["permissions"] = map[string]bool{"admin": rank >= 5, "maintain": rank >= 4, "push": rank >= 3, "triage": rank >= 2, "pull": true}
	return ok(v)
}

// roles are what a person may do, each more than the one before.
var roles = []string{"none", "read", "triage", "write", "maintain", "admin"}

// permission tells the role by its name, and beside it the nearest of the four
// that there once were. People whom nobody knows are not found.
func permission(c *call) reply {
	user := c.req.PathValue("username")
	if strings.HasSuffix(user, "[bot]") || strings.ContainsFunc(user, func(r rune) bool { return r > '~' }) {
		return refuse(404, user+" is not a user")
	}
	may := c.repo.may(user)
	old := map[string]string{"maintain": "write", "triage": "read"}[may]
	return ok(map[string]any{"permission": cmp.Or(old, may), "role_name": may, "user": userJSON(user)})
}

// most is how large a file may be that comes with its content.
const most = 1 << 20

func contents(c *call) reply {
	ref := c.req.URL.Query().Get("ref")
	if ref == "" {
		h, _ := c.repo.git.Ref("refs/heads/main")
		ref = string(h)
	}
	path := strings.TrimSuffix(c.req.PathValue("path"), "/")
	fsys, err := c.repo.git.At(repo.Hash(ref))
	if err != nil {
		return refuse(404, "No commit found for the ref "+ref)
	}
	data, err := fs.ReadFile(fsys, path)
	if errors.Is(err, fs.ErrNotExist) {
		return refuse(404, "Not Found")
	}
	if err != nil {
		return ok([]any{}) // a folder; nobody asks what is in it
	}
	sha, _ := c.repo.git.Blob(repo.Hash(ref), path)
	c.blobs[string(sha)] = data
	v := map[string]any{"type": "file", "path": path, "name": path[strings.LastIndex(path, "/")+1:], "sha": string(sha), "size": len(data), "encoding": "base64", "content": base64.StdEncoding.EncodeToString(data)}
	if len(data) > most {
		v["encoding"], v["content"] = "none", ""
	}
	return ok(v)
}

// blob gives what contents has shown before.
func blob(c *call) reply {
	data, known := c.blobs[c.req.PathValue("file_sha")]
	switch {
	case !known:
		return refuse(404, "Not Found")
	case strings.Contains(c.req.Header.Get("Accept"), "raw"):
		return raw{data}
	}
	return ok(map[string]any{"sha": c.req.PathValue("file_sha"), "size": len(data), "encoding": "base64", "content": base64.StdEncoding.EncodeToString(data)})
}

func gitRef(c *call) reply {
	ref := "refs/" + c.req.PathValue("ref")
	h, err := c.repo.git.Ref(ref)
	if err != nil || h == "" {
		return refuse(404, "Not Found")
	}
	return ok(map[string]any{"ref": ref, "node_id": "R", "url": "", "object": map[string]any{"type": "commit", "sha": string(h), "url": ""}})
}

func listTeams(c *call) reply {
	teams, is := c.orgs[c.req.PathValue("org")]
	if !is {
		return refuse(404, "Not Found")
	}
	var list []any
	for _, slug := range slices.Sorted(maps.Keys(teams)) {
		list = append(list, map[string]any{"id": len(list) + 1, "slug": slug, "name": slug})
	}
	return listing{list: list}
}

func getTeam(c *call) reply {
	slug := c.req.PathValue("team_slug")
	if _, is := c.orgs[c.req.PathValue("org")][slug]; !is {
		return refuse(404, "Not Found")
	}
	return ok(map[string]any{"id": 1, "slug": slug, "name": slug})
}

func membership(c *call) reply {
	for login, state := range c.orgs[c.req.PathValue("org")][c.req.PathValue("team_slug")] {
		if strings.EqualFold(login, c.req.PathValue("username")) {
			return ok(map[string]any{"url": "", "role": "member", "state": state})
		}
	}
	return refuse(404, "Not Found")
}
