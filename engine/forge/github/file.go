package github

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"

	"github.com/google/go-github/v60/github"

	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// File reads a file at a commit: in the clone, fetched where a reference there
// names the commit, else through the API. A path that is not there is
// fs.ErrNotExist.
func (f *Forge) File(ctx context.Context, commit, path string) ([]byte, error) {
	if _, err := f.repo.Commit(repo.Hash(commit)); err == nil {
		return f.repo.ReadFile(repo.Hash(commit), path)
	}
	if f.fetch(ctx, repo.Hash(commit)) {
		return f.repo.ReadFile(repo.Hash(commit), path)
	}
	data, err := f.download(ctx, commit, path)
	if err != nil {
		return nil, fmt.Errorf("reading %s at %.10s: %w", path, commit, err)
	}
	return data, nil
}

// fetch brings a commit that a reference names, as refs/pull/7/head does of a
// branch that was deleted after its merge. False leaves it to the API.
func (f *Forge) fetch(ctx context.Context, commit repo.Hash) bool {
	refs, err := f.repo.RemoteRefs(ctx, f.remote)
	if err != nil {
		return false
	}
	i := slices.IndexFunc(refs, func(r repo.Ref) bool { return r.Hash == commit })
	if i < 0 {
		return false
	}
	if _, err := f.repo.Fetch(ctx, f.remote, refs[i].Name); err != nil {
		return false
	}
	_, err = f.repo.Commit(commit)
	return err == nil
}

// download asks the API. What is over a megabyte comes without its content, and
// is asked for again as a blob.
func (f *Forge) download(ctx context.Context, commit, path string) ([]byte, error) {
	if !fs.ValidPath(path) {
		return nil, fs.ErrInvalid
	}
	file, _, _, err := f.api.Repositories.GetContents(ctx, f.owner, f.name, path, &github.RepositoryContentGetOptions{Ref: commit})
	if err = wrong(err); said(err) == http.StatusNotFound {
		return nil, fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	if err != nil {
		return nil, err
	}
	if file.GetType() != "file" {
		return nil, errors.New("it is not a file")
	}
	if file.GetEncoding() == "base64" {
		text, err := file.GetContent()
		return []byte(text), err
	}
	data, _, err := f.api.Git.GetBlobRaw(ctx, f.owner, f.name, file.GetSHA())
	return data, wrong(err)
}
