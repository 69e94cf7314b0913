package report

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// The measures of the picture of risk against urgency.
const (
	balanceWide   = 800
	balanceLeft   = 60
	balanceRight  = 20
	balanceTop    = 20
	balanceBottom = 300
	balanceNamed  = 8
	balanceMost   = 300
)

// marks are the classes' own spans; between them the scale is even.
var marks = []struct {
	left time.Duration
	name string
}{{0, "due"}, {24 * time.Hour, "24 h"}, {7 * 24 * time.Hour, "7 d"}, {30 * 24 * time.Hour, "30 d"}, {90 * 24 * time.Hour, "90 d"}}

// balance draws what deploying may break against how soon it is due, a dot for
// each patch: the choice that the plan makes. The riskiest are named below.
func balance(s *sheet) []byte {
	list := slices.Clone(s.planned)
	slices.SortStableFunc(list, func(a, b plan.Patch) int {
		return cmp.Or(cmp.Compare(b.DeployRisk.High, a.DeployRisk.High), a.Deadline.Compare(b.Deadline))
	})
	list = list[:min(len(list), balanceMost)]
	top := ceiling(list)
	named := min(len(list), balanceNamed)
	p := draw(balanceWide, balanceBottom+50+named*16, "What deploying may break against how soon it is due")
	balanceAxes(p, top)
	for i := len(list) - 1; i >= 0; i-- {
		s.balanceDot(p, list[i], i, top)
	}
	for i, x := range list[:named] {
		p.text(balanceLeft, balanceBottom+56+i*16, "start", "name", fmt.Sprintf("%d  %s %s on %s: %s, %s", i+1, x.Package, x.To,
			plural(s.uses[x.ID].hosts, "host"), risk(x.DeployRisk), leftOf(x, s.At)), 110)
	}
	return p.bytes()
}

func leftOf(x plan.Patch, at time.Time) string {
	if x.Deadline.Before(at) {
		return "overdue by " + span(at.Sub(x.Deadline))
	}
	return span(x.Deadline.Sub(at)) + " left"
}

func (s *sheet) balanceDot(p *picture, x plan.Patch, i int, top float64) {
	class := "dot"
	if x.KnownExploited {
		class = "hot"
	}
	cx, hosts := across(x.Deadline.Sub(s.At)), s.uses[x.ID].hosts
	p.line(cx, up(x.DeployRisk.Low, top), cx, up(x.DeployRisk.High, top), "span")
	p.dot(cx, up(x.DeployRisk.P, top), 3+bits.Len(uint(hosts)), class, fmt.Sprintf("%s on %s: %s", x.ID, plural(hosts, "host"), risk(x.DeployRisk)))
	if i < balanceNamed {
		p.text(cx+6+bits.Len(uint(hosts)), up(x.DeployRisk.P, top)+4, "start", "name", fmt.Sprint(i+1), 3)
	}
}

func balanceAxes(p *picture, top float64) {
	for _, share := range []float64{0, 0.1, 0.25, 0.5, 1} {
		y := up(share*top, top)
		p.line(balanceLeft, y, balanceWide-balanceRight, y, "grid")
		p.text(balanceLeft-6, y+4, "end", "dim", fmt.Sprintf("%.3g %%", 100*share*top), 10)
	}
	for _, m := range marks {
		x := across(m.left)
		p.line(x, balanceTop, x, balanceBottom, "axis")
		p.text(x, balanceBottom+16, "middle", "dim", m.name, 8)
	}
	p.text(balanceLeft, balanceBottom+34, "start", "dim", "Across: time left to the deadline. Up: the chance that a change goes wrong, with its interval. Red: known to be exploited.", 130)
}

// across is where a time left lies; what is overdue or further away lies at the
// edge.
func across(left time.Duration) int {
	const step = (balanceWide - balanceLeft - balanceRight - 40) / 4
	for i, m := range marks[1:] {
		if from := marks[i].left; left < m.left {
			return balanceLeft + 20 + i*step + int(int64(step)*int64(max(left, from)-from)/int64(m.left-from))
		}
	}
	return balanceLeft + 20 + 4*step
}

// up is how high a probability lies, on the scale of its square root, so that
// the small risks that matter can be told apart.
func up(p, top float64) int {
	return balanceBottom - int(math.Sqrt(min(p/top, 1))*(balanceBottom-balanceTop))
}

// ceiling is the end of the scale: the first of a few round numbers that
// nothing exceeds.
func ceiling(list []plan.Patch) float64 {
	highest := 0.0
	for _, x := range list {
		highest = max(highest, x.DeployRisk.High)
	}
	for _, top := range []float64{0.05, 0.1, 0.2, 0.5} {
		if highest <= top {
			return top
		}
	}
	return 1
}
