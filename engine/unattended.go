package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
)

// supervised is for how many months of an estate's own outcomes every plan is
// merged by a person, whatever its policies say.
const supervised = 6

// mergeAlone asks the forge to merge plans by itself that nobody has to look at,
// once the forge's own requirements are met. One that does not, as where its
// settings forbid it, leaves the merge to people.
func (e *Env) mergeAlone(ctx context.Context, r *PlanReport) error {
	var autonomy *standingOrders // read when a plan is met that asks nobody
	for i := range r.Plans {
		p := &r.Plans[i]
		if p.Pull == nil || p.Pull.State != "open" || len(p.Plan.Approvals) > 0 {
			continue
		}
		if autonomy == nil {
			var err error
			if autonomy, err = e.standingOrders(ctx); err != nil {
				return err
			}
		}
		if why := autonomy.attended(p.Plan); why != "" {
			e.Log.WithField("plan", p.Plan.ID).Infof("a person merges it: %s", why)
			continue
		}
		if err := e.Forge.AutoMerge(ctx, p.Pull.Branch, p.Pull.Head, true); err != nil {
			e.Log.WithError(err).WithField("plan", p.Plan.ID).Warn("a person merges it")
		}
	}
	return nil
}

// standingOrders are what an estate lets happen without a person.
type standingOrders struct {
	own      risk.History
	services map[inventory.HostID][]string
	tiers    map[string]string // service → tier
	autonomy map[string]string // tier → recommend, …
}

// standingOrders reads them from the protected branch.
func (e *Env) standingOrders(ctx context.Context) (*standingOrders, error) {
	_, base, err := e.base(ctx)
	if err != nil {
		return nil, err
	}
	est, err := e.read(base)
	if err != nil {
		return nil, err
	}
	return ordersOf(est, e.At)
}

func ordersOf(est *estate.Estate, at time.Time) (*standingOrders, error) {
	done, err := deeds(est)
	if err != nil {
		return nil, err
	}
	o := &standingOrders{own: risk.Measure(risk.Trials(linesByPlan(done), est.Imported, est.Settings.Clock == "given"), at),
		services: map[inventory.HostID][]string{}, tiers: map[string]string{}, autonomy: map[string]string{}}
	for i := range est.Hosts {
		o.services[est.Hosts[i].ID] = est.Hosts[i].Services
	}
	for i := range est.Services {
		o.tiers[est.Services[i].Name] = est.Services[i].Tier
	}
	for i := range est.Tiers {
		o.autonomy[est.Tiers[i].Name] = est.Tiers[i].Autonomy
	}
	return o, nil
}

// attended says why a person merges a plan, "" where none has to: policy asks
// nobody, all of it can be done in time and rolled back, each host's services are of
// tiers that do more than recommend, and the estate has served its months. Imported history
// earns nothing here, nor does a simulation where the clock is the wall's.
func (o *standingOrders) attended(p *plan.Plan) string {
	if len(p.Approvals) > 0 {
		return "policy asks for approvals"
	}
	if o.own.Months < supervised {
		return fmt.Sprintf("the estate's own history is %.1f months, and nothing goes unattended before %d", o.own.Months, supervised)
	}
	if i := slices.IndexFunc(p.Patches, func(x plan.Patch) bool { return !x.Feasible }); i >= 0 {
		return fmt.Sprintf("%s cannot be done in time", p.Patches[i].ID)
	}
	if i := slices.IndexFunc(p.Patches, func(x plan.Patch) bool { return len(x.NoRollback) > 0 }); i >= 0 {
		return fmt.Sprintf("%s cannot be rolled back", p.Patches[i].ID)
	}
	for i := range p.Rings {
		for j := range p.Rings[i].Waves {
			for _, c := range p.Rings[i].Waves[j].Changes {
				if why := o.recommends(c.Host); why != "" {
					return why
				}
			}
		}
	}
	return ""
}

// recommends says why nothing is done to a host without a person, "" where it may.
func (o *standingOrders) recommends(host inventory.HostID) string {
	list := o.services[host]
	if len(list) == 0 {
		return fmt.Sprintf("%s is in no service", host)
	}
	for _, s := range list {
		if a := o.autonomy[o.tiers[s]]; a != "semi-autonomous" && a != "autonomous" {
			return fmt.Sprintf("%s serves %s, whose tier %q recommends only", host, s, o.tiers[s])
		}
	}
	return ""
}
