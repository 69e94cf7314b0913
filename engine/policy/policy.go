// Package policy asks Rego what may be done, and why.
//
// It is the door to OPA. Policies are compiled once, with no clock, network,
// environment or randomness among their built-ins, and asked once per distinct
// projection of what each of them reads: that is what makes 100,000 hosts cheap.
// The answer is the same, word for word, as asking for every host.
//
// # Rules
//
// A rule is one `deny|hold|require|warn contains {"msg": …, "facts": {…},
// "remedy": …}` of a package ringmaster.<concern>; everything else is library
// code. It is asked at every point that has all the sections it reads, itself or
// through the rules and functions it calls; `input.point == "plan"` in its body
// narrows that. schema, point, phase and at are there at every point.
//
// # Absent attributes
//
// Absent is what the input does not have: a section (a host in no service has
// neither service nor tier), an attribute nobody reported, a label that is not
// set, also inside the elements of a list. A rule whose evaluation comes to such
// a reference and has not said what absence means is held by engine.missing.
// What follows a false expression in a body is not come to. Absence is handled
//
//   - by object.get(input.host, "exposed", true) and the like, which name a value;
//   - under `not`: directly, as in `not input.host.exposed`, or in a rule that is
//     asked under an odd number of `not`s, so that absence cannot turn a yes into
//     a no; under an even number it is not handled. `not input.host.age_days > 7`
//     is not either: OPA reads the attribute before it negates the comparison;
//   - in a rule with a `default`, and in a body that an `else` follows.
//
// # Projections
//
// What a rule reads are the constant paths of its references to input, those of
// object.get with a constant key included. A reference with a variable, a value
// handed to a function or kept in a variable for more than a constant step
// counts whole, from there down. A rule is evaluated on its projection alone, so
// that equal projections have equal answers by construction.
package policy

