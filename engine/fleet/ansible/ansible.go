// Package ansible is a fleet of hosts that Ansible reaches: by the site's own
// inventory, ansible.cfg, ssh_config, vault and become, which are left as they
// are. What is added is a playbook (plays/) that names its hosts, how many at a time,
// and a callback that tells as JSON what came of each task.
//
// Steps that are asked for at the same time share a run. A host keeps its jobs as
// with the fleet ssh, and is asked and judged by the same words (package host):
// the same key gets the same answer from either.
package ansible

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/host"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Options say how Ansible is run and what may be done to hosts. The zero value
// runs ansible-playbook with the inventory that its own configuration names.
type Options struct {
	// Command is ansible-playbook and what the site adds to it: its inventory, a
	// vault's password file.
	Command []string
	// Dir is the estate's folder, from which it is run. The caller sees to it that
	// what the command names there is as the protected branch has it.
	Dir string
	// Env are variables that it starts with, as NAME=value.
	Env []string
	// Parallel is how many hosts are worked on at a time, 1 when it is 0.
	Parallel int
	// Timeout is how long a step is waited for, 30 minutes when it is 0, and
	// Restart a host that was restarted, 10 minutes when it is 0.
	Timeout, Restart time.Duration
	// Policy is what may be done to hosts.
	host.Policy
	// Log is given each line that Ansible writes besides; nil passes it over.
	Log func(line string)
}

// Fleet reaches hosts by Ansible. Its methods may be called from several
// goroutines.
type Fleet struct {
	o      Options
	ctx    context.Context // of all runs
	cancel context.CancelFunc
	runs   sync.WaitGroup

	turns host.Turns

	mu      sync.Mutex
	closed  bool
	waiting map[string][]*errand // by play, until the next run takes them
}

// Open checks the options. Nothing is started yet.
func Open(o Options) (*Fleet, error) {
	if len(o.Command) == 0 {
		o.Command = []string{"ansible-playbook"}
	}
	if err := o.Policy.Check(); err != nil {
		return nil, err
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Minute
	}
	if o.Restart == 0 {
		o.Restart = 10 * time.Minute
	}
	o.Parallel = max(1, o.Parallel)
	if o.Log == nil {
		o.Log = func(string) {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Fleet{o: o, ctx: ctx, cancel: cancel, waiting: map[string][]*errand{}}, nil
}

// Hello says what the fleet can do. No host is asked.
func (f *Fleet) Hello(ctx context.Context, _ time.Time) (fleet.Caps, error) {
	if err := f.open(ctx); err != nil {
		return fleet.Caps{}, err
	}
	return fleet.Caps{Plugin: "ansible", Ops: []string{"apply", "rollback", "status", "installed", "cancel"}, MaxBatch: f.o.Parallel, DryRun: true}, nil
}

func (f *Fleet) open(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("asking hosts: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return &fleet.Error{Code: "internal", Message: "the fleet is closed"}
	}
	return nil
}

// Installed says which versions hosts have now. What a package manager left half
// done, or a job that is not over moves, is left out: nobody can say of it yet.
func (f *Fleet) Installed(ctx context.Context, _ time.Time, hosts []inventory.HostID, packages []string) (map[inventory.HostID]map[string]string, error) {
	if err := f.open(ctx); err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(packages, func(name string) bool { return !host.ValidName(name) }); i >= 0 {
		return nil, &fleet.Error{Code: "invalid", Message: fmt.Sprintf("%q is not the name of a package", packages[i])}
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	found := map[inventory.HostID]map[string]string{}
	var broken error
	for _, id := range hosts {
		wg.Go(func() {
			a, err := f.ask(ctx, id, append([]string{"installed"}, packages...))
			mu.Lock()
			defer mu.Unlock()
			if e := (*fleet.Error)(nil); err != nil && !errors.As(err, &e) {
				broken = err // Ansible itself: no host was asked
			} else if err == nil {
				found[id] = a.Versions()
			}
		})
	}
	wg.Wait()
	return found, broken
}

// Close ends the fleet, and what runs of Ansible there are: what they have begun on
// hosts is settled by whoever asks next. It may be called twice.
func (f *Fleet) Close() error {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.cancel()
	f.runs.Wait()
	return nil
}
