package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/report"
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
)

// leftover is work that a plan was merged for and did not do, by host and package:
// the patch that is planned next may be a newer one.
type leftover struct {
	host       inventory.HostID
	kind, name string // of the package
}

// remembered is for how long after its end a plan is said to be continued.
const remembered = 90 * 24 * time.Hour

// leftBehind is the work that plans left when they ended, with the plan that left
// it last. What a later plan did is no longer left.
func leftBehind(est *estate.Estate, at time.Time) (map[leftover]string, error) {
	all, err := deeds(est)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(d deed) bool {
		return len(d.lines) == 0 || at.Sub(d.lines[len(d.lines)-1].At) > remembered
	})
	slices.SortStableFunc(all, func(a, b deed) int { return a.lines[len(a.lines)-1].At.Compare(b.lines[len(b.lines)-1].At) })
	left := map[leftover]string{}
	for _, d := range all {
		g, err := rollout.Read(d.plan, d.lines)
		if err != nil {
			return nil, err
		}
		for _, c := range g.Changes {
			switch w := leftoverOf(c.Host, c.Patch); {
			case c.State == rollout.Healthy:
				delete(left, w)
			case g.Complete || d.gone:
				left[w] = d.plan.ID
			}
		}
	}
	return left, nil
}

func leftoverOf(host inventory.HostID, patch plan.PatchID) leftover {
	kind, name, _, _ := patch.Parts()
	return leftover{host, kind, name}
}

// continues are the plans of which a plan takes up what they left, the one of
// which it takes most first.
func continues(p *plan.Plan, left map[leftover]string) []report.Continued {
	counts := map[string]int{}
	for w := range spots(p) {
		if id := left[leftoverOf(w.host, w.patch)]; id != "" {
			counts[id]++
		}
	}
	var list []report.Continued
	for _, id := range sortedKeys(counts) {
		list = append(list, report.Continued{ID: id, Changes: counts[id]})
	}
	slices.SortStableFunc(list, func(a, b report.Continued) int { return b.Changes - a.Changes })
	return list
}

// tellContinued says in the threads of plans that ended where what they left is
// taken up. A forge that does not take it hears of it from the next run.
func (e *Env) tellContinued(ctx context.Context, p *Planned) {
	name := "`" + p.Plan.ID + "`"
	if p.Pull.Number > 0 {
		name = fmt.Sprintf("#%d (%s)", p.Pull.Number, name)
	}
	for _, c := range p.Continues {
		text := fmt.Sprintf("What this plan left, %s, is taken up by %s.\n", counted(c.Changes, "change"), name)
		if err := e.Forge.Say(ctx, prefix+c.ID, "continued", text); err != nil {
			e.Log.WithError(err).Warn("telling where a plan is continued; the next run tells it")
			return
		}
	}
}
