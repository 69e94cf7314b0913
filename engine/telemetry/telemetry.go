// Package telemetry measures hosts: four signals over an interval, from
// whatever a site has. Verdicts on them are health's.
package telemetry

import (
	"context"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Signals are the four of the contract.
var Signals = []string{"up", "error_ratio", "latency_seconds", "load_ratio"}

// Source measures hosts. A host or signal that cannot be measured is absent
// from the answer; nothing is made up. Points are sorted by time and lie in
// [from, to].
type Source interface {
	Measure(ctx context.Context, now time.Time, hosts []inventory.HostID, from, to time.Time) (Series, error)
	Close() error
}

// Series is points by host and signal.
type Series map[inventory.HostID]map[string][]Point

// Point is one measurement. V may be NaN or infinite when the source said so;
// health never takes such a point for good news.
type Point struct {
	At time.Time
	V  float64
}
