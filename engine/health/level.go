package health

import (
	"fmt"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// rule is how one signal is compared.
type rule struct {
	signal string
	name   string // in words
	unit   string
	level  func([]float64) (float64, bool)
	floor  float64 // worse by less than this does not matter
	ratio  float64 // nor by less than this factor
	alone  float64 // the factor where there are no peers
	full   float64 // without peers, a level below this is not blamed
	ill    float64 // a host at this level or above cannot be called well; 0: none
	// relative says that hosts move by factors rather than by amounts.
	relative bool
}

// rules hold all signals but up. Errors are averaged, as they add up; latency
// and load are taken by the median, which a single slow minute does not move.
var rules = map[string]rule{
	"error_ratio":     {"error_ratio", "error ratio", "", telemetry.Mean, 0.02, 2, 2, 0, 0.1, false},
	"latency_seconds": {"latency_seconds", "latency", " s", median, 0.02, 1.5, 2, 0, 0, true},
	"load_ratio":      {"load_ratio", "load", "", median, 0.2, 1.5, 1.5, 0.9, 0, false},
}

func median(values []float64) (float64, bool) { return telemetry.Quantile(values, 0.5) }

// limit is the level above which r calls a signal worse than a reference.
func (r rule) limit(reference, ratio float64) float64 {
	return max(reference+r.floor, float64(reference*ratio))
}

// comparison is one signal's evidence, ready to be judged.
type comparison struct {
	rule
	before, window []float64 // finite
	points         []telemetry.Point
	onset          time.Time         // of the trouble that lasts, zero for none
	over           bool              // it does not last any more
	needs          float64           // what rankSum must reach
	peers          []float64         // in the window's time, finite
	from, to       float64           // levels; from is the peers' where nothing is known of before
	then           []telemetry.Point // the peers' before
	start          time.Time         // when after begins
}

func judgeLevel(e Evidence, r rule) finding {
	after := e.After[r.signal]
	if why, ok := incomplete(e, r, after); ok {
		return finding{Inconclusive, why}
	}
	c, why := compare(e, r, after)
	switch {
	case why != "":
		return finding{Inconclusive, why}
	case c.worse():
		f := c.blame()
		return hold(f, e, r, after)
	case r.ill > 0 && c.to >= r.ill && !c.alone() && c.to > c.limit(c.expected(), c.ratio):
		return finding{Inconclusive, c.say() + ", and was as bad before the change, so it says nothing of it"}
	}
	return hold(finding{Healthy, c.say() + c.passed(after)}, e, r, after)
}

// incomplete says why nothing at all can be said of the points after.
func incomplete(e Evidence, r rule, after []telemetry.Point) (string, bool) {
	n := len(telemetry.Finite(after))
	switch {
	case len(after) == 0:
		return r.name + " has no points after the change", true
	case n == 0:
		return fmt.Sprintf("none of the %d points of %s after the change is a number", len(after), r.name), true
	case n < fewest:
		return fmt.Sprintf("%s has %d points after the change, of at least %d", r.name, n, fewest), true
	}
	return "", false
}

// hold turns good news into none where points are missing or no numbers. Bad
// news stays what it is.
func hold(f finding, e Evidence, r rule, after []telemetry.Point) finding {
	if f.state != Healthy {
		return f
	}
	n := len(telemetry.Finite(after))
	if n < len(after) {
		return finding{Inconclusive, fmt.Sprintf("%d of %d points of %s after the change are no numbers", len(after)-n, len(after), r.name)}
	}
	usual := cadence(e.Before[r.signal])
	if usual == 0 {
		usual = cadence(after)
	}
	if usual <= 0 {
		return f
	}
	if want := int(e.latest().Sub(e.began())/usual) + 1; n < want/2 {
		return finding{Inconclusive, fmt.Sprintf("%s has %d points after the change, of about %d", r.name, n, want)}
	}
	if gap := e.latest().Sub(after[len(after)-1].At); gap > 5*time.Minute && gap > 3*usual {
		return finding{Inconclusive, fmt.Sprintf("%s has had no point for %s", r.name, gap)}
	}
	return f
}

// compare gathers what is compared, or says why nothing can be.
func compare(e Evidence, r rule, after []telemetry.Point) (comparison, string) {
	c := comparison{rule: r, before: telemetry.Finite(e.Before[r.signal]), start: after[0].At, needs: critical}
	if len(c.before) < fewest {
		if c.before = telemetry.Finite(e.Peers[r.signal]); len(c.before) < fewest {
			return c, fmt.Sprintf("%s has %d points before the change and no peers to compare with", r.name, len(e.Before[r.signal]))
		}
	}
	c.from, _ = r.level(c.before)
	c.points = since(after, after[len(after)-1].At.Add(-max(hour, span(e.Before[r.signal]))))
	c.narrow()
	c.window = telemetry.Finite(c.points)
	if len(c.window) == 0 {
		return c, "none of the latest points of " + r.name + " is a number"
	}
	c.peers = telemetry.Finite(since(e.Peers[r.signal], c.points[0].At))
	c.to, _ = r.level(c.window)
	c.then = e.PeersBefore[r.signal]
	if !finite(c.from) || !finite(c.to) {
		return c, r.name + " is beyond all measure"
	}
	return c, ""
}

// narrow looks at nothing but the trouble where there is some that lasts, so
// that the calm before it does not dilute it. Its start was picked among up to
// 60 points, for which the test makes up.
func (c *comparison) narrow() {
	c.onset, c.over = c.trouble()
	if c.over || c.onset.IsZero() {
		return
	}
	if points := since(c.points, c.onset); len(points) >= calm {
		c.needs = picked
		c.points = points
	}
}

// expected is where the host would be, had it moved as the upper quarter of its
// peers' points did; where those are, if nothing is known of them before.
func (c comparison) expected() float64 {
	peersBefore := telemetry.Finite(c.then)
	now, _ := telemetry.Quantile(c.peers, 0.75)
	then, _ := telemetry.Quantile(peersBefore, 0.75)
	switch {
	case len(peersBefore) < fewest:
		return now
	case c.relative && then > 0:
		return float64(c.from * max(1, now/then))
	}
	return c.from + max(0, now-then)
}

func (c comparison) alone() bool { return len(c.peers) < fewest }

// worse says whether the signal is worse than before by enough to matter.
func (c comparison) worse() bool {
	if c.alone() {
		return c.to > c.limit(c.from, c.rule.alone) && c.to >= c.full
	}
	return c.to > c.limit(c.from, c.ratio)
}

// blame says whether what is worse is the change's doing.
func (c comparison) blame() finding {
	highest := slices.Max(c.before)
	switch {
	case !c.alone() && c.to <= c.limit(c.expected(), c.ratio):
		return finding{Inconclusive, c.say() + ", and hosts that were not changed are as bad"}
	case bursts(c.window, highest+c.floor, len(c.before)):
		return finding{Degraded, c.say() + ", again and again"}
	case c.over:
		return finding{Healthy, c.say() + ", but no longer"}
	case !c.persists(highest) && rankSum(c.window, c.before) < c.needs:
		return finding{Inconclusive, c.say() + ", which may be chance"}
	case c.onset.Sub(c.start) > hour && c.points[len(c.points)-1].At.Sub(c.onset) < hour:
		return finding{Inconclusive, c.say() + fmt.Sprintf(", but only since %s", c.onset.UTC().Format("15:04"))}
	}
	return finding{Degraded, c.say()}
}

// persists says whether the level was never once back within what was seen
// before: not for as long as before was measured, or for ten points by more
// than the floor.
func (c comparison) persists(highest float64) bool {
	lowest, n := slices.Min(c.window), len(c.window)
	return n >= max(30, len(c.before)) && lowest > highest || n >= calm && lowest > highest+c.floor
}

// trouble is when the trouble that lasts began, the zero time where there is
// none, and whether it is over: calm points in a row end it.
func (c comparison) trouble() (onset time.Time, over bool) {
	limit := c.limit(c.from, c.ratio)
	quiet := 0
	for _, p := range c.points {
		switch {
		case !finite(p.V):
		case p.V > limit:
			if onset.IsZero() || quiet >= calm {
				onset = p.At
			}
			quiet = 0
		default:
			quiet++
		}
	}
	return onset, quiet >= calm
}

// passed notes trouble that came and went before the window.
func (c comparison) passed(after []telemetry.Point) string {
	older := telemetry.Finite(after[:len(after)-len(since(after, c.points[0].At))])
	limit, bad := c.limit(c.from, c.ratio), 0
	for _, v := range older {
		if v > limit {
			bad++
		}
	}
	if bad < fewest {
		return ""
	}
	return fmt.Sprintf(" (it was worse at %d of %d points earlier)", bad, len(older))
}

// say puts the comparison into words.
func (c comparison) say() string {
	text := fmt.Sprintf("%s %s → %s%s", c.name, figure(c.from), figure(c.to), c.unit)
	if level, ok := c.level(c.peers); ok && finite(level) {
		text += fmt.Sprintf(" (peers %s%s)", figure(level), c.unit)
	}
	return text
}
