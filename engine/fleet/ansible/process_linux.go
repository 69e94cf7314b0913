package ansible

import (
	"os/exec"
	"runtime"
	"syscall"
)

// tie ends Ansible, and what it started here, with the run that started it: one
// that goes on alone would meet the next run on its hosts. The thread is kept for
// the system sends the signal when it ends. What hosts are doing goes on.
func tie(cmd *exec.Cmd) (untie func()) {
	runtime.LockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return runtime.UnlockOSThread
}
