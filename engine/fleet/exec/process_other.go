//go:build !unix

package exec

import osexec "os/exec"

func separate(*osexec.Cmd) {}

// slay kills the process; there are no process groups here.
func slay(cmd *osexec.Cmd) { _ = cmd.Process.Kill() }
