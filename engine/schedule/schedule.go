// Package schedule puts admitted changes into waves: rings in order, inside
// windows and outside freezes, with capacity counted, services kept available
// and dependents after what they depend on; and proves whether the binding
// clock can be met.
//
// It is a pure function of its input.
package schedule

import (
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// Input is what is to be scheduled: one plan, that is one class of one group.
type Input struct {
	At       time.Time
	Rings    []ring.Ring   // by order
	Windows  []ring.Window // by name
	Freezes  []ring.Freeze
	Services []Service     // by name
	Hosts    []Host        // by id; those that have a change
	Patches  []Patch       // by id
	Changes  []Change      // by host, then patch
	Cutoff   time.Duration // nothing starts in the last part of a window; 0 means 1 h
}

// Service is what availability and dependencies need to know.
type Service struct {
	Name         string
	Tier         string
	Total        int // hosts it has in the estate
	MinAvailable int // hosts that must stay up; 0: all but one where it has two or more
	DependsOn    []string
}

// Host is a host with at least one change.
type Host struct {
	ID       inventory.HostID
	Services []int         // indices into Input.Services, primary first
	Ring     int           // index into Input.Rings; -1: no ring takes it
	Windows  []string      // all must be open; none: any time
	Freezes  []int         // indices into Input.Freezes that bind it
	Install  time.Duration // planned length of an install (default 30 min by the caller)
	Rollback time.Duration
	Lanes    int    // hosts of its fleet that are done at a time
	Fleet    string // hosts of the same fleet share its lanes
}

// Patch is a patch with its clock.
type Patch struct {
	ID       plan.PatchID
	Class    plan.Class
	Clock    string    // name of the binding clock
	Start    time.Time // when the clock began: rings' After counts from here
	Deadline time.Time
	Test     string // sandbox | canary | fast
	Reboot   bool
}

// Change is one patch on one host. NotBefore is zero where nothing asks for
// more than the ring's pace.
type Change struct {
	Host      int32
	Patch     int32
	NotBefore time.Time
}

// Result is where everything went.
type Result struct {
	// Waves by ring index, each with the indices of Input.Changes in it, sorted.
	Rings [][]Wave
	// Unplaced are changes that no wave takes, with why and from when it might.
	Unplaced []Unplaced
	Proofs   []Proof // one for each of Input.Patches
}

// Wave is changes done together.
type Wave struct {
	Start, End time.Time
	Changes    []int32
}

// Unplaced is a change without a wave.
type Unplaced struct {
	Change int32
	Why    string
	Until  time.Time // zero: no such time is known
}

// Proof says whether the patch meets its clock, when its last host is done and
// soaked, and if it does not, why not: a minimal set of constraints (dropping
// any one of them makes it feasible, as recomputed) and what would help.
type Proof struct {
	Feasible bool
	Finish   time.Time // zero when some change has no wave
	Conflict []plan.Constraint
	WaysOut  []plan.WayOut
}

// Waves schedules.
func Waves(in Input) Result { panic("schedule.Waves") }
