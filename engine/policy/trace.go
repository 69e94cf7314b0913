package policy

import (
	"fmt"
	"io"
	"slices"

	"github.com/open-policy-agent/opa/v1/topdown"
)

// Trace writes OPA's own trace of the rules named, all where none is, as each is
// asked about an input: on the attributes that it reads and no others, and with
// every rule that it leans on evaluated, none skipped by an index.
func (s *Set) Trace(w io.Writer, in *Input, x Exceptions, rules ...string) error {
	b := newBatch(s, in.Point, x)
	one := *in
	if one.Estate.Exceptions == nil {
		one.Estate.Exceptions = exceptionInputs(b.exceptions.exceptions)
	}
	b.classify(0, 1, one, func(int, *Input) {})
	for i := range b.jobs {
		q := b.question(&b.jobs[i])
		if len(rules) > 0 && !slices.Contains(rules, q.clause.rule) {
			continue
		}
		if _, err := fmt.Fprintf(w, "# %s, %s\n", q.clause.rule, q.clause.where()); err != nil {
			return err
		}
		var events topdown.BufferTracer
		s.observe(q, &events)
		topdown.PrettyTraceWithLocation(w, events)
	}
	return nil
}
