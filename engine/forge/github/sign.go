package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// unsigned begins the branches on which GitHub signs commits. One stands for the
// length of a signing.
const unsigned = "ringmaster-unsigned/"

const commitQuery = `mutation($input: CreateCommitOnBranchInput!) {
	createCommitOnBranch(input: $input) { commit { oid } }
}`

// Sign has GitHub make the commit where the base branch takes signed ones alone,
// as a ruleset says or Options.Signed. The API signs only what it makes itself,
// dated now and by the token's account, and only on top of a branch; so it is made
// on a branch of its own, held against the commit that was to be, fetched, and
// moved from there like any other: by a Git push with compare-and-swap.
func (f *Forge) Sign(ctx context.Context, branch, commit string) (string, error) {
	signed, err := f.sign(ctx, branch, repo.Hash(commit))
	if err != nil {
		return "", fmt.Errorf("having GitHub sign %.10s for %s: %w", commit, branch, err)
	}
	return string(signed), nil
}

func (f *Forge) sign(ctx context.Context, branch string, commit repo.Hash) (repo.Hash, error) {
	must, err := f.mustSign(ctx)
	if err != nil || !must {
		return commit, err
	}
	if is, err := f.isSigned(ctx, commit); err != nil || is {
		return commit, err
	}
	want, err := f.repo.Commit(commit)
	if err != nil {
		return "", err
	}
	if len(want.Parents) != 1 {
		return "", fmt.Errorf("it has %d parents, and GitHub makes commits of one", len(want.Parents))
	}
	changes, err := f.changes(want)
	if err != nil {
		return "", err
	}
	place := unsigned + strings.TrimPrefix(branch, lead)
	made, err := f.twin(ctx, want, branch, place)
	if err == nil && made == "" {
		if err = f.push(ctx, place, string(want.Parents[0])); err == nil {
			made, err = f.commitOn(ctx, place, want, changes)
		}
	}
	if err != nil {
		return "", err
	}
	if err := f.clear(ctx, "refs/heads/"+place); err != nil {
		f.log.WithField("branch", place).Warnf("it stays until it is needed again: %v", err)
	}
	f.log.WithField("branch", branch).WithField("commit", string(made)).Info("signed by GitHub")
	return made, nil
}

// clear deletes a branch that is there.
func (f *Forge) clear(ctx context.Context, ref string) error {
	at, err := f.remoteRef(ctx, ref)
	if err != nil || at == "" {
		return err
	}
	return f.repo.Push(ctx, f.remote, ref, at, "")
}

// mustSign says whether the base branch takes signed commits alone, asked once in
// a run. Servers without rulesets do not know the question; those who have
// protected the branch in the older way have to say so.
func (f *Forge) mustSign(ctx context.Context) (bool, error) {
	f.mu.Lock()
	must := f.signs
	f.mu.Unlock()
	if must != nil {
		return *must, nil
	}
	base, err := f.Base(ctx)
	if err != nil {
		return false, err
	}
	rules, err := all(func(page github.ListOptions) ([]*github.RepositoryRule, *github.Response, error) {
		req, err := f.api.NewRequest(http.MethodGet, fmt.Sprintf("repos/%s/%s/rules/branches/%s?per_page=%d&page=%d", f.owner, f.name, base, page.PerPage, max(page.Page, 1)), nil)
		if err != nil {
			return nil, nil, err
		}
		var list []*github.RepositoryRule
		resp, err := f.api.Do(ctx, req, &list)
		return list, resp, err
	})
	if err != nil && said(err) != http.StatusNotFound {
		return false, fmt.Errorf("asking for the rules of %s: %w", base, err)
	}
	is := slices.ContainsFunc(rules, func(r *github.RepositoryRule) bool { return r.Type == "required_signatures" })
	f.mu.Lock()
	defer f.mu.Unlock()
	f.signs = &is
	return is, nil
}

// isSigned says whether GitHub knows the commit and has verified its signature.
func (f *Forge) isSigned(ctx context.Context, commit repo.Hash) (bool, error) {
	c, _, err := f.api.Git.GetCommit(ctx, f.owner, f.name, string(commit))
	if err = wrong(err); said(err) == http.StatusNotFound {
		return false, nil
	}
	return c.GetVerification().GetVerified(), err
}

