package main

import (
	"fmt"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/ansible"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/exec"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

func (a *app) openAnsible(f ring.Fleet, w engine.World) (fleet.Fleet, error) {
	env, err := exec.Environment(f.Env, func(name string) (string, bool) {
		value := a.getenv(name)
		return value, value != ""
	})
	if err != nil {
		return nil, fmt.Errorf("starting Ansible: %w", err)
	}
	return ansible.Open(ansible.Options{Command: f.Command, Dir: w.Dir, Env: env, Options: hostOptions(f),
		Log: func(line string) { a.log.WithField("fleet", "ansible").Info(line) }})
}
