// Package plan is the deployment plan as a document: which changes, in which
// waves of which rings, what was decided about each and why, and its canonical
// bytes and digest.
//
// A plan is what reviewers approve, so its bytes are its identity: they are RFC
// 8785 canonical JSON, and the digest is taken over them without the member
// "digest". Every field below ends up in Git and is read by auditors.
package plan

import (
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Schema is the value of Plan.Schema that this package writes.
const Schema = "ringmaster/plan/v1"

// PatchID is type:package@version, as in "deb:openssl@3.0.15-1~deb12u1".
type PatchID string

// Class is how urgent a patch is.
type Class string

// The four classes, most urgent first, with their default clocks.
const (
	Critical Class = "critical" // 24 h
	High     Class = "high"     // 7 d
	Standard Class = "standard" // 30 d
	Low      Class = "low"      // 90 d
)

// Effect is what a decision does. Deny is stronger than Hold, Hold than
// Require, Require than Warn.
type Effect string

// The effects.
const (
	Deny    Effect = "deny"
	Hold    Effect = "hold"
	Require Effect = "require"
	Warn    Effect = "warn"
)

// Plan is plans/<id>/plan.json.
type Plan struct {
	Schema     string     `json:"schema"`
	ID         string     `json:"id"`      // <class>-<group>-<n>
	At         time.Time  `json:"at"`      // the clock the plan was made with
	Digest     string     `json:"digest"`  // sha256:… of the canonical bytes without this member
	Expires    time.Time  `json:"expires"` // nothing starts from this plan at or after this
	Inputs     Inputs     `json:"inputs"`
	Population Population `json:"population"`
	Patches    []Patch    `json:"patches"` // sorted by class, then deadline, then id
	Rings      []Ring     `json:"rings"`
	NotPlanned []Skipped  `json:"not_planned"`
	Approvals  []Approval `json:"approvals"`
	Scanners   []Dispute  `json:"scanners"` // where a scanner and the match differ
	Timezone   string     `json:"timezone"` // the estate's, in which people are shown the plan's times; all times here are UTC
}

// Inputs pins what the plan was computed from, each a digest of the bytes read.
type Inputs struct {
	Engine     string `json:"engine"`
	Commit     string `json:"commit"`
	Inventory  string `json:"inventory"`
	Rings      string `json:"rings"`
	Policies   string `json:"policies"`
	Models     string `json:"models"`
	Advisories string `json:"advisories"`
	Outcomes   string `json:"outcomes"`
}

// Population says how many hosts the plan could see. Stale hosts reported
// facts, but long ago; unknown ones never did. Uncovered ones have packages of a
// platform that no advisory here speaks of: that nothing was found on them is no
// good news.
type Population struct {
	Declared  int `json:"declared"`
	Fresh     int `json:"fresh"`
	Stale     int `json:"stale"`
	Unknown   int `json:"unknown"`
	Uncovered int `json:"uncovered"`
}

// Risk is a probability with the interval it is known to. Source is model,
// prior or rules.
type Risk struct {
	P      float64 `json:"p"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	Source string  `json:"source"`
}

// Reason is one thing that made a score or a class what it is. Effect is in
// the score's own unit (log-odds for a risk), 0 where it only informs.
type Reason struct {
	Term   string  `json:"term"`
	Value  string  `json:"value"`
	Effect float64 `json:"effect"`
}

// Decision is what one policy rule said.
type Decision struct {
	Rule    string         `json:"rule"` // <concern>.<deny|hold|require|warn>
	Effect  Effect         `json:"effect"`
	Message string         `json:"message"`
	Facts   map[string]any `json:"facts"`
	Remedy  string         `json:"remedy"`
}

// Patch is one package moving to one version, with the advisories it fixes.
type Patch struct {
	ID             PatchID      `json:"id"`
	Type           string       `json:"type"`
	Package        string       `json:"package"`
	To             string       `json:"to"`
	Vendor         string       `json:"vendor"`
	Advisories     []string     `json:"advisories"`
	CVEs           []string     `json:"cves"`
	Class          Class        `json:"class"`
	Deadline       time.Time    `json:"deadline"`
	Clock          string       `json:"clock"`       // which clock binds: vendor, class, ssvc, bod-26-04, sla, …
	ClockStart     time.Time    `json:"clock_start"` // when it began
	ClockFrom      string       `json:"clock_from"`  // published | detected
	KnownExploited bool         `json:"known_exploited"`
	DeployRisk     Risk         `json:"deploy_risk"`
	ExploitRisk    Risk         `json:"exploit_risk"`
	Reasons        []Reason     `json:"reasons"`
	Decisions      []Decision   `json:"decisions"` // those that hold for every change of the patch
	Test           string       `json:"test"`      // sandbox | canary | fast
	Feasible       bool         `json:"feasible"`
	Conflict       []Constraint `json:"conflict"` // minimal set that cannot hold together
	WaysOut        []WayOut     `json:"ways_out"` // best first
	// NoRollback is why it cannot be rolled back, where it cannot: hosts on which it
	// goes wrong are left as they are, for people. Sorted by Why, then Instead.
	NoRollback []NoRollback `json:"no_rollback,omitempty"`
}

// NoRollback is why a patch cannot be rolled back, and what people do instead.
type NoRollback struct {
	Why     string             `json:"why"`
	Instead string             `json:"instead"`
	Hosts   []inventory.HostID `json:"hosts,omitempty"` // sorted; absent: every host of the patch in the plan
}

// Stays returns what says why a patch of the plan cannot be rolled back on a host,
// nil where it can.
func (p *Plan) Stays() func(inventory.HostID, PatchID) *NoRollback {
	reasons := map[PatchID][]NoRollback{}
	for i := range p.Patches {
		if x := &p.Patches[i]; len(x.NoRollback) > 0 {
			reasons[x.ID] = x.NoRollback
		}
	}
	return func(host inventory.HostID, patch PatchID) *NoRollback {
		for i, r := range reasons[patch] {
			if _, ok := slices.BinarySearch(r.Hosts, host); ok || len(r.Hosts) == 0 {
				return &reasons[patch][i]
			}
		}
		return nil
	}
}

// Patch is one of the plan's, nil where it has none of this id.
func (p *Plan) Patch(id PatchID) *Patch {
	for i := range p.Patches {
		if p.Patches[i].ID == id {
			return &p.Patches[i]
		}
	}
	return nil
}

// Constraint is one member of a conflict: taking any one away would make the
// patch feasible. Kind is clock, window, freeze, soak, capacity, order,
// availability or after; Name is the block or clock it comes from.
type Constraint struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Message string `json:"message"`
}

// WayOut is something that a person could do about a conflict. Kind is window,
// freeze, soak, capacity, accept or mitigate; Feasible says that the patch would
// meet its clock if this alone were done, as recomputed by the scheduler.
type WayOut struct {
	Kind     string `json:"kind"`
	Message  string `json:"message"`
	Feasible bool   `json:"feasible"`
}

// Ring is one ring's part of the plan.
type Ring struct {
	Name        string   `json:"name"`
	Soak        string   `json:"soak"`
	MaxFailures int      `json:"max_failures"` // of a patch in this ring; one more stops it
	Gates       []string `json:"gates"`        // what must hold before the next ring
	// Sandbox: later rings wait for it with patches whose Test is "sandbox" alone.
	Sandbox bool `json:"sandbox,omitempty"`
	// StandsFor is how well its hosts and those of the rings before it stand for all
	// hosts of the plan's patches, 0 to 1: of each host the likeness, in role,
	// packages, system, hardware and load, of the chosen host most like it. Absent
	// where the ring takes every host that it matches.
	StandsFor *float64 `json:"stands_for,omitempty"`
	// Watch is how its hosts are watched while they soak. Absent where the fleet's own
	// probe measures all of them, of which nobody knows how often.
	Watch *Watch `json:"watch,omitempty"`
	Waves []Wave `json:"waves"`
}

// Watch is what a ring's shortest soak sees of each host: where hosts are measured by
// several health blocks, what all of them see.
type Watch struct {
	Signals []string `json:"signals"`          // measured; none: some host gets no verdict
	Step    string   `json:"step,omitempty"`   // between two points; absent where hosts are only asked when execute runs
	Points  int      `json:"points,omitempty"` // of each signal
	// Within is how soon after the change trouble that lasts must begin to be seen; absent
	// where no such trouble is sure to be.
	Within string `json:"within,omitempty"`
	// Rise is by how much error_ratio must rise to be blamed on the change, 0 where it is
	// not measured.
	Rise        float64 `json:"rise,omitempty"`
	MinRequests int     `json:"min_requests,omitempty"` // that a host must serve before it is called healthy
}

// Wave is hosts done together. No change starts before Start or after the
// point from which install and rollback still fit before End.
type Wave struct {
	Start    time.Time `json:"start"`
	NotAfter time.Time `json:"not_after"` // the last moment at which a host of it may start
	End      time.Time `json:"end"`
	Soak     string    `json:"soak"`    // of this wave: shorter than the ring's where the clock presses
	Changes  []Change  `json:"changes"` // sorted by host, then patch
}

// Change is a patch on a host: what passes between the stages.
type Change struct {
	Host       inventory.HostID `json:"host"`
	Patch      PatchID          `json:"patch"`
	From       string           `json:"from"`
	DeployRisk Risk             `json:"deploy_risk"`
	Decisions  []Decision       `json:"decisions"` // those not already on the patch
}

// Skipped is a change that was needed and not planned, with the reason and the
// time from which it may be. Host is empty when it holds for every host.
type Skipped struct {
	Patch    PatchID          `json:"patch"`
	Host     inventory.HostID `json:"host"`
	Why      string           `json:"why"`
	Until    time.Time        `json:"until,omitzero"`
	Deadline time.Time        `json:"deadline,omitzero"`
	Overdue  bool             `json:"overdue"`
}

// Approval is a requirement: Count people of From by By.
type Approval struct {
	From       string    `json:"from"`
	Count      int       `json:"count"`
	By         time.Time `json:"by,omitzero"`
	EscalateTo string    `json:"escalate_to"`
	Because    string    `json:"because"`
}

// Dispute is a difference between a scanner's finding and the match.
// Says is "scanner" when only the scanner reports it, "match" when only the
// match does, "fixed" when both do with different fixed versions.
type Dispute struct {
	Host    inventory.HostID `json:"host"`
	Package string           `json:"package"`
	CVE     string           `json:"cve"`
	Says    string           `json:"says"`
	Scanner string           `json:"scanner"` // its fixed version, "" none named
	Match   string           `json:"match"`
	Why     string           `json:"why"`
}
