package host

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
)

// As many restart at a time as there are places; nobody does after one was lost.
func TestGate(t *testing.T) {
	for _, places := range []int{0, 1, 3} {
		g := newGate(places)
		var now, most, let, denied atomic.Int32
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				if !g.enter(t.Context()) {
					denied.Add(1)
					return
				}
				n := let.Add(1)
				for in, m := now.Add(1), most.Load(); in > m && !most.CompareAndSwap(m, in); m = most.Load() {
				}
				now.Add(-1)
				g.leave("web-1", n != 100)
			})
		}
		wg.Wait()
		if want := int32(max(1, places)); most.Load() > want || let.Load() < 100 || let.Load() >= 100+want || let.Load()+denied.Load() != 200 {
			t.Errorf("%d places: %d at once, %d let in and %d not, want at most %d and none but those who were in after the 100th", places, most.Load(), let.Load(), denied.Load(), want)
		}
		if got, want := g.why(), "web-1, which was restarted before it, is not back with its service"; got != want {
			t.Errorf("why() = %q, want %q", got, want)
		}
	}
	g := newGate(1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	g.enter(t.Context())
	if g.enter(ctx) || g.why() != "its turn did not come" {
		t.Errorf("a run that is over lets a host restart, or says %q", g.why())
	}
}
