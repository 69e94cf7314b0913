package repo

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// store reads objects. Loose ones are looked for directly; packs are read by
// go-git with descriptors kept and its lists of packs cached, which is four
// times faster than asking the disk each time. Such a list cannot know what
// another process adds, so a miss compares the names of the packs that are
// there now and opens the store anew when they differ.
type store struct {
	dir string // the objects' repository folder (.git, or the common one of linked working trees)

	mu      sync.Mutex // go-git's storage is for one goroutine at a time
	packs   *filesystem.Storage
	names   []string // of the packs when they were opened
	trees   map[plumbing.Hash][]entry
	lines   int // entries of all trees kept
	commits map[plumbing.Hash]Commit
	inflate io.ReadCloser // used again for every loose object, nil before the first
}

// cacheBytes bounds the objects kept in memory.
const cacheBytes = 48 << 20

// These bound the entries of parsed trees and the parsed commits that are kept,
// so that a run which walks the same history again reads it once; when full they
// are dropped at once.
const (
	cacheLines   = 1 << 18
	cacheCommits = 1 << 15
)

func openStore(dir string) *store {
	s := &store{dir: dir, trees: map[plumbing.Hash][]entry{}, commits: map[plumbing.Hash]Commit{}}
	s.reopen()
	return s
}

func (s *store) reopen() {
	if s.packs != nil {
		s.packs.Close()
	}
	s.names = s.packNames()
	s.packs = filesystem.NewStorageWithOptions(packFolder(s.dir), cache.NewObjectLRU(cacheBytes),
		filesystem.Options{KeepDescriptors: true, ExclusiveAccess: true, AlternatesFS: osfs.New("/", osfs.WithBoundOS())})
}

// packNames lists the packs and indexes that are there now.
func (s *store) packNames() []string {
	list, err := os.ReadDir(filepath.Join(s.dir, "objects", "pack"))
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range list {
		if n := e.Name(); strings.HasSuffix(n, ".pack") || strings.HasSuffix(n, ".idx") {
			names = append(names, n)
		}
	}
	return names
}

func (s *store) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.packs.Close()
}

// get returns an object's type and content, ErrNotFound when it is not there.
func (s *store) get(h plumbing.Hash) (plumbing.ObjectType, []byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.getLocked(h)
}

func (s *store) getLocked(h plumbing.Hash) (plumbing.ObjectType, []byte, error) {
	kind, data, err := s.loose(h)
	if !errors.Is(err, fs.ErrNotExist) {
		return kind, data, err
	}
	kind, data, err = s.packed(h)
	if err == nil {
		return kind, data, nil
	}
	if now := s.packNames(); !slices.Equal(now, s.names) || !errors.Is(err, plumbing.ErrObjectNotFound) {
		s.reopen()
		if kind, data, err = s.packed(h); err == nil {
			return kind, data, nil
		}
	}
	if !errors.Is(err, plumbing.ErrObjectNotFound) {
		s.names = nil // see inPacks
		return 0, nil, fmt.Errorf("reading object %s: %w", h, err)
	}
	// A repack may have moved it from a loose file while we looked at the packs.
	if kind, data, err = s.loose(h); !errors.Is(err, fs.ErrNotExist) {
		return kind, data, err
	}
	return 0, nil, fmt.Errorf("object %s: %w", h, ErrNotFound)
}

func (s *store) packed(h plumbing.Hash) (plumbing.ObjectType, []byte, error) {
	o, err := s.packs.EncodedObject(plumbing.AnyObject, h)
	if err != nil {
		return 0, nil, err
	}
	rd, err := o.Reader()
	if err != nil {
		return 0, nil, err
	}
	defer rd.Close()
	data := make([]byte, o.Size())
	if _, err := io.ReadFull(rd, data); err != nil {
		return 0, nil, err
	}
	return o.Type(), data, nil
}

func (s *store) loosePath(h plumbing.Hash) string {
	hex := h.String()
	return filepath.Join(s.dir, "objects", hex[:2], hex[2:])
}

func (s *store) loose(h plumbing.Hash) (plumbing.ObjectType, []byte, error) {
	f, err := os.Open(s.loosePath(h))
	if err != nil {
		return 0, nil, err
	}
	defer f.Close()
	raw, err := s.inflated(f)
	if err != nil {
		return 0, nil, fmt.Errorf("reading object %s: %w", h, err)
	}
	head, data, ok := bytes.Cut(raw, []byte{0})
	word, size, spaced := strings.Cut(string(head), " ")
	kind, kindErr := plumbing.ParseObjectType(word)
	if n, err := strconv.Atoi(size); !ok || !spaced || kindErr != nil || err != nil || n != len(data) {
		return 0, nil, fmt.Errorf("reading object %s: its header is malformed", h)
	}
	return kind, data, nil
}

// inflated reads a zlib stream. A reader takes more time and memory to make than
// a commit to read, so one serves all.
func (s *store) inflated(f io.Reader) ([]byte, error) {
	if s.inflate == nil {
		z, err := zlib.NewReader(f)
		if err != nil {
			return nil, err
		}
		s.inflate = z
	} else if err := s.inflate.(zlib.Resetter).Reset(f, nil); err != nil {
		return nil, err
	}
	return io.ReadAll(s.inflate)
}

// has says whether the object is there, without reading it where it can.
func (s *store) has(h plumbing.Hash) bool {
	if _, err := os.Stat(s.loosePath(h)); err == nil {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inPacks(h) {
		return true
	}
	if slices.Equal(s.packNames(), s.names) {
		return s.hasAlternate(h)
	}
	s.reopen()
	return s.inPacks(h) || s.hasAlternate(h)
}

// inPacks asks for the size, since go-git's HasEncodedObject does not look into
// packs when its list of loose objects is cached.
//
// An index that was read while somebody wrote it leaves go-git with half of the
// packs for good, so then they are opened anew, now or at the next miss.
func (s *store) inPacks(h plumbing.Hash) bool {
	_, err := s.packs.EncodedObjectSize(h)
	if err != nil && !errors.Is(err, plumbing.ErrObjectNotFound) {
		s.reopen()
		if _, err = s.packs.EncodedObjectSize(h); err != nil {
			s.names = nil
		}
	}
	return err == nil
}

// hasAlternate looks in the stores that this one borrows from, which go-git
// does only when reading.
func (s *store) hasAlternate(h plumbing.Hash) bool {
	if _, err := os.Stat(filepath.Join(s.dir, "objects", "info", "alternates")); err != nil {
		return false
	}
	_, err := s.packs.EncodedObject(plumbing.AnyObject, h)
	return err == nil
}

// withPrefix returns the objects whose hex name begins so.
func (s *store) withPrefix(hex string) []plumbing.Hash {
	found := map[plumbing.Hash]bool{}
	list, _ := os.ReadDir(filepath.Join(s.dir, "objects", hex[:2]))
	for _, e := range list {
		if name := hex[:2] + e.Name(); strings.HasPrefix(name, hex) && plumbing.IsHash(name) {
			found[plumbing.NewHash(name)] = true
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.packNames(), s.names) {
		s.reopen()
	}
	whole := hex[:len(hex)&^1]
	packed, _ := s.packs.HashesWithPrefix(fromHex(whole))
	for _, h := range packed {
		if strings.HasPrefix(h.String(), hex) && s.inPacks(h) {
			found[h] = true
		}
	}
	out := make([]plumbing.Hash, 0, len(found))
	for h := range found {
		out = append(out, h)
	}
	plumbing.HashesSort(out)
	return out
}
