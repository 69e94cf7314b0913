package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
)

// importFolder is a folder of the estate that an import changes: its files as
// they are, and as they shall be.
type importFolder struct {
	root *os.Root
	old  map[string][]byte // path → bytes, as read
	next map[string][]byte // path → bytes to write, nil: to remove
}

func newImportFolder(root *os.Root) *importFolder {
	return &importFolder{root: root, old: map[string][]byte{}, next: map[string][]byte{}}
}

// load reads the files of a folder with the ending, sorted; none where the
// folder is not there.
func (f *importFolder) load(dir, ext string) ([]string, error) {
	entries, err := fs.ReadDir(f.root.FS(), dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", dir, err)
	}
	var names []string
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		if path.Ext(name) != ext || e.IsDir() {
			continue
		}
		if !e.Type().IsRegular() {
			return nil, fmt.Errorf("%s is not a regular file; links are not followed", name)
		}
		if f.old[name], err = f.root.ReadFile(name); err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		names = append(names, name)
	}
	return names, nil
}

// put plans a file's bytes; empty bytes remove it.
func (f *importFolder) put(name string, data []byte) {
	if len(data) == 0 {
		data = nil
	}
	f.next[name] = data
}

// write carries the plan out, file by file: each is written beside its place,
// synced and renamed, so that a reader sees the old bytes or the new ones. Sets
// go first and removals last, so that what a line refers to is there all the
// time. It returns the paths that changed.
func (f *importFolder) write() (changed []string, err error) {
	for _, name := range f.order() {
		data, old := f.next[name], f.old[name]
		_, there := f.old[name]
		switch {
		case data == nil && !there, data != nil && there && bytes.Equal(data, old):
			continue
		case data == nil:
			err = f.root.Remove(name)
		default:
			err = f.replace(name, data)
		}
		if err != nil {
			return changed, fmt.Errorf("writing %s: %w", name, err)
		}
		changed = append(changed, name)
	}
	return changed, f.sync(changed)
}

// order is sets, then everything else that is written, then removals.
func (f *importFolder) order() []string {
	names := make([]string, 0, len(f.next))
	for name := range f.next {
		names = append(names, name)
	}
	rank := func(name string) int {
		switch {
		case f.next[name] == nil:
			return 2
		case path.Ext(name) == ".json":
			return 0
		}
		return 1
	}
	slices.SortFunc(names, func(a, b string) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return bytes.Compare([]byte(a), []byte(b))
	})
	return names
}

func (f *importFolder) replace(name string, data []byte) (err error) {
	if err := f.root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	temp := path.Join(path.Dir(name), "."+path.Base(name)+".importing")
	if err := f.root.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	w, err := f.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.root.Remove(temp)
		}
	}()
	if _, err = w.Write(data); err != nil {
		w.Close()
		return err
	}
	if err = w.Sync(); err != nil {
		w.Close()
		return err
	}
	if err = w.Close(); err != nil {
		return err
	}
	return f.root.Rename(temp, name)
}

// sync makes the renames of a folder last. Systems that cannot sync a folder
// lose nothing that was whole before.
func (f *importFolder) sync(changed []string) error {
	done := map[string]bool{}
	for _, name := range changed {
		dir := path.Dir(name)
		if done[dir] {
			continue
		}
		done[dir] = true
		if d, err := f.root.Open(dir); err == nil {
			_ = d.Sync()
			d.Close()
		}
	}
	return nil
}
