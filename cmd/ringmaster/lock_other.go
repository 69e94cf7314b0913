//go:build !unix

package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// lockRun keeps a second execute out of this clone. A run that died leaves the
// file behind; removing it is safe when no run is there.
func lockRun(gitDir string) (unlock func(), free bool, err error) {
	name := filepath.Join(gitDir, "ringmaster.lock")
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return func() { f.Close(); os.Remove(name) }, true, nil
}
