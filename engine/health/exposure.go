package health

import (
	"fmt"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// requests is how many a host served, by points of telemetry.Traffic. Each stands for
// the time since the one before it, and for the usual time at most: a gap may hide
// anything. What is no number, or below zero, counts for none.
func requests(points []telemetry.Point) float64 {
	usual, sum := cadence(points), 0.0
	for i := 1; i < len(points); i++ {
		if v := points[i].V; finite(v) && v > 0 {
			sum += float64(v * min(points[i].At.Sub(points[i-1].At), usual).Seconds())
		}
	}
	return sum
}

// exposed turns good news into none while the host has served fewer requests than
// the verdict is to rest on.
func (e Evidence) exposed(f finding) finding {
	if f.state != Healthy || e.MinRequests == 0 {
		return f
	}
	if len(e.After[telemetry.Traffic]) == 0 {
		return finding{Inconclusive, fmt.Sprintf("nothing says how many requests the host has served since the change, of at least %d", e.MinRequests)}
	}
	if n := requests(e.After[telemetry.Traffic]); n < float64(e.MinRequests) {
		return finding{Inconclusive, fmt.Sprintf("the host has served %.0f requests since the change, of at least %d", n, e.MinRequests)}
	}
	return f
}

// Rise is the smallest rise of a signal that is blamed on a change, however sure; 0 of
// up.
func Rise(signal string) float64 { return rules[signal].floor }

// Reach is what a soak can see.
type Reach struct {
	Points int           // of each signal, from each host
	Within time.Duration // what begins this soon after the change, and lasts, is seen; 0: nothing is sure to be
	Enough bool          // the points suffice to call a host healthy
}

// ReachOf is that of a soak with so much time between points: ten points that are
// worse, one after another, need no test (see comparison.persists).
func ReachOf(soak, step time.Duration) Reach {
	n := int(soak / step)
	return Reach{Points: n, Within: max(0, soak-calm*step), Enough: n >= fewest}
}
