package cases

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/testdata/rig"
)

// KilledAnywhere kills all that works on a step on its host, at any moment within 15 seconds,
// forth and back, several times. Whoever asks next settles it, and says what is there.
func KilledAnywhere(t *testing.T, r *rig.Rig, k Kind, open Open) {
	n := &night{t, r, open, k}
	h := n.Letter + "01"
	n.rig.Fresh(h)
	dice := rand.New(rand.NewPCG(1, 2))
	for round := range 6 {
		s := Step(h, "barkeep 1.0 1.2")
		s.Key = fmt.Sprintf("%s/%d", s.Key, round)
		j := n.killed(dice, "apply", s)
		n.Logf("round %d: apply is %s: %s", round, j.State, j.Detail)
		if j.State == fleet.Unknown {
			n.has(h, "barkeep", "1.0")
			continue
		}
		if j.State == fleet.Succeeded {
			n.has(h, "barkeep", "1.2")
		}
		for tries := 0; ; tries++ {
			back := Back(s)
			back.Key = fmt.Sprintf("%s/%d", back.Key, tries)
			j = n.killed(dice, "rollback", back)
			n.Logf("round %d: rollback is %s: %s", round, j.State, j.Detail)
			if j.State == fleet.Succeeded || j.State == fleet.Unknown {
				break
			}
			if tries == 5 {
				n.Fatalf("round %d: the rollback is %+v, and was tried 6 times", round, j)
			}
		}
		n.has(h, "barkeep", "1.0")
	}
}

// killed asks for a step, kills what works on it at some moment, and asks until it is
// settled. Of one that was refused, because nothing was to be done or nothing was moved, the
// state is unknown.
func (n *night) killed(dice *rand.Rand, op string, s fleet.Step) fleet.Job {
	n.Helper()
	take := func(ctx context.Context) (fleet.Job, error) {
		f := n.open(n.T, plain)
		defer f.Close()
		if op == "apply" {
			return f.Apply(ctx, time.Now(), s)
		}
		return f.Rollback(ctx, time.Now(), s)
	}
	ctx, cancel := context.WithCancel(n.Context())
	defer cancel()
	ended := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { take(ctx); close(ended) })
	select {
	case <-ended:
	case <-time.After(time.Duration(dice.IntN(15000)) * time.Millisecond):
	}
	n.kill(string(s.Host))
	cancel()
	wg.Wait()
	for {
		j, err := take(n.Context())
		e := (*fleet.Error)(nil)
		switch {
		case errors.As(err, &e) && e.Code == "busy":
			continue
		case errors.As(err, &e) && e.Code == "refused" && strings.Contains(e.Message, "it was cut off, and nothing was moved"):
			return fleet.Job{State: fleet.Unknown, Detail: e.Message}
		case errors.As(err, &e) && e.Code == "refused" && op == "rollback" && strings.Contains(e.Message, " already"):
			return fleet.Job{State: fleet.Unknown, Detail: e.Message}
		case err != nil:
			n.Fatalf("%s is %v, want it settled", op, err)
		case j.State == fleet.Succeeded || j.State == fleet.Failed:
			return j
		}
	}
}
