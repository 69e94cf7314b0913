//go:build unix

package engine

import (
	"syscall"
	"time"
)

// cpuTime is what the process has used of its processors, which other work on
// the machine does not change much.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
