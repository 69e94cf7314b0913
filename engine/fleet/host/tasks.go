package host

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// tasks carries out the hook that a job asks for, and tells the host what came of it,
// whose job then goes on. Where nobody knows that a host has its traffic again the job
// goes on asking, and the next run carries it out.
func (c *Carrier) tasks(ctx context.Context, at inventory.HostID, job string, told Answer) (Answer, error) {
	name := told.First("asks")
	packages := ""
	if list := told.all("asks", 2); len(list) > 0 {
		packages = list[0][1]
	}
	next, err := c.task(ctx, at, job, name, packages)
	if err != nil {
		text := Plain(err.Error())
		if e := (*fleet.Error)(nil); errors.As(err, &e) && e.Code == "refused" {
			text = Plain(e.Message)
		} else if name == "undrain" {
			return nil, err
		}
		next, err = c.door.Ask(ctx, at, []string{"came", job, name, "1", "failed: " + text})
	}
	if err != nil && told.First("phase") == "leaving" { // it may go down all the same
		return Answer{{"state", "running"}, {"phase", "restarting"}}, nil
	}
	if err == nil && next.says("late") && name == "drain" && next.First("state") != "failed" {
		if _, err := c.task(ctx, at, job, "undrain", packages); err != nil { // another run gave the host its traffic before this took it away
			return nil, fmt.Errorf("the drain came too late, and to undrain the host again failed: %w", err)
		}
	}
	return next, err
}

// task carries out a hook, where it is declared.
func (c *Carrier) task(ctx context.Context, at inventory.HostID, job, name, packages string) (Answer, error) {
	i := slices.IndexFunc(c.o.Hooks, func(h Hook) bool { return h.Name == name && h.Tasks != "" })
	door, ok := c.door.(Tasker)
	if i < 0 || !ok {
		return nil, fmt.Errorf("the job asks for the hook %s of an Ansible fleet, for which the host's fleet %s declares no tasks", name, c.name)
	}
	return door.Tasks(ctx, at, job, c.o.Hooks[i], packages)
}
