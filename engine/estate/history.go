package estate

import (
	"encoding/json"
	"path"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
)

// schemaOverride is the schema of overrides/*.jsonl.
const schemaOverride = "ringmaster/override/v1"

// history reads inventory/history: what happened before ringmaster, as import
// keeps it.
func (r *reader) history() {
	e := r.estate
	e.Imported = readLines(r, "inventory/history/outcomes.jsonl", importedProblem)
	slices.SortStableFunc(e.Imported, func(a, b outcome.Imported) int { return a.At.Compare(b.At) })
	e.Incidents = readLines(r, "inventory/history/incidents.jsonl", incidentProblem)
	slices.SortStableFunc(e.Incidents, func(a, b outcome.Incident) int { return a.Opened.Compare(b.Opened) })
}

// readLines reads a JSONL file that need not be there. A line with a problem is
// a fault and is left out.
func readLines[T any](r *reader, name string, problem func(T) string) []T {
	top, _, _ := strings.Cut(name, "/")
	if !slices.Contains(r.files[top], name) {
		return nil
	}
	data, ok := r.read(name)
	if !ok {
		return nil
	}
	var list []T
	for n, line := range linesOf(data) {
		var v T
		if err := json.Unmarshal(line, &v); err != nil {
			r.fault(name, n, "%s", jsonError(err))
			continue
		}
		if text := problem(v); text != "" {
			r.fault(name, n, "%s", text)
			continue
		}
		list = append(list, v)
	}
	return list
}

func importedProblem(o outcome.Imported) string {
	events := []string{string(outcome.Healthy), string(outcome.Failed), string(outcome.RolledBack), string(outcome.Degraded)}
	switch {
	case o.At.IsZero():
		return `"at" is missing`
	case o.Host == "":
		return `"host" is missing`
	case !o.Host.Valid():
		return quoted("host", string(o.Host)) + hostGrammar
	case o.Patch == "":
		return `"patch" is missing`
	case o.Event == "":
		return `"event" is missing`
	case !slices.Contains(events, string(o.Event)):
		return quoted("unknown event", string(o.Event)) + hclfile.Expected(string(o.Event), events)
	}
	return ""
}

func incidentProblem(i outcome.Incident) string {
	switch {
	case i.Opened.IsZero():
		return `"opened" is missing`
	case i.Host == "":
		return `"host" is missing`
	case !i.Host.Valid():
		return quoted("host", string(i.Host)) + hostGrammar
	case i.Service == "":
		return `"service" is missing`
	case !i.Closed.IsZero() && i.Closed.Before(i.Opened):
		return `"closed" is before "opened"`
	case i.Minutes != nil && *i.Minutes < 0:
		return `"minutes" is below 0`
	}
	return ""
}

// quoted begins a message with the word it is about.
func quoted(what, word string) string { return what + ` "` + word + `": ` }

// kept reads what is handed on as bytes: policies, models, plans and ledgers.
func (r *reader) kept() {
	e := r.estate
	for _, name := range r.files["policies"] {
		if policy.IsPolicy(name) {
			r.keep(e.Policies, name, name)
		}
	}
	for _, name := range r.in("models", ".json") {
		if r.keep(e.Models, name, name) {
			if line, text := checkJSON(e.Models[name]); text != "" {
				r.fault(name, line, "%s", text)
			}
		}
	}
	for _, name := range r.files["plans"] {
		dir, base := path.Split(name)
		if id := path.Base(dir); base == "plan.json" && path.Dir(path.Clean(dir)) == "plans" && r.planID(name, id) {
			r.keep(e.Plans, id, name)
		}
	}
	r.ledgers("outcomes", e.Ledgers)
	r.ledgers("approvals", e.Approvals)
}

func (r *reader) keep(in map[string][]byte, key, name string) bool {
	data, ok := r.read(name)
	if ok {
		in[key] = data
	}
	return ok
}

// ledgers keeps <dir>/<plan id>.jsonl.
func (r *reader) ledgers(dir string, in map[string][]byte) {
	for _, name := range r.in(dir, ".jsonl") {
		if id := strings.TrimSuffix(path.Base(name), ".jsonl"); r.planID(name, id) && r.keep(in, id, name) {
			r.ledger(name, in[id])
		}
	}
}

// ledger checks that a ledger's lines can be read. Whether they are what was
// written once is shown by their chain, which needs the plan's digest: see
// outcome.Parse.
func (r *reader) ledger(name string, data []byte) {
	for n, line := range linesOf(data) {
		var l struct {
			Prev string `json:"prev"`
		}
		switch err := json.Unmarshal(line, &l); {
		case err != nil:
			r.fault(name, n, "%s", jsonError(err))
		case l.Prev == "":
			r.fault(name, n, `"prev" is missing; a ledger's lines are chained, and only execute writes them`)
		}
	}
}

// planID checks the grammar of a plan's id, which names files and branches.
func (r *reader) planID(name, id string) bool {
	if !made(id, lowers+digits, lowers+digits+"-", 128) {
		r.fault(name, 0, `%q is not the id of a plan; expected <class>-<group>-<n> in lower case, as in "high-payments-3"`, id)
		return false
	}
	return true
}
