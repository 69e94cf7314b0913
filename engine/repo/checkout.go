package repo

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
)

// work is the working tree and its index, held by the lock of the index.
type work struct {
	r     *Repo
	root  *os.Root // nothing outside is reached, whatever links say
	index *indexFile
	lock  *claim
}

func (g *guard) openWork() (*work, error) {
	lock, err := g.claim(filepath.Join(g.r.git, "index"))
	if err != nil {
		return nil, fmt.Errorf("locking the index: %w", err)
	}
	t := &work{r: g.r, lock: lock}
	if t.index, err = g.r.readIndex(); err == nil {
		t.root, err = os.OpenRoot(g.r.work)
	}
	if err != nil {
		lock.drop()
		return nil, err
	}
	return t, nil
}

func (t *work) close() {
	t.root.Close()
	t.lock.drop()
}

// dirty returns the paths whose file or index entry is neither as before nor
// as after, and those that something else stands in the way of.
func (t *work) dirty(list []delta) []string {
	going := map[string]bool{}
	for _, d := range list {
		if d.after.name == "" {
			going[d.path] = true
		}
	}
	var out []string
	for _, d := range list {
		if !t.clean(d, going) {
			out = append(out, d.path)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (t *work) clean(d delta, going map[string]bool) bool {
	if staged, ok := t.index.get(d.path); ok {
		if !sameContent(staged, d.before) && !sameContent(staged, d.after) {
			return false
		}
	} else if !t.index.fresh && d.before.name != "" && d.after.name != "" {
		return false // its deletion is staged
	}
	for dir := path.Dir(d.path); dir != "."; dir = path.Dir(dir) {
		if info, err := t.root.Lstat(filepath.FromSlash(dir)); err == nil && !info.IsDir() && !going[dir] {
			return false
		}
	}
	is, err := t.file(d.path)
	if err != nil || t.occupied(d.path, going) {
		return false
	}
	return is == d.before.hash || is == d.after.hash
}

// occupied says whether a folder at a file's path holds files that stay.
func (t *work) occupied(p string, going map[string]bool) bool {
	if info, err := t.root.Lstat(filepath.FromSlash(p)); err != nil || !info.IsDir() {
		return false
	}
	stays := false
	fs.WalkDir(t.root.FS(), p, func(at string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() && !going[at] {
			stays = true
			return fs.SkipAll
		}
		return nil
	})
	return stays
}

func sameContent(a, b entry) bool { return a.hash == b.hash }

// file is the hash of what is at a path in the working tree: a file's content,
// a link's text, the zero hash for nothing or for a folder that may go.
func (t *work) file(p string) (plumbing.Hash, error) {
	p = filepath.FromSlash(p)
	info, err := t.root.Lstat(p)
	if errors.Is(err, fs.ErrNotExist) || isNotDir(err) {
		return plumbing.ZeroHash, nil
	}
	if err != nil {
		return plumbing.ZeroHash, err
	}
	switch {
	case info.Mode().IsRegular():
		data, err := t.root.ReadFile(p)
		return hashOf(plumbing.BlobObject, data), err
	case info.Mode()&fs.ModeSymlink != 0:
		to, err := t.root.Readlink(p)
		return hashOf(plumbing.BlobObject, []byte(to)), err
	case info.IsDir():
		return plumbing.ZeroHash, nil
	}
	return plumbing.ZeroHash, fmt.Errorf("%q is neither a file nor a folder", p)
}

// bring makes the files and the index as they are after. Deletions come first,
// so that a folder may take a file's place and the other way round.
func (t *work) bring(list []delta) error {
	for _, d := range list {
		if d.after.name == "" {
			if err := t.remove(d.path); err != nil {
				return err
			}
			t.index.remove(d.path)
		}
	}
	for _, d := range list {
		if d.after.name == "" {
			continue
		}
		if err := t.put(d.path, d.after); err != nil {
			return fmt.Errorf("writing %s: %w", d.path, err)
		}
	}
	var b bytes.Buffer
	if err := t.index.encode(&b); err != nil {
		return fmt.Errorf("writing the index: %w", err)
	}
	if err := t.lock.write(b.Bytes()); err != nil {
		return fmt.Errorf("writing the index: %w", err)
	}
	return t.lock.rename()
}

func (t *work) remove(p string) error {
	err := t.root.Remove(filepath.FromSlash(p))
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !isNotDir(err) {
		return err
	}
	for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
		if t.root.Remove(filepath.FromSlash(dir)) != nil {
			return nil // not empty, and so it stays
		}
	}
	return nil
}

// put writes a file beside its place and renames it there. Links and
// submodules are entered into the index and their places left alone, but for
// links whose text has changed.
func (t *work) put(p string, e entry) error {
	if e.mode == filemode.Submodule {
		t.index.set(p, e, nil)
		return nil
	}
	_, data, err := t.r.store.get(e.hash)
	if err != nil {
		return err
	}
	at := filepath.FromSlash(p)
	if is, err := t.file(p); err != nil || is != e.hash || t.modeDiffers(at, e) {
		if err := t.replace(at, data, e); err != nil {
			return err
		}
	}
	info, err := t.root.Lstat(at)
	if err != nil {
		return err
	}
	t.index.set(p, e, info)
	return nil
}

func (t *work) modeDiffers(at string, e entry) bool {
	info, err := t.root.Lstat(at)
	if err != nil || os.PathSeparator != '/' || e.mode == filemode.Symlink {
		return err != nil
	}
	return (info.Mode()&0o100 != 0) != (e.mode == filemode.Executable)
}

func (t *work) replace(at string, data []byte, e entry) error {
	dir := filepath.Dir(at)
	if err := t.root.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	temp := filepath.Join(dir, "."+filepath.Base(at)+".ringmaster")
	if err := t.root.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if e.mode == filemode.Symlink {
		if err := t.root.Symlink(string(data), temp); err != nil {
			return err
		}
		return t.rename(temp, at)
	}
	perm := fs.FileMode(0o666)
	if e.mode == filemode.Executable {
		perm = 0o777
	}
	f, err := t.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return t.rename(temp, at)
}

// rename puts a new file in place, where at most empty folders are in the way.
func (t *work) rename(temp, at string) error {
	if info, err := t.root.Lstat(at); err == nil && info.IsDir() {
		removeEmptyDirs(filepath.Join(t.r.work, at))
	}
	return t.root.Rename(temp, at)
}
