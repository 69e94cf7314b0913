// Package telemetry measures hosts: four signals over an interval, from
// whatever a site has. Verdicts on them are health's.
package telemetry

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Signals are the four of the contract.
var Signals = []string{"up", "error_ratio", "latency_seconds", "load_ratio"}

// Traffic is how many requests a second a host serves. It is no signal: it says how
// much the others rest on.
const Traffic = "traffic"

// Step is between two points of a server that is asked for them, where a site does not
// say: Prometheus' own default of how often it scrapes. A shorter step than that would
// count one scrape as many.
const Step = time.Minute

// Source measures hosts. A host or signal that cannot be measured is absent
// from the answer; nothing is made up. Points are sorted by time and lie in
// [from, to]. Where some hosts could not be asked, and the others were, Measure
// returns their series with an error that is Unasked.
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

// Unasked are hosts that could not be asked, each with why: an address that its
// facts do not have, an answer about it that is not one.
type Unasked map[inventory.HostID]error

// Error tells of the first host, and how many there are.
func (u Unasked) Error() string {
	first := slices.Min(slices.Collect(maps.Keys(u)))
	if len(u) == 1 {
		return u[first].Error()
	}
	return fmt.Sprintf("%v; and %d more hosts could not be asked", u[first], len(u)-1)
}

// Err is the error that Measure returns: nil where every host was asked.
func (u Unasked) Err() error {
	if len(u) == 0 {
		return nil
	}
	return u
}
