// Package inventory holds hosts, services and installed packages: what people
// declare in inventory/*.hcl and what machines report in inventory/facts.
//
// A Host joins both. Whatever nobody reported is absent (nil, "" or a false
// Known flag), never zero: Facts keeps pointers where zero means something.
package inventory

import (
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// HostID names a host; it follows RFC 1123 plus underscores and is compared as written.
type HostID string

// Settings is the estate block: what holds for everything.
type Settings struct {
	Name      string
	Timezone  string // IANA name, default UTC
	Clock     string // wall | given
	Review    string // required | none | "" (required where the forge has reviews)
	OpenPlans int    // cap on open plan pull requests, default 5
	Groups    []Group
	SLA       map[string]time.Duration // class → clock, only those declared
	Owners    []string                 // who may approve loosening, default ["owners"]
	Teams     map[string][]string      // team → members, for the local forge
	Expires   time.Duration            // how long after its last wave's end a plan may run, default 7d
	Baseline  map[string]string        // the process before ringmaster, as people declare it
	Economy   Economy
}

// Economy is what an estate takes for granted when it weighs deploying against
// waiting; what it does not declare is 0, "" or absent.
type Economy struct {
	Currency   string             // that of downtime_cost_per_minute
	Detection  time.Duration      // until a failed change is noticed
	Compromise time.Duration      // how long a compromise takes a service down
	Reach      map[string]float64 // exposure → how far exploitation somewhere reaches a service, 0 to 1
}

// Group is services that are planned together.
type Group struct {
	Name     string
	Services []string // glob patterns
}

// Tier is how critical a service is. Rank 1 is the most critical.
type Tier struct {
	Name                  string
	Rank                  int
	DowntimeCostPerMinute float64
	RiskTolerance         float64 // acceptable probability that a change fails, 0..1
	Autonomy              string  // recommend | semi-autonomous | autonomous
}

// Service is hosts that serve one purpose.
type Service struct {
	Name         string
	Tier         string
	Owner        string
	Hosts        []string // glob patterns over host ids
	Labels       map[string]string
	DependsOn    []string
	Exposure     string // internet | internal | isolated | "" unknown
	HumanImpact  string // SSVC human impact: low | medium | high | very high | "" (from the tier)
	Compliance   []string
	MinAvailable string // "60%" or "2"; "" none
	Window       string // window name, "" none
	Users        int
	Install      time.Duration // planned length of one host's install, default 30m
	Rollback     time.Duration // planned length of one host's rollback, default = Install
	Group        string        // resolved: the group it is in, "main" when none
}

// Host is a declared or reported host, joined with its facts.
type Host struct {
	ID       HostID
	Declared bool              // a host block names it
	Labels   map[string]string // facts' labels, overlaid by declared ones
	Window   string            // declared on the host, "" none
	Services []string          // resolved, sorted by tier rank then name; [0] is the primary one
	Facts    *Facts            // nil: nobody reported anything; without Packages, which are below
	Packages *List             // set and differences joined; nil: nobody reported any
}

// Package is one installed package. Versions carry their epoch.
type Package struct {
	Type    version.Type `json:"type"`
	Name    string       `json:"name"`
	Version string       `json:"version"`
	Arch    string       `json:"arch,omitempty"`
	Source  string       `json:"source,omitempty"`
	// SourceVersion is the source package's version where it differs from Version.
	SourceVersion string `json:"source_version,omitempty"`
	Module        string `json:"module,omitempty"`
	Vendor        string `json:"vendor,omitempty"`
}

// OS is the operating system as os-release and uname tell it.
type OS struct {
	ID      string `json:"id,omitempty"`
	Version string `json:"version,omitempty"`
	Arch    string `json:"arch,omitempty"`
	Kernel  string `json:"kernel,omitempty"`
	Name    string `json:"name,omitempty"` // as a person would say it, when the source does
}

// Finding is what a scanner said: kept beside ringmaster's own match.
type Finding struct {
	CVE     string `json:"cve,omitempty"`
	ID      string `json:"id,omitempty"` // advisory id where the scanner names no CVE
	Package string `json:"package,omitempty"`
	Fixed   string `json:"fixed,omitempty"`
	// Installed is the version that the scanner found, kept for scanners that name
	// findings without listing all packages.
	Installed string `json:"installed,omitempty"`
}

// Facts is one line of inventory/facts/*.jsonl. All but Host may be absent.
type Facts struct {
	Host          HostID            `json:"host"`
	At            time.Time         `json:"at,omitzero"`
	Source        string            `json:"source,omitempty"`
	Address       string            `json:"address,omitempty"`
	OS            *OS               `json:"os,omitempty"`
	Set           string            `json:"set,omitempty"`
	Packages      []Package         `json:"packages,omitempty"` // with Set, only the differences to it
	Labels        map[string]string `json:"labels,omitempty"`
	Exposed       *bool             `json:"exposed,omitempty"`
	UptimeS       *int64            `json:"uptime_s,omitempty"`
	RebootPending *bool             `json:"reboot_pending,omitempty"`
	Drift         *bool             `json:"drift,omitempty"`
	DiskMB        *int64            `json:"disk_mb,omitempty"`
	DiskFreeMB    *int64            `json:"disk_free_mb,omitempty"`
	MemMB         *int64            `json:"mem_mb,omitempty"`
	MemFreeMB     *int64            `json:"mem_free_mb,omitempty"`
	Modules       []string          `json:"modules,omitempty"`
	Load          []float64         `json:"load,omitempty"` // 168 numbers in 0..1, hour of week from Monday 00:00 UTC
	Findings      []Finding         `json:"findings,omitempty"`
}

// Feed is where advisories come from: Kind is osv, csaf, kev, epss, cve, nvd,
// vex, debian, ubuntu or patches; From holds paths and URLs.
type Feed struct {
	Kind string
	From []string
}

// Exception is an override that ends by itself: policy yields to it only where
// a rule says that it may.
type Exception struct {
	Name     string
	Patch    string   // glob over patch ids
	Services []string // glob patterns; empty means every service
	Rules    []string // rule names it covers ("freeze.deny"); empty means all that yield
	Owner    string
	Reason   string
	From     time.Time // when it was recorded, where an override said it; zero: it holds in any case
	Until    time.Time // zero only with UntilFix
	// UntilFix: Patch names one version, and the exception ends when another one is
	// published, since that is another patch.
	UntilFix bool
	// CompensatingControl is what is done instead of what it waives, "" none said.
	CompensatingControl string
}