// twin is the signed commit of an earlier run where a branch has it, as one that
// died left it, or one that proposed the same; "" where none has.
func (f *Forge) twin(ctx context.Context, want repo.Commit, branches ...string) (repo.Hash, error) {
	refs, err := f.repo.RemoteRefs(ctx, f.remote)
	if err != nil {
		return "", err
	}
	for _, r := range refs {
		if branch, is := strings.CutPrefix(r.Name, "refs/heads/"); !is || !slices.Contains(branches, branch) || r.Hash == want.Parents[0] {
			continue
		}
		if _, err := f.repo.Fetch(ctx, f.remote, r.Name); err != nil {
			return "", err
		}
		c, err := f.repo.Commit(r.Hash)
		if err != nil || !same(c, want) {
			continue
		}
		if is, err := f.isSigned(ctx, c.Hash); err != nil || is {
			return c.Hash, err
		}
	}
	return "", nil
}

// same says whether two commits differ in no more than who made them, and when.
func same(a, b repo.Commit) bool {
	return a.Tree == b.Tree && slices.Equal(a.Parents, b.Parents) && strings.TrimSpace(a.Message) == strings.TrimSpace(b.Message)
}

// fileChanges are changes as the API takes them.
type fileChanges struct {
	Additions []added `json:"additions"`
	Deletions []gone  `json:"deletions"`
}

type added struct {
	Path     string `json:"path"`
	Contents []byte `json:"contents"` // base64 in JSON
}

type gone struct {
	Path string `json:"path"`
}

// changes are what a commit changes. The API makes plain files alone.
func (f *Forge) changes(c repo.Commit) (fileChanges, error) {
	out := fileChanges{[]added{}, []gone{}}
	list, err := f.repo.Diff(c.Parents[0], c.Hash)
	if err != nil {
		return out, err
	}
	fsys, err := f.repo.At(c.Hash)
	if err != nil {
		return out, err
	}
	for _, d := range list {
		if d.After == "" {
			out.Deletions = append(out.Deletions, gone{d.Path})
			continue
		}
		info, err := fsys.Stat(d.Path)
		if err != nil {
			return out, err
		}
		if info.Mode()&^0o644 != 0 {
			return out, fmt.Errorf("%s is not a plain file, and GitHub makes no other", d.Path)
		}
		data, err := fsys.ReadFile(d.Path)
		if err != nil {
			return out, err
		}
		out.Additions = append(out.Additions, added{d.Path, data})
	}
	return out, nil
}

// commitOn has GitHub make the commit on top of its parent, fetches it and holds
// it against the one that was to be. Where the answer is lost, the branch tells.
func (f *Forge) commitOn(ctx context.Context, place string, want repo.Commit, changes fileChanges) (repo.Hash, error) {
	headline, body, _ := strings.Cut(strings.TrimSpace(want.Message), "\n")
	input := map[string]any{
		"branch":          map[string]any{"repositoryNameWithOwner": f.owner + "/" + f.name, "branchName": place},
		"expectedHeadOid": string(want.Parents[0]), "fileChanges": changes,
		"message": map[string]any{"headline": headline, "body": strings.TrimSpace(body)},
	}
	err := f.once(ctx, func() error { return f.graph(ctx, commitQuery, map[string]any{"input": input}, &struct{}{}) }, func() (bool, error) {
		at, err := f.remoteRef(ctx, "refs/heads/"+place)
		return err == nil && at != want.Parents[0], err
	})
	switch {
	case said(err) == http.StatusConflict:
		return "", fmt.Errorf("%w: %w", repo.ErrMoved, err)
	case err != nil:
		return "", err
	}
	refs, err := f.repo.Fetch(ctx, f.remote, place)
	if err != nil {
		return "", err
	}
	got, err := f.repo.Commit(refs[0].Hash)
	switch {
	case err != nil:
		return "", err
	case !slices.Equal(got.Parents, want.Parents):
		return "", fmt.Errorf("%w: another run has %s", repo.ErrMoved, place)
	case !same(got, want):
		return "", errors.New("what GitHub made holds other files, or says something else, than what it was given")
	}
	return got.Hash, nil
}
