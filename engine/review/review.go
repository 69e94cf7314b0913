// Package review looks back at a span of time, usually a month: what was
// predicted and what happened, how long patches took and which clocks were met,
// what failed and what that cost, who disagreed and who was right.
//
// Everything is computed from what lies in Git: predictions stand in plans that
// were merged before anything happened, and ledgers say what became of each
// change. What cannot be known from them is absent, never zero; a saving is
// claimed only against the process that the estate declares as its baseline.
package review

import (
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Schema is the value of Report.Schema that this package writes.
const Schema = "ringmaster/review/v1"

// Warned is the predicted risk from which a change counts as warned of, where
// nothing else is asked for.
const Warned = 0.10

// Deed is a merged plan and its verified ledger.
type Deed struct {
	Plan  *plan.Plan
	Lines []outcome.Line
}

// Input is what a report is made of. From is in the span, To is not.
type Input struct {
	From, To  time.Time
	Warned    float64 // predicted risk from which a change was warned of; 0 is 10 %
	Deeds     []Deed
	Incidents []outcome.Incident
	Overrides []outcome.Override
	Baseline  Baseline
	// Cost is the downtime cost per minute of a host, ok false where its tier
	// declares none or nobody knows its service.
	Cost func(inventory.HostID) (float64, bool)
}

// Report is one span looked back at. Pointers are nil where there is no answer.
type Report struct {
	Schema      string        `json:"schema"`
	From        time.Time     `json:"from"`
	To          time.Time     `json:"to"`
	Changes     int           `json:"changes"` // that ended in the span
	Failed      int           `json:"failed"`
	Predictions Predictions   `json:"predictions"`
	Clocks      []Clock       `json:"clocks"` // by class, the most urgent first; only classes with changes
	Reach       Reach         `json:"reach"`
	Trouble     Trouble       `json:"trouble"`
	People      []Verdict     `json:"people"` // overrides of a risk that can be scored by now
	Saved       Saved         `json:"saved"`
	Watch       []Observation `json:"watch"` // alarms and drift, as whoever made the report found them
}

// Observation is something that watching found: what changed, in words.
type Observation struct {
	About string `json:"about"`
	Says  string `json:"says"`
}

// Of makes the report of a span. The order of the input's lists does not matter.
func Of(in Input) (*Report, error) {
	if in.Warned == 0 {
		in.Warned = Warned
	}
	all := changes(in.Deeds)
	done := within(all, in.From, in.To)
	r := &Report{Schema: Schema, From: in.From.UTC(), To: in.To.UTC(), Changes: len(done), Watch: []Observation{}}
	for _, c := range done {
		if c.failed {
			r.Failed++
		}
	}
	var err error
	if r.Predictions, err = predictions(done, in.Warned); err != nil {
		return nil, err
	}
	r.Clocks = clocks(all, in)
	r.Reach = reach(all, in.From, in.To)
	r.Trouble = trouble(done, in)
	r.People = people(all, in)
	r.Saved = saved(r, done, in)
	return r, nil
}
