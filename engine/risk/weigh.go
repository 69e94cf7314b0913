package risk

import (
	"math"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// Priors of the weight of rules: they are believed until outcomes speak against
// them. The slope is normal around 1 and the shift around 0.
const (
	slopePrecision = 4 // 1/0.5²
	shiftPrecision = 1
	steepest       = 1.5
)

// weighRules fits shift α and slope γ to the changes that no incompatibility
// explains, each with the record of its time. The score of a change is linear in
// both:
//
//	(1-w)(base + α + γ·U) + γ·C + w·logit m + what is grave
//
// where U is the sum of the rules' usual terms, C that of age and the host's
// condition, and w the weight of the record's rate m.
func (l *learner) weighRules() {
	var list []weighted
	then := l.then(nil)
	for i := range l.lessons {
		c := &l.lessons[i]
		if c.explained > 0 {
			continue
		}
		o, spot := c.ask(then(c.decided()))
		reasons, _ := o.known(spot)
		t := o.recordOf(spot.place.Role)
		w := t.n / (t.n + rulesCount)
		one := weighted{weight: c.weight, failed: c.failed, rest: Sum(reasons), shift: 1 - w}
		usual := Sum(o.rules.usual)
		for _, r := range o.rules.special {
			if r.Term != "reports" {
				one.slope += r.Effect
			}
		}
		one.slope += Sum(o.rules.condition(spot.host, spot.place.Role).terms()) + float64((1-w)*usual)
		one.rest -= one.slope // the slope in it is 1
		list = append(list, one)
	}
	l.model.Rules = weightOfRules(list)
}

// weighted is one change as the weight of rules is fitted to it.
type weighted struct {
	rest, shift, slope float64 // the score is rest + α·shift + γ·slope
	weight             float64
	failed             bool
}

// weightOfRules is the posterior mode, by Newton's method.
func weightOfRules(list []weighted) Weight {
	a, g := 0.0, 1.0
	for range 50 {
		da, dg := -float64(shiftPrecision*a), -float64(slopePrecision*(g-1))
		haa, hgg, hag := float64(shiftPrecision), float64(slopePrecision), 0.0
		for _, c := range list {
			p := exact.Expit(c.rest + float64(a*c.shift) + float64(g*c.slope))
			miss := -p
			if c.failed {
				miss = 1 - p
			}
			miss, v := float64(c.weight*miss), float64(c.weight*float64(p*(1-p)))
			da += float64(miss * c.shift)
			dg += float64(miss * c.slope)
			haa += float64(v * float64(c.shift*c.shift))
			hgg += float64(v * float64(c.slope*c.slope))
			hag += float64(v * float64(c.shift*c.slope))
		}
		det := float64(haa*hgg) - float64(hag*hag)
		stepA := (float64(hgg*da) - float64(hag*dg)) / det
		stepG := (float64(haa*dg) - float64(hag*da)) / det
		a += min(max(stepA, -2), 2)
		g += min(max(stepG, -1), 1)
		if math.Abs(stepA)+math.Abs(stepG) < 1e-9 {
			break
		}
	}
	return Weight{Shift: exact.Round5(a), Slope: exact.Round5(min(max(g, 0), steepest))}
}
