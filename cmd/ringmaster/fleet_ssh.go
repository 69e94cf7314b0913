package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/host"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/ssh"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// openSSH reads what a fleet "ssh" names: keys and certificates of this machine,
// and known_hosts, of this machine or as the protected branch has it.
func (a *app) openSSH(f ring.Fleet, w engine.World) (fleet.Fleet, error) {
	s := f.SSH
	o := ssh.Options{Host: hostsOf(w), User: s.User, Port: s.Port, Jump: s.Jump, Become: s.Become, Connect: s.Connect, Options: hostOptions(f)}
	var err error
	if o.KnownHosts, err = a.eitherFile(s.KnownHosts, w.Files); err != nil {
		return nil, fmt.Errorf("reading known_hosts: %w", err)
	}
	switch {
	case s.Agent:
		if o.Agent = a.getenv("SSH_AUTH_SOCK"); o.Agent == "" {
			return nil, fmt.Errorf("agent = true, and SSH_AUTH_SOCK names no agent")
		}
	case s.KeyEnv != "":
		if o.Key = []byte(a.getenv(s.KeyEnv)); len(o.Key) == 0 {
			return nil, fmt.Errorf("key_env = %q, and the variable is empty", s.KeyEnv)
		}
	default:
		if o.Key, err = a.eitherFile(s.Key, w.Files); err != nil {
			return nil, fmt.Errorf("reading the key: %w", err)
		}
	}
	if s.Certificate != "" {
		if o.Certificate, err = a.eitherFile(s.Certificate, w.Files); err != nil {
			return nil, fmt.Errorf("reading the certificate: %w", err)
		}
	}
	return ssh.Open(o)
}

// hostOptions are those of every fleet of hosts.
func hostOptions(f ring.Fleet) host.Options {
	p := f.Policy
	running := map[string]host.Running{}
	for _, r := range p.Running {
		running[r.Package] = host.Running{Command: r.Command, Restart: r.Restart}
	}
	var hooks []host.Hook
	for _, h := range p.Hooks {
		hooks = append(hooks, host.Hook(h))
	}
	return host.Options{Parallel: f.Parallel, Timeout: f.Timeout, Restart: p.Restart, RestartParallel: p.RestartLanes,
		Policy: host.Policy{MinFree: p.MinFreeMB, NewConffiles: p.NewConffiles, NoHold: p.NoHold, NoRestart: p.NoRestart, Hooks: hooks, Running: running}}
}

// eitherFile reads a file of this machine, "/…" or "~/…", or else one of the
// estate.
func (a *app) eitherFile(name string, files fs.FS) ([]byte, error) {
	if rest, ok := strings.CutPrefix(name, "~/"); ok {
		return os.ReadFile(filepath.Join(a.getenv("HOME"), filepath.FromSlash(rest)))
	}
	if filepath.IsAbs(name) {
		return os.ReadFile(name)
	}
	return fs.ReadFile(files, name)
}
