package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// Version is this engine's. A plan is made again byte for byte by the same
// version only.
const Version = "v0.1.0"

// Init writes a starter estate into a folder and makes it a repository with one
// commit where it is none. It refuses, before it writes anything, when a file
// is there already. Workflows come from .github/starter.
func Init(dir string, files fs.FS, at time.Time) ([]string, error) {
	content, err := starterFiles(files)
	if err != nil {
		return nil, err
	}
	names, err := writeStarter(dir, content)
	if err != nil {
		return nil, err
	}
	return names, firstCommit(dir, content, "A starter estate", at)
}

// writeStarter writes the files, or none where one of them is there already.
func writeStarter(dir string, content map[string][]byte) ([]string, error) {
	names := sortedKeys(content)
	var there []string
	for _, n := range names {
		if _, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(n))); err == nil {
			there = append(there, n)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	if len(there) > 0 {
		return nil, fmt.Errorf("initialising %s: nothing was written, for these are there already: %s", dir, strings.Join(there, ", "))
	}
	for _, n := range names {
		name := filepath.Join(dir, filepath.FromSlash(n))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(name, content[n], 0o644); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// starterFiles are the starter's files by the path they are written to.
func starterFiles(files fs.FS) (map[string][]byte, error) {
	content := map[string][]byte{}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		if rest, ok := strings.CutPrefix(name, ".github/starter/"); ok {
			name = ".github/workflows/" + rest
		}
		content[name] = data
		return nil
	})
	return content, err
}

// firstCommit makes dir a repository with one commit, where it is none itself:
// an estate inside another repository is one of its own all the same.
func firstCommit(dir string, content map[string][]byte, message string, at time.Time) error {
	if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
		return nil
	}
	r, err := repo.Init(dir, "main")
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = r.Advance("refs/heads/main", repo.Next{Changes: content, Message: message, Author: bot, At: at})
	return err
}

// InitNext are the commands that make sense after Init.
func InitNext(names []string) []string {
	next := []string{"ringmaster validate", "ringmaster import trivy report.json", "ringmaster feeds sync", "git add -A", "git commit -m 'our hosts and advisories'", "ringmaster plan"}
	if !slices.Contains(names, "inventory/estate.hcl") {
		return next[:1]
	}
	return next
}
