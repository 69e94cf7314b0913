//go:build unix

package main

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// lockRun keeps a second execute out of this clone. The lock goes with the
// process, however it ends. free is false where another run has it.
func lockRun(gitDir string) (unlock func(), free bool, err error) {
	f, err := os.OpenFile(filepath.Join(gitDir, "ringmaster.lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, false, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		f.Close()
		return nil, false, nil
	}
	if err != nil {
		f.Close()
		return nil, false, err
	}
	// Closed alone it would still be held by a process that is being started just now.
	return func() { syscall.Flock(int(f.Fd()), syscall.LOCK_UN); f.Close() }, true, nil
}
