//go:build freebsd || dragonfly

package main

import "syscall"

func setLimit(r *syscall.Rlimit, bytes uint64) { r.Cur = min(int64(bytes), r.Max) }
