// Package health gives a verdict on telemetry before and after a change.
//
// Missing or non-finite data is never good news: it holds.
package health

import "github.com/ringmaster-dev/ringmaster/engine/telemetry"

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
// not been changed at the same time (after only), nil where there are none.
type Evidence struct {
	Before, After map[string][]telemetry.Point
	Peers         map[string][]telemetry.Point
}

// Judge gives the verdict.
func Judge(e Evidence) Verdict { panic("health.Judge") }
