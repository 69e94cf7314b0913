package repo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/index"
)

// indexFile is what Git holds to be checked out.
type indexFile struct {
	idx   *index.Index
	at    map[string]*index.Entry
	fresh bool // there was no file; it holds what HEAD does, without times
}

// readIndex reads the index, or makes one of HEAD's tree where there is none.
func (r *Repo) readIndex() (*indexFile, error) {
	x := &indexFile{idx: &index.Index{Version: 2}, at: map[string]*index.Entry{}}
	data, err := os.ReadFile(filepath.Join(r.git, "index"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		x.fresh = true
		return x, r.fillIndex(x)
	case err != nil:
		return nil, fmt.Errorf("reading the index: %w", err)
	}
	if err := index.NewDecoder(bytes.NewReader(data)).Decode(x.idx); err != nil {
		return nil, fmt.Errorf("reading the index: %w; it is damaged: remove %s, and it is made again from HEAD", err, filepath.Join(r.git, "index"))
	}
	for _, e := range x.idx.Entries {
		if e.Stage != 0 {
			return nil, fmt.Errorf("reading the index: a merge was begun and %q is undecided; finish it with git first", e.Name)
		}
		x.at[e.Name] = e
	}
	return x, nil
}

func (r *Repo) fillIndex(x *indexFile) error {
	head, err := r.Head()
	if err != nil || head.Commit == "" {
		return err
	}
	root, err := r.rootOf(head.Commit)
	if err != nil {
		return err
	}
	var files []delta
	if err := r.store.compare("", plumbing.ZeroHash, root, &files); err != nil {
		return err
	}
	for _, d := range files {
		x.at[d.path] = &index.Entry{Name: d.path, Mode: d.after.mode, Hash: d.after.hash}
	}
	return nil
}

// get returns the entry of a path. One that is only meant to be added matches
// no content.
func (x *indexFile) get(p string) (entry, bool) {
	e, ok := x.at[p]
	if !ok {
		return entry{}, false
	}
	return entry{name: p, mode: e.Mode, hash: e.Hash}, true
}

func (x *indexFile) remove(p string) { delete(x.at, p) }

// set enters a path with the times of its file, so that the git program need
// not read it again.
func (x *indexFile) set(p string, e entry, info fs.FileInfo) {
	n := &index.Entry{Name: p, Mode: e.mode, Hash: e.hash}
	if info != nil {
		n.ModifiedAt = info.ModTime()
		n.Size = uint32(info.Size())
		fillStat(n, info)
	}
	x.at[p] = n
}

// encode writes the index without its optional extensions, which git makes
// again when it wants them; a stale one would be believed.
func (x *indexFile) encode(w io.Writer) error {
	out := &index.Index{Version: max(x.idx.Version, 2)}
	for _, e := range x.at {
		if e.IntentToAdd || e.SkipWorktree {
			out.Version = max(out.Version, 3)
		}
		out.Entries = append(out.Entries, e)
	}
	return index.NewEncoder(w).Encode(out)
}
