package host

import (
	"context"
	"fmt"
	"sync"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// turns lets one step at a time be taken on a host. Its zero value is ready.
type turns struct {
	mu   sync.Mutex
	busy map[inventory.HostID]chan struct{}
}

// take waits until nothing else is done to a host.
func (t *turns) take(ctx context.Context, id inventory.HostID) (done func(), err error) {
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
