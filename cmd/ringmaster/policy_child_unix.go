//go:build unix

package main

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// hardLimit bounds the memory that this process can have. The system then says no,
// and Go's runtime dies.
func hardLimit(bytes uint64) {
	var r syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_DATA, &r) != nil {
		return
	}
	setLimit(&r, bytes)
	_ = syscall.Setrlimit(syscall.RLIMIT_DATA, &r) // a system that has no such limit leaves the soft one
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
}

// start starts a child that says where it is on a pipe of its own, and returns
// how to ask what it said last.
func (a *app) start(child *exec.Cmd, l limits, end func()) (func() lastSeen, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	child.ExtraFiles = []*os.File{w}
	child.Env = append(os.Environ(), childMark+"=3")
	if err := child.Start(); err != nil {
		r.Close()
		w.Close()
		return nil, err
	}
	w.Close()
	h := &hearing{}
	go func() {
		h.listen(r, l.patience, end)
		r.Close()
	}()
	return h.last, nil
}

// beats returns what says where the child is. A parent that is gone ends it.
func beats(mark string) func(string) {
	fd, err := strconv.Atoi(mark)
	if err != nil || fd < 3 {
		return nil
	}
	syscall.CloseOnExec(fd)
	f := os.NewFile(uintptr(fd), "parent")
	return func(place string) {
		if _, err := f.WriteString(line(place) + "\n"); err != nil {
			os.Exit(exitFailed)
		}
	}
}
