package githubtest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// Require has main ask for approvals and for check runs before a pull request is
// merged.
func (r *Repository) Require(approvals int, checks ...string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.approvals, r.required = approvals, checks
}

// RequireSigned has main take signed commits alone: a push of others is refused,
// and so is a merge. Told says whether its rules tell: the older protection of
// branches does not.
func (r *Repository) RequireSigned(told bool) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.signatures, r.told = true, told
}

// Signed says whether GitHub has signed a commit.
func (r *Repository) Signed(commit string) bool {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.signed[repo.Hash(commit)]
}

// unsigned is a commit of a history, down to what an older one has, that nobody
// signed; "" for none.
func (r *Repository) unsigned(from, down repo.Hash) repo.Hash {
	if old, err := r.git.IsAncestor(from, down); err != nil || old {
		return ""
	}
	if !r.signed[from] {
		return from
	}
	c, err := r.git.Commit(from)
	if err != nil {
		return from
	}
	for _, p := range c.Parents {
		if bad := r.unsigned(p, down); bad != "" {
			return bad
		}
	}
	return ""
}

// push takes a push, and takes it back where main may not have it.
func (r *Repository) push(w http.ResponseWriter, req *http.Request, next http.Handler) {
	const ref = "refs/heads/main"
	before, err := r.git.Ref(ref)
	r.s.mu.Lock()
	free := !r.signatures
	r.s.mu.Unlock()
	if err != nil || free || req.Method != http.MethodPost {
		next.ServeHTTP(w, req)
		return
	}
	rec := httptest.NewRecorder()
	next.ServeHTTP(rec, req)
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	after, err := r.git.Ref(ref)
	if err == nil && after != before && r.unsigned(after, before) != "" {
		r.git.CompareAndSwap(ref, after, before)
		w.Header().Set("Content-Type", "application/x-git-receive-pack-result")
		fmt.Fprint(w, packet("unpack ok\n"), packet("ng "+ref+" protected branch hook declined\n"), "0000")
		return
	}
	for name, values := range rec.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(rec.Code)
	w.Write(rec.Body.Bytes())
}

func packet(s string) string { return fmt.Sprintf("%04x%s", len(s)+4, s) }

func branchRules(c *call) reply {
	var list []any
	if c.repo.signatures && c.repo.told && c.req.PathValue("branch") == "main" {
		list = append(list, map[string]any{"type": "deletion"}, map[string]any{"type": "non_fast_forward"}, map[string]any{"type": "required_signatures"})
	}
	return listing{list: list}
}

func gitCommit(c *call) reply {
	h := repo.Hash(c.req.PathValue("commit_sha"))
	k, err := c.repo.git.Commit(h)
	if err != nil {
		return refuse(404, "Not Found")
	}
	reason := "unsigned"
	if c.repo.signed[h] {
		reason = "valid"
	}
	who := map[string]any{"name": k.Author.Name, "email": k.Author.Email, "date": stamp(k.At)}
	return ok(map[string]any{"sha": string(h), "message": k.Message, "author": who, "committer": who, "tree": map[string]any{"sha": string(k.Tree)},
		"verification": map[string]any{"verified": c.repo.signed[h], "reason": reason}})
}

