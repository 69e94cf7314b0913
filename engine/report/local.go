package report

import (
	"fmt"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// local is the same plan with its times as the estate's clocks show them: the
// same instants. A zone that is not known leaves UTC, which is then what is said.
func local(p *plan.Plan) *plan.Plan {
	zone, err := ring.Zone(p.Timezone)
	if err != nil {
		zone = time.UTC
	}
	q := *p
	q.At, q.Expires = p.At.In(zone), p.Expires.In(zone)
	q.Patches = slices.Clone(p.Patches)
	for i := range q.Patches {
		x := &q.Patches[i]
		x.Deadline, x.ClockStart = x.Deadline.In(zone), x.ClockStart.In(zone)
	}
	q.Rings = slices.Clone(p.Rings)
	for i := range q.Rings {
		q.Rings[i].Waves = slices.Clone(q.Rings[i].Waves)
		for j := range q.Rings[i].Waves {
			w := &q.Rings[i].Waves[j]
			w.Start, w.NotAfter, w.End = w.Start.In(zone), w.NotAfter.In(zone), w.End.In(zone)
		}
	}
	q.NotPlanned = slices.Clone(p.NotPlanned)
	for i := range q.NotPlanned {
		x := &q.NotPlanned[i]
		x.Until, x.Deadline = inZone(x.Until, zone), inZone(x.Deadline, zone)
	}
	q.Approvals = slices.Clone(p.Approvals)
	for i := range q.Approvals {
		q.Approvals[i].By = inZone(q.Approvals[i].By, zone)
	}
	return &q
}

// inZone leaves no time at all as it is.
func inZone(t time.Time, zone *time.Location) time.Time {
	if t.IsZero() {
		return t
	}
	return t.In(zone)
}

// clocks says whose times a plan shows, and what they are worth where they
// change on the way.
func clocks(p *plan.Plan) string {
	if p.At.Location() == time.UTC {
		return "Times are UTC."
	}
	first, last := ends(p)
	from, to := first.Format("-07:00"), last.Format("-07:00")
	if from == to {
		return fmt.Sprintf("Times are of %s (UTC%s).", inert(p.Timezone), from)
	}
	return fmt.Sprintf("Times are of %s (UTC%s at the first wave, UTC%s at the last).", inert(p.Timezone), from, to)
}

// elsewhere names the zone of the times beside it, where it is not UTC.
func elsewhere(p *plan.Plan) string {
	if p.At.Location() == time.UTC {
		return ""
	}
	return " (" + p.Timezone + ")"
}
