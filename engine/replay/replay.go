// Package replay compares what two sets of policies, or of models, say about the
// same plans, and joins the differences to what then happened.
//
// Every plan is judged by itself, as things stood when it was made: what a change
// that was stopped would have altered in later plans is not followed. Nothing here
// says that a rule would have prevented a failure. It says that the change would
// have been stopped before, and that of those so many failed then.
package replay

import (
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Schema is the value of Report.Schema that this package writes.
const Schema = "ringmaster/replay/v1"

// Answer is what one side says about a change.
type Answer struct {
	Host       inventory.HostID
	Patch      plan.PatchID
	Class      plan.Class
	Risk       float64         // of deploying it there
	Stop       *plan.Decision  // the deny or hold that keeps it out, nil where policies let it pass
	Until      time.Time       // when that ends, zero where it does not say
	Decisions  []plan.Decision // what was said of it, and what stopped its wave or plan; slices may be shared
	Planned    []plan.Decision // the same with what was said of its wave
	Start, End time.Time       // of its wave, zero where it has none
}

// Side is one side's answers about a plan.
type Side struct {
	Answers   []Answer // sorted by host, then patch, each change once
	Approvals []plan.Approval
}

// Plan is a plan that was made again, twice.
type Plan struct {
	ID            string
	At            time.Time
	Questions     int // that were put to the policies: changes, waves, the plan
	Before, After Side
}

// Fate is what became of a change in the end: its last verdict.
type Fate struct {
	Host  inventory.HostID
	Patch plan.PatchID
	Event outcome.Event // healthy | failed | degraded | rolled_back
	At    time.Time
}

// Bad says that it went wrong.
func (f Fate) Bad() bool { return f.Event != outcome.Healthy }

// Report is what would have been otherwise. Lists are never nil.
type Report struct {
	Schema      string        `json:"schema"`
	At          time.Time     `json:"at"`
	Candidate   string        `json:"candidate"`    // what history was decided again with, in words
	Baseline    string        `json:"baseline"`     // and what that is compared with
	Models      bool          `json:"models"`       // these are models; else policies
	Commit      string        `json:"-"`            // that is under review, in a comment
	Changed     []string      `json:"changed"`      // files in which they differ
	Plans       int           `json:"plans"`        // replayed: the same under their own policies
	Decisions   int           `json:"decisions"`    // of these plans: changes, waves and plans that policies were asked about
	NotReplayed []NotReplayed `json:"not_replayed"` // and so not counted
	Unread      []NotReplayed `json:"unread"`       // plans whose outcomes cannot be read: their changes count as without a result
	Imported    int           `json:"imported"`     // outcomes from before ringmaster: no policy decided them, and they are not counted
	Stopped     Stopped       `json:"stopped"`
	Opened      Opened        `json:"opened"`
	Harder      int           `json:"harder"`     // changes held then and denied now
	Softer      int           `json:"softer"`     // denied then and held now
	Squeezed    int           `json:"squeezed"`   // let pass by both, and without a wave now: others take the room
	Moved       int           `json:"moved"`      // let pass by both, and in a wave at another time
	MovedDays   float64       `json:"moved_days"` // by how much together, later ones positive
	Reclassed   []Reclassed   `json:"reclassed"`  // patches of another class
	Edits       bool          `json:"edits"`      // what is said of edits of the estate differs, and is not asked again
	Gates       Gates         `json:"gates"`      // what was asked when waves were due
	Rules       []Rule        `json:"rules"`      // with a difference, those that stop most first
	Hosts       []Host        `json:"hosts"`      // with a flip, those that failed most first
	Approvals   []Approval    `json:"approvals"`  // by team, where more or fewer are required
	Flips       []Flip        `json:"flips"`      // every change that is stopped or let pass now, by time, plan, host, patch
}

// NotReplayed is a plan that could not be made again as it is.
type NotReplayed struct {
	Plan string `json:"plan"`
	Why  string `json:"why"`
}

// Stopped counts changes that were let pass and would be stopped.
type Stopped struct {
	Changes int `json:"changes"`
	Hosts   int `json:"hosts"`
	Failed  int `json:"failed"`  // of them failed, degraded or were rolled back then
	Healthy int `json:"healthy"` // of them were healthy then
	Never   int `json:"never"`   // of them had no result
	// Incidents are those that the estate recorded of these patches on these hosts
	// after their plans, and Minutes how long they lasted, as far as that is known.
	Incidents int     `json:"incidents"`
	Minutes   float64 `json:"incident_minutes"`
	// Days are exposure-days added, at least: for each that was healthy then, from
	// that time until the rule opens. OpenEnd are those whose rule names no end, and
	// they are not in Days.
	Days    float64 `json:"exposure_days"`
	OpenEnd int     `json:"open_end"`
}

// Opened counts changes that were stopped and would be let pass. What would have
// come of them is not known.
type Opened struct {
	Decisions int `json:"decisions"` // a change that waits is asked about by one plan after another
	Changes   int `json:"changes"`   // that they are about: patches on hosts
	Hosts     int `json:"hosts"`
	// Days are exposure-days gained, at most: for each of the Ended, from the end
	// of the first wave that it would have had until it was healthy there. Waiting
	// are those that have not been healthy there up to now, and Unplaced those for
	// which there would have been no wave; neither is in Days.
	Days     float64 `json:"exposure_days"`
	Ended    int     `json:"ended"`
	Waiting  int     `json:"waiting"`
	Unplaced int     `json:"unplaced"`
}

// Rule is how one rule's answers differ.
type Rule struct {
	Rule    string  `json:"rule"`
	Stops   int     `json:"stops"`   // changes that it stops now and that passed
	Failed  int     `json:"failed"`  // of those
	Healthy int     `json:"healthy"` // of those
	Days    float64 `json:"exposure_days"`
	OpenEnd int     `json:"open_end"`
	Opens   int     `json:"opens"` // changes that it stopped and that pass now
	// DueStops are changes that it would have held when their wave was due, DueOpens
	// those that it held then and would not have.
	DueStops int    `json:"due_stops"`
	DueOpens int    `json:"due_opens"`
	More     int    `json:"more"` // changes about which it speaks now and did not, whatever comes of it
	Less     int    `json:"less"` // about which it spoke and does not
	Says     string `json:"says"` // one thing that it says, as an example
}

// Host is how one host's changes differ.
type Host struct {
	Host    inventory.HostID `json:"host"`
	Stopped int              `json:"stopped"`
	Failed  int              `json:"failed"` // of those
	Opened  int              `json:"opened"`
	Days    float64          `json:"exposure_days"` // added less gained, where known
}

// Approval is how often a team is asked.
type Approval struct {
	From   string   `json:"from"`
	Before int      `json:"before"` // people, over all plans
	After  int      `json:"after"`
	More   []string `json:"more"`  // plans that need more of it
	Fewer  []string `json:"fewer"` // plans that need fewer
}

// Reclassed is a patch that has another class.
type Reclassed struct {
	Plan  string       `json:"plan"`
	Patch plan.PatchID `json:"patch"`
	Was   plan.Class   `json:"was"`
	Is    plan.Class   `json:"is"`
	Hosts int          `json:"hosts"`
}

// Flip is a change that is stopped now or let pass now.
type Flip struct {
	Plan    string           `json:"plan"`
	At      time.Time        `json:"at"` // of the plan
	Host    inventory.HostID `json:"host"`
	Patch   plan.PatchID     `json:"patch"`
	Was     Verdict          `json:"was"`
	Is      Verdict          `json:"is"`
	Then    outcome.Event    `json:"then"`                    // what became of it, "" where it had no result
	Since   time.Time        `json:"since,omitzero"`          // when that was
	Days    *float64         `json:"exposure_days,omitempty"` // added, or gained, where known
	RiskWas float64          `json:"risk_was"`
	RiskIs  float64          `json:"risk_is"`
}

// Verdict is what stops a change: deny, hold, or "" for nothing.
type Verdict struct {
	Effect  plan.Effect `json:"effect"`
	Rule    string      `json:"rule"`
	Message string      `json:"message"`
	Until   time.Time   `json:"until,omitzero"`
}
