package repo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
)

// errLink is why a link or a submodule cannot be opened.
var errLink = errors.New("it is a symbolic link or a submodule, which is not followed")

// At returns the tree of a commit as a file system. Times are the commit's, so
// that the same commit always looks the same.
func (r *Repo) At(commit Hash) (FS, error) {
	c, err := r.Commit(commit)
	if err != nil {
		return nil, fmt.Errorf("reading commit %s: %w", commit, err)
	}
	return &treeFS{s: r.store, root: plumbing.NewHash(string(c.Tree)), at: c.At}, nil
}

// Empty is the file system of a history that has not begun.
func Empty() FS { return &treeFS{} }

type treeFS struct {
	s    *store
	root plumbing.Hash
	at   time.Time
}

// look finds an entry and says what is wrong in the words of io/fs.
func (t *treeFS) look(op, path string) (entry, error) {
	if !fs.ValidPath(path) {
		return entry{}, &fs.PathError{Op: op, Path: path, Err: fs.ErrInvalid}
	}
	if path == "." {
		return entry{name: ".", mode: filemode.Dir, hash: t.root}, nil
	}
	if t.s == nil {
		return entry{}, &fs.PathError{Op: op, Path: path, Err: fs.ErrNotExist}
	}
	e, ok, err := t.s.find(t.root, path)
	if err == nil && !ok {
		err = fs.ErrNotExist
	}
	if err != nil {
		return entry{}, &fs.PathError{Op: op, Path: path, Err: err}
	}
	return e, nil
}

func (t *treeFS) entries(h plumbing.Hash) ([]entry, error) {
	if t.s == nil {
		return nil, nil
	}
	return t.s.tree(h)
}

// Open implements fs.FS.
func (t *treeFS) Open(path string) (fs.File, error) {
	e, err := t.look("open", path)
	if err != nil {
		return nil, err
	}
	if e.isTree() {
		list, err := t.ReadDir(path)
		if err != nil {
			return nil, err
		}
		return &openDir{info: fileInfo{t, e}, path: path, list: list}, nil
	}
	data, err := t.read("open", path, e)
	if err != nil {
		return nil, err
	}
	return &openFile{Reader: bytes.NewReader(data), info: fileInfo{t, e}}, nil
}

func (t *treeFS) read(op, path string, e entry) ([]byte, error) {
	var err error
	switch {
	case e.isTree():
		err = errors.New("is a directory")
	case !e.mode.IsFile() || e.mode == filemode.Symlink:
		err = errLink
	default:
		var data []byte
		if _, data, err = t.s.get(e.hash); err == nil {
			return data, nil
		}
	}
	return nil, &fs.PathError{Op: op, Path: path, Err: err}
}

// ReadFile implements fs.ReadFileFS. The caller may change what it gets.
func (t *treeFS) ReadFile(path string) ([]byte, error) {
	e, err := t.look("read", path)
	if err != nil {
		return nil, err
	}
	return t.read("read", path, e)
}

// Stat implements fs.StatFS.
func (t *treeFS) Stat(path string) (fs.FileInfo, error) {
	e, err := t.look("stat", path)
	if err != nil {
		return nil, err
	}
	return fileInfo{t, e}, nil
}

// Lstat implements fs.ReadLinkFS; links are not followed by Stat either.
func (t *treeFS) Lstat(path string) (fs.FileInfo, error) { return t.Stat(path) }

// ReadLink implements fs.ReadLinkFS.
func (t *treeFS) ReadLink(path string) (string, error) {
	e, err := t.look("readlink", path)
	if err != nil {
		return "", err
	}
	if e.mode != filemode.Symlink {
		return "", &fs.PathError{Op: "readlink", Path: path, Err: fs.ErrInvalid}
	}
	_, data, err := t.s.get(e.hash)
	return string(data), err
}

// ReadDir implements fs.ReadDirFS: sorted by name.
func (t *treeFS) ReadDir(path string) ([]fs.DirEntry, error) {
	e, err := t.look("readdir", path)
	if err != nil {
		return nil, err
	}
	if !e.isTree() {
		return nil, &fs.PathError{Op: "readdir", Path: path, Err: errors.New("not a directory")}
	}
	entries, err := t.entries(e.hash)
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: path, Err: err}
	}
	list := make([]fs.DirEntry, len(entries))
	for i, e := range entries {
		list[i] = fileInfo{t, e}
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list, nil
}

// Sub implements fs.SubFS.
func (t *treeFS) Sub(path string) (fs.FS, error) {
	e, err := t.look("sub", path)
	if err != nil {
		return nil, err
	}
	if !e.isTree() {
		return nil, &fs.PathError{Op: "sub", Path: path, Err: errors.New("not a directory")}
	}
	return &treeFS{s: t.s, root: e.hash, at: t.at}, nil
}

// fileInfo is an entry as fs.FileInfo and fs.DirEntry.
type fileInfo struct {
	t *treeFS
	e entry
}

func (i fileInfo) Name() string               { return i.e.name }
func (i fileInfo) IsDir() bool                { return i.e.isTree() }
func (i fileInfo) ModTime() time.Time         { return i.t.at }
func (i fileInfo) Sys() any                   { return name(i.e.hash) }
func (i fileInfo) Type() fs.FileMode          { return i.Mode().Type() }
func (i fileInfo) Info() (fs.FileInfo, error) { return i, nil }
func (i fileInfo) String() string             { return fs.FormatFileInfo(i) }

// Size reads the object the first time it is asked for: Git's trees do not
// say it.
func (i fileInfo) Size() int64 {
	if i.t.s == nil || !i.e.mode.IsFile() {
		return 0
	}
	_, data, err := i.t.s.get(i.e.hash)
	if err != nil {
		return 0
	}
	return int64(len(data))
}

func (i fileInfo) Mode() fs.FileMode {
	switch i.e.mode {
	case filemode.Dir:
		return fs.ModeDir | 0o555
	case filemode.Executable:
		return 0o555
	case filemode.Symlink:
		return fs.ModeSymlink | 0o777
	case filemode.Submodule:
		return fs.ModeIrregular
	}
	return 0o444
}

type openFile struct {
	*bytes.Reader
	info fileInfo
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openFile) Close() error               { return nil }

type openDir struct {
	info fileInfo
	path string
	list []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openDir) Close() error               { return nil }
func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.path, Err: errors.New("is a directory")}
}

// ReadDir implements fs.ReadDirFile.
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 || n > len(d.list) {
		if n > 0 && len(d.list) == 0 {
			return nil, io.EOF
		}
		n = len(d.list)
	}
	out := d.list[:n:n]
	d.list = d.list[n:]
	return out, nil
}
