package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/rollout"
)

// hanging says what a plan that was taken back left in the middle, "" nothing.
// A host is settled as soon as newer facts say what it has.
func (d *decider) hanging(done deed, g *rollout.Progress) string {
	var list []string
	for _, c := range g.Changes {
		word := inMiddle(c.State)
		if word == "" {
			continue
		}
		if h := d.hostOf(c.Host); h != nil && h.Facts != nil && h.Facts.At.After(lastOf(done, c)) {
			continue
		}
		list = append(list, fmt.Sprintf("%s on %s %s", c.Patch, c.Host, word))
	}
	if len(list) == 0 {
		return ""
	}
	const most = 5
	if n := len(list) - most; n > 0 {
		list = append(list[:most], fmt.Sprintf("and %d more", n))
	}
	return "it was taken back after it had begun, so nothing more of it is done; in the middle, until newer facts say what the host has: " + strings.Join(list, ", ")
}

// inMiddle is what is open about a change in a state, "" nothing.
func inMiddle(s rollout.State) string {
	switch s {
	case rollout.Intended:
		return "was begun, and nobody knows whether it was done"
	case rollout.Unreachable, rollout.Unknown:
		return "was begun on a host out of reach, and nobody knows whether it was done"
	case rollout.Undo:
		return "was being rolled back"
	case rollout.Applied:
		return "was done and not judged yet"
	case rollout.Failed, rollout.Degraded, rollout.Stuck:
		return "went wrong and was not rolled back"
	}
	return ""
}

// lastOf is when a change's newest line was written.
func lastOf(done deed, c *rollout.Change) time.Time {
	for _, l := range slices.Backward(done.lines) {
		if l.Host == c.Host && l.Patch == c.Patch {
			return l.At
		}
	}
	return time.Time{}
}
