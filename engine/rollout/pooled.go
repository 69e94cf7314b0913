package rollout

import (
	"fmt"
	"math"

	"github.com/ringmaster-dev/ringmaster/engine/evidence"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// trial is a change that came to something, of which a risk was predicted.
type trial struct {
	*Change
	evidence.Trial
}

// count takes a change into its patch's trials, once, when it is first known to be well
// or not. Hosts that were out of reach or refused say nothing of the patch.
func (g *Progress) count(c *Change, e outcome.Event) {
	bad := e == outcome.Failed || e == outcome.Degraded
	if c.counted || !bad && e != outcome.Healthy {
		return
	}
	c.counted = true
	p := c.DeployRisk.High
	if !(p > 0 && p < 1) {
		p = math.NaN() // nothing was predicted
	}
	g.trials[c.Patch] = append(g.trials[c.Patch], trial{c, evidence.Trial{P: p, Bad: bad}})
}

// pooled says why a patch stops by what came of it in all waves and rings together, ""
// where nothing speaks for it, and in which ring that showed. Small rings can see
// little, and each may allow a failure; together they may show more than the highest
// risk that was predicted of each host lets expect. The test is anytime-valid
// (evidence.Watch): where predictions hold it stops a patch in 5 % of plans at most,
// however often runs look.
func (g *Progress) pooled(patch plan.PatchID) (why, ring string) {
	list := g.trials[patch]
	trials := make([]evidence.Trial, len(list))
	for i, t := range list {
		trials[i] = t.Trial
	}
	a := evidence.Watch(trials, evidence.Options{FromStart: true})
	if !a.Fired {
		return "", ""
	}
	last := list[a.At]
	return fmt.Sprintf("%d of %d hosts in all rings went wrong, where %.1f were predicted at the most (%.0f to 1 against chance; %s: %s)",
		a.Bad, a.N, a.Expected, a.E, last.Host, last.Detail), last.Ring
}
