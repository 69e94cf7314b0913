// Package risk says what deploying a change may break and what waiting may
// cost: a score with an interval and the reasons that made it.
//
// Before an estate has history of its own, deploy risk comes from rules and a
// beta-binomial track record shrunk to what larger groups showed; exploit risk
// comes from KEV, EPSS and CVSS. A score that is not yet trusted may only add
// caution.
package risk

import (
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Ladder is how far an estate's own history may lead.
type Ladder string

// The rungs: under 3 months of own outcomes, 3 to 6, from 6.
const (
	RulesOnly Ladder = "rules"
	Shadow    Ladder = "shadow"
	Advisory  Ladder = "advisory"
)

// History is how much own and imported history there is.
type History struct {
	Months   float64 // own, real (not sim in an estate with clock = wall) and verified
	Outcomes int
	Imported int
	Ladder   Ladder
}

// Trial is one finished change, own or imported: what the track record counts.
type Trial struct {
	At       time.Time
	Host     inventory.HostID
	Patch    string // patch id
	Vendor   string
	Package  string
	Role     string
	Failed   bool // failed, degraded or rolled back
	Imported bool
	Weight   float64 // 1, less where one host's share is capped
}

// Trials collects finished changes from verified ledgers and imported history,
// sorted by time, then host, then patch. Vendor and role come from the lines'
// features. One host's summed weight in any package is capped at 20 % of it
// where five or more hosts are there.
func Trials(ledgers map[string][]outcome.Line, imported []outcome.Imported, sim bool) []Trial {
	panic("risk.Trials")
}

// Measure says how much history there is at a time.
func Measure(trials []Trial, at time.Time) History { panic("risk.Measure") }

// TrackRecord is models/track-record.json: counts and the priors fitted to them
// by empirical Bayes (beta-binomial, method of moments), readable by a person.
type TrackRecord struct {
	Schema   string            `json:"schema"` // ringmaster/track-record/v1
	At       time.Time         `json:"at"`     // newest outcome in it
	Trials   int               `json:"trials"`
	Failures int               `json:"failures"`
	Own      int               `json:"own"` // trials that are the estate's own
	Prior    Beta              `json:"prior"`
	Vendors  map[string]Record `json:"vendors"`
	Packages map[string]Record `json:"packages"`      // key: type-less package name
	Roles    map[string]Record `json:"package_roles"` // key: package "×" role
	Data     map[string]any    `json:"data"`          // data card: time span, base rate, commits
}

// Beta is a beta distribution, A failures and B successes as if seen.
type Beta struct{ A, B float64 }

// Record is how often it went wrong.
type Record struct {
	N    float64 `json:"n"`
	Bad  float64 `json:"bad"`
	P    float64 `json:"p"`   // posterior mean
	Low  float64 `json:"low"` // 90 % credible interval
	High float64 `json:"high"`
}

// Fit makes the track record of what was known at a time. It is deterministic
// whatever the order of trials. It returns an error that names what is lacking
// where there are fewer than 20 trials.
func Fit(trials []Trial, at time.Time) (*TrackRecord, error) { panic("risk.Fit") }

// ParseTrackRecord reads models/track-record.json; unknown fields are passed over.
func ParseTrackRecord(data []byte) (*TrackRecord, error) { panic("risk.ParseTrackRecord") }

// Bytes are the canonical bytes of the model.
func (t *TrackRecord) Bytes() []byte { panic("risk.TrackRecord.Bytes") }

// Patch is what is known of a patch when it is scored.
type Patch struct {
	ID         plan.PatchID
	Package    string
	Vendor     string
	From, To   string // From: the oldest version it moves from
	Advisories []*advisory.Advisory
}

// Deploy scores what deploying may break: on the patch as a whole where host is
// nil, else on that host. model is nil where there is none; the ladder says how
// far it may lead: at rules and shadow the score is the rules' (the shadow score
// is told in a reason), and the model may only raise it. Source is "rules",
// "prior" (imported history only) or "model".
func Deploy(p Patch, host *inventory.Host, role string, model *TrackRecord, h History, at time.Time) (plan.Risk, []plan.Reason) {
	panic("risk.Deploy")
}

// Exploit scores what waiting may cost: the probability that one of the CVEs is
// exploited within 30 days, from KEV, EPSS and CVSS as known at a time.
func Exploit(advisories []*advisory.Advisory, k *advisory.Knowledge, at time.Time) (plan.Risk, []plan.Reason) {
	panic("risk.Exploit")
}

// BaseScore is the highest CVSS base score among vectors (v2, 3.0, 3.1, 4.0) and
// its vector, ok false where none can be read.
func BaseScore(vectors []string) (score float64, vector string, ok bool) { panic("risk.BaseScore") }
