// Package outcome is what became of each change: one JSON line an event, in a
// ledger that only grows.
//
// A ledger is outcomes/<plan>.jsonl. Each line carries the sha256 of the line
// before it (the first one the plan's digest), so that a line edited, cut or
// moved shows. If an outcome is not in Git, it did not happen.
package outcome

import (
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Schema is the value of Line.Schema that this package writes.
const Schema = "ringmaster/outcome/v1"

// Event is what happened.
type Event string

// The events of the contract.
const (
	Intended    Event = "intended"
	Applied     Event = "applied"
	Failed      Event = "failed"
	Healthy     Event = "healthy"
	Degraded    Event = "degraded"
	RolledBack  Event = "rolled_back"
	Skipped     Event = "skipped"
	Unreachable Event = "unreachable"
	Held        Event = "held"
	Promoted    Event = "promoted"
	Completed   Event = "completed"
)

// Line is one event of one ledger.
type Line struct {
	Schema    string           `json:"schema"`
	Prev      string           `json:"prev"` // sha256:… of the line before, without its newline
	At        time.Time        `json:"at"`
	Plan      string           `json:"plan"`
	Ring      string           `json:"ring"`
	Wave      int              `json:"wave"` // from 1 within the ring, 0 for the ring or plan as a whole
	Host      inventory.HostID `json:"host"`
	Patch     plan.PatchID     `json:"patch"`
	Key       string           `json:"key"` // idempotency key sent to the fleet
	Fleet     string           `json:"fleet"`
	Engine    string           `json:"engine"`
	Run       string           `json:"run"`
	Event     Event            `json:"event"`
	From      string           `json:"from"`
	To        string           `json:"to"`
	Seconds   float64          `json:"seconds"`
	Detail    string           `json:"detail"`
	Predicted float64          `json:"predicted"`
	Features  map[string]any   `json:"features"`
	Measured  *Measured        `json:"measured,omitempty"`
	// Began is when a change that was made began, where that is later than it was intended:
	// until then its host's health speaks of the time before it.
	Began time.Time `json:"began,omitzero"`
	// Ended is when a change was made, where that is later than At, which is when the
	// run began that waited for it: its soak begins then. Absent: at At.
	Ended time.Time `json:"ended,omitzero"`
}

// When is when the event was over.
func (l *Line) When() time.Time {
	if l.Ended.After(l.At) {
		return l.Ended
	}
	return l.At
}

// Undo says whether the line is about a change's rollback, by its key.
func (l Line) Undo() bool { return strings.HasSuffix(l.Key, "/rollback") }

// Measured is health before and after, by signal.
type Measured struct {
	Before map[string]float64 `json:"before"`
	After  map[string]float64 `json:"after"`
}

// Imported is one row of history from before (or beside) ringmaster, as `import
// outcomes` keeps it in inventory/history/outcomes.jsonl. It trains models and
// never earns autonomy. Absent numbers are nil.
type Imported struct {
	At         time.Time        `json:"at"`
	Host       inventory.HostID `json:"host"`
	Patch      string           `json:"patch"`
	Service    string           `json:"service,omitempty"`
	Advisory   string           `json:"advisory,omitempty"`
	Type       string           `json:"type,omitempty"`
	Package    string           `json:"package,omitempty"`
	Vendor     string           `json:"vendor,omitempty"`
	From       string           `json:"from,omitempty"`
	To         string           `json:"to,omitempty"`
	Event      Event            `json:"event"` // healthy | failed | rolled_back | degraded
	Kind       string           `json:"kind,omitempty"`
	SizeBytes  *int64           `json:"size_bytes,omitempty"`
	Reboot     *bool            `json:"reboot,omitempty"`
	Components []string         `json:"components,omitempty"`
	Modules    []string         `json:"modules,omitempty"`
	Role       string           `json:"role,omitempty"`
	Env        string           `json:"env,omitempty"`
	Tier       string           `json:"tier,omitempty"`
	Exposed    *bool            `json:"exposed,omitempty"`
	UptimeS    *int64           `json:"uptime_s,omitempty"`
	MemFreeMB  *int64           `json:"mem_free_mb,omitempty"`
	DiskFreeMB *int64           `json:"disk_free_mb,omitempty"`
	Drift      *bool            `json:"drift,omitempty"`
	Reports    *int             `json:"reports,omitempty"`
	Predicted  *float64         `json:"predicted,omitempty"`
	Detail     string           `json:"detail,omitempty"`
}

// Incident is one row of `import incidents`, kept in
// inventory/history/incidents.jsonl. Patch is empty when no patch caused it.
type Incident struct {
	Opened   time.Time        `json:"opened"`
	Host     inventory.HostID `json:"host,omitempty"`
	Service  string           `json:"service,omitempty"`
	Closed   time.Time        `json:"closed,omitzero"`
	Patch    string           `json:"patch,omitempty"`
	Advisory string           `json:"advisory,omitempty"`
	Minutes  *float64         `json:"minutes,omitempty"`
	Action   string           `json:"action,omitempty"`
}
