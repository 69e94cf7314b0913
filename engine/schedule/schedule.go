// Package schedule puts admitted changes into waves: rings in order, inside
// windows and outside freezes, with capacity counted, services kept available
// and dependents after what they depend on; and proves whether the binding
// clock can be met.
//
// It is a pure function of its input. The rules, in the order in which they
// are applied:
//
//   - Patches that share hosts and would reach every ring in the same window
//     form a batch, unless that would make one of them late. All changes of a
//     host in a batch are one visit. A batch passes the rings in order; the next
//     ring begins when all of the one before is done and soaked. Rings without
//     changes are passed over. A sandbox is waited for only by patches that are to be
//     tried in one first.
//   - A ring begins no earlier than After from the patch's clock start. Where
//     the declared After and Soak do not leave a fifth of the clock unused, both
//     are shortened in the same proportion, as little as that takes; where a
//     fifth is out of reach, as little as the deadline takes. A soak is never
//     shorter than half an hour unless it was declared so.
//   - A visit starts where all windows of its host are open and no freeze that
//     binds it holds, not in the last hour before either ends that, and only
//     where install and rollback both fit before.
//   - A lane is taken from a visit's start to the end of its install.
//   - Hosts of a fleet that restart take turns. No more of them are on their way at a
//     time than can restart, turn by turn, in what is planned for an install; and
//     install and rollback are planned to be longer by the turns that may come before
//     a host's own.
//   - A service keeps MinAvailable hosts up, at least half where it declares
//     nothing. The only host of a service may be done.
//   - Within a ring and a batch, a service's hosts start when the hosts of all
//     services it depends on, also through others, are done. Across rings the
//     rings' order counts. In a circle, which validation refuses, the hosts are
//     still never done together.
//   - What is late is placed as early as can be.
//
// A patch that misses its deadline is proven to: its batch is placed again with
// constraints taken away until a set remains of which every member is needed.
package schedule

import (
	"cmp"
	"slices"
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
	MinAvailable int // hosts that must stay up; 0: half of them, rounded up, where it has two or more
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
	Lanes    int           // hosts of its fleet that are done at a time
	Fleet    string        // hosts of the same fleet share its lanes
	Restart  time.Duration // how long its restart may take; 0: it does not restart, or waits for nobody
	Turns    int           // hosts of its fleet that may be restarting at a time, at least 1
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
	Paces    []Pace  // one for each batch of patches, most urgent first
}

// Wave is changes done together: they start at Start, and are installed by End.
// The time that a rollback would need lies behind End and inside the same
// window.
type Wave struct {
	Start    time.Time
	NotAfter time.Time // the last start from which install and rollback still fit; no more than a day after Start
	End      time.Time
	Soak     time.Duration // as used, see Pace
	Changes  []int32
}

// Pace is how a batch of patches goes through the rings: what of the rings'
// After and Soak was kept, and why not all of it.
type Pace struct {
	Patches []int32
	After   []time.Duration // by ring index
	Soaks   []time.Duration // by ring index
	Kept    float64         // part of the declared pace that was kept, 1 all
	Why     string          // "" where all was kept
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

// Waves schedules. Patches go batch by batch, the most urgent first; a later
// batch takes the lanes and the hosts that the earlier ones leave.
//
// The input is not changed. Rings, services, freezes and so on are referred to
// by index, so their order counts; nothing else does.
func Waves(in Input) Result {
	p := newPlanner(&in)
	res := Result{Rings: make([][]Wave, len(in.Rings)), Proofs: make([]Proof, len(in.Patches))}
	for i := range res.Proofs {
		res.Proofs[i].Feasible = true
	}
	for _, b := range p.batches() {
		p.settle(b, &res)
	}
	for i := range res.Rings {
		sortWaves(res.Rings[i])
	}
	slices.SortFunc(res.Unplaced, func(a, b Unplaced) int { return cmp.Compare(a.Change, b.Change) })
	return res
}

// settle finds a batch's pace, proves what cannot be met, and takes its places.
func (p *planner) settle(b *batch, res *Result) {
	t := p.pace(b)
	p.stretch(b, t)
	for i, patch := range b.patches {
		res.Proofs[patch] = p.prove(b, t, i)
	}
	res.Paces = append(res.Paces, p.describe(b, t))
	p.commit(b, t, res)
}

func sortWaves(waves []Wave) {
	slices.SortFunc(waves, func(a, b Wave) int {
		return cmp.Or(a.Start.Compare(b.Start), a.End.Compare(b.End), cmp.Compare(a.Changes[0], b.Changes[0]))
	})
}
