package host

import (
	"context"
	"sync"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// gate lets so many hosts restart at a time, and none any more once one of them did
// not come back with its service.
type gate struct {
	places chan struct{}
	shut   chan struct{} // closed then
	once   sync.Once
	lost   inventory.HostID // which one it was; read after shut
}

func newGate(places int) *gate {
	return &gate{places: make(chan struct{}, max(1, places)), shut: make(chan struct{})}
}

// enter waits for a place. It is false where the host is not to restart.
func (g *gate) enter(ctx context.Context) bool {
	select {
	case g.places <- struct{}{}:
	case <-g.shut:
		return false
	case <-ctx.Done():
		return false
	}
	select {
	case <-g.shut: // by the one before
		<-g.places
		return false
	default:
		return true
	}
}

// leave gives a place back. Well says whether the host is back with its service.
func (g *gate) leave(at inventory.HostID, well bool) {
	if !well {
		g.once.Do(func() { g.lost = at; close(g.shut) })
	}
	<-g.places
}

// why says why a host was not let in.
func (g *gate) why() string {
	select {
	case <-g.shut:
		return string(g.lost) + ", which was restarted before it, is not back with its service"
	default:
		return "its turn did not come"
	}
}

// restart lets a host whose packages were moved go down, when it is its turn, and
// waits for it. Where it is not to be, the step stays open, and the next run goes on
// with it.
func (c *Carrier) restart(ctx context.Context, at inventory.HostID, name string) (Answer, error) {
	if !c.gate.enter(ctx) {
		return nil, &fleet.Error{Code: "busy", Retryable: true, Message: "the packages were moved, and " + string(at) + " waits for its restart: " + c.gate.why()}
	}
	told, err := c.door.Ask(ctx, at, []string{"restart", name})
	if err != nil { // it may go down all the same
		told = Answer{{"state", "running"}, {"phase", "restarting"}}
	}
	told, err = c.follow(ctx, at, name, told)
	c.gate.leave(at, err == nil && told.First("state") == "succeeded")
	if err == nil && told.First("phase") == "waits" {
		err = &fleet.Error{Code: "busy", Retryable: true, Message: Plain(told.First("detail"))}
	}
	return told, err
}
