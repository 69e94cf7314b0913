package health

import (
	"fmt"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// judgeUp judges whether the host is there. It is down at a point below 0.5.
//
// Down at the end (two points, as one may be chance) is degraded. An outage
// that ended is a reboot, unless there were three or more.
func judgeUp(e Evidence) finding {
	before, after := e.Before["up"], e.After["up"]
	if share, ok := telemetry.Mean(telemetry.Finite(before)); ok && share < 0.5 {
		return wasDown(after)
	}
	peers := telemetry.Finite(e.Peers["up"])
	usual := max(cadence(before), time.Minute)
	switch {
	case len(after) == 0 && upShare(peers) >= 0.75 && len(peers) >= fewest && span(e.Peers["up"]) >= 5*usual:
		return finding{Degraded, "up has no points after the change, and peers have: the host does not answer"}
	case len(after) == 0:
		return finding{Inconclusive, "up has no points after the change"}
	}
	outages, last := down(after)
	silent := e.latest().Sub(after[len(after)-1].At)
	unheard := silent > 5*time.Minute && silent > 3*usual
	switch {
	case (last > 0 || unheard) && len(peers) >= fewest && upShare(telemetry.Finite(since(e.Peers["up"], end(after, last)))) < 0.75:
		return finding{Inconclusive, "the host is down, and so are hosts that were not changed"}
	case last >= 2:
		return finding{Degraded, fmt.Sprintf("the host is down (up is 0 at the last %d points)", last)}
	case unheard && len(peers) >= fewest && len(since(e.Peers["up"], after[len(after)-1].At.Add(1))) >= fewest:
		return finding{Degraded, fmt.Sprintf("the host has not answered for %s, and peers have", silent)}
	case outages >= 3:
		return finding{Degraded, fmt.Sprintf("the host went down %d times", outages)}
	case last == 1:
		return finding{Inconclusive, "the host was down at the last point"}
	}
	f := finding{Healthy, "up"}
	if outages > 0 {
		f.why = fmt.Sprintf("up, after %d outage(s)", outages)
	}
	if n := len(telemetry.Finite(after)); n < fewest {
		return finding{Inconclusive, fmt.Sprintf("up has %d points after the change, of at least %d", n, fewest)}
	}
	return hold(f, e, rule{signal: "up", name: "up"}, after)
}

// wasDown judges a host that was down before: it can only be better.
func wasDown(after []telemetry.Point) finding {
	if _, last := down(after); len(telemetry.Finite(after)) >= fewest && last == 0 {
		return finding{Healthy, "up, and was down before the change"}
	}
	return finding{Inconclusive, "the host was down before the change already"}
}

// down counts the outages, and the points of the one that lasts at the end.
// Points that are no numbers neither begin nor end one.
func down(points []telemetry.Point) (outages, last int) {
	for _, p := range points {
		switch {
		case !finite(p.V):
		case p.V >= 0.5:
			last = 0
		default:
			if last == 0 {
				outages++
			}
			last++
		}
	}
	return outages, last
}

// end is when the outage that lasts at the end began, or the last point.
func end(points []telemetry.Point, last int) time.Time {
	return points[len(points)-max(1, last)].At
}

// upShare is the share of points at which a host was up, 0 of none.
func upShare(values []float64) float64 {
	up := 0
	for _, v := range values {
		if v >= 0.5 {
			up++
		}
	}
	return float64(up) / float64(max(1, len(values)))
}
