package repo

import (
	"context"
	"errors"
	"iter"
)

// Errors that callers tell apart.
var (
	ErrMoved    = errors.New("the reference has moved")                     // another writer won
	ErrNotFound = errors.New("not found")                                   // no such reference, commit or path
	ErrNoRepo   = errors.New("not a Git repository, nor inside one")        //
	ErrShallow  = errors.New("the clone is shallow and its history is cut") //
	ErrDirty    = errors.New("files in the working tree were edited")       // see DirtyError
	ErrConflict = errors.New("both sides changed the same paths")           // see ConflictError
)

// Repo is an open repository.
type Repo struct{}

func Open(dir string) (*Repo, error)              { panic("soon") } // found upward from dir
func Init(dir, branch string) (*Repo, error)      { panic("soon") } // makes the folder a repository
func (r *Repo) Close() error                      { panic("soon") }
func (r *Repo) Dir() string                       { panic("soon") } // working tree's root, "" when bare
func (r *Repo) Shallow() bool                     { panic("soon") }
func (r *Repo) Head() (Head, error)               { panic("soon") }
func (r *Repo) Resolve(rev string) (Hash, error)  { panic("soon") } // HEAD, branch, tag, ref, (short) hash, with ~n and ^n
func (r *Repo) Ref(name string) (Hash, error)     { panic("soon") } // "" when it is not there
func (r *Repo) Refs(prefix string) ([]Ref, error) { panic("soon") } // sorted by name
func (r *Repo) At(commit Hash) (FS, error)        { panic("soon") }
func (r *Repo) Commit(h Hash) (Commit, error)     { panic("soon") }

// Write makes the commit's objects and moves nothing.
func (r *Repo) Write(n Next) (Hash, error) { panic("soon") }

// Advance writes the next commit and moves ref from n.Base to it, files included. ErrMoved when another won.
func (r *Repo) Advance(ref string, n Next) (Hash, error) { panic("soon") }

// Move is CompareAndSwap that also updates the files of the checked-out branch; ErrDirty where they were edited.
func (r *Repo) Move(ref string, old, new Hash) error { panic("soon") }

// CompareAndSwap moves ref alone; old "" creates, new "" deletes.
func (r *Repo) CompareAndSwap(ref string, old, new Hash) error { panic("soon") }

// Merge writes the commit that merges head into base (three-way by path) and moves nothing. n.Base and n.Parents are set by it.
func (r *Repo) Merge(base, head Hash, n Next) (Hash, error) { panic("soon") }

func (r *Repo) MergeBase(a, b Hash) (Hash, error)               { panic("soon") }
func (r *Repo) IsAncestor(old, young Hash) (bool, error)        { panic("soon") }
func (r *Repo) FirstParents(from Hash) iter.Seq2[Commit, error] { panic("soon") } // from itself first
func (r *Repo) Changed(commit Hash) ([]string, error)           { panic("soon") } // against the first parent, sorted
func (r *Repo) Diff(a, b Hash) ([]Change, error)                { panic("soon") } // commits; a may be ""
func (r *Repo) Blob(commit Hash, path string) (Hash, error)     { panic("soon") } // "" when the path is not there; a folder gives its tree
// PathHistory yields, youngest first, the commits on the first-parent line that changed path (file or folder).
func (r *Repo) PathHistory(from Hash, path string) iter.Seq2[Commit, error] { panic("soon") }
func (r *Repo) ReadFile(commit Hash, path string) ([]byte, error)           { panic("soon") }

func (r *Repo) Dirty(paths []string) ([]string, error) { panic("soon") } // those edited since HEAD, sorted

// Fetch brings the branches' commits and sets refs/remotes/<name>/<branch>; no branches means all.
func (r *Repo) Fetch(ctx context.Context, from Remote, branches ...string) ([]Ref, error) {
	panic("soon")
}

// Push moves ref on the remote from old to new; ErrMoved when it is elsewhere. A lost answer is looked up.
func (r *Repo) Push(ctx context.Context, to Remote, ref string, old, new Hash) error { panic("soon") }
