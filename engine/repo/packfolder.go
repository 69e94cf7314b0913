package repo

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-billy/v5"
	"github.com/go-git/go-billy/v5/osfs"
)

// packFolder is a repository's folder as go-git is to read its packs.
func packFolder(dir string) billy.Filesystem {
	return wholePacks{osfs.New(dir, osfs.WithBoundOS())}
}

// wholePacks hides packs whose index is not there (yet): the git program
// writes the pack first, and go-git would stumble over it. It reads indexes in
// large steps, where go-git asks for four bytes at a time.
type wholePacks struct{ billy.Filesystem }

// ReadDir implements billy.Filesystem.
func (w wholePacks) ReadDir(path string) ([]os.FileInfo, error) {
	list, err := w.Filesystem.ReadDir(path)
	if err != nil || filepath.Base(path) != "pack" {
		return list, err
	}
	indexed := map[string]bool{}
	for _, f := range list {
		if base, ok := strings.CutSuffix(f.Name(), ".idx"); ok {
			indexed[base] = true
		}
	}
	return slices.DeleteFunc(list, func(f os.FileInfo) bool {
		base, ok := strings.CutSuffix(f.Name(), ".pack")
		return ok && !indexed[base]
	}), nil
}

// Open implements billy.Filesystem.
func (w wholePacks) Open(path string) (billy.File, error) {
	f, err := w.Filesystem.Open(path)
	if err != nil || !strings.HasSuffix(path, ".idx") {
		return f, err
	}
	if s, ok := f.(statted); ok {
		return packIndex{s, bufio.NewReaderSize(f, 16<<10)}, nil
	}
	return f, nil
}

// statted is a file that tells its size, which go-git holds an index to before
// it believes what the index says of itself.
type statted interface {
	billy.File
	Stat() (os.FileInfo, error)
}

// packIndex is an index that is read from its beginning to its end.
type packIndex struct {
	statted
	buffer io.Reader
}

// Read implements billy.File.
func (f packIndex) Read(p []byte) (int, error) { return f.buffer.Read(p) }
