package main

import (
	"os"
	"syscall"
)

// childPeak is the most memory that a process, or a child that it waited for,
// had at once, in bytes.
func childPeak(s *os.ProcessState) int64 {
	if u, ok := s.SysUsage().(*syscall.Rusage); ok {
		return u.Maxrss << 10
	}
	return 0
}
