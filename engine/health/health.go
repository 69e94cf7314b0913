// Package health gives a verdict on telemetry before and after a change.
//
// Missing or non-finite data is never good news: it holds.
//
// A host is degraded when a signal is worse than before the change by more than
// chance and by enough to matter, and hosts that were not changed are not as
// bad at the same time. Each of these is there for a reason:
//
//   - Enough to matter: error_ratio by 0.02 and twofold, latency_seconds by 0.02 s
//     and half as much again, load_ratio by 0.2 and half as much again. With
//     many points anything is significant.
//   - More than chance: the rank sum test of Wilcoxon (1945), Mann and Whitney
//     (1947), one-sided at 0.001, its variance inflated for points that
//     resemble their neighbours (see rankSum). What the ranks miss is taken by
//     two more: errors that come in bursts are counted (see bursts), and a level
//     never once back within what was seen before, for as long as before was
//     measured, needs no test.
//   - Peers: nearly half of automatic rollbacks are false alarms from faults
//     that no patch caused. A change is not blamed while the upper quarter of
//     the unchanged hosts' points has risen as much (or is as bad, where nothing
//     is known of them before). Without peers, latency must double, and load,
//     which follows the hour of the day, must reach 0.9.
//   - Time: what begins more than an hour after the change is blamed on it once
//     it has lasted an hour, which most passing faults do not. What is over (10
//     calm points) is noted and not blamed.
//
// Only the last hour after the change is compared (or as long as before was
// measured, if that is longer), so a fault late in a long soak is not diluted.
// Looking often is allowed for: the false alarms that the tests count are those
// of streams looked at after every point.
package health

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// State is a verdict.
type State string

// The verdicts.
const (
	Healthy      State = "healthy"
	Degraded     State = "degraded"
	Inconclusive State = "inconclusive"
)

// Verdict is a state with what made it.
type Verdict struct {
	State  State
	Why    string             // in words, for people
	Before map[string]float64 // summary by signal, only finite ones
	After  map[string]float64
}

// Evidence is a host's signals before and after, and those of hosts that have
// not been changed at the same time, nil where there are none. Points are sorted
// by time.
type Evidence struct {
	Before, After map[string][]telemetry.Point
	// Declared are the signals that the site says it measures, with the query of each. One
	// of them without a point is missing; a signal that is not among them and has none was
	// never asked for.
	Declared map[string]string
	// Peers are the points of all such hosts after the change, together
	// (telemetry.Pool).
	Peers map[string][]telemetry.Point
	// PeersBefore are theirs before it. With them a host is held against how its
	// peers have moved; without them against where they are, which between hosts
	// of different levels holds more changes than it must.
	PeersBefore map[string][]telemetry.Point
	// MinRequests is how many requests (telemetry.Traffic) the host must have served
	// after the change to be called healthy; 0 asks for none.
	MinRequests int
}

const (
	// fewest is how many points are needed to say anything good.
	fewest = 5
	// calm is how many points without trouble end it.
	calm = 10
	// hour is how long is looked back, and how long a late fault must last.
	hour = time.Hour
)

// finding is what one signal says.
type finding struct {
	state State
	why   string
}

// Judge gives the verdict. Points must be sorted by time. Of a signal that is declared,
// or was measured before, points after the change are needed; any other is not asked for.
func Judge(e Evidence) Verdict {
	v := Verdict{Before: summaries(e.Before), After: summaries(e.After)}
	var found []finding
	for _, signal := range telemetry.Signals {
		query, declared := e.Declared[signal]
		switch measured := len(e.Before[signal])+len(e.After[signal]) > 0; {
		case !measured && declared:
			found = append(found, finding{Inconclusive, fmt.Sprintf("%s: no points, neither before the change nor after it (query %s)", signal, query)})
		case !measured:
		case signal == "up":
			found = append(found, judgeUp(e))
		default:
			found = append(found, judgeLevel(e, rules[signal]))
		}
	}
	state, why := combine(found)
	f := e.exposed(finding{state, why})
	v.State, v.Why = f.state, f.why
	if traffic := e.After[telemetry.Traffic]; len(traffic) > 0 {
		v.After["requests"] = round(requests(traffic))
	}
	return v
}

// NoBaseline says why no verdict could rest on what was measured of a host before a
// change: of a declared signal there are too few points. "" where one could.
func NoBaseline(declared map[string]string, before map[string][]telemetry.Point) string {
	var lacks []string
	for _, signal := range telemetry.Signals {
		query, ok := declared[signal]
		if n := len(telemetry.Finite(before[signal])); ok && n < fewest {
			lacks = append(lacks, fmt.Sprintf("%s: %d points that are numbers before the change, of at least %d (query %s)", signal, n, fewest, query))
		}
	}
	return strings.Join(lacks, "; ")
}

// combine takes the worst: what is degraded is, whatever else is unknown.
func combine(found []finding) (State, string) {
	if len(found) == 0 {
		return Inconclusive, "nothing was measured"
	}
	for _, state := range []State{Degraded, Inconclusive, Healthy} {
		var why []string
		for _, f := range found {
			if f.state == state {
				why = append(why, f.why)
			}
		}
		if len(why) > 0 {
			return state, strings.Join(why, "; ")
		}
	}
	panic("health: a finding has no state")
}

// summaries is the level of each signal over all its points.
func summaries(signals map[string][]telemetry.Point) map[string]float64 {
	levels := map[string]float64{}
	for _, signal := range telemetry.Signals {
		r, ok := rules[signal]
		if !ok {
			r = rule{level: telemetry.Mean}
		}
		if level, ok := r.level(telemetry.Finite(signals[signal])); ok && finite(level) {
			levels[signal] = round(level)
		}
	}
	return levels
}

// latest is the newest instant anything was measured at after the change.
func (e Evidence) latest() time.Time {
	var last time.Time
	for _, signals := range []map[string][]telemetry.Point{e.After, e.Peers} {
		for _, points := range signals {
			if n := len(points); n > 0 && points[n-1].At.After(last) {
				last = points[n-1].At
			}
		}
	}
	return last
}

// began is the oldest such instant; call it only where there is one.
func (e Evidence) began() time.Time {
	first := e.latest()
	for _, points := range e.After {
		if len(points) > 0 && points[0].At.Before(first) {
			first = points[0].At
		}
	}
	return first
}

// since returns the points at or after an instant.
func since(points []telemetry.Point, at time.Time) []telemetry.Point {
	i, _ := slices.BinarySearchFunc(points, at, func(p telemetry.Point, at time.Time) int { return p.At.Compare(at) })
	return points[i:]
}

// cadence is the usual time between points, 0 where it cannot be told.
func cadence(points []telemetry.Point) time.Duration {
	var gaps []float64
	for i := 1; i < len(points); i++ {
		gaps = append(gaps, float64(points[i].At.Sub(points[i-1].At)))
	}
	usual, _ := telemetry.Quantile(gaps, 0.5)
	return time.Duration(usual)
}

// span is the time from the first point to the last.
func span(points []telemetry.Point) time.Duration {
	if len(points) == 0 {
		return 0
	}
	return points[len(points)-1].At.Sub(points[0].At)
}
