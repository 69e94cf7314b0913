package estate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
)

// overrides reads overrides/*.jsonl.
func (r *reader) overrides() {
	var list []outcome.Override
	for _, name := range r.in("overrides", ".jsonl") {
		list = append(list, readLines(r, name, overrideProblem)...)
	}
	slices.SortStableFunc(list, func(a, b outcome.Override) int { return a.At.Compare(b.At) })
	r.estate.Overrides = released(list)
	for _, o := range r.estate.Overrides {
		if o.Kind == outcome.Exception {
			r.estate.Exceptions = append(r.estate.Exceptions, r.estate.Excepted(o))
		}
	}
}

// released gives what a release ends its time for an end, and leaves releases out.
// A release of what is not there, as it was taken out meanwhile, ends nothing.
func released(list []outcome.Override) []outcome.Override {
	ends := map[string]time.Time{} // by the line that ends
	list = slices.DeleteFunc(list, func(o outcome.Override) bool {
		if o.Kind != outcome.Release {
			return false
		}
		if _, known := ends[o.Value]; !known { // the first one counts
			ends[o.Value] = o.At
		}
		return true
	})
	if len(ends) == 0 {
		return list
	}
	for i := range list {
		if at, ok := ends[list[i].Sum()]; ok && !loosens(list[i]) && (list[i].Until.IsZero() || at.Before(list[i].Until)) {
			list[i].Until = at
		}
	}
	return list
}

// Excepted is an override of kind exception as the exception that policies meet. Who
// owns the service that it names answers for it, else the estate's owners do.
func (e *Estate) Excepted(o outcome.Override) inventory.Exception {
	x := inventory.Exception{Name: o.ID(), Patch: o.Patch, Owner: o.By, Reason: o.Reason, From: o.At, Until: o.Until}
	if len(e.Settings.Owners) > 0 {
		x.Owner = e.Settings.Owners[0]
	}
	if o.Service != "" {
		x.Services = []string{o.Service}
	}
	if i := slices.IndexFunc(e.Services, func(s inventory.Service) bool { return s.Name == o.Service && s.Owner != "" }); i >= 0 {
		x.Owner = e.Services[i].Owner
	}
	if o.Value != "" {
		x.Rules = []string{o.Value}
	}
	return x
}

// overrideKinds are the words of Override.Kind.
var overrideKinds = []string{"hold", "exclude", "risk", "stop", outcome.Exception, outcome.Release, outcome.Lift, outcome.BreakGlass}

// OverrideProblem says why an estate with the line among its overrides would be
// invalid, "" where it would not.
func OverrideProblem(line []byte) string {
	var o outcome.Override
	if err := json.Unmarshal(line, &o); err != nil {
		return jsonError(err)
	}
	return overrideProblem(o)
}

func overrideProblem(o outcome.Override) string {
	switch {
	case o.Schema != "" && o.Schema != schemaOverride:
		return quoted("unknown schema", o.Schema) + hclfile.Expected(o.Schema, []string{schemaOverride})
	case o.At.IsZero():
		return `"at" is missing`
	case o.By == "":
		return `"by" is missing`
	case !slices.Contains(overrideKinds, o.Kind):
		return quoted("unknown kind", o.Kind) + hclfile.Expected(o.Kind, overrideKinds)
	case strings.TrimSpace(o.Reason) == "":
		return `"reason" is missing`
	case o.Host != "" && !o.Host.Valid():
		return quoted("host", string(o.Host)) + hostGrammar
	case o.ReasonType != "" && !slices.Contains(outcome.ReasonWords(), o.ReasonType):
		return quoted("reason_type", o.ReasonType) + hclfile.Expected(o.ReasonType, outcome.ReasonWords())
	case !o.Until.IsZero() && !o.At.Before(o.Until):
		return `"until" is not after "at"`
	case o.Loosens != loosens(o):
		return loosensText(o)
	}
	return kindProblem(o)
}

// kindProblem is what is wrong with an override of its kind.
func kindProblem(o outcome.Override) string {
	switch {
	case o.Kind == "risk" && o.Value != "low" && o.Value != "high":
		return quoted("risk", o.Value) + hclfile.Expected(o.Value, []string{"low", "high"})
	case o.Kind == "stop" && o.Value != "" && o.Value != outcome.StopAll:
		return quoted("stop", o.Value) + hclfile.Expected(o.Value, []string{outcome.StopAll})
	case o.Kind == outcome.Exception && o.Until.IsZero():
		return `"until" is missing; an exception ends by itself`
	case o.Kind == outcome.Exception && (o.Patch == "" || o.Host != "" || o.Plan != ""):
		return `an exception is about a patch, and a service where it names one: "patch" is there, "host" and "plan" are not`
	case o.Kind == outcome.Exception && o.Value != "" && !IsRule(o.Value):
		return quoted("value", o.Value) + ruleGrammar
	case o.Kind == outcome.Release && !strings.HasPrefix(o.Value, "sha256:"):
		return `"value" is not the sha256 of a line; a release ends one line`
	case o.Kind == outcome.Lift && o.Patch == "" && o.Host == "":
		return `"patch" and "host" are missing; one of them says what is no longer in quarantine`
	case o.Kind == outcome.Lift && o.Until.IsZero():
		return `"until" is missing; what lifts a quarantine ends by itself`
	case o.Kind == outcome.BreakGlass && o.Plan == "":
		return `"plan" is missing; break-glass is about one plan`
	case o.Kind == outcome.BreakGlass && !strings.HasPrefix(o.Value, "sha256:"):
		return `"value" is not a plan's digest; break-glass is about one version of its plan`
	case o.Kind == outcome.BreakGlass && (o.Until.IsZero() || o.Until.Sub(o.At) > outcome.GlassLasts):
		return fmt.Sprintf(`"until" is missing, or more than %d hours after "at"`, int(outcome.GlassLasts.Hours()))
	}
	return ""
}

// loosens says what an override really does: the rights of who writes it hang
// on that, so the line may not claim otherwise.
func loosens(o outcome.Override) bool {
	return o.Kind == outcome.Exception || o.Kind == outcome.Release || o.Kind == outcome.Lift || o.Kind == outcome.BreakGlass || o.Kind == "risk" && o.Value == "low"
}

func loosensText(o outcome.Override) string {
	if loosens(o) {
		return quoted("kind", o.Kind) + `it loosens, so "loosens" must be true`
	}
	return quoted("kind", o.Kind) + `it tightens, so "loosens" must be false`
}
