package engine

import (
	"maps"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Same says whether two plans ask people for the same: changes, waves,
// decisions, classes, feasibility and approvals. Scores and what they were made
// of may differ.
func Same(a, b *plan.Plan) bool {
	return slices.EqualFunc(a.Rings, b.Rings, sameRing) && written(substance(a), substance(b))
}

// sameWork says whether two plans make the same changes, in whatever waves.
func sameWork(a, b *plan.Plan) bool {
	x, y := spots(a), spots(b)
	for w, at := range x {
		if to, ok := y[w]; !ok || to.change.From != at.change.From {
			return false
		}
	}
	return len(x) == len(y)
}

// hindsight counts what an estate learnt between a plan's time and now as known
// when the plan was made. Made again at its own time, it would miss an override
// that somebody recorded since, and that the plan on its branch must yield to. What took
// caution away and ended since has ended for it, too.
func hindsight(est *estate.Estate, then, now time.Time) {
	early := func(t *time.Time) {
		if t.After(then) && !t.After(now) {
			*t = then
		}
	}
	est.Overrides = slices.Clone(est.Overrides)
	for i := range est.Overrides {
		early(&est.Overrides[i].At)
		if Loosens(est.Overrides[i]) {
			early(&est.Overrides[i].Until)
		}
	}
	est.Exceptions = slices.Clone(est.Exceptions)
	for i := range est.Exceptions {
		early(&est.Exceptions[i].From)
		early(&est.Exceptions[i].Until)
	}
	exploited := maps.Clone(est.Knowledge.Exploited)
	for cve, x := range exploited {
		early(&x.Added)
		exploited[cve] = x
	}
	est.Knowledge.Exploited = exploited
	est.Advisories = slices.Clone(est.Advisories)
	for i := range est.Advisories {
		list := slices.Clone(est.Advisories[i].KnownIssues)
		for n := range list {
			early(&list[n].At)
		}
		est.Advisories[i].KnownIssues = list
	}
}

// loosenedLess says whether something that took caution away ended between two times.
func loosenedLess(est *estate.Estate, then, now time.Time) bool {
	between := func(t time.Time) bool { return t.After(then) && !t.After(now) }
	return slices.ContainsFunc(est.Overrides, func(o outcome.Override) bool { return Loosens(o) && between(o.Until) }) ||
		slices.ContainsFunc(est.Exceptions, func(x inventory.Exception) bool { return between(x.Until) })
}

// written says that two values have the same canonical bytes.
func written(a, b any) bool {
	x, err := plan.Canonical(a)
	y, err2 := plan.Canonical(b)
	return err == nil && err2 == nil && string(x) == string(y)
}

// substance is what reviewers decide on besides rings.
func substance(p *plan.Plan) any {
	type patch struct {
		ID        plan.PatchID      `json:"id"`
		Class     plan.Class        `json:"class"`
		Test      string            `json:"test"`
		Feasible  bool              `json:"feasible"`
		Decisions []plan.Decision   `json:"decisions"`
		Conflict  []plan.Constraint `json:"conflict"`
	}
	var patches []patch
	for _, x := range p.Patches {
		patches = append(patches, patch{x.ID, x.Class, x.Test, x.Feasible, x.Decisions, x.Conflict})
	}
	return map[string]any{"patches": patches, "approvals": p.Approvals}
}

// What is long is compared as it is, and the rest of each ring and wave by its
// bytes.
func sameRing(a, b plan.Ring) bool {
	x, y := a, b
	x.Waves, y.Waves, x.StandsFor, y.StandsFor = nil, nil, nil, nil
	return slices.EqualFunc(a.Waves, b.Waves, sameWave) && written(x, y)
}

func sameWave(a, b plan.Wave) bool {
	if len(a.Changes) != len(b.Changes) {
		return false
	}
	for i := range a.Changes {
		if !sameChange(&a.Changes[i], &b.Changes[i]) {
			return false
		}
	}
	a.Changes, b.Changes = nil, nil
	return written(a, b)
}

func sameChange(a, b *plan.Change) bool {
	return a.Host == b.Host && a.Patch == b.Patch && a.From == b.From && len(a.Decisions) == len(b.Decisions) &&
		(alias(a.Decisions, b.Decisions) || slices.EqualFunc(a.Decisions, b.Decisions, same))
}

// same compares decisions by what people and programs read of them.
func same(x, y plan.Decision) bool {
	return x.Rule == y.Rule && x.Effect == y.Effect && x.Message == y.Message && x.Remedy == y.Remedy && sameObject(x.Facts, y.Facts)
}

func sameObject(x, y map[string]any) bool {
	if len(x) != len(y) {
		return false
	}
	for k, v := range x {
		w, ok := y[k]
		if !ok || !sameValue(v, w) {
			return false
		}
	}
	return true
}

// sameValue compares JSON values: those that JSON is read into quickly, all
// others by their bytes.
func sameValue(x, y any) bool {
	switch v := x.(type) {
	case string:
		if w, ok := y.(string); ok {
			return v == w
		}
	case float64:
		if w, ok := y.(float64); ok {
			return v == w
		}
	case bool:
		if w, ok := y.(bool); ok {
			return v == w
		}
	case map[string]any:
		if w, ok := y.(map[string]any); ok {
			return sameObject(v, w)
		}
	case []any:
		if w, ok := y.([]any); ok {
			return slices.EqualFunc(v, w, sameValue)
		}
	}
	return written(x, y)
}
