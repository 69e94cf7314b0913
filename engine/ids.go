package engine

import (
	"fmt"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// idHistory is when each plan came to a line of first parents. A plan that was
// taken back stays in it: an id names one plan for ever, at the forge as well.
type idHistory struct {
	place map[repo.Hash]int // commit → how many come before it
	first map[string]int    // plan id → place of the commit that brought it first
}

// decide makes the plans of a commit's estate, as an engine of that version
// would at that time, numbered after every plan that was merged before.
func (e *Env) decide(est *estate.Estate, commit repo.Hash, at time.Time, version string) ([]*plan.Plan, error) {
	plans, _, err := e.decideSeeing(est, commit, at, version)
	return plans, err
}

// decideSeeing is decide that also says which hosts it could find nothing for.
func (e *Env) decideSeeing(est *estate.Estate, commit repo.Hash, at time.Time, version string) ([]*plan.Plan, Blind, error) {
	taken, err := e.taken(commit)
	if err != nil {
		return nil, Blind{}, fmt.Errorf("counting the plans merged before: %w", err)
	}
	b := e.basis(commit, at)
	b.version, b.taken = version, taken
	return decideSeeing(est, b)
}

// taken are the ids of plans that were merged up to a commit, by its first
// parents. The line is walked once for all commits on it that are asked for
// later; ask for the youngest first.
func (e *Env) taken(commit repo.Hash) (map[string]bool, error) {
	if _, ok := e.ids.place[commit]; !ok {
		h, err := walkIDs(e.Repo, commit)
		if err != nil {
			return nil, err
		}
		e.ids = h
	}
	last := e.ids.place[commit]
	taken := map[string]bool{}
	for id, at := range e.ids.first {
		if at <= last {
			taken[id] = true
		}
	}
	return taken, nil
}

func walkIDs(r *repo.Repo, from repo.Hash) (idHistory, error) {
	h := idHistory{place: map[repo.Hash]int{}, first: map[string]int{}}
	var line []repo.Step
	for s, err := range r.Under(from, "plans") {
		if err != nil {
			return h, err
		}
		line = append(line, s)
	}
	for place := range line {
		s := line[len(line)-1-place]
		h.place[s.Commit.Hash] = place
		for _, ch := range s.Changes {
			id, ok := planAt(ch.Path)
			if _, known := h.first[id]; ok && !known && ch.Before == "" {
				h.first[id] = place
			}
		}
	}
	return h, nil
}

// planAt is the id of the plan whose document lies at a path.
func planAt(path string) (id string, ok bool) {
	rest, ok := strings.CutPrefix(path, "plans/")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, "/plan.json")
}
