package policy

import "github.com/ringmaster-dev/ringmaster/engine/plan"

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
	return plan.Canonical(whole)
}
