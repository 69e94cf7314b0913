package outcome

import (
	"fmt"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// BreakGlass is the kind of an override that lets one version of one plan begin
// without those who should approve it: Plan and Value (its digest) say which, and
// Until is at most GlassLasts after At.
const BreakGlass = "break-glass"

// GlassLasts is for how long a break-glass stands at most.
const GlassLasts = 72 * time.Hour

// The kinds that take caution away beside BreakGlass and a lower risk.
const (
	// Exception lets a rule that yields to exceptions let Patch (and Service) through.
	Exception = "exception"
	// Release ends one line that adds caution before its time. Whoever reads the
	// estate gives that line the release's At for its end.
	Release = "release"
	// Lift ends the quarantines of Patch, or of Host, that were there when it was said.
	Lift = "lift"
)

// StopAll is the value of a stop that holds rollbacks back as well.
const StopAll = "all"

// Override is one line of overrides/*.jsonl: a person's dated, reasoned
// disagreement. It is about every change, unless Patch, Host, Service or Plan
// narrow it.
type Override struct {
	Schema  string           `json:"schema"`          // ringmaster/override/v1
	At      time.Time        `json:"at"`              // when it was recorded; what takes caution away holds from then on, what adds it as soon as it lies there
	By      string           `json:"by"`              // who disagrees: the forge's login, or as claimed
	Kind    string           `json:"kind"`            // hold | exclude | risk | stop | exception | release | lift | break-glass
	Patch   string           `json:"patch,omitempty"` // glob over patch ids
	Host    inventory.HostID `json:"host,omitempty"`
	Service string           `json:"service,omitempty"`
	Plan    string           `json:"plan,omitempty"` // a plan's id
	// Value is: of a risk low or high, of a stop StopAll or "", of an exception the
	// rule that yields ("" for every one that may), of a release the Sum of the line
	// that it ends, of break-glass the plan's digest.
	Value  string `json:"value,omitempty"`
	Reason string `json:"reason"` // why, in the person's own words
	// ReasonType is a word of ReasonTypes, "" where none was named.
	ReasonType string    `json:"reason_type,omitempty"`
	Until      time.Time `json:"until,omitzero"` // when it ends by itself; absent: when its line is taken out
	Loosens    bool      `json:"loosens"`        // it takes caution away, so that an owner had to approve it
	// Predicted is the score disagreed with, absent where nothing was scored: the
	// person and the score are held against what happens then.
	Predicted *float64 `json:"predicted,omitempty"`
	// Account is what the forge calls By's account, which goes by another name where it
	// was renamed since: who asked does not approve. "" where the forge does not say.
	Account string `json:"account,omitempty"`
	// Evidence is where it was said, "" where that is the line itself: a pull request's
	// branch, the forge's id of the comment, the command's line in it and the comment's
	// sha256. What one evidence says is recorded once: saying it again, or taking the
	// line out, makes no second.
	Evidence string `json:"evidence,omitempty"`
}

// Sum names a line: the sha256 of its canonical JSON, which is how ringmaster
// writes it.
func (o Override) Sum() string {
	line, err := plan.Canonical(o)
	if err != nil {
		return "" // a time that JSON does not have; no estate holds it
	}
	return plan.Sum(line)
}

// Said is an override without what depends on the run that records it, and without
// its author's name, which forges let people change. Two that were said at one place
// and say the same are equal.
func (o Override) Said() Override {
	o.At, o.By, o.Account, o.Until, o.Predicted = time.Time{}, "", "", o.Until.UTC(), nil
	if o.Kind == Release {
		o.Value = "" // what it ends stands where it was said by its scope
	}
	return o
}

// ID names what is proposed: of one evidence it is the same, whichever run asks.
func (o Override) ID() string {
	if o.Evidence != "" {
		o = o.Said()
	}
	return fmt.Sprintf("override-%.10s", strings.TrimPrefix(o.Sum(), "sha256:"))
}
