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

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
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
	// Edit is a pull request that changes what may loosen: sections estate edit. It is
	// put to the base branch's policies, and only to rules that read input.edit.
	Edit Point = "edit"
)

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
