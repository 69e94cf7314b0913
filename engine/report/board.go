package report

import (
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Board is where an estate stands: what waits for people, what runs, what is
// held and until when, and what should have happened and did not. As JSON it is
// what `ringmaster status --format json` prints.
type Board struct {
	Estate   string        `json:"estate"`
	At       time.Time     `json:"at"`
	Timezone string        `json:"timezone"`
	Commit   string        `json:"commit"`  // of the protected branch
	Alerts   []string      `json:"alerts"`  // what did not happen, or cannot
	Open     []OpenPlan    `json:"open"`    // pull requests, most urgent first
	Queue    []QueuedPlan  `json:"queue"`   // plans that no pull request stands for yet
	Running  []RunningPlan `json:"running"` // merged and not over
	Holds    []Hold        `json:"holds"`   // what keeps things from happening, and until when
	Waiting  []Waiting     `json:"waiting"` // needs that are not planned, by reason
	Blind    []string      `json:"blind"`   // hosts that nothing can be found for, and what would help
	// What each part of ringmaster was last heard of by; zero: never.
	Heard time.Time `json:"heard,omitzero"` // execute: the newest line of any ledger
	Facts time.Time `json:"facts,omitzero"` // the newest facts of a host
	Feeds time.Time `json:"feeds,omitzero"` // the newest commit that brought advisories or patches
	// Next is by when a page that is kept is written again, at the latest; zero: it
	// is not kept.
	Next time.Time `json:"next,omitzero"`
}

// OpenPlan is a pull request that waits.
type OpenPlan struct {
	ID       string    `json:"id"`
	Title    string    `json:"title"`
	URL      string    `json:"url"`
	Start    time.Time `json:"start,omitzero"` // of its first wave
	Deadline time.Time `json:"deadline,omitzero"`
	Missing  []string  `json:"missing"` // approvals; none: it can be merged
}

// QueuedPlan is a plan that waits for its turn, or for `plan --open`.
type QueuedPlan struct {
	ID       string    `json:"id"`
	Title    string    `json:"title"`
	URL      string    `json:"url,omitempty"` // of a pull request that somebody closed
	Deadline time.Time `json:"deadline,omitzero"`
	Why      string    `json:"why"` // what it waits for
}

// RunningPlan is a merged plan that is not over.
type RunningPlan struct {
	ID      string         `json:"id"`
	Title   string         `json:"title"`
	Rings   []RingProgress `json:"rings"`
	Next    time.Time      `json:"next,omitzero"` // when something may be due
	For     string         `json:"for"`           // what
	Refused string         `json:"refused"`       // why nothing of it runs; "": it runs
	Trouble []string       `json:"trouble"`       // what stands in its way, and each host that is not well or out of reach
}

// RingProgress counts a ring's changes by how far they are.
type RingProgress struct {
	Name    string `json:"name"`
	Changes int    `json:"changes"`
	Healthy int    `json:"healthy"`
	Bad     int    `json:"bad"`     // failed, degraded, rolled back or out of reach for good
	Between int    `json:"between"` // begun and not judged
}

// Hold keeps something from happening. Kind is freeze, override, exception
// (which lets something happen, and ends) or quarantine.
type Hold struct {
	Kind  string    `json:"kind"`
	What  string    `json:"what"`
	Why   string    `json:"why"`
	By    string    `json:"by"`
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`
	// Notice is that it ends soon, or ended lately.
	Notice string `json:"notice,omitempty"`
}

// Waiting is changes that are needed and not planned for one reason.
type Waiting struct {
	Why      string    `json:"why"`
	Patches  []string  `json:"patches"`
	Changes  int       `json:"changes"`
	Overdue  int       `json:"overdue"`
	Until    time.Time `json:"until,omitzero"` // the date it opens; zero: nobody knows one
	Deadline time.Time `json:"deadline,omitzero"`
}

// WaitingOf is what plans leave out, by reason, but for reasons that begin with
// but; what is overdue first.
func WaitingOf(plans []*plan.Plan, but string) []Waiting {
	var all plan.Plan
	for _, p := range plans {
		for _, s := range p.NotPlanned {
			if !strings.HasPrefix(s.Why, but) {
				all.NotPlanned = append(all.NotPlanned, s)
			}
		}
	}
	list := []Waiting{}
	for _, w := range waits(&all) {
		list = append(list, Waiting{w.why, w.patches, w.changes, w.overdue, w.until, w.deadline})
	}
	return list
}

// DeadlineOf is the earliest deadline of what a plan plans.
func DeadlineOf(p *plan.Plan) time.Time { return read(p).deadline().UTC() }

// SortHolds puts what ends first, first.
func SortHolds(list []Hold) {
	slices.SortStableFunc(list, func(a, b Hold) int { return a.Until.Compare(b.Until) })
}
