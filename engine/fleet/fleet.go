// Package fleet carries out steps on hosts: apply a change, roll it back, say
// what is installed.
//
// A Fleet is a port; exec (a plugin of the estate's own) and sim (simulated
// hosts) stand on it as equals, and fleettest holds every one of them to the
// same promises. The requests and replies are those of the exec plugin protocol
// (version 1), which is the contract.
package fleet

import (
	"context"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// Fleet carries out steps. Methods may be called from several goroutines; now
// is the run's own clock, handed in for simulations.
type Fleet interface {
	// Hello asks what the fleet can do. It is called once, before anything else.
	Hello(ctx context.Context, now time.Time) (Caps, error)
	// Apply moves packages on one host. A key seen before gets its first answer
	// again. A job may be accepted and finish later: see Status.
	Apply(ctx context.Context, now time.Time, s Step) (Job, error)
	// Rollback moves packages back; a rollback never shares a key with an apply.
	Rollback(ctx context.Context, now time.Time, s Step) (Job, error)
	// Status reports jobs, unknown ones with state Unknown.
	Status(ctx context.Context, now time.Time, jobs []string) ([]Job, error)
	// Installed says which versions hosts have now. A host that does not answer
	// is left out; a package that is not installed has version "".
	Installed(ctx context.Context, now time.Time, hosts []inventory.HostID, packages []string) (map[inventory.HostID]map[string]string, error)
	// Cancel asks for jobs to be given up.
	Cancel(ctx context.Context, now time.Time, jobs []string) ([]Job, error)
	// Close ends the fleet; for a plugin, its standard input is closed.
	Close() error
}

// Caps is what a fleet can do. Ops holds apply, rollback, status, probe,
// installed, cancel.
type Caps struct {
	Plugin    string
	Ops       []string
	Schedules bool // keeps a step until its NotBefore
	MaxBatch  int  // unanswered requests at once, at least 1
	DryRun    bool
}

// Step is one host's part of a wave.
type Step struct {
	Key       string
	Host      inventory.HostID
	Packages  []Package
	NotBefore time.Time
	NotAfter  time.Time
	Reboot    string // if-needed | never | always
	DryRun    bool
	Labels    map[string]string
	Reason    string // rollback only
}

// Package is one package to move. What is found at another version than From
// is refused.
type Package struct {
	Type  version.Type `json:"type"`
	Name  string       `json:"name"`
	From  string       `json:"from"`
	To    string       `json:"to"`
	Patch plan.PatchID `json:"patch"`
}

// State is how far a job is.
type State string

// The states.
const (
	Accepted  State = "accepted"
	Running   State = "running"
	Succeeded State = "succeeded"
	Failed    State = "failed"
	Canceled  State = "canceled"
	Unknown   State = "unknown"
)

// Job is the answer to a step. Packages holds versions found afterwards, where
// the fleet says so.
type Job struct {
	ID       string
	State    State
	Started  time.Time
	Finished time.Time
	Packages map[string]string
	Rebooted bool
	Detail   string
}

// Error is an answer that is not ok. Code is unreachable, refused, invalid,
// busy or internal.
type Error struct {
	Code      string
	Message   string
	Retryable bool
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }
