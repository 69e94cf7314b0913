//go:build unix

package exec

import (
	osexec "os/exec"
	"syscall"
)

// separate puts the plugin into a process group of its own, so that it can be
// ended with everything it started, and an interrupt at the terminal is
// ringmaster's to handle.
func separate(cmd *osexec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// slay kills the group. That the process is gone already is fine.
func slay(cmd *osexec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