// createCommit makes a commit on top of a branch and signs it.
func createCommit(c *call, args map[string]any) (any, *deny) {
	in := args["input"].(map[string]any)
	at := in["branch"].(map[string]any)
	name, _ := at["repositoryNameWithOwner"].(string)
	branch, _ := at["branchName"].(string)
	r := c.repos[strings.ToLower(name)]
	if r == nil || r.may(c.user) == "none" {
		return nil, &deny{"NOT_FOUND", "Could not resolve to a Repository with the name '" + name + "'."}
	}
	if !r.writer(c.user) || c.token.lack("contents=write") {
		return nil, &deny{"FORBIDDEN", "Resource not accessible by integration"}
	}
	tip, err := r.git.Ref("refs/heads/" + branch)
	if err != nil || tip == "" {
		return nil, &deny{"NOT_FOUND", "No branch named '" + branch + "' exists"}
	}
	expected := in["expectedHeadOid"].(string)
	stale := &deny{"STALE_DATA", fmt.Sprintf("Expected branch to point to %q but it did not. Pull and try again.", expected)}
	if string(tip) != expected {
		return nil, stale
	}
	changes, no := changesOf(in["fileChanges"])
	if no != nil {
		return nil, no
	}
	if r.Alter != nil {
		r.Alter(changes)
	}
	message := in["message"].(map[string]any)
	text, _ := message["headline"].(string)
	if body, _ := message["body"].(string); body != "" {
		text += "\n\n" + body
	}
	made, err := r.git.Write(repo.Next{Base: tip, Changes: changes, Message: text, Author: repo.Person{Name: c.user, Email: c.user + "@users.noreply.github.com"}, At: c.clock()})
	if err == nil {
		err = r.git.CompareAndSwap("refs/heads/"+branch, tip, made)
	}
	switch {
	case errors.Is(err, repo.ErrMoved):
		return nil, stale
	case err != nil:
		return nil, &deny{"UNPROCESSABLE", err.Error()}
	}
	r.signed[made] = true
	return map[string]any{"commit": map[string]any{"oid": string(made)}}, nil
}

func changesOf(v any) (map[string][]byte, *deny) {
	m, _ := v.(map[string]any)
	changes := map[string][]byte{}
	additions, _ := m["additions"].([]any)
	for _, a := range additions {
		a := a.(map[string]any)
		data, err := base64.StdEncoding.DecodeString(a["contents"].(string))
		if err != nil {
			return nil, &deny{"UNPROCESSABLE", "A file's contents are not base64"}
		}
		changes[a["path"].(string)] = append([]byte{}, data...)
	}
	deletions, _ := m["deletions"].([]any)
	for _, d := range deletions {
		path := d.(map[string]any)["path"].(string)
		if _, twice := changes[path]; twice {
			return nil, &deny{"UNPROCESSABLE", "A path was specified more than once: " + path}
		}
		changes[path] = nil
	}
	return changes, nil
}

// protected says whether main asks for anything.
func (r *Repository) protected() bool { return r.approvals+len(r.required) > 0 || r.signatures }

// passed says whether a check run is good enough for GitHub.
func (k *Check) passed() bool {
	return slices.Contains([]string{"success", "neutral", "skipped"}, k.Conclusion)
}

// unstable says whether a check of the head runs or failed.
func (r *Repository) unstable(p *Pull) bool {
	return slices.ContainsFunc(r.checks, func(k *Check) bool { return k.Commit == p.Head && !k.passed() })
}

// unmet are the requirements of the protected branch that a pull request does
// not meet, in GitHub's words.
func (r *Repository) unmet(p *Pull) []string {
	approved := map[string]bool{}
	for _, v := range p.Reviews {
		if v.Commit == p.Head && r.writer(v.By) && v.State != "COMMENTED" {
			approved[v.By] = v.State == "APPROVED"
		}
	}
	n := 0
	for _, is := range approved {
		if is {
			n++
		}
	}
	var out []string
	if n < r.approvals {
		out = append(out, "At least 1 approving review is required by reviewers with write access.")
	}
	if main, err := r.git.Ref("refs/heads/" + p.Base); r.signatures && (err != nil || r.unsigned(repo.Hash(p.Head), main) != "") {
		out = append(out, "Commits must have verified signatures.")
	}
	for _, name := range r.required {
		if !slices.ContainsFunc(r.checks, func(k *Check) bool {
			return k.Name == name && k.Commit == p.Head && k.passed()
		}) {
			out = append(out, "Required status check \""+name+"\" is expected.")
		}
	}
	return out
}

// autoMerge merges what GitHub was asked to merge by itself and may be merged.
func (r *Repository) autoMerge() {
	for _, p := range r.pulls {
		if p.State == "open" && p.AutoMerge != "" && len(r.unmet(p)) == 0 {
			r.merge(p, p.AutoMerge) // where it conflicts it stays open
		}
	}
}
