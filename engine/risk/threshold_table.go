package risk

import (
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Threshold is a row of the table that people review: what probability of
// exploitation within 30 days makes a patch how urgent, for a service of a tier.
type Threshold struct {
	Tier      string  `json:"tier"`
	Exposure  string  `json:"exposure"`      // internet | internal | isolated
	Tolerance float64 `json:"tolerance"`     // as used: 1 where none is declared
	Minutes   float64 `json:"minutes"`       // down after a failed change (M)
	Fails     float64 `json:"failure_costs"` // what a failed change costs, in money; 0: not known
	Exploited float64 `json:"exploit_costs"` // what one exploitation costs, reach counted, in money; 0: not known
	BreakEven float64 `json:"break_even"`    // above it waiting for 30 days costs more than deploying now
	Standard  float64 `json:"standard"`      // above it a patch is standard at least
	High      float64 `json:"high"`          // above it, high at least
	Critical  float64 `json:"critical"`      // above it, critical
	Why       string  `json:"why"`           // what was missing; where the cost is, no class follows and the four are 0
}

// planLength is how long a service takes to install or to take back that says
// nothing of it.
const planLength = 30 * time.Minute

// Usual is the deploy risk that a table of thresholds is made for: how many of the
// changes that a model was learnt from went wrong, held towards 2 %, which is also
// what is expected without a model.
func Usual(m *Deployment) float64 {
	if m == nil {
		return baseRate
	}
	return exact.Round5((float64(held*baseRate) + float64(m.Failures)) / float64(held+m.Trials))
}

// Thresholds lists each tier's thresholds by exposure, in the tiers' order, for a
// patch with deploy risk p and a service that is patched as a whole and that
// nothing depends on.
func (e Economy) Thresholds(tiers []inventory.Tier, p float64) []Threshold {
	var rows []Threshold
	for _, t := range tiers {
		for _, exposure := range []string{"internet", "internal", "isolated"} {
			rows = append(rows, e.threshold(t, exposure, p))
		}
	}
	return rows
}

func (e Economy) threshold(t inventory.Tier, exposure string, p float64) Threshold {
	s := Stake{Tier: t.Name, Tolerance: t.RiskTolerance, Exposure: exposure, Install: planLength, Rollback: planLength}
	sc := e.scale(s)
	row := Threshold{Tier: t.Name, Exposure: exposure, Tolerance: sc.tolerance, Minutes: exact.Round5(sc.deploying)}
	if sc.tolerance != t.RiskTolerance {
		row.Why = "missing: no risk_tolerance; taken as 1"
	}
	if !affordable(t.DowntimeCostPerMinute) {
		row.Why = "missing: no downtime_cost_per_minute; the rules' class stands"
		return row
	}
	row.Fails = exact.Round5(float64(sc.deploying * t.DowntimeCostPerMinute))
	row.Exploited = exact.Round5(float64(sc.exposed * t.DowntimeCostPerMinute))
	above := func(c plan.Class, tolerance float64) float64 {
		return exact.Round5(sc.breakEven(p, spans[c], tolerance))
	}
	row.BreakEven = above(plan.Standard, 1)
	row.Standard = above(plan.Low, sc.tolerance)
	row.High = above(plan.Standard, sc.tolerance)
	row.Critical = above(plan.High, sc.tolerance)
	return row
}
