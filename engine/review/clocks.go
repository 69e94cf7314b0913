package review

import (
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Clock is how long the changes of one class took and whether their deadlines
// were met. A change counts in the span in which it ended or, where it has not
// ended well, in which its deadline passed.
type Clock struct {
	Class        plan.Class `json:"class"`
	Met          int        `json:"met"`
	Missed       int        `json:"missed"`       // healthy too late, or not at all
	Open         int        `json:"open"`         // of those missed: not healthy when the span ended
	Hours        *float64   `json:"median_hours"` // from the clock's start until healthy, of those that are
	Hours90      *float64   `json:"p90_hours"`
	Baseline     *float64   `json:"baseline_hours"` // the declared process's median
	ExposureDays float64    `json:"exposure_days"`  // days in the span in which a change of the class was needed and not yet healthy, summed over changes
}

var classes = []plan.Class{plan.Critical, plan.High, plan.Standard, plan.Low}

func clocks(all []change, in Input) []Clock {
	list := []Clock{}
	for _, class := range classes {
		c := Clock{Class: class}
		var hours []float64
		for i := range all {
			if all[i].patch.Class == class {
				hours = c.count(&all[i], in, hours)
			}
		}
		if c.Met+c.Missed == 0 && c.ExposureDays == 0 {
			continue
		}
		slices.Sort(hours)
		c.Hours, c.Hours90 = quantile(hours, 0.5), quantile(hours, 0.9)
		if d, ok := in.Baseline.TimeToPatch[class]; ok {
			c.Baseline = known(d.Hours(), true)
		}
		c.ExposureDays = exact.Round5(c.ExposureDays)
		list = append(list, c)
	}
	return list
}

func (c *Clock) count(x *change, in Input, hours []float64) []float64 {
	inSpan := func(t time.Time) bool { return !t.Before(in.From) && t.Before(in.To) }
	switch ok := x.healthy(in.To); {
	case ok && inSpan(x.ended):
		hours = append(hours, x.ended.Sub(x.patch.ClockStart).Hours())
		if x.ended.After(x.patch.Deadline) {
			c.Missed++
		} else {
			c.Met++
		}
	case !ok && inSpan(x.patch.Deadline):
		c.Missed++
		c.Open++
	}
	c.ExposureDays += exposure(x, in).Hours() / 24
	return hours
}

// exposure is the part of the span in which a change was needed and not healthy.
func exposure(x *change, in Input) time.Duration {
	from, to := x.patch.ClockStart, in.To
	if from.Before(in.From) {
		from = in.From
	}
	if x.healthy(to) {
		to = x.ended
	}
	return max(to.Sub(from), 0)
}

// quantile is the q-quantile of sorted numbers by the nearest rank, nil where
// there are none.
func quantile(sorted []float64, q float64) *float64 {
	if len(sorted) == 0 {
		return nil
	}
	return known(sorted[int(float64(q*float64(len(sorted)-1))+0.5)], true)
}

// Reach is the share of needed changes that were healthy three weeks after their
// clock began, of those for which three weeks ended in the span. The field's own
// goal is 95 % (Windows Autopatch).
type Reach struct {
	Due   int      `json:"due"`
	Done  int      `json:"done"`
	Share *float64 `json:"share"`
}

const threeWeeks = 21 * 24 * time.Hour

func reach(all []change, from, to time.Time) Reach {
	var r Reach
	for i := range all {
		due := all[i].patch.ClockStart.Add(threeWeeks)
		if due.Before(from) || !due.Before(to) {
			continue
		}
		r.Due++
		if all[i].healthy(due) {
			r.Done++
		}
	}
	r.Share = known(float64(r.Done)/float64(max(r.Due, 1)), r.Due > 0)
	return r
}
