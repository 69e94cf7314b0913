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
	balanceLeft   = 52
	balanceRight  = 16
	balanceTop    = 16
	balanceBottom = 216
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
	p := draw(pictureWide, balanceBottom+66+named*16, "What deploying may break against how soon it is due")
	balanceAxes(p, top)
	for _, x := range slices.Backward(list) {
		s.balanceDot(p, x, top)
	}
	s.balanceNames(p, list[:named], top)
	for i, x := range list[:named] {
		p.text(10, balanceBottom+72+i*16, "start", "name", fmt.Sprintf("%d  %s, %s: %s %%, %s", i+1, clip(x.Package+" "+x.To, 30),
			plural(s.uses[x.ID].hosts, "host"), percent(x.DeployRisk.P), leftOf(x, s.At)), 74)
	}
	return p.bytes()
}

func leftOf(x plan.Patch, at time.Time) string {
	if x.Deadline.Before(at) {
		return "overdue by " + span(at.Sub(x.Deadline))
	}
	return span(x.Deadline.Sub(at)) + " left"
}

// balanceNames numbers dots, to the right of them and of one another.
func (s *sheet) balanceNames(p *picture, list []plan.Patch, top float64) {
	type place struct{ x, y int }
	var taken []place
	for i, x := range list {
		at := place{across(x.Deadline.Sub(s.At)) + 6 + bits.Len(uint(s.uses[x.ID].hosts)), up(x.DeployRisk.P, top) + 4}
		for slices.ContainsFunc(taken, func(t place) bool { return max(at.x-t.x, t.x-at.x) < 12 && max(at.y-t.y, t.y-at.y) < 12 }) {
			at.x += 12
		}
		taken = append(taken, at)
		p.text(min(at.x, pictureWide-10), at.y, "start", "name", fmt.Sprint(i+1), 3)
	}
}

func (s *sheet) balanceDot(p *picture, x plan.Patch, top float64) {
	class := "dot"
	if x.KnownExploited {
		class = "hot"
	}
	cx, hosts := across(x.Deadline.Sub(s.At)), s.uses[x.ID].hosts
	p.line(cx, up(x.DeployRisk.Low, top), cx, up(x.DeployRisk.High, top), "span")
	p.dot(cx, up(x.DeployRisk.P, top), 3+bits.Len(uint(hosts)), class, fmt.Sprintf("%s on %s: %s", x.ID, plural(hosts, "host"), risk(x.DeployRisk)))
}

func balanceAxes(p *picture, top float64) {
	for _, share := range []float64{0, 0.1, 0.25, 0.5, 1} {
		y := up(share*top, top)
		p.line(balanceLeft, y, pictureWide-balanceRight, y, "grid")
		p.text(balanceLeft-6, y+4, "end", "dim", fmt.Sprintf("%.3g %%", 100*share*top), 10)
	}
	for _, m := range marks {
		x := across(m.left)
		p.line(x, balanceTop, x, balanceBottom, "axis")
		p.text(x, balanceBottom+16, "middle", "dim", m.name, 8)
	}
	p.text(10, balanceBottom+36, "start", "dim", "Up: the chance that a change goes wrong, with its interval.", 80)
	p.text(10, balanceBottom+52, "start", "dim", "Across: time left to the deadline. Red: known to be exploited.", 80)
}

// across is where a time left lies; what is overdue or further away lies at the
// edge.
func across(left time.Duration) int {
	const step = (pictureWide - balanceLeft - balanceRight - 40) / 4
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
