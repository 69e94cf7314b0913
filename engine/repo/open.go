package repo

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/config"
)

// Repo is an open repository. It may be used by several goroutines.
type Repo struct {
	work   string // root of the working tree, "" when bare
	git    string // HEAD and the index
	common string // objects and references; git, but for linked working trees
	store  *store
	cut    map[plumbing.Hash]bool // commits whose parents a shallow clone left out
	cutMu  sync.Mutex
}

// Open opens the repository that dir is in, looking upward from it. It returns
// ErrNoRepo, wrapped with dir, where there is none.
func Open(dir string) (*Repo, error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the repository of %s: %w", dir, err)
	}
	if _, err := os.Stat(start); err != nil {
		return nil, fmt.Errorf("opening the repository of %s: %w", dir, err)
	}
	for at := start; ; at = filepath.Dir(at) {
		if git, ok, err := gitFolder(filepath.Join(at, ".git")); err != nil {
			return nil, err
		} else if ok {
			return open(at, git)
		}
		if isGitFolder(at) {
			return open("", at)
		}
		if at == filepath.Dir(at) {
			return nil, fmt.Errorf("%s: %w", dir, ErrNoRepo)
		}
	}
}

// gitFolder follows .git where it is a file that names the folder, as in
// linked working trees and submodules.
func gitFolder(path string) (string, bool, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", false, nil
	}
	if info.IsDir() {
		return path, isGitFolder(path), nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", false, fmt.Errorf("reading %s: %w", path, err)
	}
	to, ok := strings.CutPrefix(strings.TrimSpace(string(data)), "gitdir: ")
	if !ok {
		return "", false, fmt.Errorf("%s: expected a folder, or a file that says gitdir: and where", path)
	}
	if !filepath.IsAbs(to) {
		to = filepath.Join(filepath.Dir(path), to)
	}
	if !isGitFolder(to) {
		return "", false, fmt.Errorf("%s names %s, which is not a repository", path, to)
	}
	return to, true, nil
}

func isGitFolder(dir string) bool {
	if _, err := os.Lstat(filepath.Join(dir, "HEAD")); err != nil {
		return false
	}
	info, err := os.Stat(filepath.Join(commonFolder(dir), "objects"))
	return err == nil && info.IsDir()
}

func commonFolder(git string) string {
	data, err := os.ReadFile(filepath.Join(git, "commondir"))
	if err != nil {
		return git
	}
	to := strings.TrimSpace(string(data))
	if !filepath.IsAbs(to) {
		to = filepath.Join(git, to)
	}
	return to
}

func open(work, git string) (*Repo, error) {
	r := &Repo{work: work, git: git, common: commonFolder(git)}
	bare, err := r.readConfig()
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", git, err)
	}
	if bare {
		r.work = ""
	}
	if r.cut, err = readShallow(r.common); err != nil {
		return nil, fmt.Errorf("opening %s: %w", git, err)
	}
	r.store = openStore(r.common)
	return r, nil
}

// readConfig refuses the kinds of repository that this package cannot read,
// rather than misread them.
func (r *Repo) readConfig() (bare bool, err error) {
	data, err := os.ReadFile(filepath.Join(r.common, "config"))
	if errors.Is(err, fs.ErrNotExist) {
		return r.work == "", nil
	}
	if err != nil {
		return false, err
	}
	cfg := config.New()
	if err := config.NewDecoder(bytes.NewReader(data)).Decode(cfg); err != nil {
		return false, fmt.Errorf("reading its config: %w", err)
	}
	ext := cfg.Section("extensions")
	if f := ext.Option("objectformat"); f != "" && !strings.EqualFold(f, "sha1") {
		return false, fmt.Errorf("its objects are named by %s; expected sha1", f)
	}
	if f := ext.Option("refstorage"); f != "" && !strings.EqualFold(f, "files") {
		return false, fmt.Errorf("its references are stored as %s; expected files", f)
	}
	return strings.EqualFold(cfg.Section("core").Option("bare"), "true"), nil
}

func readShallow(common string) (map[plumbing.Hash]bool, error) {
	data, err := os.ReadFile(filepath.Join(common, "shallow"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	cut := map[plumbing.Hash]bool{}
	for _, h := range strings.Fields(string(data)) {
		cut[plumbing.NewHash(h)] = true
	}
	return cut, nil
}

// Init makes dir a repository with nothing in it, whose HEAD is the branch. It
// refuses where there is one already. Files in dir stay as they are.
func Init(dir, branch string) (*Repo, error) {
	if err := checkRef("refs/heads/" + branch); err != nil {
		return nil, err
	}
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("making a repository of %s: %w", dir, err)
	}
	git := filepath.Join(root, ".git")
	if _, err := os.Lstat(git); err == nil {
		return nil, fmt.Errorf("making a repository of %s: there is one already", dir)
	}
	if err := layOut(git, branch, false); err != nil {
		return nil, fmt.Errorf("making a repository of %s: %w", dir, err)
	}
	return open(root, git)
}

// InitBare makes dir itself a repository without a working tree, which others
// push to.
func InitBare(dir, branch string) (*Repo, error) {
	if err := checkRef("refs/heads/" + branch); err != nil {
		return nil, err
	}
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("making a bare repository of %s: %w", dir, err)
	}
	if isGitFolder(root) {
		return nil, fmt.Errorf("making a bare repository of %s: there is one already", dir)
	}
	if err := layOut(root, branch, true); err != nil {
		return nil, fmt.Errorf("making a bare repository of %s: %w", dir, err)
	}
	return open("", root)
}

// layOut writes a new repository's folders and, last, the HEAD that makes it
// one.
func layOut(git, branch string, bare bool) error {
	for _, d := range []string{"objects/info", "objects/pack", "refs/heads", "refs/tags", "info"} {
		if err := os.MkdirAll(filepath.Join(git, filepath.FromSlash(d)), 0o777); err != nil {
			return err
		}
	}
	conf := fmt.Sprintf("[core]\n\trepositoryformatversion = 0\n\tfilemode = %t\n\tbare = %t\n", os.PathSeparator == '/', bare)
	if err := writeDurably(filepath.Join(git, "config"), []byte(conf), 0o644); err != nil {
		return err
	}
	return writeDurably(filepath.Join(git, "HEAD"), []byte("ref: refs/heads/"+branch+"\n"), 0o644)
}

// Close releases open files. The Repo is not used afterwards.
func (r *Repo) Close() error { return r.store.close() }

// Dir is the root of the working tree, "" when the repository is bare.
func (r *Repo) Dir() string { return r.work }

// GitDir is the folder of Git's own files.
func (r *Repo) GitDir() string { return r.git }

// Shallow says whether the clone was cut, so that history ends before it began.
func (r *Repo) Shallow() bool {
	r.cutMu.Lock()
	defer r.cutMu.Unlock()
	return len(r.cut) > 0
}

func (r *Repo) isCut(h Hash) bool {
	r.cutMu.Lock()
	defer r.cutMu.Unlock()
	return len(r.cut) > 0 && r.cut[plumbing.NewHash(string(h))]
}

// Commit reads a commit's own words. An annotated tag gives the commit it names.
func (r *Repo) Commit(h Hash) (Commit, error) {
	id, err := h.parse()
	if err != nil {
		return Commit{}, err
	}
	return r.store.commit(id)
}
