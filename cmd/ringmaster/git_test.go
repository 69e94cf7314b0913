package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// smallGit is as much of git as scripts and the README use, so that they run
// where no git program is: add -A, commit -m, show REV:PATH, checkout [-b] BRANCH,
// merge BRANCH where that is only further on.
// Its commits are all made at one time, so that plans name the same commits on
// every machine.
func smallGit(args []string) int {
	if err := gitVerb(args); err != nil {
		fmt.Fprintln(os.Stderr, "git:", err)
		return 1
	}
	return 0
}

func gitVerb(args []string) error {
	r, err := repo.Open(".")
	if err != nil {
		return err
	}
	defer r.Close()
	switch verb := args[0]; {
	case verb == "add" && len(args) == 2:
		return nil // commit takes everything
	case verb == "commit" && len(args) == 3:
		return gitCommit(r, args[2])
	case verb == "show" && len(args) == 2:
		rev, name, _ := strings.Cut(args[1], ":")
		return gitShow(r, rev, name)
	case verb == "checkout" && len(args) == 2:
		return gitCheckout(r, args[1])
	case verb == "checkout" && len(args) == 3 && args[1] == "-b":
		return gitBranch(r, args[2])
	case verb == "merge" && len(args) == 2:
		return gitMerge(r, args[1])
	}
	return fmt.Errorf("git %q is not in this small git", args)
}

// workFiles reads a folder's files, leaving out .git.
func workFiles(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		files[name], err = os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		return err
	})
	return files, err
}

// commitFiles are a commit's.
func commitFiles(r *repo.Repo, h repo.Hash) (map[string][]byte, error) {
	files := map[string][]byte{}
	list, err := r.Diff("", h)
	if err != nil {
		return nil, err
	}
	for _, c := range list {
		if files[c.Path], err = r.ReadFile(h, c.Path); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func gitCommit(r *repo.Repo, message string) error {
	head, err := r.Head()
	if err != nil {
		return err
	}
	now, err := workFiles(r.Dir())
	if err != nil {
		return err
	}
	was, err := commitFiles(r, head.Commit)
	if err != nil {
		return err
	}
	changes := map[string][]byte{}
	for name, data := range now {
		if old, ok := was[name]; !ok || !bytes.Equal(old, data) {
			changes[name] = data
		}
	}
	for name := range was {
		if _, ok := now[name]; !ok {
			changes[name] = nil
		}
	}
	h, err := r.Write(repo.Next{Base: head.Commit, Changes: changes, Message: message,
		Author: repo.Person{Name: "olivia", Email: "olivia@example.com"}, At: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)})
	if err != nil {
		return err
	}
	if err := r.CompareAndSwap("refs/heads/"+head.Branch, head.Commit, h); err != nil {
		return err
	}
	return dropIndex(r)
}

// commitAll commits everything in an estate's folder.
func commitAll(t *testing.T, dir, message string) {
	t.Helper()
	r, err := repo.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := gitCommit(r, message); err != nil {
		t.Fatal(err)
	}
}

// dropIndex lets the index be HEAD's tree again.
func dropIndex(r *repo.Repo) error {
	err := os.Remove(filepath.Join(r.GitDir(), "index"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func gitShow(r *repo.Repo, rev, name string) error {
	h, err := r.Resolve(rev)
	if err != nil {
		return err
	}
	data, err := r.ReadFile(h, name)
	if err == nil {
		_, err = os.Stdout.Write(data)
	}
	return err
}

func gitCheckout(r *repo.Repo, branch string) error {
	h, err := r.Ref("refs/heads/" + branch)
	if err != nil || h == "" {
		return fmt.Errorf("no branch %q: %w", branch, err)
	}
	was, err := workFiles(r.Dir())
	if err != nil {
		return err
	}
	for name := range was {
		if err := os.Remove(filepath.Join(r.Dir(), name)); err != nil {
			return err
		}
	}
	files, err := commitFiles(r, h)
	if err != nil {
		return err
	}
	for name, data := range files {
		name = filepath.Join(r.Dir(), name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(r.GitDir(), "HEAD"), []byte("ref: refs/heads/"+branch+"\n"), 0o644); err != nil {
		return err
	}
	return dropIndex(r)
}

// gitBranch makes a branch at HEAD and goes there.
func gitBranch(r *repo.Repo, branch string) error {
	head, err := r.Head()
	if err != nil {
		return err
	}
	if err := r.CompareAndSwap("refs/heads/"+branch, "", head.Commit); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.GitDir(), "HEAD"), []byte("ref: refs/heads/"+branch+"\n"), 0o644)
}

// gitMerge moves HEAD's branch on to another that began at it.
func gitMerge(r *repo.Repo, branch string) error {
	head, err := r.Head()
	if err != nil {
		return err
	}
	h, err := r.Ref("refs/heads/" + branch)
	if err != nil {
		return err
	}
	if err := r.CompareAndSwap("refs/heads/"+head.Branch, head.Commit, h); err != nil {
		return err
	}
	return gitCheckout(r, head.Branch)
}
