package feed

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
)

// temporary files begin and end so; readers pass over hidden files.
const tempPrefix, tempSuffix = ".sync-", ".tmp"

// write puts data at a path as a whole or not at all: it is written beside it,
// synced and renamed. The root keeps links from leading out of the estate.
func (s *run) write(name string, data []byte) error {
	dir := path.Dir(name)
	if err := s.root.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	temp := dir + "/" + tempPrefix + rand.Text() + tempSuffix
	if err := s.put(temp, data); err != nil {
		return errors.Join(err, s.clear(temp))
	}
	if err := s.root.Rename(temp, name); err != nil {
		return errors.Join(err, s.clear(temp))
	}
	return s.syncDir(dir)
}

func (s *run) put(name string, data []byte) error {
	f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func (s *run) clear(name string) error {
	if err := s.root.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// syncDir makes a rename last; not every system can.
func (s *run) syncDir(dir string) error {
	d, err := s.root.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync()
	return d.Close()
}

// sweep removes what a run that died left beside the snapshots.
func (s *run) sweep(sources []source) {
	dirs := map[string]bool{path.Dir(stateFile): true}
	for _, src := range sources {
		dirs[path.Dir(src.file)] = true
	}
	for dir := range dirs {
		entries, err := fs.ReadDir(s.root.FS(), dir)
		if err != nil {
			continue // it is not there yet
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), tempPrefix) && strings.HasSuffix(e.Name(), tempSuffix) {
				_ = s.root.Remove(dir + "/" + e.Name())
			}
		}
	}
}

// remove takes away the snapshots of sources that are no longer declared. One
// that has been changed since is somebody's, and stays.
func (s *run) remove(sources []source) {
	declared := map[string]bool{}
	for _, src := range sources {
		declared[src.file] = true
	}
	var gone []entry
	for _, e := range s.state.Sources {
		if !declared[e.File] {
			gone = append(gone, e)
		}
	}
	for _, e := range gone {
		if s.holds(e) {
			if err := s.root.Remove(e.File); err != nil {
				s.errs = append(s.errs, err)
				continue
			}
			s.report.Removed = append(s.report.Removed, e.File)
		}
		s.state.drop(e.File)
	}
}
