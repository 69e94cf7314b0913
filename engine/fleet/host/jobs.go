package host

import (
	"context"
	"fmt"
	"sync"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Turns lets one step at a time be taken on a host. Its zero value is ready.
type Turns struct {
	mu   sync.Mutex
	busy map[inventory.HostID]chan struct{}
}

// Take waits until nothing else is done to a host.
func (t *Turns) Take(ctx context.Context, id inventory.HostID) (done func(), err error) {
	t.mu.Lock()
	if t.busy == nil {
		t.busy = map[inventory.HostID]chan struct{}{}
	}
	turn := t.busy[id]
	if turn == nil {
		turn = make(chan struct{}, 1)
		t.busy[id] = turn
	}
	t.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for another step on %s: %w", id, ctx.Err())
	}
}

// Status asks each job's host how far it is. One that is no job, or whose host does
// not answer, is Unknown.
func Status(ctx context.Context, jobs []string, look func(ctx context.Context, at inventory.HostID, name string) (Answer, error)) ([]fleet.Job, error) {
	list := make([]fleet.Job, len(jobs))
	for i, id := range jobs {
		list[i] = fleet.Job{ID: id, State: fleet.Unknown}
		at, name, ok := Split(id)
		if !ok {
			continue
		}
		told, err := look(ctx, at, name)
		if err != nil {
			list[i].Detail = Plain(err.Error())
			continue
		}
		list[i] = told.Job(id)
	}
	return list, ctx.Err()
}