import (
	"context"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Schema is the version of input that this engine builds.
const Schema = "ringmaster/input/v1"

// Point is when a policy is asked.
type Point string

// The decision points. A rule is asked at the points whose sections it reads:
// one that reads input.wave is asked where there is a wave.
const (
	Change Point = "change" // one patch on one host, before it is scheduled: sections estate history patch host service tier ring
	Wave   Point = "wave"   // one wave as scheduled, and again before it runs: sections estate history plan ring wave
	Plan   Point = "plan"   // the plan as a whole: sections estate history plan
)

// Input is what a policy reads. Absent is absent: a nil pointer or empty string
// that nobody reported is left out of the JSON, so that reading it without
// handling its absence is noticed (engine.missing).
type Input struct {
	Schema  string        `json:"schema"`
	Point   Point         `json:"point"`
	Phase   string        `json:"phase"` // plan | execute: whether it is planned or about to run
	At      time.Time     `json:"at"`
	Estate  Estate        `json:"estate"`
	History History       `json:"history"`
	Patch   *PatchInput   `json:"patch,omitempty"`
	Host    *HostInput    `json:"host,omitempty"`
	Service *ServiceInput `json:"service,omitempty"` // the host's primary service
	Tier    *TierInput    `json:"tier,omitempty"`
	Ring    *RingInput    `json:"ring,omitempty"`
	Wave    *WaveInput    `json:"wave,omitempty"`
	Plan    *PlanInput    `json:"plan,omitempty"`
}

// Estate is the estate's settings.
type Estate struct {
	Name   string   `json:"name"`
	Clock  string   `json:"clock"`
	Review string   `json:"review"`
	Owners []string `json:"owners"`
	Tiers  int      `json:"tiers"` // how many
	// Exceptions are those handed to Decide or Batch, filled in there where nil.
	Exceptions []ExceptionInput `json:"exceptions"`
}

// ExceptionInput is a declared exception.
type ExceptionInput struct {
	Name     string    `json:"name"`
	Patch    string    `json:"patch"`
	Services []string  `json:"services"`
	Rules    []string  `json:"rules"`
	Owner    string    `json:"owner,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Until    time.Time `json:"until,omitzero"`
}

// History is how far the estate's own outcomes reach.
type History struct {
	Months   float64 `json:"months"`
	Outcomes int     `json:"outcomes"`
	Ladder   string  `json:"ladder"` // rules | shadow | advisory
	// ModelAgeDays is how many whole days ago the newest outcome was that the
	// models have learnt from; absent where there is none.
	ModelAgeDays *int64 `json:"model_age_days,omitempty"`
}

// PatchInput is a patch.
type PatchInput struct {
	ID             string    `json:"id"`
	Type           string    `json:"type"`
	Package        string    `json:"package"`
	To             string    `json:"to"`
	Vendor         string    `json:"vendor,omitempty"`
	Kind           string    `json:"kind"`
	Class          string    `json:"class"`
	Deadline       time.Time `json:"deadline"`
	ClockSeconds   int64     `json:"clock_seconds"` // length of the binding clock
	Published      time.Time `json:"published,omitzero"`
	AgeSeconds     *int64    `json:"age_seconds,omitempty"` // since publication; absent when no date is known
	KnownExploited bool      `json:"known_exploited"`
	DeployRisk     plan.Risk `json:"deploy_risk"`
	ExploitRisk    plan.Risk `json:"exploit_risk"`
	Reboot         *bool     `json:"reboot,omitempty"`
	CVEs           int       `json:"cves"`
	KnownIssues    int       `json:"known_issues"` // unresolved at the time
	Reports        int       `json:"reports"`
	Alarms         []Alarm   `json:"alarms"` // on its vendor or package, or on everything, that stand now
}

// Alarm is a vendor or package that fails more often than its record lets expect.
type Alarm struct {
	Kind  string    `json:"kind"` // vendor | package | all
	Name  string    `json:"name"`
	N     int       `json:"n"`
	Bad   int       `json:"bad"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	Says  string    `json:"says"` // in a sentence
}

// HostInput is a host. Quarantine and holds name what stands against this patch
// on this host, as worked out from ledgers and overrides.
type HostInput struct {
	ID            string            `json:"id"`
	Labels        map[string]string `json:"labels"`
	Known         bool              `json:"known"`                 // facts were reported
	AgeSeconds    *int64            `json:"age_seconds,omitempty"` // of its facts
	AgeDays       *int64            `json:"age_days,omitempty"`    // whole days of AgeSeconds, filled in here where nil: far fewer distinct values
	OS            string            `json:"os,omitempty"`
	Version       string            `json:"version,omitempty"`
	Exposed       *bool             `json:"exposed,omitempty"`
	RebootPending *bool             `json:"reboot_pending,omitempty"`
	Drift         *bool             `json:"drift,omitempty"`
	DiskFreeMB    *int64            `json:"disk_free_mb,omitempty"`
	DiskFreeGB    *int64            `json:"disk_free_gb,omitempty"` // whole gigabytes (1024 MB) of DiskFreeMB, filled in here where nil
	MemFreeMB     *int64            `json:"mem_free_mb,omitempty"`
	Modules       []string          `json:"modules"`
	DeployRisk    plan.Risk         `json:"deploy_risk"` // of this patch on this host
	Quarantine    []Quarantine      `json:"quarantine"`  // of this patch and this host's cohort
	Holds         []Override        `json:"holds"`       // overrides that stand against it now
}

// Quarantine is a patch that failed on a cohort of hosts.
type Quarantine struct {
	Patch  string    `json:"patch"`
	Cohort string    `json:"cohort"` // "package × role" in words
	Plan   string    `json:"plan"`
	Ring   string    `json:"ring"`
	Host   string    `json:"host"`
	At     time.Time `json:"at"`
	Until  time.Time `json:"until"`
	Why    string    `json:"why"`
}

// Override is a person's disagreement that holds now.
type Override struct {
	Kind   string    `json:"kind"` // hold | exclude | stop
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	Until  time.Time `json:"until,omitzero"`
}

// ServiceInput is a service.
type ServiceInput struct {
	Name         string            `json:"name"`
	Tier         string            `json:"tier"`
	Owner        string            `json:"owner,omitempty"`
	Labels       map[string]string `json:"labels"`
	Exposure     string            `json:"exposure,omitempty"`
	Compliance   []string          `json:"compliance"`
	MinAvailable string            `json:"min_available,omitempty"`
	Users        int               `json:"users"`
	Hosts        int               `json:"hosts"`
	Dependents   int               `json:"dependents"`
}

// TierInput is a tier. Rank 1 is the most critical.
type TierInput struct {
	Name                  string  `json:"name"`
	Rank                  int     `json:"rank"`
	Autonomy              string  `json:"autonomy"`
	RiskTolerance         float64 `json:"risk_tolerance"`
	DowntimeCostPerMinute float64 `json:"downtime_cost_per_minute"`
}

// RingInput is a ring.
type RingInput struct {
	Name        string `json:"name"`
	Order       int    `json:"order"`
	SoakSeconds int64  `json:"soak_seconds"`
	MaxFailures int    `json:"max_failures"`
}

// WaveInput is hosts done together.
type WaveInput struct {
	Number     int            `json:"number"`
	Start      time.Time      `json:"start"`
	End        time.Time      `json:"end"`
	Seconds    int64          `json:"seconds"` // from start to end: far fewer distinct values than those have
	Hosts      int            `json:"hosts"`
	FleetHosts int            `json:"fleet_hosts"` // declared in the estate
	Services   []WaveService  `json:"services"`    // sorted by name
	Freezes    []FreezeInput  `json:"freezes"`     // those that the wave's interval touches, for services in it
	Earlier    []RingProgress `json:"earlier"`     // lower-ordered rings of the plan
	Patches    []string       `json:"patches"`     // ids, sorted: an exception for a patch covers a wave of nothing else
}

// WaveService is a service's part of a wave.
type WaveService struct {
	Name          string   `json:"name"`
	Tier          string   `json:"tier"`
	Rank          int      `json:"rank"`
	Total         int      `json:"total"`         // hosts of the service
	InWave        int      `json:"in_wave"`       // of them in this wave
	Down          int      `json:"down"`          // of them known unhealthy now
	MinAvailable  int      `json:"min_available"` // as hosts, 0 where none is declared
	CostPerMinute float64  `json:"cost_per_minute"`
	DependsOn     []string `json:"depends_on"` // of those, also in this wave
	Compliance    []string `json:"compliance"`
	Reboots       *int     `json:"reboots,omitempty"` // of those in the wave, hosts that will restart; absent when a patch does not say
}

// FreezeInput is a freeze.
type FreezeInput struct {
	Name   string    `json:"name"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Reason string    `json:"reason"`
}

// RingProgress is how far a lower-ordered ring is, or is planned to be, when
// the wave starts.
type RingProgress struct {
	Name     string    `json:"name"`
	Order    int       `json:"order"`
	Ends     time.Time `json:"ends"`     // end of its last wave and soak
	Over     bool      `json:"over"`     // plan: that is no later than the wave's start
	Complete bool      `json:"complete"` // execute: promoted
	Failures int       `json:"failures"`
	// MaxFailures is how many the ring allows, absent when nobody says.
	MaxFailures *int `json:"max_failures,omitempty"`
}

// PlanInput is a plan as a whole.
type PlanInput struct {
	ID          string        `json:"id"`
	Class       string        `json:"class"`
	Group       string        `json:"group"`
	Hosts       int           `json:"hosts"`
	Patches     int           `json:"patches"`
	Start       time.Time     `json:"start,omitzero"` // first wave
	Deadline    time.Time     `json:"deadline,omitzero"`
	Services    []PlanService `json:"services"` // sorted by name
	MaxRisk     float64       `json:"max_risk"` // highest deploy_risk.high of a change
	Feasible    bool          `json:"feasible"`
	HighestRank int           `json:"highest_rank"` // smallest rank number in it
	Author      string        `json:"author,omitempty"`
}

// PlanService is a service in a plan.
type PlanService struct {
	Name       string   `json:"name"`
	Owner      string   `json:"owner,omitempty"`
	Tier       string   `json:"tier"`
	Rank       int      `json:"rank"`
	Autonomy   string   `json:"autonomy"`
	Hosts      int      `json:"hosts"`
	Compliance []string `json:"compliance"`
	// RiskTolerance is its tier's, absent when it has no tier.
	RiskTolerance *float64 `json:"risk_tolerance,omitempty"`
}

// Fault is something wrong in a policy file.
type Fault struct {
	File    string
	Line    int
	Column  int
	Message string
}

// Set is compiled policies. It may be used by several goroutines.
type Set struct{ set }

// Limits bound one evaluation of one rule. What exceeds them is a hold
// "engine.error".
type Limits struct {
	// Steps is how many expressions may be evaluated, DefaultSteps when zero:
	// the same on every machine, so that a decision replays.
	Steps int
	// Context makes the context of one evaluation; nil is none. Hand in one with
	// a timeout against built-ins that take long in a single step. A machine's
	// speed then has a say in the answer: leave plenty.
	Context func() (context.Context, context.CancelFunc)
}

// DefaultSteps is more than a hundred times what the shipped policies take.
const DefaultSteps = 1_000_000

// WithLimits returns the same policies under other limits.
func (s *Set) WithLimits(l Limits) *Set {
	other := *s
	other.limits = l
	return &other
}

// Exceptions are what policy may yield to, where a rule says so.
type Exceptions []inventory.Exception
