package main

import (
	"os"
	"syscall"
)

// inMemory puts the estates of tests into memory where there is room: what is
// proven of a killed run does not rest on a disk, and a commit's writes to one
// are most of the time that these tests take. TMPDIR says otherwise.
func inMemory() {
	const (
		memory = "/dev/shm"
		room   = 2 << 30
		noexec = 8
	)
	var s syscall.Statfs_t
	if os.Getenv("TMPDIR") != "" || syscall.Statfs(memory, &s) != nil || s.Flags&noexec != 0 || s.Bavail*uint64(s.Bsize) < room {
		return
	}
	if f, err := os.CreateTemp(memory, "ringmaster"); err == nil {
		f.Close()
		os.Remove(f.Name())
		os.Setenv("TMPDIR", memory)
	}
}
