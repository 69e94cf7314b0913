//go:build !unix

package main

import (
	"os"
	"os/exec"
)

// hardLimit does nothing here: the child's own watchdog looks after its memory.
func hardLimit(uint64) {}

// start starts a child. Where it was when it ended is not known here.
func (a *app) start(child *exec.Cmd, _ limits, _ func()) (func() lastSeen, error) {
	child.Env = append(os.Environ(), childMark+"=0")
	return func() lastSeen { return lastSeen{} }, child.Start()
}

func beats(string) func(string) { return nil }
