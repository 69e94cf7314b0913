package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/review"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
)

// ReviewOptions say which span is looked back at, and from which predicted risk
// a change counts as warned of. The zero value is the last whole month before
// Env.At, in UTC, and 10 %.
type ReviewOptions struct {
	From, To time.Time
	Warned   float64
}

// Review looks back at a span of HEAD's history. Only plans that a merged pull
// request brought count, as in Learn.
func (e *Env) Review(ctx context.Context, o ReviewOptions) (*review.Report, error) {
	est, err := e.readHead()
	if err != nil {
		return nil, err
	}
	all, err := deeds(est)
	if err != nil {
		return nil, fmt.Errorf("reviewing: %w", err)
	}
	known, _, err := e.verified(ctx, all)
	if err != nil {
		return nil, err
	}
	baseline, err := review.ParseBaseline(est.Settings.Baseline)
	if err != nil {
		return nil, fmt.Errorf("reviewing: the estate block: %w", err)
	}
	if o.To.IsZero() {
		o.To = time.Date(e.At.UTC().Year(), e.At.UTC().Month(), 1, 0, 0, 0, 0, time.UTC)
		o.From = o.To.AddDate(0, -1, 0)
	}
	in := review.Input{From: o.From, To: o.To, Warned: o.Warned, Incidents: est.Incidents, Overrides: est.Overrides, Baseline: baseline, Cost: downtimeCost(est)}
	for _, d := range known {
		in.Deeds = append(in.Deeds, review.Deed{Plan: d.plan, Lines: d.lines})
	}
	r, err := review.Of(in)
	if err != nil {
		return nil, err
	}
	trials := risk.Trials(linesByPlan(known), est.Imported, est.Settings.Clock == "given")
	r.Watch = watched(trials, known, o.To)
	return r, nil
}

// downtimeCost is the cost per minute of the tier of a host's primary service,
// not known where none is declared.
func downtimeCost(est *estate.Estate) func(inventory.HostID) (float64, bool) {
	tiers, services, costs := map[string]float64{}, map[string]string{}, map[inventory.HostID]float64{}
	for _, t := range est.Tiers {
		tiers[t.Name] = t.DowntimeCostPerMinute
	}
	for _, s := range est.Services {
		services[s.Name] = s.Tier
	}
	for _, h := range est.Hosts {
		if len(h.Services) > 0 {
			costs[h.ID] = tiers[services[h.Services[0]]]
		}
	}
	return func(id inventory.HostID) (float64, bool) { return costs[id], costs[id] > 0 }
}
