package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// guard is held by the one ringmaster process that changes references or files
// of a repository. It is a lock of the operating system, which ends with its
// process however that dies; the git program is kept out by its own lock files,
// which do not. So each lock file is a second name (a hard link) of a scratch
// file under .git/ringmaster: whoever holds the guard next knows by that which
// lock files a killed run has left, and removes them and no others.
type guard struct {
	r    *Repo
	lock *lockedfile.File
}

// guard takes the guard and puts right what a killed run left half done.
func (r *Repo) guard() (*guard, error) {
	scratch := filepath.Join(r.common, "ringmaster")
	if err := os.MkdirAll(scratch, 0o777); err != nil {
		return nil, fmt.Errorf("locking the repository: %w", err)
	}
	f, err := lockedfile.OpenFile(filepath.Join(scratch, "guard"), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("locking the repository: %w", err)
	}
	g := &guard{r: r, lock: f}
	if err := errors.Join(g.sweep(), g.finish()); err != nil {
		g.release()
		return nil, fmt.Errorf("finishing what an earlier run left: %w", err)
	}
	return g, nil
}

func (g *guard) release() { g.lock.Close() }

const claimSuffix = ".claim"

// sweep removes the lock files of a killed run.
func (g *guard) sweep() error {
	scratch := filepath.Join(g.r.common, "ringmaster")
	list, err := os.ReadDir(scratch)
	if err != nil {
		return err
	}
	for _, e := range list {
		enc, ok := strings.CutSuffix(e.Name(), claimSuffix)
		rel, err := url.PathUnescape(enc)
		if !ok || err != nil {
			continue
		}
		own := filepath.Join(scratch, e.Name())
		lock := filepath.Join(g.r.common, filepath.FromSlash(rel)+".lock")
		if sameFile(own, lock) {
			if err := os.Remove(lock); err != nil {
				return err
			}
		}
		if err := os.Remove(own); err != nil {
			return err
		}
	}
	return nil
}

func sameFile(a, b string) bool {
	x, err := os.Lstat(a)
	if err != nil {
		return false
	}
	y, err := os.Lstat(b)
	return err == nil && os.SameFile(x, y)
}

// claim is a lock file as the git program knows it: path.lock, made only where
// there is none, and renamed to path when it holds the new content.
type claim struct {
	path, own string
	f         *os.File
}

// claimWait is how long a lock file of the git program is waited for, which
// holds one for milliseconds.
const claimWait = 3 * time.Second

func (g *guard) claim(path string) (*claim, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, err
	}
	rel, err := filepath.Rel(g.r.common, path)
	if err != nil {
		return nil, err
	}
	own := filepath.Join(g.r.common, "ringmaster", url.PathEscape(filepath.ToSlash(rel))+claimSuffix)
	f, err := os.OpenFile(own, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, err
	}
	c := &claim{path: path, own: own, f: f}
	if err := waitFor(claimWait, c.link); err != nil {
		f.Close()
		os.Remove(own)
		if errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("%w: %s.lock is there; remove it when no git program is running", ErrLocked, path)
		}
		return nil, err
	}
	return c, nil
}

// link makes the lock file. Where the file system knows no hard links, the
// lock is made alone and a killed run's must be removed by hand, as with git.
func (c *claim) link() error {
	err := os.Link(c.own, c.path+".lock")
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, syscall.EPERM) {
		return err
	}
	f, err := os.OpenFile(c.path+".lock", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	c.f.Close()
	c.f = f
	return nil
}

// waitFor repeats do while it says that a file exists, for at most so long.
func waitFor(most time.Duration, do func() error) error {
	pause := time.Millisecond
	for waited := time.Duration(0); ; waited += pause {
		err := do()
		if !errors.Is(err, fs.ErrExist) || waited >= most {
			return err
		}
		time.Sleep(pause)
		pause = min(2*pause, 50*time.Millisecond)
	}
}

func (c *claim) write(data []byte) error {
	_, err := c.f.Write(data)
	return errors.Join(err, c.f.Sync())
}

// rename puts the content in place. drop does nothing to the path afterwards.
func (c *claim) rename() error {
	c.f.Close()
	if err := os.Rename(c.path+".lock", c.path); err != nil {
		return err
	}
	c.f = nil
	return nil
}

// drop gives the lock up; after rename it only tidies.
func (c *claim) drop() {
	if c.f != nil {
		c.f.Close()
		os.Remove(c.path + ".lock")
	}
	os.Remove(c.own)
}

func isNotDir(err error) bool { return errors.Is(err, syscall.ENOTDIR) }
