package repo

import (
	"errors"
	"fmt"
	"strings"
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrMoved says that a reference was not where the caller had seen it:
	// another writer won, and the caller reads again.
	ErrMoved = errors.New("the reference has moved")
	// ErrNotFound says that there is no such revision, object or path.
	ErrNotFound = errors.New("not found")
	// ErrNoRepo says that neither a folder nor any above it is a repository.
	ErrNoRepo = errors.New("not a Git repository, nor inside one")
	// ErrShallow says that history was asked for beyond where the clone was cut.
	ErrShallow = errors.New("the clone is shallow and its history is cut; fetch it whole (git fetch --unshallow, or fetch-depth: 0)")
	// ErrDirty says that a file was edited since HEAD; see DirtyError.
	ErrDirty = errors.New("files in the working tree were edited")
	// ErrConflict says that two sides of a merge differ; see ConflictError.
	ErrConflict = errors.New("both sides changed the same paths")
	// ErrMerged says that there is nothing to merge: the head is in the base.
	ErrMerged = errors.New("already merged")
	// ErrLocked says that another program holds a lock file of the repository.
	ErrLocked = errors.New("locked by another program")
)

// DirtyError names the edited files. It is an ErrDirty.
type DirtyError struct{ Paths []string }

func (e *DirtyError) Error() string {
	return fmt.Sprintf("%v: %s; commit them or put them back", ErrDirty, quoteSome(e.Paths))
}

// Unwrap makes errors.Is(err, ErrDirty) true.
func (e *DirtyError) Unwrap() error { return ErrDirty }

// ConflictError names the paths that both sides of a merge changed, each in
// its own way. It is an ErrConflict.
type ConflictError struct{ Paths []string }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%v: %s", ErrConflict, quoteSome(e.Paths))
}

// Unwrap makes errors.Is(err, ErrConflict) true.
func (e *ConflictError) Unwrap() error { return ErrConflict }

// quoteSome lists the first paths, so that a message stays readable.
func quoteSome(paths []string) string {
	const most = 8
	var b strings.Builder
	for i, p := range paths {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(paths)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", p)
	}
	return b.String()
}
