package ring

import (
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Member is a host as rings see it.
type Member struct {
	Host     inventory.HostID
	Services []string // all it serves
	Labels   map[string]string
	Tier     string // of its primary service, "" none
	Rank     int    // of that tier; a large number where there is none
}

// Matches says whether the selection takes the member. Empty fields match
// everything; patterns are globs ("*" any characters, "?" one).
func (s Select) Matches(m Member) bool { panic("ring.Select.Matches") }

// Assign puts every member into the lowest-ordered ring that takes it and
// returns the ring's index for each, -1 where none does. A ring with a share
// takes that part of the members that match it (at least one host where any
// matches and share > 0; rounded up), or Count hosts if that is fewer, among
// those that no lower ring has: least critical tiers first, spread over
// services and roles (labels["role"]) before a second host of the same, ties
// by the hash of seed and host, so that nothing depends on names. A share below
// 1 never takes all hosts of a service that has more than one.
func Assign(rings []Ring, members []Member, seed string) []int { panic("ring.Assign") }

// Check reports everything that is wrong with the window: attribute ("recur",
// "start", "duration", "timezone") and message.
func (w Window) Check() []Problem { panic("ring.Window.Check") }

// Problem is something wrong with one attribute of a block.
type Problem struct{ Attribute, Message string }

// Between returns the window's occurrences that overlap [from, to), sorted,
// unclipped, overlapping ones joined. A wall time that daylight saving skips
// happens at the instant the gap ends in elapsed terms (RFC 5545 3.3.5: as if
// with the offset before the gap); one that happens twice is the first.
// Durations are elapsed time.
func (w Window) Between(from, to time.Time) []Interval { panic("ring.Window.Between") }
