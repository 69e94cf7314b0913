// Package clock says by when a patch must be on its hosts: every clock that
// applies, the strictest of them, and the class that follows.
//
// Clocks are those of the class itself, CERT/CC's SSVC deployer table, CISA's
// BOD 26-04 table, the vendor's deadline and the estate's own SLA. A missing
// input takes its worse value and says so; a CVE that a present catalogue does
// not list is known not to be listed.
package clock

import (
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Facts is what the clocks look at, for one patch on the hosts that need it.
type Facts struct {
	Advisories []*advisory.Advisory
	Knowledge  *advisory.Knowledge
	Detected   time.Time // when ringmaster first could see the need: the run's at where nothing older is known
	At         time.Time
	Exposure   string // internet | internal | isolated | "" unknown: the worst of the hosts'
	Impact     string // SSVC human impact: low | medium | high | very high | "": the worst of the services'
	SLA        map[string]time.Duration
	Profile    string // bod-26-04 (default "") | bod-22-01 | bod-19-02: historic ones are never chosen by themselves
}

// Verdict is the class and the clock that binds.
type Verdict struct {
	Class          plan.Class
	Deadline       time.Time
	Clock          string // vendor | class | ssvc | bod-26-04 | sla
	Start          time.Time
	From           string // published | detected
	KnownExploited bool
	Clocks         []Clock       // every clock that applies, strictest first
	Reasons        []plan.Reason // inputs as used; those that were missing or derived say so
}

// Clock is one clock: Start + Span = Deadline, except a vendor's own date.
type Clock struct {
	Name     string
	Start    time.Time
	From     string
	Span     time.Duration
	Deadline time.Time
	Because  string
}

// Judge works out class and deadline.
func Judge(f Facts) Verdict { panic("clock.Judge") }
