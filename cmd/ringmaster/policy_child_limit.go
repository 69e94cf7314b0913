//go:build unix && !freebsd && !dragonfly

package main

import "syscall"

func setLimit(r *syscall.Rlimit, bytes uint64) { r.Cur = min(bytes, r.Max) }
