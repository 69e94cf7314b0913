package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// Door is how words get to hosts. Its methods may be called from several
// goroutines, for one host at a time but for Ask.
type Door interface {
	// Ask runs Program on a host, with a verb and its words. An error that is a
	// *fleet.Error is about the host: nothing of the answer is known. Any other is
	// the door's own, and says nothing of hosts.
	Ask(ctx context.Context, at inventory.HostID, words []string) (Answer, error)
	// Carry carries out a step, and returns what "look" says of its job then. After
	// an error it may have begun, or go on.
	Carry(ctx context.Context, w Work) (Answer, error)
	// Close gives up what the door holds. It is called once.
	Close() error
}

// Tasker is a door that carries out hooks of tasks.
type Tasker interface {
	// Tasks carries out a hook of a job, which moves packages ("shopd=1.1-1 …"), tells the host
	// ("came"), and returns what it says then. After an error nobody knows what the tasks did;
	// its code is "refused" where they did not come to their end in time.
	Tasks(ctx context.Context, at inventory.HostID, job string, h Hook, packages string) (Answer, error)
}

// Options are what every fleet of hosts knows besides its door.
type Options struct {
	// Parallel is how many hosts are worked on at a time, 1 when it is 0.
	Parallel int
	// Timeout is how long a step is waited for, which goes on by itself (30 minutes
	// when it is 0), and Restart a host that was restarted (10 minutes).
	Timeout, Restart time.Duration
	// RestartParallel is how many hosts may be restarting at a time, 1 when it is 0.
	// Where one does not come back with its service, no other is restarted.
	RestartParallel int
	// Policy is what may be done to hosts.
	Policy
}

// Work is a step that may begin on its host.
type Work struct {
	fleet.Step
	Op      string // apply or rollback
	Job     string // its folder on the host
	Moves   []Move // the step's packages
	Weighed        // what else moves
	Facts   Answer // of the host, from which this was decided
	Request string // what the host keeps of it: lines of words separated by tabs
}

// Carrier is a fleet of hosts behind a door. Nothing is remembered in it: each
// host keeps its jobs.
type Carrier struct {
	name  string
	types []version.Type
	door  Door
	o     Options
	turns turns
	gate  *gate

	mu     sync.Mutex
	closed bool
}

var _ fleet.Fleet = (*Carrier)(nil)

// New makes a fleet, by the name that its block has, that moves packages of some types.
func New(name string, types []version.Type, d Door, o Options) *Carrier {
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Minute
	}
	if o.Restart == 0 {
		o.Restart = 10 * time.Minute
	}
	o.Parallel = max(1, o.Parallel)
	return &Carrier{name: name, types: types, door: d, o: o, gate: newGate(o.RestartParallel)}
}

// Hello says what the fleet can do. No host is asked.
func (c *Carrier) Hello(ctx context.Context, _ time.Time) (fleet.Caps, error) {
	if err := c.open(ctx); err != nil {
		return fleet.Caps{}, err
	}
	return fleet.Caps{Plugin: c.name, Ops: []string{"apply", "rollback", "status", "installed", "cancel"}, MaxBatch: c.o.Parallel, DryRun: true}, nil
}

// open says why nothing can be asked, if so.
func (c *Carrier) open(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("asking hosts: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return &fleet.Error{Code: "internal", Message: "the fleet is closed"}
	}
	return nil
}

// Installed says which versions hosts have now. What a package manager left half
// done, or a job that is not over moves, is left out: nobody can say of it yet.
func (c *Carrier) Installed(ctx context.Context, _ time.Time, hosts []inventory.HostID, packages []string) (map[inventory.HostID]map[string]string, error) {
	if err := c.open(ctx); err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(packages, func(name string) bool { return !ValidName(name) }); i >= 0 {
		return nil, invalid("%q is not the name of a package", packages[i])
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	found := map[inventory.HostID]map[string]string{}
	broken := ctx.Err()
	for _, id := range hosts {
		wg.Go(func() {
			a, err := c.door.Ask(ctx, id, append([]string{"installed"}, packages...))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				found[id] = a.Versions()
			} else if !of(err) {
				broken = err
			}
		})
	}
	wg.Wait()
	return found, broken
}

// of says whether an error is about a host.
func of(err error) bool {
	e := (*fleet.Error)(nil)
	return errors.As(err, &e)
}

// Status asks each job's host how far it is. One that is not known, or whose host
// does not answer, is Unknown, and so is one that waits for its restart, or
// for a hook of tasks: nothing becomes of it until its step is taken again.
func (c *Carrier) Status(ctx context.Context, _ time.Time, jobs []string) ([]fleet.Job, error) {
	if err := c.open(ctx); err != nil {
		return nil, err
	}
	list := make([]fleet.Job, len(jobs))
	for i, id := range jobs {
		list[i] = fleet.Job{ID: id, State: fleet.Unknown}
		at, name, ok := Split(id)
		if !ok {
			continue
		}
		told, err := c.look(ctx, at, name)
		if err != nil {
			list[i].Detail = Plain(err.Error())
			continue
		}
		if list[i] = told.Job(id); told.First("phase") == "waits" || told.First("asks") != "" {
			list[i].State = fleet.Unknown
		}
	}
	return list, ctx.Err()
}

// Cancel leaves every job as it is: what has begun on a host is not broken off in
// the middle.
func (c *Carrier) Cancel(ctx context.Context, now time.Time, jobs []string) ([]fleet.Job, error) {
	return c.Status(ctx, now, jobs)
}

// Close ends the fleet. What has begun on hosts goes on, or is settled by whoever
// asks next. It may be called twice.
func (c *Carrier) Close() error {
	c.mu.Lock()
	closed := c.closed
	c.closed = true
	c.mu.Unlock()
	if closed {
		return nil
	}
	return c.door.Close()
}
