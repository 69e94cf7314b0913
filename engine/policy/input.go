package policy

import (
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// The comments of this file are the descriptions of the published schema
// (docs/policy/input.v1.schema.json), `enum` its words: see describe.go.

// Input is what a policy reads. Absent is absent: a nil pointer or empty string
// that nobody reported is left out of the JSON, so that reading it without
// handling its absence is noticed (engine.missing).
type Input struct {
	Schema  string        `json:"schema" enum:"ringmaster/input/v1"`  // the version of input
	Point   Point         `json:"point" enum:"plan wave change edit"` // what is asked about
	Phase   string        `json:"phase" enum:"plan execute"`          // whether it is planned or about to run; always plan for an edit
	At      time.Time     `json:"at"`                                 // the time of the decision: the only clock
	Estate  Estate        `json:"estate"`                             // the estate's settings
	History History       `json:"history"`                            // how far the estate's own outcomes reach
	Patch   *PatchInput   `json:"patch,omitempty"`                    // the patch of a change
	Host    *HostInput    `json:"host,omitempty"`                     // the host of a change
	Service *ServiceInput `json:"service,omitempty"`                  // the host's primary service; absent for a host in none
	Tier    *TierInput    `json:"tier,omitempty"`                     // the service's tier; absent for a host in no service
	Ring    *RingInput    `json:"ring,omitempty"`                     // the ring that takes the host, or that the wave is in; absent for a host that no ring takes
	Wave    *WaveInput    `json:"wave,omitempty"`                     // hosts done together
	Plan    *PlanInput    `json:"plan,omitempty"`                     // the plan as a whole
	Edit    *EditInput    `json:"edit,omitempty"`                     // a pull request that changes what may loosen
}

// Estate is the estate's settings.
type Estate struct {
	Name   string   `json:"name"`                        // as declared
	Clock  string   `json:"clock" enum:"wall given"`     // given: a simulation or a test
	Review string   `json:"review" enum:"required none"` // whether changes of the estate itself need a review
	Owners []string `json:"owners"`                      // teams that answer for the estate, the first of them first
	Tiers  int      `json:"tiers"`                       // how many
	// Exceptions are those handed to Decide or Batch, filled in there where nil.
	Exceptions []ExceptionInput `json:"exceptions"` // declared exceptions that have not ended
}

// ExceptionInput is a declared exception.
type ExceptionInput struct {
	Name                string    `json:"name"`                           // as declared
	Patch               string    `json:"patch"`                          // id or pattern, such as deb:openssl@*
	Services            []string  `json:"services"`                       // names or patterns of services
	Rules               []string  `json:"rules"`                          // rules it loosens; empty: all that yield
	Owner               string    `json:"owner,omitempty"`                // who answers for it
	Reason              string    `json:"reason,omitempty"`               // why it is needed
	Until               time.Time `json:"until,omitzero"`                 // when it ends
	UntilFix            bool      `json:"until_fix"`                      // it stands for one version, until another is published
	CompensatingControl string    `json:"compensating_control,omitempty"` // what is done instead, in words
}

// History is how far the estate's own outcomes reach.
type History struct {
	Months   float64 `json:"months"`                              // from the first outcome until now, in whole tenths, rounded down
	Outcomes int     `json:"outcomes"`                            // how many there are
	Ladder   string  `json:"ladder" enum:"rules shadow advisory"` // how far models are trusted
	// ModelAgeDays is how many whole days ago the newest outcome was that the
	// models have learnt from; absent where there is none.
	ModelAgeDays *int64 `json:"model_age_days,omitempty"`
}

// PatchInput is a patch.
type PatchInput struct {
	ID             string    `json:"id"`                                                // such as deb:openssl@3.0.15-1~deb12u1
	Type           string    `json:"type" enum:"deb rpm apk windows generic"`           // the package manager
	Package        string    `json:"package"`                                           // the package's name
	To             string    `json:"to"`                                                // the version it moves to
	Vendor         string    `json:"vendor,omitempty"`                                  // who publishes it
	Kind           string    `json:"kind" enum:"security bugfix feature"`               // what it is for
	Class          string    `json:"class" enum:"critical high standard low"`           // how urgent it is
	Deadline       time.Time `json:"deadline"`                                          // by when the last host is healthy with it
	Clock          string    `json:"clock" enum:"vendor class ssvc bod-26-04 sla loss"` // the clock that binds
	ClockSeconds   int64     `json:"clock_seconds"`                                     // its length
	Published      time.Time `json:"published,omitzero"`                                // when its version came out; absent when no date is known
	AgeSeconds     *int64    `json:"age_seconds,omitempty"`                             // since publication; absent when no date is known
	KnownExploited bool      `json:"known_exploited"`                                   // exploitation was seen in the wild
	DeployRisk     plan.Risk `json:"deploy_risk"`                                       // what deploying it may break, on the riskiest host
	ExploitRisk    plan.Risk `json:"exploit_risk"`                                      // what waiting with it may cost
	Reboot         *bool     `json:"reboot,omitempty"`                                  // whether it restarts its host; absent when nobody says
	CVEs           int       `json:"cves"`                                              // how many it fixes
	KnownIssues    int       `json:"known_issues"`                                      // unresolved at the time
	Reports        int       `json:"reports"`                                           // of trouble, by others
	Alarms         []Alarm   `json:"alarms"`                                            // on its vendor or package, or on everything, that stand now
	// Rollback is whether it can be rolled back on the host.
	Rollback RollbackInput `json:"rollback"`
}

// RollbackInput is whether a change can be rolled back.
type RollbackInput struct {
	Possible bool   `json:"possible"`          // where not, a host on which it goes wrong is left as it is, for people
	Why      string `json:"why,omitempty"`     // why not; absent where it can
	Instead  string `json:"instead,omitempty"` // what people do instead; absent where it can
}

// Alarm is a vendor or package that fails more often than its record lets expect.
type Alarm struct {
	Kind  string    `json:"kind" enum:"vendor package all"` // what it is on
	Name  string    `json:"name"`                           // the vendor's or package's
	N     int       `json:"n"`                              // outcomes looked at
	Bad   int       `json:"bad"`                            // of them failed, degraded or rolled back
	Since time.Time `json:"since"`                          // when it was raised
	Until time.Time `json:"until"`                          // when it ends
	Says  string    `json:"says"`                           // in a sentence
}

// HostInput is a host. Quarantine and holds name what stands against this patch
// on this host, as worked out from ledgers and overrides.
type HostInput struct {
	ID            string            `json:"id"`                       // its name in the inventory
	Labels        map[string]string `json:"labels"`                   // as declared and as reported
	Known         bool              `json:"known"`                    // facts were reported
	AgeSeconds    *int64            `json:"age_seconds,omitempty"`    // of its facts
	AgeDays       *int64            `json:"age_days,omitempty"`       // whole days of age_seconds: far fewer distinct values (filled in where nil)
	OS            string            `json:"os,omitempty"`             // such as debian
	Version       string            `json:"version,omitempty"`        // of its operating system
	Exposed       *bool             `json:"exposed,omitempty"`        // reachable from outside
	RebootPending *bool             `json:"reboot_pending,omitempty"` // an earlier update waits for a restart
	Drift         *bool             `json:"drift,omitempty"`          // it was changed by hand
	DiskFreeMB    *int64            `json:"disk_free_mb,omitempty"`   // megabytes
	DiskFreeGB    *int64            `json:"disk_free_gb,omitempty"`   // whole gigabytes (1024 MB) of disk_free_mb: far fewer distinct values (filled in where nil)
	MemFreeMB     *int64            `json:"mem_free_mb,omitempty"`    // megabytes
	Modules       []string          `json:"modules"`                  // of its kernel or hardware, that known issues may name
	DeployRisk    plan.Risk         `json:"deploy_risk"`              // of this patch on this host
	Quarantine    []Quarantine      `json:"quarantine"`               // of this patch and this host's cohort
	Holds         []Override        `json:"holds"`                    // overrides that stand against it now
}

// Quarantine is a patch that failed on a cohort of hosts.
type Quarantine struct {
	Patch  string    `json:"patch"`  // its id
	Cohort string    `json:"cohort"` // the role of the hosts that it is about, or the one host
	Plan   string    `json:"plan"`   // in which it failed
	Ring   string    `json:"ring"`   // in which it failed
	Host   string    `json:"host"`   // on which it failed
	At     time.Time `json:"at"`     // when it failed
	Until  time.Time `json:"until"`  // when the quarantine ends
	Why    string    `json:"why"`    // what was seen
	Whole  bool      `json:"whole"`  // it stands against every patch: something went wrong on the host that could not be undone, and a person is needed
}

// Override is a person's disagreement that holds now.
type Override struct {
	Kind   string    `json:"kind" enum:"hold exclude stop"` // what it does
	By     string    `json:"by"`                            // whose it is
	Reason string    `json:"reason"`                        // as that person said
	Until  time.Time `json:"until,omitzero"`                // when it ends; absent where it does not
}

// ServiceInput is a service.
type ServiceInput struct {
	Name         string            `json:"name"`                                                 // as declared
	Tier         string            `json:"tier"`                                                 // its tier's name
	Owner        string            `json:"owner,omitempty"`                                      // the team that answers for it
	Labels       map[string]string `json:"labels"`                                               // as declared
	Exposure     string            `json:"exposure,omitempty" enum:"internet internal isolated"` // who can reach it
	Compliance   []string          `json:"compliance"`                                           // tags such as pci-dss
	MinAvailable string            `json:"min_available,omitempty"`                              // as declared: hosts, or a share such as 60%
	Users        int               `json:"users"`                                                // how many people use it
	Hosts        int               `json:"hosts"`                                                // how many it has
	Dependents   int               `json:"dependents"`                                           // services that depend on it
}

// TierInput is a tier. Rank 1 is the most critical.
type TierInput struct {
	Name                  string  `json:"name"`                                                 // as declared
	Rank                  int     `json:"rank"`                                                 // 1 is the most critical
	Autonomy              string  `json:"autonomy" enum:"recommend semi-autonomous autonomous"` // what may happen unattended
	RiskTolerance         float64 `json:"risk_tolerance"`                                       // the highest risk of a change that needs nobody's yes
	DowntimeCostPerMinute float64 `json:"downtime_cost_per_minute"`                             // in the estate's currency
}

// RingInput is a ring.
type RingInput struct {
	Name        string `json:"name"`         // as declared
	Order       int    `json:"order"`        // lower ones go first
	SoakSeconds int64  `json:"soak_seconds"` // the wait that follows a wave
	MaxFailures int    `json:"max_failures"` // that it allows
}

// WaveInput is hosts done together.
type WaveInput struct {
	Number     int            `json:"number"`      // within its ring, from 1
	Start      time.Time      `json:"start"`       // as scheduled
	End        time.Time      `json:"end"`         // as scheduled
	Seconds    int64          `json:"seconds"`     // from start to end: far fewer distinct values than those have
	Hosts      int            `json:"hosts"`       // how many it takes
	FleetHosts int            `json:"fleet_hosts"` // declared in the estate
	Services   []WaveService  `json:"services"`    // those with hosts in it, sorted by name
	Freezes    []FreezeInput  `json:"freezes"`     // those that the wave's interval touches, for services in it
	Earlier    []RingProgress `json:"earlier"`     // lower-ordered rings of the plan
	Patches    []string       `json:"patches"`     // ids, sorted: an exception for a patch covers a wave of nothing else
	NoRollback int            `json:"no_rollback"` // of its hosts, those with a change that cannot be rolled back
}

// WaveService is a service's part of a wave.
type WaveService struct {
	Name          string      `json:"name"`              // the service's
	Tier          string      `json:"tier"`              // its tier's name
	Rank          int         `json:"rank"`              // of its tier: 1 is the most critical
	Total         int         `json:"total"`             // hosts of the service
	InWave        int         `json:"in_wave"`           // of them in this wave
	Down          int         `json:"down"`              // of them known unhealthy now
	MinAvailable  int         `json:"min_available"`     // as hosts, 0 where none is declared
	CostPerMinute float64     `json:"cost_per_minute"`   // of downtime, its tier's
	DependsOn     []string    `json:"depends_on"`        // of those, also in this wave
	Compliance    []string    `json:"compliance"`        // tags such as pci-dss
	Reboots       *int        `json:"reboots,omitempty"` // of those in the wave, hosts that will restart; absent when a patch does not say
	Dependents    []Dependent `json:"dependents"`        // services that lean on it, directly or through others, in the wave or not, sorted by name
}

// Dependent is a service that leans on another.
type Dependent struct {
	Name  string `json:"name"`            // as declared
	Owner string `json:"owner,omitempty"` // the team that answers for it
	Rank  int    `json:"rank"`            // of its tier: 1 is the most critical
}

// FreezeInput is a freeze.
type FreezeInput struct {
	Name   string    `json:"name"`   // as declared
	From   time.Time `json:"from"`   // its first moment
	To     time.Time `json:"to"`     // the first moment after it
	Reason string    `json:"reason"` // as declared
}

// RingProgress is how far a lower-ordered ring is, or is planned to be, when
// the wave starts.
type RingProgress struct {
	Name     string    `json:"name"`     // the ring's
	Order    int       `json:"order"`    // the ring's
	Ends     time.Time `json:"ends"`     // end of its last wave and soak
	Over     bool      `json:"over"`     // in phase plan: that is no later than the wave's start
	Complete bool      `json:"complete"` // in phase execute: it was promoted
	Failures int       `json:"failures"` // so far
	// MaxFailures is how many the ring allows, absent when nobody says.
	MaxFailures *int `json:"max_failures,omitempty"`
}

// PlanInput is a plan as a whole.
type PlanInput struct {
	ID          string        `json:"id"`                                      // such as high-payments-3
	Class       string        `json:"class" enum:"critical high standard low"` // of its patches
	Group       string        `json:"group"`                                   // of services
	Hosts       int           `json:"hosts"`                                   // how many
	Patches     int           `json:"patches"`                                 // how many
	Start       time.Time     `json:"start,omitzero"`                          // of its first wave; absent when there is none
	Deadline    time.Time     `json:"deadline,omitzero"`                       // the nearest of its patches
	Services    []PlanService `json:"services"`                                // sorted by name
	MaxRisk     float64       `json:"max_risk"`                                // highest deploy_risk.high of a change
	Feasible    bool          `json:"feasible"`                                // every deadline can be met
	HighestRank int           `json:"highest_rank"`                            // smallest rank number in it
	Author      string        `json:"author,omitempty"`                        // of its pull request; absent before there is one
	SLASeconds  *int64        `json:"sla_seconds,omitempty"`                   // the estate's own promise for its class; absent where it declares none
}

// PlanService is a service in a plan.
type PlanService struct {
	Name       string   `json:"name"`                                                 // as declared
	Owner      string   `json:"owner,omitempty"`                                      // the team that answers for it
	Tier       string   `json:"tier"`                                                 // its tier's name
	Rank       int      `json:"rank"`                                                 // of its tier: 1 is the most critical
	Autonomy   string   `json:"autonomy" enum:"recommend semi-autonomous autonomous"` // its tier's
	Hosts      int      `json:"hosts"`                                                // of it in the plan
	Compliance []string `json:"compliance"`                                           // tags such as pci-dss
	// RiskTolerance is its tier's, absent when it has no tier.
	RiskTolerance *float64 `json:"risk_tolerance,omitempty"`
	Exposure      string   `json:"exposure,omitempty" enum:"internet internal isolated"` // who can reach it; absent when nobody says
	// Patches are what the plan's waves bring to its hosts, sorted by id; filled in
	// for a service with compliance tags alone, empty for any other.
	Patches []ServicePatch `json:"patches"`
}

// ServicePatch is a patch on its way to a service.
type ServicePatch struct {
	ID             string    `json:"id"`                                      // such as deb:openssl@3.0.15-1~deb12u1
	Kind           string    `json:"kind" enum:"security bugfix feature"`     // what it is for
	Class          string    `json:"class" enum:"critical high standard low"` // how urgent it is
	Published      time.Time `json:"published,omitzero"`                      // when its version came out; absent when no date is known
	Deadline       time.Time `json:"deadline"`                                // by when the last host is healthy with it
	KnownExploited bool      `json:"known_exploited"`                         // exploitation was seen in the wild
	Ends           time.Time `json:"ends"`                                    // of the last wave that brings it to the service
	Tested         bool      `json:"tested"`                                  // hosts take it before the service does: in a lower ring of the plan, or healthy in an earlier plan
}
