package policy

import (
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Document is an input as policies read it, as canonical JSON: exceptions and
// coarse values, which Decide and Batch fill in where they are nil, are there.
func (in *Input) Document(x Exceptions) ([]byte, error) {
	whole := *in
	if whole.Estate.Exceptions == nil {
		whole.Estate.Exceptions = exceptionInputs(x)
	}
	if whole.Host != nil {
		whole.Host = (&memo{}).derived(whole.Host)
	}
	if whole.Point == Edit { // which has no history
		return plan.Canonical(struct {
			Schema string     `json:"schema"`
			Point  Point      `json:"point"`
			Phase  string     `json:"phase"`
			At     time.Time  `json:"at"`
			Estate Estate     `json:"estate"`
			Edit   *EditInput `json:"edit"`
		}{whole.Schema, whole.Point, whole.Phase, whole.At, whole.Estate, whole.Edit})
	}
	return plan.Canonical(whole)
}
