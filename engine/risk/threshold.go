// # Thresholds
//
// When to deploy is a balance of two expected losses (Beattie, Arnold, Cowan,
// Wagle, Wright and Shostack 2002, "Timing the Application of Security Patches
// for Optimal Uptime"; the loss itself as in Gordon and Loeb 2002: a probability
// times what it would cost). For one service that needs the patch:
//
//	D = p·M·C·a        deploying now costs this once
//	w = λ·r·H·60·C     waiting costs this per hour
//
// p is the probability that the change goes wrong on a host, M the minutes that a
// host is then down, C what a minute's downtime of the service costs with all
// that depends on it, and a the share of its hosts that are patched. λ is the
// rate of exploitation per hour, constant, from the probability q of exploitation
// within 30 days (q = 1 - exp(-720·λ)), r how far exploitation somewhere reaches
// this service, and H the hours that a compromise takes it down.
//
// Losses are added: over hosts and services, whether or not they fail together,
// and over time, since a service that is not patched can be compromised again.
// The work of deploying, data that is lost and fines are in neither.
//
// The break-even time is D/w; waiting longer costs more than deploying now. The
// tier's tolerance τ says how much more may be waited for: its class is the
// longest clock T with
//
//	w·T ≤ D/τ
//
// so that a tier which tolerates no more than 1 % of failures waits until waiting
// costs as much as a hundred times what deploying risks. C is on both sides: it
// decides the money, not the class.
package risk

import (
	"cmp"
	"math"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Economy is what an estate takes for granted when it weighs deploying against
// waiting. The zero value is the default.
type Economy struct {
	Currency   string              // that of downtime_cost_per_minute, as "USD"; "" writes bare numbers
	Detection  time.Duration       // until a failed change is noticed; 0 = 15 min (judgement)
	Compromise time.Duration       // how long a compromise takes a service down (H); 0 = 24 h (judgement: rebuilt from backups within a day)
	Reach      map[string]float64  // exposure → r, 0 to 1; those not in it: internet 1, internal 0.1, isolated 0.01 (judgement)
	Past       map[string]Downtime // tier → what failed changes really cost in time; see PastDowntime
}

// The defaults of Economy. A compromise that people answer well takes a day; what
// ransomware does to a whole company takes weeks. Exploitation anywhere is taken
// to reach whatever the Internet reaches: an upper bound.
const (
	detection  = 15 * time.Minute
	compromise = 24 * time.Hour
)

var reach = map[string]float64{"internet": 1, "internal": 0.1, "isolated": 0.01}

// forecastHours is how far an exploit probability looks ahead.
const forecastHours = 30 * 24

// spans are the clocks of the classes, in hours; contract: 24 h, 7 d, 30 d, 90 d.
var spans = map[plan.Class]float64{plan.Critical: 24, plan.High: 7 * 24, plan.Standard: 30 * 24, plan.Low: 90 * 24}

// Stake is what one service has at stake in a patch.
type Stake struct {
	Service   string
	Tier      string
	Tolerance float64 // the tier's risk_tolerance, 0 to 1; 0: not declared, taken as 1, the cautious side
	Cost      Cost    // of a minute's downtime
	Exposure  string  // internet | internal | isolated | "" unknown: taken as internet
	Hosts     int     // that need the patch
	Of        int     // hosts that the service has
	Install   time.Duration
	Rollback  time.Duration
}

// hazard is the rate per hour that makes a probability within 30 days. A
// certainty is taken as 0.99999.
func hazard(q float64) float64 {
	q = min(max(q, 0), 0.99999)
	return -exact.Log(1-q) / forecastHours
}

// within is the probability within 30 days of something with a rate per hour.
func within(rate float64) float64 { return 1 - exact.Exp(-float64(rate*forecastHours)) }

// scale is a service's balance in minutes of its downtime, before it is known
// what those cost.
type scale struct {
	deploying float64 // p·M·a without p: minutes down were the change to fail everywhere
	exposed   float64 // r·H·60: minutes down for each exploitation
	tolerance float64
}

func (e Economy) scale(s Stake) scale {
	tolerance := s.Tolerance
	if !(tolerance > 0 && tolerance <= 1) {
		tolerance = 1
	}
	return scale{
		deploying: float64(e.minutes(s) * s.part()),
		exposed:   float64(e.reach(s.Exposure) * e.compromise().Minutes()),
		tolerance: tolerance,
	}
}

// class is the longest clock within which waiting costs no more than is
// tolerated; critical where even that costs more.
func (s scale) class(p, rate float64) plan.Class {
	for i := len(plan.Classes) - 1; i > 0; i-- {
		c := plan.Classes[i]
		if float64(float64(rate*s.exposed)*spans[c]) <= float64(p*s.deploying)/s.tolerance {
			return c
		}
	}
	return plan.Critical
}

// breakEven is the probability of exploitation within 30 days at which waiting
// that many hours costs 1/tolerance of what deploying risks. Where nothing
// reaches the service it is 1: no probability is above it.
func (s scale) breakEven(p, hours, tolerance float64) float64 {
	if s.exposed == 0 {
		return 1
	}
	return within(float64(p*s.deploying) / float64(float64(tolerance*hours)*s.exposed))
}

// part is the share of the service's hosts that need the patch.
func (s Stake) part() float64 {
	if s.Of <= s.Hosts || s.Of <= 0 {
		return 1
	}
	return max(float64(s.Hosts), 0) / float64(s.Of)
}

// minutes is M: noticing, installing and taking back, as planned, blended with
// what such failures have taken in this tier.
func (e Economy) minutes(s Stake) float64 {
	planned := e.detection().Minutes() + max(s.Install, 0).Minutes() + max(s.Rollback, 0).Minutes()
	return e.Past[s.Tier].blend(planned)
}

func (e Economy) detection() time.Duration { return cmp.Or(max(e.Detection, 0), detection) }

func (e Economy) compromise() time.Duration { return cmp.Or(max(e.Compromise, 0), compromise) }

// reach is r; what is not known is taken as reached.
func (e Economy) reach(exposure string) float64 {
	r, ok := e.Reach[exposure]
	if !ok {
		r, ok = reach[exposure]
	}
	if !ok || math.IsNaN(r) {
		return 1
	}
	return min(max(r, 0), 1)
}
