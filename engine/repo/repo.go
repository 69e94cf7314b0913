// Package repo is a commit as a file system, and the next commit.
//
// Git is ringmaster's only memory, and this package is the only door to it. It
// needs no git program and never looks at a working tree to learn what is true:
// a commit is read with At, the next one is built from changed paths alone with
// Write, and a reference moves by CompareAndSwap, so that of two runners exactly
// one wins. Whoever moves a branch that people have checked out uses Move or
// Commit, which bring the files along and refuse where they were edited.
package repo

import (
	"context"
	"io/fs"
	"time"
)

// Hash names a commit or another object: 40 lower-case hex digits. "" is no
// object: a reference that is not there, a history that has not begun.
type Hash string

// Person is who made a commit.
type Person struct{ Name, Email string }

// Head is what is checked out. Commit is "" before the first commit, Branch is
// "" when HEAD names a commit directly.
type Head struct {
	Commit Hash
	Branch string // "main", without refs/heads/
}

// Commit is a commit's own words.
type Commit struct {
	Hash    Hash
	Tree    Hash
	Parents []Hash
	Author  Person
	At      time.Time // the committer's time, UTC
	Message string
}

// Next is a commit to be made. The same values make the same hash.
type Next struct {
	Base       Hash              // first parent, whose tree the changes are made to; "" begins a history
	Parents    []Hash            // further parents
	Changes    map[string][]byte // slash-separated path → content; nil deletes, also what is not there
	Executable map[string]bool   // new paths that are programs; existing ones keep their mode
	Message    string
	Author     Person // committer too
	At         time.Time
}

// Ref is a reference with the object it names.
type Ref struct {
	Name string // "refs/heads/main"
	Hash Hash
}

// Remote is another repository: an http(s) URL, with a token where it asks for
// one, or the path of a repository on this machine.
type Remote struct {
	Name  string // of its tracking references, "origin" when empty
	URL   string
	Token string
	// Wait returns after d, or false when it will not wait: what is read of a remote
	// that does not answer is then not asked for again, as where it is nil.
	Wait func(ctx context.Context, d time.Duration) bool
}

// Change is a path that differs between two trees. Before is "" for an added
// path and After for a deleted one.
type Change struct {
	Path          string
	Before, After Hash
}

// Step is a commit of a line with what it changed.
type Step struct {
	Commit  Commit
	Changes []Change
}

// FS is the tree of a commit. It implements fs.FS, fs.ReadDirFS, fs.ReadFileFS,
// fs.StatFS and fs.SubFS; files are read when asked for. Symbolic links and
// submodules are listed and never followed.
type FS interface {
	fs.ReadDirFS
	fs.ReadFileFS
	fs.StatFS
	fs.SubFS
}
