package policy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// question is one clause put to one projection.
type question struct {
	clause *clause
	input  *ast.Term
	trace  bool                              // something may be absent
	fault  string                            // what of the input is not JSON
	cache  func(*watch) topdown.VirtualCache // of an evaluation that is watched; nil: twofold
}

// ask evaluates a clause and returns its decisions, sorted. Whatever goes wrong
// is a hold: nothing that fails passes.
func (s *set) ask(q question) (answer []plan.Decision) {
	defer func() {
		if r := recover(); r != nil {
			answer = []plan.Decision{q.clause.broken(fmt.Sprint(r))}
		}
	}()
	if q.fault != "" {
		return []plan.Decision{q.clause.broken(q.fault)}
	}
	_, end := begin(q.clause.rule, q.clause.where())
	defer end()
	said, missing, err := s.evaluate(q)
	switch {
	case err != nil:
		return []plan.Decision{q.clause.broken(wording(err))}
	case tooMuch(said):
		return []plan.Decision{q.clause.broken(fmt.Sprintf("it says more than %d bytes about one input", mostSaid))}
	}
	for _, t := range said {
		d, err := q.clause.decision(t)
		if err != nil {
			return []plan.Decision{q.clause.broken(err.Error())}
		}
		answer = append(answer, d)
	}
	for _, attribute := range missing {
		answer = append(answer, q.clause.missing(attribute))
	}
	return sorted(answer)
}

// evaluate runs a clause's body and returns what it says and the absent
// attributes that it came to.
func (s *set) evaluate(q question) (said []*ast.Term, missing []string, err error) {
	txn, err := s.store.NewTransaction(background)
	if err != nil {
		return nil, nil, err
	}
	defer s.store.Abort(background, txn)
	ctx, cancel, done := s.within()
	defer done()
	watch := newWatch(q, s.limits.steps(), cancel, s.settled)
	query := s.query(q, cancel, txn).WithQueryTracer(watch)
	if q.trace {
		// What is skipped by an index is not watched.
		query = query.WithIndexing(false).WithVirtualCache(q.cacheFor(watch))
	}
	err = query.Iter(ctx, func(r topdown.QueryResult) error {
		said = append(said, r[answerVar])
		return nil
	})
	switch {
	case watch.spent():
		return nil, nil, fmt.Errorf("it takes more than %d steps", s.limits.steps())
	case err != nil && ctx.Err() != nil:
		return nil, nil, errors.New("it takes longer than is allowed")
	}
	return said, watch.missing(), err
}

// query is a question as OPA takes it: no clock, no dice, and an error of a
// built-in is an error.
func (s *set) query(q question, cancel topdown.Cancel, txn storage.Transaction) *topdown.Query {
	return topdown.NewQuery(q.clause.body).
		WithCompiler(s.compiler).WithStore(s.store).WithTransaction(txn).WithInput(q.input).
		WithCancel(cancel).WithStrictBuiltinErrors(true).
		WithSeed(noDice{}).WithTime(time.Unix(0, 0).UTC())
}

func (q question) cacheFor(w *watch) topdown.VirtualCache {
	if q.cache != nil {
		return q.cache(w)
	}
	return newTwofold(w)
}

// within makes the context of one evaluation and what cancels it.
func (s *set) within() (context.Context, topdown.Cancel, func()) {
	cancel := topdown.NewCancel()
	if s.limits.Context == nil {
		return background, cancel, func() {}
	}
	ctx, done := s.limits.Context()
	stop := context.AfterFunc(ctx, cancel.Cancel)
	return ctx, cancel, func() { stop(); done() }
}

func (l Limits) steps() int {
	if l.Steps <= 0 {
		return DefaultSteps
	}
	return l.Steps
}

// noDice is the source of randomness of policies: there is none.
type noDice struct{}

func (noDice) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// wording is an error of OPA's without its code, with its place, on one line.
func wording(err error) string {
	text := err.Error()
	var e *topdown.Error
	if errors.As(err, &e) {
		text = e.Message
		if e.Location != nil {
			text = fmt.Sprintf("%s:%d: %s", e.Location.File, e.Location.Row, e.Message)
		}
	}
	return strings.Join(strings.Fields(text), " ")
}
