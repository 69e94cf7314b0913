package githubtest

import (
	"slices"
	"time"
	"unicode/utf8"

	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// Status is a status of a commit. The newest of a context is the one that counts.
type Status struct {
	ID                         int64
	Commit, Context            string
	State, Description, Target string
	By                         string
	At                         time.Time
}

// statusMost is how many statuses GitHub takes of one commit and context.
const statusMost = 1000

// Statuses returns the statuses of commits, oldest first.
func (r *Repository) Statuses() []Status {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return slices.Clone(r.statuses)
}

// Mark adds a status of whoever.
func (r *Repository) Mark(s Status) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	s.ID, s.At = r.s.id(), r.s.clock()
	r.statuses = append(r.statuses, s)
}

func markCommit(c *call) reply {
	s := Status{Commit: c.req.PathValue("sha"), Context: "default", State: c.text("state"), Description: c.text("description"), Target: c.text("target_url"), By: c.user, At: c.clock()}
	if name := c.text("context"); name != "" {
		s.Context = name
	}
	if _, err := c.repo.git.Commit(repo.Hash(s.Commit)); err != nil {
		return refuse(422, "No commit found for SHA: "+s.Commit)
	}
	n := 0
	for _, old := range c.repo.statuses {
		if old.Commit == s.Commit && old.Context == s.Context {
			n++
		}
	}
	switch {
	case n >= statusMost:
		return failed("Status", "", "custom", "This SHA and context has reached the maximum number of statuses.")
	case utf8.RuneCountInString(s.Description) > 140:
		return failed("Status", "description", "custom", "description is too long (maximum is 140 characters)")
	}
	s.ID = c.id()
	c.repo.statuses = append(c.repo.statuses, s)
	v := markJSON(s)
	v["creator"] = userJSON(s.By)
	return object{201, v}
}

// combinedStatus has the newest of each context, and the worst of their states.
func combinedStatus(c *call) reply {
	commit := c.req.PathValue("ref")
	newest := map[string]bool{}
	var list []any
	states := map[string]bool{}
	for _, s := range slices.Backward(c.repo.statuses) {
		if s.Commit == commit && !newest[s.Context] {
			newest[s.Context], states[s.State] = true, true
			list = append(list, markJSON(s))
		}
	}
	state := "success"
	switch {
	case states["failure"] || states["error"]:
		state = "failure"
	case states["pending"] || len(list) == 0:
		state = "pending"
	}
	return listing{list: list, under: "statuses", beside: map[string]any{"state": state, "sha": commit}}
}

func markJSON(s Status) map[string]any {
	return map[string]any{"id": s.ID, "node_id": nodeID("SC", s.ID), "context": s.Context, "state": s.State, "description": null(s.Description), "target_url": null(s.Target), "created_at": stamp(s.At), "updated_at": stamp(s.At)}
}
